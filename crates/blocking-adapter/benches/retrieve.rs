//! Retrieves decisions as fast as a server allows, and prints one JSON line of what it took.
//!
//! `cargo bench -p didit-blocking-adapter --bench retrieve -- BASE N C [QUOTA WINDOW_MS]`
//!
//! With a quota the client is told the length of the window, and learns the rest from the answers;
//! nothing is warmed up then.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use didit_blocking_adapter::Client;
use didit_core::data_transfer::Status;
use didit_core::{ClientCredentials, Policy, SessionId};

const WARM_UP: usize = 200;

fn drain(client: &Client, ids: &[SessionId], n: usize, concurrency: usize) -> usize {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = 0;
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= n {
                return done;
            }
            let id = &ids[i % ids.len()];
            let decision = client.decision(id).expect("a decision");
            let seen = (decision.session_id(), decision.status());
            assert_eq!(seen, (id.as_str(), &Status::Confirmed));
            assert!(decision.user_data().is_some_and(|user| user.names().is_some()));
            done += 1;
        }
    };
    if concurrency == 1 {
        return work();
    }
    thread::scope(|scope| {
        let workers: Vec<_> = (0..concurrency).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    })
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let number = |at: usize| arguments.get(at).map(|text| text.parse::<u64>().expect("a number"));
    let [base, ..] = &arguments[..] else {
        println!("usage: retrieve BASE N C [QUOTA WINDOW_MS]");
        return;
    };
    let size = |at: usize| usize::try_from(number(at).expect("N and C")).unwrap();
    let (n, concurrency) = (size(1), size(2));
    let mut policy = Policy::default();
    policy.call_timeout = Duration::from_secs(3600);
    if let (Some(_quota), Some(window)) = (number(3), number(4)) {
        policy.rate_limit_window = Duration::from_millis(window);
    }
    let paced = arguments.len() > 3;
    let ids: Vec<SessionId> =
        (0..1024).map(|i| format!("{i:08x}-0000-4000-8000-{i:012x}").parse().unwrap()).collect();
    let credentials = ClientCredentials::new("c", "s").unwrap();
    let builder = Client::builder(credentials).base_url(base.parse().unwrap());
    let client = builder.policy(policy).build().unwrap();
    if !paced {
        drain(&client, &ids, WARM_UP, concurrency);
    }
    let began = Instant::now();
    let done = drain(&client, &ids, n, concurrency);
    report("blocking", done, concurrency, began.elapsed());
}

fn report(peer: &str, n: usize, c: usize, taken: Duration) {
    let seconds = taken.as_secs_f64();
    #[allow(clippy::cast_precision_loss)]
    let per_second = n as f64 / seconds;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|line| line.split_whitespace().next()).unwrap_or("0");
    println!(
        r#"{{"peer":"{peer}","n":{n},"c":{c},"seconds":{seconds:.6},"per_second":{per_second:.1},"peak_rss_kb":{peak}}}"#
    );
}
