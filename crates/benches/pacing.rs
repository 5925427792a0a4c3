//! Drains a quota of 100 decisions per 2 seconds with one client, with four clients that share the
//! quota, and with a plain client that only honors `Retry-After`. Prints the time of each as a ratio
//! to the shortest possible time, and the number of its 429 responses.
//!
//! `cargo bench -p didit-benches --bench pacing`
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::{Duration, Instant};

use didit_async_adapter::Client;
use didit_core::{ClientCredentials, Policy, SessionId};
use didit_sandbox::{Quota, Sandbox};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::iter;

const LIMIT: u32 = 100;
const WINDOW: Duration = Duration::from_secs(2);
const CALLS: u32 = 500;
const CLIENTS: u32 = 4;

async fn paced(sandbox: &Sandbox, calls: u32, concurrency: u32) {
    let credentials = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    let mut policy = Policy::default();
    // The window of the service is one minute.
    policy.rate_limit_window = WINDOW;
    let client = Client::builder(credentials).base_url(sandbox.url().parse().unwrap());
    let client = client.policy(policy).build().unwrap();
    let ids = (0..calls).map(|n| format!("s-{n}").parse::<SessionId>().unwrap());
    let fetch = |id: SessionId| {
        let client = client.clone();
        async move { client.decision(&id).await.expect("a decision") }
    };
    assert_eq!(
        iter(ids).map(fetch).buffer_unordered(concurrency as usize).count().await,
        calls as usize
    );
}

/// Runs several clients, which learn of each other only from response headers.
async fn shared(sandbox: &Sandbox, concurrency: u32) {
    let one = || paced(sandbox, CALLS / CLIENTS, concurrency / CLIENTS);
    join_all((0..CLIENTS).map(|_| one())).await;
}

async fn plain(sandbox: &Sandbox, concurrency: u32) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let fetch = |n| {
        let url = format!("{}/auth/v2/session/s-{n}/decision/", sandbox.url());
        let request = client.get(url).header("content-type", "application/json");
        let request = request.header("x-api-key", sandbox.api_key());
        async move {
            loop {
                let answer = request.try_clone().unwrap().send().await.unwrap();
                let Some(wait) = answer.headers().get("retry-after") else {
                    answer.error_for_status().unwrap().bytes().await.unwrap();
                    return;
                };
                let seconds = wait.to_str().unwrap().parse().unwrap();
                tokio::time::sleep(Duration::from_secs(seconds)).await;
            }
        }
    };
    assert_eq!(
        iter(0..CALLS).map(fetch).buffer_unordered(concurrency as usize).count().await,
        CALLS as usize
    );
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!("| latency | concurrency | client | time ÷ minimum | refused (429) |");
    println!("|---|---|---|---|---|");
    for latency in [0, 50].map(Duration::from_millis) {
        for concurrency in [16, 256] {
            // All windows but the last take their full time, and the last one takes as many rounds
            // of requests as its permits need at this concurrency.
            let least = WINDOW * ((CALLS - 1) / LIMIT) + latency * LIMIT.div_ceil(concurrency);
            for client in ["didit", "4 × didit", "plain"] {
                let quota = Quota { limit: LIMIT, window: WINDOW };
                let sandbox = Sandbox::builder().quota(quota).latency(latency).start().unwrap();
                let began = Instant::now();
                match client {
                    "didit" => runtime.block_on(paced(&sandbox, CALLS, concurrency)),
                    "4 × didit" => runtime.block_on(shared(&sandbox, concurrency)),
                    _ => runtime.block_on(plain(&sandbox, concurrency)),
                }
                let ratio = began.elapsed().as_secs_f64() / least.as_secs_f64();
                let refused = didit_benches::refused(&sandbox);
                let latency = latency.as_millis();
                println!("| {latency} ms | {concurrency} | {client} | {ratio:.3} | {refused} |");
            }
        }
    }
}
