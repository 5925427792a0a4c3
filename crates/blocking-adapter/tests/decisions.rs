//! What the iterator over many decisions offers beyond yielding them.
#![allow(clippy::unwrap_used)]

use std::cell::Cell;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use didit_blocking_adapter::Client;
use didit_core::{ClientCredentials, Policy, SessionId, WaitReason};
use didit_sandbox::{Fault, Quota, Route, Sandbox};

fn client(sandbox: &Sandbox) -> Client {
    client_with_window(sandbox, Policy::default().rate_limit_window)
}

fn client_with_window(sandbox: &Sandbox, window: Duration) -> Client {
    let client = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    let mut policy = Policy::default();
    (policy.call_timeout, policy.rate_limit_window) = (Duration::from_secs(1), window);
    let builder = Client::builder(client).base_url(sandbox.url().parse().unwrap());
    builder.policy(policy).build().unwrap()
}

fn ids(count: usize) -> impl Iterator<Item = SessionId> {
    (0..count).map(|n| format!("s-{n}").parse().unwrap())
}

#[test]
fn it_tells_what_it_waits_for_and_finishes_without_it() {
    let quota = Quota { limit: 2, window: Duration::from_secs(60) };
    let sandbox = Sandbox::builder().quota(quota).start().unwrap();
    let client = client(&sandbox);
    let mut decisions = client.decisions(ids(10)).concurrency(4);
    for _ in 0..2 {
        decisions.next().unwrap().1.unwrap();
    }
    let started = Instant::now();
    assert!(decisions.next_within(Duration::from_millis(100)).is_pending());
    let (reason, left) = decisions.waiting().unwrap();
    assert_eq!(reason, WaitReason::Pacing);
    assert!((50..=60).contains(&left.as_secs()), "{left:?}");
    // They wait for longer than a call may take: its time has not begun.
    thread::sleep(Duration::from_secs(1));
    assert!(decisions.next_within(Duration::ZERO).is_pending());
    decisions.finish();
    assert!(decisions.next().is_none() && decisions.waiting().is_none());
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(sandbox.requests_to(Route::Decision).len(), 2);
}

#[test]
fn what_is_in_flight_is_yielded_when_it_is_finished() {
    let sandbox = Sandbox::builder().latency(Duration::from_millis(200)).start().unwrap();
    let client = client(&sandbox);
    client.decision(&"first".parse().unwrap()).unwrap();
    let mut decisions = client.decisions(ids(100)).concurrency(3).in_order();
    assert!(matches!(decisions.next_within(Duration::from_millis(50)), Poll::Pending));
    decisions.finish();
    let names: Vec<_> = decisions.map(|(id, result)| result.map(|_| id.to_string())).collect();
    let names: Vec<_> = names.into_iter().map(Result::unwrap).collect();
    assert_eq!(names, ["s-0", "s-1", "s-2"]);
}

#[test]
fn dropping_it_does_not_wait_for_anybody() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.always(Route::Decision, Fault::Hang);
    let client = client(&sandbox);
    let mut decisions = client.decisions(ids(100)).concurrency(3);
    assert!(decisions.next_within(Duration::from_millis(50)).is_pending());
    let started = Instant::now();
    drop(decisions);
    assert!(started.elapsed() < Duration::from_millis(200), "{:?}", started.elapsed());
}

#[test]
fn those_that_came_before_their_turn_count_as_worked_on() {
    let sandbox = Sandbox::start().unwrap();
    let client = client(&sandbox);
    client.decision(&"first".parse().unwrap()).unwrap();
    sandbox.script(Route::Decision, [Fault::Hang]);
    let taken = Cell::new(0);
    let ids = ids(100).inspect(|_| taken.set(taken.get() + 1));
    let mut decisions = client.decisions(ids).concurrency(3).in_order();
    let mut yielded = 0;
    while let Poll::Ready(Some(_)) = decisions.next_within(Duration::from_millis(100)) {
        yielded += 1;
    }
    assert_eq!(taken.get(), yielded + 3);
}

#[test]
fn dropping_it_gives_up_the_calls_that_wait() {
    let quota = Quota { limit: 2, window: Duration::from_millis(300) };
    let sandbox = Sandbox::builder().quota(quota).start().unwrap();
    let client = client_with_window(&sandbox, quota.window);
    let mut decisions = client.decisions(ids(10)).concurrency(4);
    for _ in 0..2 {
        decisions.next().unwrap().1.unwrap();
    }
    assert!(decisions.next_within(Duration::from_millis(50)).is_pending());
    drop(decisions);
    // They would be first in line for the next window.
    for _ in 0..2 {
        client.decision(&"own".parse().unwrap()).unwrap();
    }
    assert_eq!(sandbox.requests_to(Route::Decision).len(), 4);
}
