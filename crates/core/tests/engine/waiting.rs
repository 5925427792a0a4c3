//! Waiting for a final status.

use didit_core::oauth::AccessToken;

use super::*;

#[test]
fn wait_ends_with_a_final_status() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let mut wait =
        WaitForDecision::new("s-1".parse().unwrap()).with_interval(Duration::from_secs(3));
    let mut now = at(10);
    for status in ["Initialized", "Retrieved", "In Review"] {
        let (_, ticket) = sends(&mut wait, &mut engine, now);
        answer(&mut wait, &mut engine, now, ticket, 200, &decision(status));
        let (until, reason) = waits(&mut wait, &mut engine, now);
        assert_eq!((until.since(now), reason), (Duration::from_secs(3), WaitReason::Polling));
        now = until;
    }
    let (_, ticket) = sends(&mut wait, &mut engine, now);
    answer(&mut wait, &mut engine, now, ticket, 200, &decision("declined"));
    assert_eq!(succeeds(&mut wait, &mut engine, now).status(), &Status::Declined);
    assert!(matches!(fails(&mut wait, &mut engine, now).kind(), CallErrorKind::Finished));
}

#[test]
fn wait_survives_retryable_failures_and_ends_at_its_timeout() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let timeout = Duration::from_secs(100);
    let mut wait = WaitForDecision::new("s-1".parse().unwrap()).with_timeout(timeout);
    let mut now = at(0);
    let mut polls = 0;
    let error = loop {
        match wait.poll(&mut engine, now) {
            Step::Send { ticket, .. } => {
                let (status, body) =
                    if polls < 9 { (503, "") } else { (200, &*decision("retrieved")) };
                answer(&mut wait, &mut engine, now, ticket, status, body);
                polls += 1;
            }
            Step::Wait { until, .. } => now = until,
            Step::Done(result) => break result.unwrap_err(),
        }
    };
    assert_eq!(now, at(100));
    assert!(matches!(error.kind(), CallErrorKind::Undecided(Status::Retrieved)), "{error}");
    assert!(error.to_string().contains("the session was still Retrieved when the time ran out"));
}

/// A wait does not end because of a refusal that another call's request may end.
#[test]
fn wait_goes_on_while_a_long_refusal_is_tested() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let mut first = call();
    let (_, ticket) = sends(&mut first, &mut engine, at(0));
    let refusal = Response::builder().status(429).header("retry-after", "3600").body(&b""[..]);
    first.handle_response(&mut engine, at(0), ticket, &refusal.unwrap());
    let mut waiting = [(); 2].map(|()| WaitForDecision::new("s-1".parse().unwrap()));
    for wait in &mut waiting {
        assert_eq!(waits(wait, &mut engine, at(600)), (at(900), WaitReason::Pacing));
    }
    let [probe, other] = &mut waiting;
    let (_, ticket) = sends(probe, &mut engine, at(900));
    assert_eq!(waits(other, &mut engine, at(900)), (at(902), WaitReason::Polling));
    answer(probe, &mut engine, at(901), ticket, 200, &decision("Confirmed"));
    assert_eq!(sends(other, &mut engine, at(902)).0, "decision t");
}

/// Only the service ends a wait early, not the pause that another call takes before it tries again.
#[test]
fn wait_outlasts_the_backoff_of_other_calls() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let timeout = Duration::from_secs(3);
    let mut wait = WaitForDecision::new("s-1".parse().unwrap()).with_timeout(timeout);
    let (_, ticket) = sends(&mut wait, &mut engine, at(0));
    answer(&mut wait, &mut engine, at(0), ticket, 200, &decision("Retrieved"));
    assert_eq!(waits(&mut wait, &mut engine, at(0)), (at(2), WaitReason::Polling));
    let (mut other, mut now) = (call(), at(0));
    loop {
        match other.poll(&mut engine, now) {
            Step::Send { ticket, .. } => answer(&mut other, &mut engine, now, ticket, 429, ""),
            Step::Wait { until, .. } if until > at(3) => break,
            Step::Wait { until, .. } => now = until,
            Step::Done(result) => panic!("{result:?}"),
        }
    }
    assert!(at(2) < now && now < at(3), "this seed has no such pause: {now:?}");
    let (until, _) = waits(&mut wait, &mut engine, now);
    let error = fails(&mut wait, &mut engine, until);
    assert!(matches!(error.kind(), CallErrorKind::Undecided(Status::Retrieved)), "{error}");
}

