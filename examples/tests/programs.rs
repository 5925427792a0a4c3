//! Small programs as users would write them, each against its own sandbox.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use didit_async_adapter::core::{
    Call, ClientCredentials, Engine, EventKind, Moment, Operation, SessionId, Step, TransportError,
    TransportErrorKind, data_transfer::RetrieveDecision,
};
use didit_async_adapter::{Client, http};
use didit_sandbox::Sandbox;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, timeout};

struct Job {
    delivery: u64,
    session_id: SessionId,
}

/// Workers take jobs from a queue and count them. At shutdown they complete the jobs in progress and
/// leave the rest in the queue.
#[tokio::test]
async fn worker_pool_shuts_down_gracefully() {
    let sandbox = Sandbox::start().unwrap();
    let credentials = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    let calls = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&calls);
    let client = Client::builder(credentials)
        .base_url(sandbox.url().parse().unwrap())
        .on_event(move |event| {
            if let EventKind::Finished { .. } = event.kind {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        })
        .build()
        .unwrap();
    let (queue, jobs) = mpsc::channel(100);
    for delivery in 0..100 {
        let session_id = format!("s-{delivery}").parse().unwrap();
        queue.send(Job { delivery, session_id }).await.unwrap();
    }
    let jobs = Arc::new(tokio::sync::Mutex::new(jobs));
    let (stop, _) = tokio::sync::watch::channel(false);
    let (acknowledge, mut acknowledged) = mpsc::unbounded_channel();
    let mut workers = JoinSet::new();
    for _ in 0..4 {
        let (client, jobs, acknowledge) = (client.clone(), Arc::clone(&jobs), acknowledge.clone());
        let mut stopped = stop.subscribe();
        workers.spawn(async move {
            loop {
                let job = tokio::select! {
                    biased;
                    _ = stopped.wait_for(|stop| *stop) => return,
                    job = async { jobs.lock().await.recv().await } => job,
                };
                let Some(Job { delivery, session_id }) = job else { return };
                let result = client.decision(&session_id).await;
                acknowledge.send((delivery, result.is_ok())).unwrap();
            }
        });
    }
    let mut done = 0;
    while let Some((_, succeeded)) = acknowledged.recv().await {
        assert!(succeeded);
        done += 1;
        if done == 10 {
            break;
        }
    }
    stop.send(true).unwrap();
    while workers.join_next().await.is_some() {}
    while acknowledged.try_recv().is_ok() {
        done += 1;
    }
    // Every call was completed and counted.
    assert_eq!(calls.load(Ordering::Relaxed), done);
    assert_eq!(100 - done, jobs.lock().await.len() as u64);
}

/// Runs an operation on a client that is not `Send`.
async fn run<O: Operation>(mut operation: O, engine: &mut Engine, address: &str) -> O::Output {
    let origin = Instant::now();
    loop {
        match operation.poll(engine, Moment::new(origin.elapsed())) {
            Step::Send { request, ticket, timeout: time } => {
                let exchanged = timeout(time, exchange(request, address)).await;
                let now = Moment::new(origin.elapsed());
                match exchanged {
                    Ok(Some(response)) => operation.handle_response(engine, now, ticket, &response),
                    lost => {
                        let kind = match lost {
                            Ok(_) => TransportErrorKind::ConnectionLost,
                            Err(_) => TransportErrorKind::Timeout,
                        };
                        operation.handle_failure(engine, now, ticket, TransportError::new(kind));
                    }
                }
            }
            Step::Wait { until, .. } => {
                tokio::time::sleep_until(origin + until.since_origin()).await;
            }
            Step::Done(result) => return result.unwrap(),
        }
    }
}

async fn exchange(
    mut request: http::Request<Vec<u8>>,
    address: &str,
) -> Option<http::Response<Vec<u8>>> {
    let stream = TcpStream::connect(address).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::task::spawn_local(connection);
    request.headers_mut().insert("host", address.parse().ok()?);
    let path = request.uri().path_and_query()?.as_str().parse().ok()?;
    *request.uri_mut() = path;
    let (head, body) = sender
        .send_request(request.map(|body| Full::new(Bytes::from(body))))
        .await
        .ok()?
        .into_parts();
    let body: Bytes = body.collect().await.ok()?.to_bytes();
    Some(http::Response::from_parts(head, body.to_vec()))
}

/// A program with a custom HTTP client, on a single thread.
#[tokio::test]
async fn custom_client_in_a_local_set() {
    let sandbox = Sandbox::start().unwrap();
    let credentials = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    let mut engine =
        Engine::builder(credentials).base_url(sandbox.url().parse().unwrap()).build().unwrap();
    let address = sandbox.url().strip_prefix("http://").unwrap();
    let local = LocalSet::new();
    let call = Call::new(RetrieveDecision::new("s-1".parse().unwrap()));
    let decision = local.run_until(run(call, &mut engine, address)).await;
    assert!(decision.status().is_final());
}
