//! The cost of the adapters, compared with their HTTP libraries used by hand.
//!
//! `cargo bench -p didit-benches --bench ratios [-- ROUNDS]` prints the rows of a table, on Linux
//! with two processors. Each client runs in its own process, in a different order in each round. The
//! rate of a client is the best of all rounds, since any interference makes a run slower. Each client
//! runs twice per round; comparing it with itself shows the noise. The HTTP libraries by hand run with
//! and without a timeout, since their default is none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod peers;
mod server;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

const ROUNDS: usize = 60;

fn main() {
    let arguments = didit_benches::arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match &arguments[..] {
        ["serve"] => server::serve().unwrap(),
        ["peer", peer, base, n, c] => {
            peers::run(peer, base, n.parse().unwrap(), c.parse().unwrap());
        }
        [] => compare(ROUNDS),
        [rounds] => compare(rounds.parse().expect("a number of rounds")),
        _ => panic!("usage: ratios [ROUNDS]"),
    }
}

fn compare(rounds: usize) {
    println!("| what | ÷ without a timeout | ÷ with one | the same twice |");
    println!("|---|---|---|---|");
    for (scenario, client_cpu, n, c) in
        [("C=1, one core", 0, 4_000, 1), ("C=64, a core each", 1, 12_000, 64)]
    {
        let (server, base) = server(0);
        for (library, ours, runtime) in [
            ("reqwest", "async", "multi-thread"),
            ("reqwest", "async", "current-thread"),
            ("ureq", "blocking", "threads"),
        ] {
            let with = |name: &str| format!("{name}-{runtime}");
            let once = [with(library), with(ours), with(&format!("{library}_timeout"))];
            let peers = [once.clone(), once].concat();
            let mut best = [0.0_f64; 6];
            for round in 0..rounds {
                for turn in 0..peers.len() {
                    let at = (turn + round) % peers.len();
                    best[at] = best[at].max(peer_run(&peers[at], &base, n, c, client_cpu));
                }
            }
            let [raw, ours_rate, timeout, raw_again, ours_again, timeout_again] = best;
            let ours_rate = ours_rate.max(ours_again);
            println!(
                "| {ours} adapter ÷ {library}, {scenario}, {runtime} | {:.3} | {:.3} | {:.3} |",
                ours_rate / raw.max(raw_again),
                ours_rate / timeout.max(timeout_again),
                raw_again / raw
            );
        }
        stop(server);
    }
}

fn this(cpu: usize) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &cpu.to_string()]).arg(std::env::current_exe().unwrap());
    command
}

fn server(cpu: usize) -> (Child, String) {
    let mut child = this(cpu).arg("serve").stdout(Stdio::piped()).spawn().expect("taskset");
    let mut base = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut base).unwrap();
    (child, base.trim().to_owned())
}

fn stop(mut server: Child) {
    server.kill().unwrap();
    server.wait().unwrap();
}

/// Returns the decisions per second of one run of a peer.
fn peer_run(peer: &str, base: &str, n: usize, c: usize, cpu: usize) -> f64 {
    let run = this(cpu).args(["peer", peer, base, &n.to_string(), &c.to_string()]).output();
    let output = run.unwrap();
    assert!(output.status.success(), "{peer}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}