#[test]
fn wait_ends_at_once_with_a_permanent_failure() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let mut wait = WaitForDecision::new("s-1".parse().unwrap());
    let (_, ticket) = sends(&mut wait, &mut engine, at(1));
    answer(&mut wait, &mut engine, at(1), ticket, 404, "");
    assert_eq!(fails(&mut wait, &mut engine, at(1)).response().unwrap().status(), 404);
}

/// Polls every second for ten seconds with these responses, then without one; returns the error.
fn timed_out_after(answers: &[(u16, &str)]) -> CallError {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let wait = WaitForDecision::new("s-1".parse().unwrap()).with_interval(Duration::from_secs(1));
    let mut wait = wait.with_timeout(Duration::from_secs(10));
    let (mut now, mut answers) = (at(0), answers.iter());
    loop {
        match wait.poll(&mut engine, now) {
            Step::Send { ticket, .. } => match answers.next() {
                Some((status, body)) => {
                    answer(&mut wait, &mut engine, now, ticket, *status, body);
                }
                None => now = at(10),
            },
            Step::Wait { until, .. } => now = until,
            Step::Done(result) => break result.unwrap_err(),
        }
    }
}

#[test]
fn timeout_reports_the_last_complete_poll() {
    let undecided = timed_out_after(&[(200, &decision("retrieved"))]);
    assert!(matches!(undecided.kind(), CallErrorKind::Undecided(Status::Retrieved)), "{undecided}");
    assert_eq!(undecided.attempts(), 2);
    let retried = timed_out_after(&[(503, ""), (200, &decision("retrieved"))]);
    assert_eq!(retried.attempts(), 3);
    let failed = timed_out_after(&[(503, ""); 4]);
    assert!(failed.is_timeout());
    assert_eq!(failed.response().map(|response| response.status().as_u16()), Some(503), "{failed}");
    let cut_off = timed_out_after(&[]);
    assert!(
        matches!(cut_off.kind(), CallErrorKind::Transport(TransportErrorKind::Timeout)),
        "{cut_off}"
    );
    // A failure after a response is reported instead of it.
    let unavailable = [(200, &*decision("retrieved")), (503, ""), (503, ""), (503, ""), (503, "")];
    let failed = timed_out_after(&unavailable);
    assert_eq!(failed.response().map(|response| response.status().as_u16()), Some(503), "{failed}");
}

#[test]
fn timeout_of_the_last_attempt_keeps_the_undecided_status() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let wait = WaitForDecision::new("s-1".parse().unwrap()).with_interval(Duration::from_secs(1));
    let mut wait = wait.with_timeout(Duration::from_secs(10));
    let (_, ticket) = sends(&mut wait, &mut engine, at(0));
    answer(&mut wait, &mut engine, at(0), ticket, 200, &decision("retrieved"));
    assert_eq!(waits(&mut wait, &mut engine, at(0)), (at(1), WaitReason::Polling));
    for second in 1..=3 {
        let (_, ticket) = sends(&mut wait, &mut engine, at(second));
        let broken = TransportError::new(TransportErrorKind::ConnectionLost);
        wait.handle_failure(&mut engine, at(second), ticket, broken);
    }
    let (_, ticket) = sends(&mut wait, &mut engine, at(9));
    wait.handle_failure(
        &mut engine,
        at(10),
        ticket,
        TransportError::new(TransportErrorKind::Timeout),
    );
    let error = fails(&mut wait, &mut engine, at(10));
    assert!(matches!(error.kind(), CallErrorKind::Undecided(Status::Retrieved)), "{error}");
}

#[test]
fn timeout_during_retry_after_reports_the_refusal() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let wait = WaitForDecision::new("s-1".parse().unwrap());
    let mut wait = wait.with_timeout(Duration::from_secs(10));
    let (_, ticket) = sends(&mut wait, &mut engine, at(1));
    let refusal = Response::builder().status(429).header("retry-after", "3600");
    wait.handle_response(&mut engine, at(1), ticket, &refusal.body(&b""[..]).unwrap());
    let error = fails(&mut wait, &mut engine, at(1));
    assert_eq!(error.gave_up(), GaveUp::DeadlineExceeded);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)), "{error}");
}

