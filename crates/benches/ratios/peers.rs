//! The same job for each client: N decisions, C concurrently, each of them checked.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use didit_core::data_transfer::Status;
use didit_core::{Authorization, SessionId};
use futures_util::StreamExt as _;
use serde::Deserialize;

const WARM_UP: usize = 200;
const USER_AGENT: &str = "by-hand/0.1.0";
/// Required by the documentation, even for requests without a body.
const CONTENT_TYPE: &str = "content-type";
const JSON: &str = "application/json";

/// The type that a program would declare to read these members.
#[derive(Deserialize)]
#[allow(dead_code, reason = "deserialized for a fair comparison")]
struct Plain {
    session_id: String,
    session_number: u64,
    status: String,
    vendor_data: Option<String>,
    scope: String,
    user_data: User,
    created_at: String,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "as above")]
struct User {
    sub: String,
    email: Option<Email>,
    phone: Option<Phone>,
    picture: Option<String>,
    names: Option<Names>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "as above")]
struct Email {
    email: String,
    is_verified: bool,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "as above")]
struct Phone {
    phone_number: String,
    is_verified: bool,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "as above")]
struct Names {
    first_name: String,
    family_name: String,
    full_name: String,
    is_verified: bool,
}

fn check(body: &[u8], id: &str) {
    let decision: Plain = serde_json::from_slice(body).unwrap();
    assert_eq!((&*decision.session_id, &*decision.status), (id, "Confirmed"));
    assert!(decision.user_data.names.is_some());
}

fn check_typed(decision: &didit_core::data_transfer::Decision, id: &SessionId) {
    assert_eq!((decision.session_id(), decision.status()), (id, &Status::Confirmed));
    assert!(decision.user_data().is_some_and(|user| user.names.is_some()));
}

fn ids() -> Vec<SessionId> {
    (0..1024).map(|i| format!("{i:08x}-0000-4000-8000-{i:012x}").parse().unwrap()).collect()
}

/// Runs a client and prints its rate in decisions per second.
pub(crate) fn run(peer: &str, base: &str, n: usize, c: usize) {
    let (name, runtime) = peer.split_once('-').unwrap_or((peer, "multi"));
    let ids = ids();
    let took = match name {
        "reqwest" | "reqwest_timeout" => {
            let client = reqwest::Client::builder().no_proxy().user_agent(USER_AGENT);
            let client =
                if name == "reqwest" { client } else { client.timeout(Duration::from_secs(30)) };
            let client = client.build().unwrap();
            asynchronous(runtime, n, c, |i| {
                let (client, id) = (&client, ids[i % ids.len()].as_str());
                async move {
                    let url = format!("{base}/auth/v2/session/{id}/decision/");
                    let request = client.get(url).bearer_auth("tok").header(CONTENT_TYPE, JSON);
                    let reply = request.send().await.unwrap();
                    assert_eq!(reply.status(), 200);
                    check(&reply.bytes().await.unwrap(), id);
                }
            })
        }
        "async" => {
            let bearer = Authorization::bearer("tok").unwrap();
            let client = didit_async_adapter::Client::builder(bearer);
            let client = client.base_url(base.parse().unwrap()).build().unwrap();
            asynchronous(runtime, n, c, |i| {
                let (client, id) = (&client, &ids[i % ids.len()]);
                async move { check_typed(&client.decision(id).await.unwrap(), id) }
            })
        }
        "ureq" | "ureq_timeout" => {
            let timeout = (name != "ureq").then_some(Duration::from_secs(30));
            let agent = ureq::Agent::config_builder().proxy(None).timeout_global(timeout);
            let agent = agent.user_agent(USER_AGENT);
            let agent = agent.max_idle_connections(c).max_idle_connections_per_host(c);
            let agent: ureq::Agent = agent.build().into();
            blocking(n, c, |i| {
                let id = ids[i % ids.len()].as_str();
                let url = format!("{base}/auth/v2/session/{id}/decision/");
                let request = agent.get(url).header("authorization", "Bearer tok");
                let reply = request.header(CONTENT_TYPE, JSON).call().unwrap();
                check(&reply.into_body().read_to_vec().unwrap(), id);
            })
        }
        "blocking" => {
            let bearer = Authorization::bearer("tok").unwrap();
            let client = didit_blocking_adapter::Client::builder(bearer);
            let client = client.base_url(base.parse().unwrap()).build().unwrap();
            blocking(n, c, |i| {
                let id = &ids[i % ids.len()];
                check_typed(&client.decision(id).unwrap(), id);
            })
        }
        other => panic!("no peer {other}"),
    };
    #[allow(clippy::cast_precision_loss)]
    let n = n as f64;
    println!("{:.1}", n / took.as_secs_f64());
}

fn asynchronous<F: Future>(
    runtime: &str,
    n: usize,
    c: usize,
    fetch: impl Fn(usize) -> F,
) -> Duration {
    let mut builder = match runtime {
        "current-thread" => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    let drain = |n: usize| {
        let all = futures_util::stream::iter(0..n).map(&fetch).buffer_unordered(c);
        assert_eq!(runtime.block_on(all.count()), n);
    };
    timed(c, n, drain)
}

fn blocking(n: usize, c: usize, fetch: impl Fn(usize) + Sync) -> Duration {
    let drain = |n: usize| {
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                if i >= n {
                    return;
                }
                fetch(i);
            }
        };
        if c == 1 {
            return work();
        }
        thread::scope(|scope| (0..c).for_each(|_| drop(scope.spawn(work))));
    };
    timed(c, n, drain)
}

/// Returns the time of `drain`, after a warm-up that opens all connections.
fn timed(c: usize, n: usize, drain: impl Fn(usize)) -> Duration {
    drain(WARM_UP.max(c));
    let began = Instant::now();
    drain(n);
    began.elapsed()
}
