//! Decisions of many sessions.

use std::thread;
use std::time::Duration;

use didit_core::data_transfer::Decision;
use didit_core::{ResponseErrorKind, SessionId};
use didit_sandbox::{Fault, Route, Sandbox};

use crate::{Adapter, CallFailure, client, id, sandbox};

/// An adapter that retrieves many decisions.
pub trait Bulk: Adapter {
    /// Retrieves the decisions of `ids` and passes each to `each`. Drops the rest once `each`
    /// returns `false`.
    fn decisions(
        &self,
        ids: impl Iterator<Item = SessionId> + Send + 'static,
        concurrency: usize,
        in_order: bool,
        each: impl FnMut(SessionId, Result<Decision, CallFailure>) -> bool,
    );
}

fn ids(count: usize) -> impl Iterator<Item = SessionId> + Send + 'static {
    (0..count).map(|n| id(&format!("s-{n:03}")))
}

/// Returns the session id and the result of each of `count` sessions.
fn outcomes<A: Bulk>(
    client: &A,
    count: usize,
    concurrency: usize,
    in_order: bool,
) -> Vec<(String, Result<Decision, CallFailure>)> {
    let mut outcomes = Vec::new();
    client.decisions(ids(count), concurrency, in_order, |session_id, result| {
        outcomes.push((session_id.to_string(), result));
        true
    });
    outcomes
}

fn names(outcomes: &[(String, Result<Decision, CallFailure>)]) -> Vec<&str> {
    outcomes.iter().map(|(name, _)| &**name).collect()
}

/// A slow call does not delay the results of others.
pub fn results_in_order_of_completion<A: Bulk>() {
    let sandbox = sandbox();
    sandbox.script(Route::Decision, [Fault::Pass, Fault::Delay(Duration::from_secs(3))]);
    let outcomes = outcomes(&client::<A>(&sandbox), 50, 4, false);
    for (name, result) in &outcomes {
        assert_eq!(result.as_ref().unwrap().session_id().as_str(), name);
    }
    let mut names = names(&outcomes);
    assert!(!names.is_sorted(), "the delayed session held up all the others");
    names.sort_unstable();
    assert_eq!(names, ids(50).map(|id| id.to_string()).collect::<Vec<_>>());
}

/// Results keep the order of the ids if requested.
pub fn results_in_order_of_the_ids<A: Bulk>() {
    let sandbox = sandbox();
    let delays = [0, 90, 0, 40, 20, 60].map(|pause| Fault::Delay(Duration::from_millis(pause)));
    sandbox.script(Route::Decision, delays);
    let outcomes = outcomes(&client::<A>(&sandbox), 50, 4, true);
    assert_eq!(names(&outcomes), ids(50).map(|id| id.to_string()).collect::<Vec<_>>());
}

/// The failure of one session does not affect the others.
pub fn one_failure_does_not_affect_others<A: Bulk>() {
    let sandbox = sandbox();
    sandbox.missing("s-003");
    sandbox.decision("s-005", "<html>");
    for in_order in [false, true] {
        for (name, result) in outcomes(&client::<A>(&sandbox), 10, 3, in_order) {
            match &*name {
                "s-003" => {
                    assert_eq!(result.unwrap_err().kind(), &ResponseErrorKind::NotFound);
                }
                "s-005" => {
                    let error = result.unwrap_err();
                    assert!(matches!(error.kind(), ResponseErrorKind::Malformed(_)));
                }
                _ => assert_eq!(result.unwrap().session_id().as_str(), name),
            }
        }
    }
}

/// A stream that is dropped early sends no more requests, and its client remains usable.
pub fn dropped_stream_sends_no_more_requests<A: Bulk>() {
    let sandbox = sandbox();
    let client = client::<A>(&sandbox);
    let mut yielded = 0;
    client.decisions(ids(500), 4, false, |_, result| {
        result.unwrap();
        yielded += 1;
        yielded < 10
    });
    thread::sleep(Duration::from_millis(100));
    let requests = sandbox.requests_to(Route::Decision).len();
    assert!((10..=14).contains(&requests), "{requests} requests");
    client.decision(&id("s-1")).unwrap();
}

/// Ids are taken on demand, even from an infinite input.
pub fn ids_are_taken_on_demand<A: Bulk>() {
    let sandbox = sandbox();
    let (sender, receiver) = std::sync::mpsc::channel();
    let endless = (0..).map(move |n| {
        sender.send(n).unwrap();
        id(&format!("s-{n}"))
    });
    let mut yielded = 0;
    client::<A>(&sandbox).decisions(endless, 3, true, |_, _| {
        yielded += 1;
        yielded < 20
    });
    let taken = receiver.try_iter().count();
    assert!((20..=23).contains(&taken), "{taken} ids");
}

/// An empty input sends nothing.
pub fn empty_input_sends_nothing<A: Bulk>() {
    let sandbox = sandbox();
    for in_order in [false, true] {
        assert_eq!(outcomes(&client::<A>(&sandbox), 0, 4, in_order).len(), 0);
    }
    assert_eq!(sandbox.connections(), 0);
}

/// One token serves all calls, and the number of requests in flight is bounded.
pub fn one_token_and_bounded_concurrency<A: Bulk>() {
    let sandbox = Sandbox::builder().latency(Duration::from_millis(100)).start().unwrap();
    assert_eq!(outcomes(&client::<A>(&sandbox), 60, 4, false).len(), 60);
    assert_eq!(sandbox.tokens_issued(), 1);
    assert!(sandbox.connections() <= 5, "{} connections", sandbox.connections());
    let requests = sandbox.requests_to(Route::Decision);
    let in_flight = requests.iter().map(|request| {
        let sent_before = requests.iter().filter(|other| other.received <= request.received);
        sent_before.filter(|other| other.answered.is_none_or(|at| at > request.received)).count()
    });
    let most = in_flight.max().unwrap_or_default();
    assert!((2..=4).contains(&most), "{most} in flight");
}
