//! Processes that share a rate limit and a token.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use didit_conformance::redis_server::RedisServer;

use crate::callers::{Tally, run_async};
use crate::service::Upstream;
use crate::watch::Seen;
use crate::{CALLERS, watched};

const PROCESSES: usize = 4;

pub(crate) fn run(upstream: &Upstream, time: Duration) -> (Tally, Seen) {
    let redis = RedisServer::start();
    let upstream = Upstream { redis: Some(redis.url()), ..upstream.clone() };
    let orders = serde_json::to_string(&(upstream, time)).unwrap();
    let workers: Vec<_> = (0..PROCESSES).map(|_| spawn(&orders)).collect();
    workers.into_iter().fold(Default::default(), |(tally, seen), worker| {
        let output = worker.wait_with_output().unwrap().stdout;
        let (its_tally, it_saw) = serde_json::from_slice(&output).expect("a worker's report");
        (Tally::merge(tally, &its_tally), Seen::merge(seen, &it_saw))
    })
}

fn spawn(orders: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["worker", orders]).stdout(Stdio::piped()).spawn().unwrap()
}

/// Runs one process of the fleet.
pub(crate) fn work(orders: &str) {
    let (upstream, time) = serde_json::from_str::<(Upstream, Duration)>(orders).unwrap();
    let report = watched(run_async, &upstream, CALLERS / PROCESSES, time);
    println!("{}", serde_json::to_string(&report).unwrap());
}
