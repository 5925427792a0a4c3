//! A call may be dropped at any await point without affecting other calls.
#![allow(clippy::unwrap_used)]

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use didit_async_adapter::Client;
use didit_core::{ClientCredentials, Policy, SessionId};
use didit_sandbox::{Fault, Quota, Route, Sandbox};

const MINUTE: Duration = Duration::from_secs(60);

fn client(sandbox: &Sandbox, policy: Policy) -> Client {
    let client = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    let base_url = sandbox.url().parse().unwrap();
    Client::builder(client).base_url(base_url).policy(policy).build().unwrap()
}

fn id() -> SessionId {
    "s-1".parse().unwrap()
}

/// Polls `future` up to `polls` times and drops it; returns whether it completed.
async fn completes_within<F: Future>(polls: usize, future: F) -> bool {
    let mut future = pin!(future);
    let mut polls_left = polls;
    poll_fn(|context| {
        if polls_left == 0 {
            return Poll::Ready(false);
        }
        polls_left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

#[tokio::test]
async fn call_dropped_at_any_await_leaves_others_unaffected() {
    let mut points = 0;
    for polls in 0.. {
        let sandbox = Sandbox::builder().latency(Duration::from_millis(1)).start().unwrap();
        // Each request is retried once, so that the backoff is among the await points.
        sandbox.script(Route::Token, [Fault::answer(503)]);
        sandbox.script(Route::Decision, [Fault::answer(503)]);
        // If the dropped call kept the right to fetch the token, the others would time out.
        let mut policy = Policy::default();
        (policy.attempt_timeout, policy.call_timeout) = (MINUTE, MINUTE / 12);
        let client = client(&sandbox, policy);
        let (session_id, other_id) = (id(), id());
        let (completed, other) = tokio::join!(
            completes_within(polls, client.decision(&session_id)),
            client.decision(&other_id)
        );
        other.unwrap();
        client.decision(&session_id).await.unwrap();
        if completed {
            break;
        }
        points += 1;
    }
    assert!(points >= 4, "{points} points");
}

#[tokio::test]
async fn dropped_call_leaves_the_queue() {
    let window = Duration::from_millis(300);
    let quota = Quota { limit: 2, window };
    let sandbox = Sandbox::builder().quota(quota).start().unwrap();
    let mut policy = Policy::default();
    policy.rate_limit_window = window;
    let client = client(&sandbox, policy);
    for _ in 0..2 {
        client.decision(&id()).await.unwrap();
    }
    for _ in 0..5 {
        assert!(!completes_within(1, client.decision(&id())).await, "the limit is used up");
    }
    for _ in 0..3 {
        client.decision(&id()).await.unwrap();
    }
    let refused = sandbox.requests().iter().filter(|request| request.status == Some(429)).count();
    assert_eq!(refused, 0);
}

#[tokio::test]
async fn call_future_is_send() {
    let sandbox = Sandbox::start().unwrap();
    let client = client(&sandbox, Policy::default());
    let task = tokio::spawn(async move { client.decision(&id()).await });
    task.await.unwrap().unwrap();
}
