//! 256 concurrent callers against a service with all kinds of faults: through each adapter, and as a
//! fleet of four processes that share a `redis-server`.
//!
//! `cargo bench -p didit-benches --bench load -- [SECONDS]`
//!
//! It fails if a call is lost, late or returns the decision of another session, if a session may have
//! been created twice, or if memory or file descriptors grow. The service runs in its own process, so
//! that only the memory of the client is measured.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod callers;
mod fleet;
mod service;
mod watch;

use std::process::ExitCode;
use std::time::Duration;

use self::callers::{Tally, run_async, run_blocking};
use self::service::{Service, Upstream};
use self::watch::{Seen, Watch};

const CALLERS: usize = 256;

fn main() -> ExitCode {
    let arguments = didit_benches::arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let time = match &arguments[..] {
        ["serve"] => {
            service::serve();
            return ExitCode::SUCCESS;
        }
        ["worker", orders] => {
            fleet::work(orders);
            return ExitCode::SUCCESS;
        }
        [seconds] => Duration::from_secs(seconds.parse().expect("a number of seconds")),
        _ => Duration::from_secs(10),
    };
    println!("| client | calls | failed | longest | descriptors | memory, 2nd and 4th quarter |");
    println!("|---|---|---|---|---|---|");
    let succeeded = [
        run("async", time, |upstream, time| watched(run_async, upstream, CALLERS, time)),
        run("blocking", time, |upstream, time| watched(run_blocking, upstream, CALLERS, time)),
        run("fleet of 4", time, fleet::run),
    ];
    if succeeded == [true; 3] { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the callers of this process and watches their use of resources.
fn watched(
    run: fn(&Upstream, usize, Duration) -> Tally,
    upstream: &Upstream,
    callers: usize,
    time: Duration,
) -> (Tally, Seen) {
    let watch = Watch::start(time);
    let tally = run(upstream, callers, time);
    (tally, watch.end())
}

/// Runs the callers of one kind of client. Returns `true` if there were no problems.
fn run(name: &str, time: Duration, callers: fn(&Upstream, Duration) -> (Tally, Seen)) -> bool {
    let service = Service::start();
    let (tally, seen) = callers(&service.upstream, time);
    let served = service.end();
    let [before, most, after] = seen.descriptors;
    println!(
        "| {name} | {} | {} | {:.2} s | {most} at most, {after} after | {} kB, {} kB |",
        tally.finished,
        tally.failed,
        tally.longest.as_secs_f64(),
        seen.early_memory,
        seen.late_memory,
    );
    let problems = [
        (tally.started != tally.finished, "calls were lost"),
        (tally.finished == 0, "nothing was asked"),
        (tally.mismatched > 0, "a call was answered with another session's decision"),
        (tally.unexpected > 0, "a call failed in a way that the service never does"),
        (tally.longest > callers::CALL_TIMEOUT + Duration::from_secs(2), "a call was late"),
        (served.creations == 0, "no session was created"),
        (served.doubled > 0, "a session may have been created twice"),
        (served.acted > tally.creations, "more was sent than may create a session once"),
        // In addition to connections in use, a pool may hold as many that were opened but not needed.
        (most > before + 2 * CALLERS + 32, "too many descriptors"),
        (after > before, "descriptors were left open"),
        (seen.late_memory > seen.early_memory * 9 / 8 + 16_384, "memory grew"),
    ];
    for (_, problem) in problems.iter().filter(|(found, _)| *found) {
        eprintln!("{name}: {problem}: {tally:?} {served:?} {seen:?}");
    }
    problems.iter().all(|(found, _)| !found)
}
