//! The cost of one permit on the loopback interface.

use std::time::{Duration, Instant};

use didit_conformance::redis_server::RedisServer;
use didit_core::{
    Application, BaseUrl, Bucket, Join, QuotaRequest, SharedLimit, SharedStore as _, StoreRequest,
};
use didit_redis_adapter::RedisStore;

const PERMITS: u64 = 5000;

pub(crate) fn print() {
    let redis = RedisServer::start();
    let mut store = RedisStore::connect(&redis.url()).unwrap();
    let (client_id, secret, url) = ("id", "secret", &BaseUrl::production());
    store.open(&Application { client_id, secret, base_url: url, verification_base_url: url });
    let mut request = QuotaRequest {
        bucket: Bucket::Decisions,
        window: Duration::from_secs(60),
        lease: Duration::from_secs(11),
        budget: None,
        join: Some(Join { again: false, in_flight: Vec::new() }),
        completed: Vec::new(),
        unused: Vec::new(),
        learned: Some(SharedLimit::Of(600)),
        gate: None,
        first: 0,
        wanted: 1,
    };
    let mut times: Vec<_> = (0..PERMITS)
        .map(|permit| {
            request.first = permit;
            // Each permit is returned with the next request.
            request.unused = permit.checked_sub(1).into_iter().collect();
            let began = Instant::now();
            store.exchange(&[StoreRequest::Quota(request.clone())]).unwrap();
            request.join = None;
            request.learned = None;
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |percent: usize| times[times.len() * percent / 100];
    let [median, tail] = [at(50), at(95)].map(|time| time.as_micros());
    println!("| one permit | {median} µs at the median, {tail} µs at the 95th percentile |");
}
