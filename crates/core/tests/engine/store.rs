//! The quotas that processes share through a store, and the events about it.

use didit_core::verification::Raw;
use didit_core::{
    Application, Bucket, GateReport, QuotaAnswer, QuotaRequest, SharedLimit, SharedStore,
    StoreAnswer, StoreError, StoreRequest, StoreStep,
};
use http::Method;

use super::*;

#[derive(Debug)]
struct Store;

impl SharedStore for Store {
    fn open(&mut self, _: &Application<'_>) {}

    fn exchange(&mut self, _: &[StoreRequest]) -> Result<Vec<StoreAnswer>, StoreError> {
        Ok(Vec::new())
    }
}

fn shared(edit: impl FnOnce(&mut Policy)) -> Engine {
    let builder = Engine::builder(Authorization::bearer("held").unwrap());
    let mut engine = builder.edit_policy(edit).build_shared(&mut Store).unwrap();
    engine.record_events(true);
    engine
}

/// Returns an engine with a call that waits for a permit of the store.
fn sharing() -> Engine {
    let mut engine = shared(|_| {});
    waits(&mut call(), &mut engine, at(0));
    engine
}

/// Returns the answer of a store that grants nothing.
fn nothing_granted(limit: SharedLimit) -> StoreAnswer {
    StoreAnswer::Quota(QuotaAnswer {
        bucket: Bucket::Decisions,
        member: true,
        granted: 0,
        wait: Duration::from_secs(2),
        closed: false,
        limit,
        members: 2,
    })
}

/// Exchanges the engine's request about the quota with the store; returns it.
fn exchange(
    engine: &mut Engine,
    now: Moment,
    granted: u32,
    closed_for: Option<u64>,
) -> QuotaRequest {
    let StoreStep::Exchange(requests) = engine.poll_store(now) else { panic!("asks nothing") };
    let [StoreRequest::Quota(quota)] = requests.as_slice() else { panic!("{requests:?}") };
    let answer = QuotaAnswer {
        bucket: quota.bucket,
        member: true,
        granted,
        wait: Duration::from_secs(closed_for.unwrap_or(0)),
        closed: closed_for.is_some(),
        limit: SharedLimit::Of(10),
        members: 2,
    };
    engine.handle_store(now, Ok(vec![StoreAnswer::Quota(answer)]));
    quota.clone()
}

fn asks(engine: &mut Engine, now: Moment) {
    assert!(matches!(engine.poll_store(now), StoreStep::Exchange(_)));
}

/// Returns the events about the store that a call records now.
fn reported(engine: &mut Engine, now: Moment) -> Vec<&'static str> {
    let _ = call().poll(engine, now);
    let store = |kind| match kind {
        EventKind::StoreLost { .. } => Some("lost"),
        EventKind::StoreJoined => Some("joined"),
        _ => None,
    };
    kinds(engine).into_iter().filter_map(store).collect()
}

#[test]
fn late_answer_does_not_count_as_a_return_of_the_store() {
    let mut engine = sharing();
    asks(&mut engine, at(0));
    assert_eq!(reported(&mut engine, at(2)), ["lost"]);
    engine.handle_store(at(3), Ok(Vec::new()));
    assert_eq!(reported(&mut engine, at(3)), [""; 0]);
    asks(&mut engine, at(3));
    engine.handle_store(at(4), Ok(Vec::new()));
    assert_eq!(reported(&mut engine, at(4)), ["joined"]);
}

#[test]
fn late_answer_does_not_change_the_counts_of_this_process() {
    let (mut engine, mut first) = (shared(|_| {}), call());
    waits(&mut first, &mut engine, at(0));
    asks(&mut engine, at(0));
    let (_, ticket) = sends(&mut first, &mut engine, at(2));
    let used_up = Response::builder()
        .header("x-ratelimit-limit", "2")
        .header("x-ratelimit-remaining", "0")
        .body(decision("Confirmed"));
    first.handle_response(&mut engine, at(2), ticket, &used_up.unwrap());
    engine.handle_store(at(2), Ok(vec![nothing_granted(SharedLimit::Unknown)]));
    waits(&mut call(), &mut engine, at(2));
}

