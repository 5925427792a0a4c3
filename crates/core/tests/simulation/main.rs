//! The engine in virtual time: thousands of random schedules against a strict model of the service.
//!
//! `SIMULATION_SCHEDULES=1000000` runs more of them, `SIMULATION_SEED=n` the one that failed.

// All modules are test code.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unchecked_time_subtraction,
    clippy::disallowed_methods
)]

mod authorization;
mod bodies;
mod caller;
mod dice;
mod fleet;
mod independent_clients;
mod quota;
mod random;
mod service;
mod sharing;
mod store;
mod waiting;
mod work;
mod world;

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Returns whether a single schedule is run, from which no average can be computed.
fn is_one_seed() -> bool {
    environment("SIMULATION_SEED").is_some()
}

/// The default number of random schedules.
const RANDOM_SCHEDULES: u64 = 10_000;

/// Runs `schedule` with this number of seeds, or only with `SIMULATION_SEED`, on all processors. Prints
/// the command to repeat a failed seed.
fn run_seeds(schedules: u64, schedule: impl Fn(u64) + Sync) {
    let requested = environment("SIMULATION_SCHEDULES").unwrap_or(RANDOM_SCHEDULES);
    // A larger number scales all tests in proportion; a smaller one only caps them.
    let schedules = schedules.min(requested).max(schedules * requested / RANDOM_SCHEDULES);
    let seeds = match environment("SIMULATION_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..schedules,
    };
    let test = thread::current().name().unwrap_or_default().to_owned();
    let next = AtomicU64::new(seeds.start);
    let run = || {
        while let seed = next.fetch_add(1, Ordering::Relaxed)
            && seed < seeds.end
        {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| schedule(seed))) {
                next.store(seeds.end, Ordering::Relaxed);
                eprintln!(
                    "SIMULATION_SEED={seed} cargo test -p didit-core --test simulation {test}"
                );
                resume_unwind(panic);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(run);
        }
    });
}
