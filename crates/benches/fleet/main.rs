//! Drains a quota of 100 decisions per window with several processes: on their own, and with a shared
//! `redis-server`. Prints the time of each run as a ratio to the shortest possible time, and the
//! numbers of 429 responses and of fetched tokens.
//!
//! `cargo bench -p didit-benches --bench fleet`; it takes ten minutes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod permit;
mod trouble;
mod worker;

use std::time::{Duration, Instant};

use didit_conformance::redis_server::RedisServer;
use didit_sandbox::{Quota, Sandbox};

use self::worker::{Orders, Worker};

const LIMIT: u32 = 100;

/// Processes that drain a quota together.
struct Fleet {
    name: &'static str,
    processes: u32,
    /// Number of processes that have work.
    busy: u32,
    ids: u32,
    window: Duration,
}

/// The result of a run.
struct Outcome {
    ratio: f64,
    refused: usize,
    tokens: u64,
}

impl Fleet {
    fn run(&self, redis: Option<&RedisServer>) -> Outcome {
        let quota = Quota { limit: LIMIT, window: self.window };
        let sandbox = Sandbox::builder().quota(quota).start().unwrap();
        let order = |ids| Orders {
            base_url: sandbox.url().to_owned(),
            redis: redis.map(RedisServer::url),
            window: self.window,
            ids,
        };
        // Idle processes have retrieved one decision each before the measurement.
        let idle: Vec<_> = (self.busy..self.processes).map(|_| Worker::spawn(&order(1))).collect();
        idle.iter().for_each(Worker::wait_until_done);
        let before = if idle.is_empty() { Duration::ZERO } else { self.window };
        std::thread::sleep(before);
        let began = Instant::now();
        let busy: Vec<_> =
            (0..self.busy).map(|_| Worker::spawn(&order(self.ids / self.busy))).collect();
        for worker in &busy {
            worker.wait_until_done();
        }
        let least = self.window * (self.ids / LIMIT - 1);
        Outcome {
            ratio: began.elapsed().as_secs_f64() / least.as_secs_f64(),
            refused: didit_benches::refused(&sandbox),
            tokens: sandbox.tokens_issued(),
        }
    }

    fn print(&self) {
        let redis = RedisServer::start();
        let (alone, shared) = std::thread::scope(|scope| {
            // Runs with a long window are mostly idle, so they do not disturb each other.
            if self.window > Duration::from_secs(10) {
                let alone = scope.spawn(|| self.run(None));
                let shared = self.run(Some(&redis));
                (alone.join().unwrap(), shared)
            } else {
                (self.run(None), self.run(Some(&redis)))
            }
        });
        for (how, outcome) in [("on their own", alone), ("shared", shared)] {
            let Outcome { ratio, refused, tokens } = outcome;
            println!("| {} | {how} | {ratio:.3} | {refused} | {tokens} |", self.name);
        }
    }
}

fn main() {
    if let Some(orders) = Orders::from_arguments() {
        return worker::work(&orders);
    }
    let (short, long) = (Duration::from_secs(2), Duration::from_secs(60));
    let fleets = [
        Fleet {
            name: "4 processes, 1,000 ids, window 2 s",
            processes: 4,
            busy: 4,
            ids: 1000,
            window: short,
        },
        Fleet {
            name: "8 processes, 1,000 ids, window 2 s",
            processes: 8,
            busy: 8,
            ids: 1000,
            window: short,
        },
        Fleet {
            name: "1 busy, 7 idle, 1,000 ids, window 2 s",
            processes: 8,
            busy: 1,
            ids: 1000,
            window: short,
        },
        Fleet {
            name: "4 processes, 400 ids, window 60 s",
            processes: 4,
            busy: 4,
            ids: 400,
            window: long,
        },
    ];
    println!("| fleet | | time ÷ minimum | refused (429) | tokens |");
    println!("|---|---|---|---|---|");
    for fleet in &fleets {
        fleet.print();
    }
    println!("\n| what | figure |");
    println!("|---|---|");
    permit::print();
    trouble::print();
}