#[test]
fn call_that_has_no_room_while_the_store_is_lost_waits_for_its_return() {
    let (mut engine, mut first, mut second) = (shared(|_| {}), call(), call());
    waits(&mut first, &mut engine, at(0));
    exchange(&mut engine, at(0), 0, None);
    asks(&mut engine, at(0));
    engine.handle_store(at(0), Err(StoreError::new("refused")));
    sends(&mut first, &mut engine, at(0));
    assert_eq!(waits(&mut second, &mut engine, at(0)), (at(30), WaitReason::Pacing));
    assert_eq!(exchange(&mut engine, at(1), 0, None).wanted, 0);
    assert!(engine.take_wake());
    // The other processes have a second to report their requests.
    waits(&mut second, &mut engine, at(1));
    assert_eq!(exchange(&mut engine, at(2), 1, None).wanted, 1);
    assert!(engine.take_wake());
    sends(&mut second, &mut engine, at(2));
}

#[test]
fn quota_that_was_not_needed_during_an_outage_is_joined_by_its_first_call() {
    let mut engine = sharing();
    asks(&mut engine, at(0));
    engine.handle_store(at(0), Err(StoreError::new("refused")));
    asks(&mut engine, at(1));
    engine.handle_store(at(1), Ok(vec![nothing_granted(SharedLimit::Of(5))]));
    let mut other = Call::new(ReadStatus::new("s-1".parse().unwrap(), "session-token"));
    waits(&mut other, &mut engine, at(1));
}

#[test]
fn loss_and_return_between_two_calls_cancel_out() {
    let mut engine = sharing();
    asks(&mut engine, at(0));
    engine.handle_store(at(0), Err(StoreError::new("refused")));
    asks(&mut engine, at(1));
    engine.handle_store(at(1), Ok(Vec::new()));
    assert_eq!(reported(&mut engine, at(1)), [""; 0]);
    engine.handle_store(at(2), Ok(Vec::new()));
    assert_eq!(reported(&mut engine, at(2)), [""; 0]);
}

#[test]
fn any_attempt_timeout_can_be_shared() {
    for timeout in [Duration::from_nanos(1), Duration::MAX] {
        let mut engine = shared(|policy| policy.attempt_timeout = timeout);
        waits(&mut call(), &mut engine, at(0));
        let StoreStep::Exchange(requests) = engine.poll_store(at(0)) else { panic!() };
        let [StoreRequest::Quota(quota)] = requests.as_slice() else { panic!("{requests:?}") };
        assert_eq!(quota.lease, timeout.saturating_add(Duration::from_secs(1)));
    }
}

#[test]
fn permit_lasts_as_long_as_a_request_that_is_not_repeated() {
    let mut engine = shared(|policy| policy.call_timeout = Duration::from_secs(40));
    waits(&mut Call::new(Raw::new(Method::POST, "/v3/x/")), &mut engine, at(0));
    let quota = exchange(&mut engine, at(0), 0, None);
    assert_eq!((quota.bucket, quota.lease), (Bucket::VerificationOther, Duration::from_secs(41)));
}

#[test]
fn wait_for_a_permit_is_pacing_once_a_process_knows_the_limit() {
    let (mut engine, mut waiting) = (shared(|_| {}), call());
    assert_eq!(waits(&mut waiting, &mut engine, at(0)).1, WaitReason::FirstResponse);
    let known = [
        (SharedLimit::Unknown, WaitReason::FirstResponse),
        (SharedLimit::Of(5), WaitReason::Pacing),
        (SharedLimit::Unlimited, WaitReason::Pacing),
    ];
    for (n, (limit, reason)) in (0..).zip(known) {
        asks(&mut engine, at(3 * n));
        engine.handle_store(at(3 * n), Ok(vec![nothing_granted(limit)]));
        assert_eq!(waits(&mut waiting, &mut engine, at(3 * n)).1, reason, "{limit:?}");
    }
    // Another process may leave room at any time, so the call does not fail early.
    let error = fails(&mut waiting, &mut engine, at(30));
    assert!(matches!(error.kind(), CallErrorKind::Waiting(WaitReason::Pacing)), "{error}");
}