#[test]
fn refusal_that_outlasts_the_wait_ends_it_after_a_status_was_seen() {
    for (status, token_lifetime) in [(429, 1000), (503, 1000), (429, 5), (503, 5)] {
        let mut engine = engine();
        retrieve(&mut engine, at(0), "t");
        let held = AccessToken::new("t", Duration::from_secs(token_lifetime)).unwrap();
        engine.set_access_token(&held, at(0));
        let mut wait = WaitForDecision::new("s-1".parse().unwrap())
            .with_interval(Duration::from_secs(9))
            .with_timeout(Duration::from_secs(30));
        let (_, ticket) = sends(&mut wait, &mut engine, at(1));
        answer(&mut wait, &mut engine, at(1), ticket, 200, &decision("Pending"));
        assert_eq!(waits(&mut wait, &mut engine, at(1)).0, at(10));
        // The decision is refused, or else the next token.
        let (_, ticket) = sends(&mut wait, &mut engine, at(10));
        let refusal = Response::builder().status(status).header("retry-after", "21");
        wait.handle_response(&mut engine, at(10), ticket, &refusal.body(&b""[..]).unwrap());
        let error = fails(&mut wait, &mut engine, at(10));
        assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(21)), "{error}");
    }
}

#[test]
fn refusal_of_another_call_that_outlasts_the_wait_ends_it() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let wait = || WaitForDecision::new("s-1".parse().unwrap());
    let (mut refused, mut other) = (wait(), wait());
    let (_, ticket) = sends(&mut other, &mut engine, at(1));
    answer(&mut other, &mut engine, at(1), ticket, 200, &decision("Pending"));
    waits(&mut other, &mut engine, at(1));
    let (_, ticket) = sends(&mut refused, &mut engine, at(2));
    let refusal = Response::builder().status(429).header("retry-after", "700");
    refused.handle_response(&mut engine, at(2), ticket, &refusal.body(&b""[..]).unwrap());
    fails(&mut refused, &mut engine, at(2));
    let error = fails(&mut other, &mut engine, at(3));
    assert!(matches!(error.kind(), CallErrorKind::Waiting(WaitReason::Pacing)), "{error}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(699)));
}

#[test]
fn refusal_that_ends_during_the_wait_is_waited_for() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let wait = WaitForDecision::new("s-1".parse().unwrap());
    let mut wait = wait.with_timeout(Duration::from_secs(30));
    let (_, ticket) = sends(&mut wait, &mut engine, at(1));
    let refusal = Response::builder().status(429).header("retry-after", "29");
    wait.handle_response(&mut engine, at(1), ticket, &refusal.body(&b""[..]).unwrap());
    let (_, ticket) =
        (waits(&mut wait, &mut engine, at(1)), sends(&mut wait, &mut engine, at(30)).1);
    answer(&mut wait, &mut engine, at(30), ticket, 200, &decision("Confirmed"));
    succeeds(&mut wait, &mut engine, at(30));
}

#[test]
fn full_window_after_a_failed_poll_does_not_end_the_wait_early() {
    let mut engine = paced(2);
    retrieve(&mut engine, at(0), "t");
    let mut wait =
        WaitForDecision::new("s-1".parse().unwrap()).with_timeout(Duration::from_secs(20));
    let (_, ticket) = sends(&mut wait, &mut engine, at(1));
    answer(&mut wait, &mut engine, at(1), ticket, 500, "");
    let mut now = at(1);
    let error = loop {
        match wait.poll(&mut engine, now) {
            Step::Wait { until, .. } => now = until,
            Step::Done(result) => break result.unwrap_err(),
            Step::Send { .. } => panic!("the window is full"),
        }
    };
    assert_eq!((now, error.gave_up()), (at(21), GaveUp::DeadlineExceeded), "{error}");
}

#[test]
fn failed_exchange_is_passed_to_the_current_poll() {
    let mut engine = recording();
    retrieve(&mut engine, at(0), "t");
    engine.take_events();
    let mut wait = WaitForDecision::new("s-1".parse().unwrap());
    let (_, ticket) = sends(&mut wait, &mut engine, at(1));
    wait.handle_failure(
        &mut engine,
        at(1),
        ticket,
        TransportError::new(TransportErrorKind::ConnectionLost),
    );
    assert_eq!(waits(&mut wait, &mut engine, at(1)).1, WaitReason::Backoff);
    let events = kinds(&mut engine);
    assert!(matches!(events[0], EventKind::Sent { attempt: 1, .. }));
    assert_eq!(events.len(), 3, "{events:?}");
}

