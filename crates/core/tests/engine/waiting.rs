//! Waiting for a final status.

use super::*;

#[test]
fn waiting_ends_with_a_final_status() {
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
fn waiting_outlives_failures_that_pass_and_ends_by_its_deadline() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let timeout = Duration::from_secs(100);
    let mut wait = WaitForDecision::new("s-1".parse().unwrap()).with_timeout(timeout);
    let mut now = at(0);
    let mut looks = 0;
    let error = loop {
        match wait.poll(&mut engine, now) {
            Step::Send { ticket, .. } => {
                let (status, body) =
                    if looks < 9 { (503, "") } else { (200, &*decision("retrieved")) };
                answer(&mut wait, &mut engine, now, ticket, status, body);
                looks += 1;
            }
            Step::Wait { until, .. } => now = until,
            Step::Done(result) => break result.unwrap_err(),
        }
    };
    assert_eq!(now, at(100));
    assert!(matches!(error.kind(), CallErrorKind::Undecided(Status::Retrieved)), "{error}");
    assert!(error.to_string().contains("the session was still Retrieved when the time ran out"));
}

#[test]
fn waiting_ends_at_once_with_a_failure_that_stays() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let mut wait = WaitForDecision::new("s-1".parse().unwrap());
    let (_, ticket) = sends(&mut wait, &mut engine, at(1));
    answer(&mut wait, &mut engine, at(1), ticket, 404, "");
    assert_eq!(fails(&mut wait, &mut engine, at(1)).response().unwrap().status(), 404);
}

/// Looks every second for ten seconds, and gives these answers; the last look gets none.
fn cut_off_after(answers: &[(u16, &str)]) -> CallError {
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
fn a_look_that_the_end_cuts_off_tells_less_than_the_one_before() {
    let undecided = cut_off_after(&[(200, &decision("retrieved"))]);
    assert!(matches!(undecided.kind(), CallErrorKind::Undecided(Status::Retrieved)), "{undecided}");
    let failed = cut_off_after(&[(503, ""); 4]);
    assert_eq!(failed.response().map(|answer| answer.status().as_u16()), Some(503), "{failed}");
    let cut_off = cut_off_after(&[]);
    assert!(
        matches!(cut_off.kind(), CallErrorKind::Transport(TransportErrorKind::Timeout)),
        "{cut_off}"
    );
    // A failure after an answer is the later news.
    let unavailable = [(200, &*decision("retrieved")), (503, ""), (503, ""), (503, ""), (503, "")];
    let failed = cut_off_after(&unavailable);
    assert_eq!(failed.response().map(|answer| answer.status().as_u16()), Some(503), "{failed}");
}

#[test]
fn the_end_may_cut_off_the_last_attempt_of_a_look() {
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
fn the_answer_of_the_rate_limit_is_told_and_not_the_wait_for_it() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let wait = WaitForDecision::new("s-1".parse().unwrap());
    let mut wait = wait.with_timeout(Duration::from_secs(10));
    let (_, ticket) = sends(&mut wait, &mut engine, at(1));
    let refusal = Response::builder().status(429).header("retry-after", "3600");
    wait.handle_response(&mut engine, at(1), ticket, &refusal.body(&b""[..]).unwrap());
    let mut now = at(1);
    let error = loop {
        match wait.poll(&mut engine, now) {
            Step::Wait { until, .. } => now = until,
            Step::Done(result) => break result.unwrap_err(),
            Step::Send { .. } => panic!("sent against the service's word"),
        }
    };
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)), "{error}");
    assert_eq!(now, at(11));
}

#[test]
fn a_failed_exchange_is_handed_to_the_look_under_way() {
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
fn who_gives_up_a_wait_gives_up_the_token_too() {
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
fn a_verification_session_is_waited_for_until_it_is_settled() {
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
    let faked = CallError::builder(undecided).gave_up(GaveUp::DeadlineExceeded).build();
    assert_eq!(faked.to_string(), line);
}