#[test]
fn accepted_probe_ends_a_long_refusal_for_all_processes() {
    let (mut engine, mut refused) = (shared(|_| {}), call());
    waits(&mut refused, &mut engine, at(0));
    exchange(&mut engine, at(0), 1, None);
    let (_, ticket) = sends(&mut refused, &mut engine, at(0));
    let day = Response::builder().status(429).header("retry-after", "86400").body(&b""[..]);
    refused.handle_response(&mut engine, at(0), ticket, &day.unwrap());
    let report = exchange(&mut engine, at(0), 0, Some(900)).gate.unwrap();
    assert_eq!(report.closed_for, Duration::from_secs(86_400));
    // Two calls wait; the store grants one permit, and answers the next request that it is closed.
    let (mut probe, mut next) = (call(), call());
    waits(&mut probe, &mut engine, at(901));
    waits(&mut next, &mut engine, at(901));
    assert_eq!(exchange(&mut engine, at(901), 1, None).wanted, 2);
    let (_, ticket) = sends(&mut probe, &mut engine, at(901));
    exchange(&mut engine, at(901), 0, Some(900));
    answer(&mut probe, &mut engine, at(902), ticket, 200, &decision("Confirmed"));
    let (closed_for, age) = (Duration::ZERO, Duration::from_secs(1));
    let quota = exchange(&mut engine, at(902), 0, None);
    assert_eq!(quota.gate, Some(GateReport { closed_for, named: true, age }));
    waits(&mut next, &mut engine, at(902));
    assert_eq!(exchange(&mut engine, at(902), 1, None).gate, None);
    sends(&mut next, &mut engine, at(902));
}

#[test]
fn refusal_that_names_no_time_is_reported_as_such() {
    let (mut engine, mut refused) = (shared(|_| {}), call());
    waits(&mut refused, &mut engine, at(0));
    exchange(&mut engine, at(0), 1, None);
    let (_, ticket) = sends(&mut refused, &mut engine, at(0));
    answer(&mut refused, &mut engine, at(0), ticket, 429, "");
    let report = exchange(&mut engine, at(0), 0, Some(900)).gate.unwrap();
    assert!(!report.named && !report.closed_for.is_zero(), "{report:?}");
}

#[test]
fn lost_store_is_asked_again_after_half_a_second() {
    let mut engine = sharing();
    asks(&mut engine, at(0));
    engine.handle_store(at(0), Err(StoreError::new("refused")));
    let retry_at = Moment::new(Duration::from_millis(500));
    let StoreStep::Wait { until } = engine.poll_store(at(0)) else { panic!("asks too early") };
    assert_eq!(until, retry_at);
    asks(&mut engine, retry_at);
}

#[test]
fn refusal_during_an_exchange_outlasts_the_answer_that_does_not_know_it() {
    let (mut engine, mut first, mut next) = (shared(|_| {}), call(), call());
    waits(&mut first, &mut engine, at(0));
    exchange(&mut engine, at(0), 2, None);
    let (_, ticket) = sends(&mut first, &mut engine, at(0));
    waits(&mut next, &mut engine, at(0));
    asks(&mut engine, at(0));
    let refusal = Response::builder().status(429).header("retry-after", "20");
    first.handle_response(&mut engine, at(0), ticket, &refusal.body(b"").unwrap());
    engine.handle_store(at(0), Ok(vec![nothing_granted(SharedLimit::Of(5))]));
    assert_eq!(waits(&mut next, &mut engine, at(1)), (at(20), WaitReason::Pacing));
}