#[test]
fn canceled_wait_releases_its_lease() {
    let mut engine = engine();
    let mut wait = WaitForDecision::new("s-1".parse().unwrap());
    let _in_flight = sends(&mut wait, &mut engine, at(0));
    assert_eq!(waits(&mut call(), &mut engine, at(0)).1, WaitReason::Token);
    wait.cancel(&mut engine, at(1));
    assert!(engine.take_wake());
    assert_eq!(sends(&mut call(), &mut engine, at(1)).0, "token -");
    assert!(matches!(fails(&mut wait, &mut engine, at(1)).kind(), CallErrorKind::Finished));
}

#[test]
fn verification_wait_ends_when_the_session_is_settled() {
    use didit_core::verification::{self, Status};

    let id = "11111111-2222-3333-4444-555555555555";
    let decision = |status: &str| format!(r#"{{"session_id":"{id}","status":"{status}"}}"#);
    let wait = || {
        let endpoint = verification::RetrieveDecision::new(id.parse().unwrap());
        WaitForDecision::for_endpoint(endpoint).with_timeout(Duration::from_secs(60))
    };
    let mut engine = Engine::builder(Authorization::api_key("key").unwrap()).build().unwrap();
    let mut settled = wait();
    let mut now = at(0);
    for status in ["Not Started", "In Progress", "On Hold"] {
        let (_, ticket) = sends(&mut settled, &mut engine, now);
        answer(&mut settled, &mut engine, now, ticket, 200, &decision(status));
        (now, _) = waits(&mut settled, &mut engine, now);
    }
    let (_, ticket) = sends(&mut settled, &mut engine, now);
    answer(&mut settled, &mut engine, now, ticket, 200, &decision("IN REVIEW"));
    assert_eq!(succeeds(&mut settled, &mut engine, now).status(), &Status::InReview);

    let mut open = wait();
    let (_, ticket) = sends(&mut open, &mut engine, now);
    answer(&mut open, &mut engine, now, ticket, 200, &decision("Resubmitted"));
    waits(&mut open, &mut engine, now);
    let error = fails(&mut open, &mut engine, now.after(Duration::from_secs(60)));
    let undecided = CallErrorKind::UndecidedVerification(Status::Resubmitted);
    assert!(matches!(error.kind(), CallErrorKind::UndecidedVerification(Status::Resubmitted)));
    let line = "could not retrieve the verification decision: the session was still Resubmitted \
                when the time ran out";
    assert_eq!((error.to_string().as_str(), error.advice()), (line, "wait longer"));
    let faked = CallError::new(undecided).with_gave_up(GaveUp::DeadlineExceeded);
    assert_eq!(faked.to_string(), line);
}

#[test]
fn call_behind_a_canceled_one_takes_its_place() {
    let mut engine = paced(2);
    retrieve(&mut engine, at(0), "t");
    retrieve(&mut engine, at(20), "t");
    let (mut ahead, mut behind) = (call(), call());
    assert_eq!(waits(&mut ahead, &mut engine, at(55)).0, at(60));
    assert_eq!(waits(&mut behind, &mut engine, at(55)).0, at(80));
    engine.take_wake();
    ahead.cancel(&mut engine, at(56));
    assert!(engine.take_wake(), "the call behind may now be sent at 60");
    assert_eq!(waits(&mut behind, &mut engine, at(56)).0, at(60));
}

#[test]
fn queued_call_that_gets_its_token_too_late_waited_for_it() {
    let (mut engine, mut fetching) = (engine(), call());
    let mut queued = call().deadline_from_first_send().with_timeout(Duration::from_secs(2));
    let (_, ticket) = sends(&mut fetching, &mut engine, at(0));
    assert_eq!(waits(&mut queued, &mut engine, at(0)), (at(2), WaitReason::Token));
    answer(&mut fetching, &mut engine, at(2), ticket, 200, &token("t", 1000));
    let error = fails(&mut queued, &mut engine, at(2));
    assert!(matches!(error.kind(), CallErrorKind::Waiting(WaitReason::Token)), "{error}");
}
