//! A call may be dropped at any of its await points, and the others never notice.
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

/// Polls `future` so many times and drops it; whether it came to its end before.
async fn dropped_after<F: Future>(polls: usize, future: F) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

#[tokio::test]
async fn a_call_dropped_at_any_point_leaves_the_others_healthy() {
    let mut points = 0;
    for polls in 0.. {
        let sandbox = Sandbox::builder().latency(Duration::from_millis(1)).start().unwrap();
        // A retry on the way of each request, so that the pauses are among the points.
        sandbox.script(Route::Token, [Fault::answer(503)]);
        sandbox.script(Route::Decision, [Fault::answer(503)]);
        // A token that is being fetched is waited for, and nobody would ever come back with it.
        let mut policy = Policy::default();
        (policy.attempt_timeout, policy.call_timeout) = (MINUTE, MINUTE / 12);
        let client = client(&sandbox, policy);
        let (session_id, other_id) = (id(), id());
        let (ended, other) = tokio::join!(
            dropped_after(polls, client.decision(&session_id)),
            client.decision(&other_id)
        );
        other.unwrap();
        client.decision(&session_id).await.unwrap();
        if ended {
            break;
        }
        points += 1;
    }
    assert!(points >= 4, "{points} points");
}

#[tokio::test]
async fn a_call_dropped_in_line_gives_up_its_place() {
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
        assert!(!dropped_after(1, client.decision(&id())).await, "the limit is used up");
    }
    for _ in 0..3 {
        client.decision(&id()).await.unwrap();
    }
    let refused = sandbox.requests().iter().filter(|request| request.status == Some(429)).count();
    assert_eq!(refused, 0);
}

#[tokio::test]
async fn the_future_can_be_sent_to_another_thread() {
    let sandbox = Sandbox::start().unwrap();
    let client = client(&sandbox, Policy::default());
    let task = tokio::spawn(async move { client.decision(&id()).await });
    task.await.unwrap().unwrap();
}
