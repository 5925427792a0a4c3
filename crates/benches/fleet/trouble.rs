//! Runs during which Redis is killed and restarted, and a random process is killed.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use didit_conformance::redis_server::RedisServer;
use didit_sandbox::{Quota, Route, Sandbox};

use super::LIMIT;
use super::worker::{Orders, Worker};

const PROCESSES: usize = 4;
const IDS: u32 = 200;
const WINDOW: Duration = Duration::from_secs(2);

const RUNS: u32 = 20;

pub(crate) fn print() {
    let (mut lost, mut refused, mut requests, mut slowest) = (0, 0, 0, 0);
    for _ in 0..RUNS {
        let quota = Quota { limit: LIMIT, window: WINDOW };
        let sandbox = Sandbox::builder().quota(quota).start().unwrap();
        let mut redis = RedisServer::start();
        let orders = Orders {
            base_url: sandbox.url().to_owned(),
            redis: Some(redis.url()),
            window: WINDOW,
            ids: IDS,
        };
        let workers: Vec<_> = (0..PROCESSES).map(|_| Worker::spawn(&orders)).collect();
        let random = |below: u64| RandomState::new().hash_one(0) % below;
        sleep(Duration::from_millis(500 + random(4000)));
        redis.kill();
        sleep(Duration::from_millis(random(2000)));
        let victim = usize::try_from(random(PROCESSES as u64)).unwrap();
        workers[victim].kill();
        sleep(Duration::from_millis(random(1000)));
        redis.restart();
        let back = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        for (n, worker) in workers.iter().enumerate() {
            let Some(report) = worker.report() else {
                assert_eq!(n, victim, "a worker has ended");
                continue;
            };
            lost += IDS - report.succeeded;
            let joined = report.joined.iter().map(|at| at.saturating_sub(back)).max();
            slowest = joined.unwrap_or(0).max(slowest);
        }
        requests += sandbox.requests_to(Route::Decision).len();
        refused += didit_benches::refused(&sandbox);
    }
    let runs = format!("{RUNS} runs of {PROCESSES} processes, Redis and one of them killed");
    println!("| {runs} | {lost} calls of the others lost |");
    println!("| the same | {refused} of {requests} requests refused |");
    println!("| the same | rejoined within {slowest} ms of Redis's return |");
}
