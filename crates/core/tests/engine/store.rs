//! The quotas that processes share through a store, and the events about it.

use didit_core::{
    Application, Bucket, QuotaAnswer, SharedLimit, SharedStore, StoreAnswer, StoreError,
    StoreRequest, StoreStep,
};

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
    recorded(builder.edit_policy(edit).shared_store(&mut Store))
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
fn lost_store_is_asked_again_after_half_a_second() {
    let mut engine = sharing();
    asks(&mut engine, at(0));
    engine.handle_store(at(0), Err(StoreError::new("refused")));
    let retry_at = Moment::new(Duration::from_millis(500));
    let StoreStep::Wait { until } = engine.poll_store(at(0)) else { panic!("asks too early") };
    assert_eq!(until, retry_at);
    asks(&mut engine, retry_at);
}
