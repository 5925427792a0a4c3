//! Retrieves decisions as fast as a server allows, and prints one JSON line of what it took.
//!
//! `cargo bench -p didit-async-adapter --bench retrieve -- BASE N C [QUOTA WINDOW_MS]`
//!
//! With a quota the client is told the length of the window, and learns the rest from the answers;
//! nothing is warmed up then. `BENCH_RUNTIME=current` puts everything on one thread.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::{Duration, Instant};

use didit_async_adapter::Client;
use didit_core::data_transfer::Status;
use didit_core::{ClientCredentials, Policy, SessionId};
use futures_util::StreamExt as _;
use futures_util::stream::iter;

const WARM_UP: usize = 200;

async fn drain(client: &Client, ids: &[SessionId], n: usize, concurrency: usize) -> usize {
    let fetch = |i: usize| async move {
        let id = &ids[i % ids.len()];
        let decision = client.decision(id).await.expect("a decision");
        assert_eq!((decision.session_id(), decision.status()), (id.as_str(), &Status::Confirmed));
        assert!(decision.user_data().is_some_and(|user| user.names().is_some()));
    };
    iter(0..n).map(fetch).buffer_unordered(concurrency).count().await
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
    let current = std::env::var("BENCH_RUNTIME").is_ok_and(|name| name == "current");
    let mut runtime = if current {
        tokio::runtime::Builder::new_current_thread()
    } else {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.worker_threads(2);
        runtime
    };
    runtime.enable_all().build().unwrap().block_on(async {
        let credentials = ClientCredentials::new("c", "s").unwrap();
        let builder = Client::builder(credentials).base_url(base.parse().unwrap());
        let client = builder.policy(policy).build().unwrap();
        if !paced {
            drain(&client, &ids, WARM_UP, concurrency).await;
        }
        let began = Instant::now();
        let done = drain(&client, &ids, n, concurrency).await;
        report(if current { "async-1t" } else { "async" }, done, concurrency, began.elapsed());
    });
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
