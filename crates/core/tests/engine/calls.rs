//! Retries, the rate limit, deadlines and what is told of them.

use super::*;

#[test]
fn what_the_service_named_as_the_next_time_holds_for_all() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let (mut first, mut queued) = (call(), call().deadline_from_first_send());
    let (_, ticket) = sends(&mut first, &mut engine, at(1));
    let refusal = || Response::builder().status(429).header("retry-after", "60").body(&b""[..]);
    first.handle_response(&mut engine, at(1), ticket, &refusal().unwrap());
    assert_eq!(fails(&mut first, &mut engine, at(1)).gave_up(), GaveUp::DeadlineExceeded);
    let error = fails(&mut call(), &mut engine, at(2));
    assert!(matches!(error.kind(), CallErrorKind::Waiting(WaitReason::Pacing)), "{error}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(59)));
    // One in a queue has the time, but no more of it once it was refused itself.
    assert_eq!(waits(&mut queued, &mut engine, at(2)), (at(61), WaitReason::Pacing));
    let (_, ticket) = sends(&mut queued, &mut engine, at(61));
    queued.handle_response(&mut engine, at(61), ticket, &refusal().unwrap());
    let error = fails(&mut queued, &mut engine, at(61));
    assert_eq!(error.gave_up(), GaveUp::DeadlineExceeded);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
}

#[test]
fn a_token_that_never_comes_ends_a_queued_call_as_well() {
    let mut engine = engine();
    let mut queued = call().deadline_from_first_send();
    let mut now = at(0);
    let error = loop {
        match queued.poll(&mut engine, now) {
            Step::Send { ticket, .. } => answer(&mut queued, &mut engine, now, ticket, 429, ""),
            Step::Wait { until, .. } => now = until,
            Step::Done(result) => break result.unwrap_err(),
        }
    };
    assert!(now <= at(30) && error.endpoint() == EndpointKind::FetchToken, "{error}");
}

#[test]
fn a_wait_is_told_once() {
    let mut engine = paced(1);
    retrieve(&mut engine, at(0), "t");
    let _in_flight = sends(&mut call(), &mut engine, at(60));
    let mut queued = call().deadline_from_first_send();
    engine.take_events();
    for _ in 0..3 {
        let _ = waits(&mut queued, &mut engine, at(61));
    }
    assert_eq!(engine.take_events().len(), 1);
}

#[test]
fn a_retry_that_cannot_begin_in_time_is_an_error_at_once() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let mut call = call().with_timeout(Duration::from_secs(5));
    let (_, ticket) = sends(&mut call, &mut engine, at(1));
    let refusal =
        Response::builder().status(503).header("retry-after", "5").body(&b""[..]).unwrap();
    call.handle_response(&mut engine, at(1), ticket, &refusal);
    let error = fails(&mut call, &mut engine, at(1));
    assert_eq!(error.gave_up(), GaveUp::DeadlineExceeded);
    assert_eq!(
        error.to_string(),
        "could not retrieve the decision: HTTP 503 Service Unavailable, and the time ran out"
    );
}

#[test]
fn an_answer_that_nobody_waits_for_any_more_changes_nothing() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let mut call = call();
    let (_, late) = sends(&mut call, &mut engine, at(1));
    // Ten seconds without an answer are a timeout, whoever notices.
    let (until, reason) = waits(&mut call, &mut engine, at(11));
    assert_eq!(reason, WaitReason::Backoff);
    let (_, ticket) = sends(&mut call, &mut engine, until);
    answer(&mut call, &mut engine, until, late, 404, "");
    assert_eq!(waits(&mut call, &mut engine, until).1, WaitReason::Response);
    answer(&mut call, &mut engine, until, ticket, 200, &decision("Confirmed"));
    succeeds(&mut call, &mut engine, until);
}

#[test]
fn a_creation_is_never_repeated_once_it_may_have_arrived() {
    let failed = |kind| Err(TransportError::new(kind));
    for (outcome, repeated) in [
        (failed(TransportErrorKind::Connect), true),
        (failed(TransportErrorKind::ConnectionLost), false),
        (failed(TransportErrorKind::Timeout), false),
        (Ok(429), true),
        (Ok(401), true),
        (Ok(408), false),
        (Ok(500), false),
        (Ok(503), false),
    ] {
        let mut engine = engine();
        retrieve(&mut engine, at(0), "t");
        let shown = format!("{outcome:?}");
        let mut create = Call::new(CreateSession::new("names".parse().unwrap()));
        let (sent, ticket) = sends(&mut create, &mut engine, at(1));
        assert_eq!(sent, "session t");
        match outcome {
            Ok(status) => answer(&mut create, &mut engine, at(1), ticket, status, ""),
            Err(failure) => create.handle_failure(&mut engine, at(1), ticket, failure),
        }
        let step = create.poll(&mut engine, at(1));
        let over = matches!(step, Step::Done(Err(_)));
        assert_eq!(!over, repeated, "{shown}");
        if let Step::Done(Err(error)) = step {
            assert!(!error.is_retryable(), "{shown}");
            assert!(error.advice().starts_with("the session may have been created"), "{shown}");
        }
    }
}

#[test]
fn a_status_is_read_without_any_token() {
    let mut engine = engine();
    let mut call = Call::new(ReadStatus::new("s-1".parse().unwrap(), "session"));
    let (sent, ticket) = sends(&mut call, &mut engine, at(0));
    assert_eq!(sent, "status -");
    answer(&mut call, &mut engine, at(0), ticket, 200, r#"{"status":"retrieved"}"#);
    assert_eq!(succeeds(&mut call, &mut engine, at(0)).status(), &Status::Retrieved);
}

#[test]
fn polling_on_after_the_end_is_an_error() {
    let mut engine = engine();
    let mut call = call();
    call.cancel(&mut engine, at(0));
    assert!(matches!(fails(&mut call, &mut engine, at(0)).kind(), CallErrorKind::Finished));
}

#[test]
fn a_budget_paces_from_the_second_request_on() {
    let mut engine = paced(2);
    retrieve(&mut engine, at(0), "t");
    retrieve(&mut engine, at(20), "t");
    let patient = || call().with_timeout(Duration::from_secs(600));
    let (mut third, mut fourth) = (patient(), patient());
    assert_eq!(waits(&mut third, &mut engine, at(30)), (at(60), WaitReason::Pacing));
    assert_eq!(waits(&mut fourth, &mut engine, at(30)), (at(80), WaitReason::Pacing));
    // A call that has less time than that is told at once.
    let error = fails(&mut call(), &mut engine, at(30));
    assert!(matches!(error.kind(), CallErrorKind::Waiting(WaitReason::Pacing)));
    // First come, first served, whoever asks first.
    assert_eq!(waits(&mut fourth, &mut engine, at(60)), (at(80), WaitReason::Pacing));
    assert_eq!(sends(&mut third, &mut engine, at(60)).0, "decision t");
}

#[test]
fn the_clock_of_a_queued_call_starts_when_its_turn_comes() {
    let mut engine = paced(1);
    retrieve(&mut engine, at(0), "t");
    let mut queued = call().deadline_from_first_send();
    assert_eq!(waits(&mut queued, &mut engine, at(0)), (at(60), WaitReason::Pacing));
    let (_, _ticket) = sends(&mut queued, &mut engine, at(60));
    assert_eq!(waits(&mut queued, &mut engine, at(65)), (at(70), WaitReason::Response));
    let error = loop {
        match queued.poll(&mut engine, at(90)) {
            Step::Done(result) => break result.unwrap_err(),
            Step::Wait { .. } => panic!("its 30 s are over"),
            Step::Send { .. } => {}
        }
    };
    assert_eq!(error.gave_up(), GaveUp::DeadlineExceeded);
}

#[test]
fn events_tell_the_story_when_asked_for() {
    let mut silent = engine();
    retrieve(&mut silent, at(0), "t");
    assert_eq!(silent.take_events(), []);

    let mut engine = recording();
    retrieve(&mut engine, at(0), "t");
    let names: Vec<_> = kinds(&mut engine).iter().map(|kind| format!("{kind:?}")).collect();
    let first = |text: &str| text.split(' ').next().unwrap().to_owned();
    let names: Vec<_> = names.iter().map(|text| first(text)).collect();
    let expected = ["Sent", "Answered", "TokenFetched", "Sent", "Answered", "Finished"];
    assert_eq!(names, expected);

    let mut call = call();
    let (_, ticket) = sends(&mut call, &mut engine, at(1));
    let lost = TransportError::new(TransportErrorKind::ConnectionLost);
    call.handle_failure(&mut engine, at(3), ticket, lost);
    let (until, _) = waits(&mut call, &mut engine, at(3));
    let (_, ticket) = sends(&mut call, &mut engine, until);
    let answer = Response::builder()
        .status(404)
        .header("x-request-id", "r-1")
        .header("x-ratelimit-limit", "100")
        .header("x-ratelimit-remaining", "99")
        .body(&b""[..])
        .unwrap();
    call.handle_response(&mut engine, until, ticket, &answer);
    let events = engine.take_events();
    for event in &events {
        assert_eq!(event.endpoint, EndpointKind::RetrieveDecision);
        assert_eq!(event.session_id.as_ref().unwrap().as_str(), "s-1");
    }
    let endpoint = EndpointKind::RetrieveDecision;
    let uri = "https://example.com/auth/v2/session/s-1/decision/".parse::<http::Uri>().unwrap();
    let sent = |attempt| EventKind::Sent {
        endpoint,
        method: http::Method::GET,
        uri: uri.clone(),
        attempt,
    };
    let waited = until.since(at(3));
    let expected = [
        sent(1),
        EventKind::Failed {
            endpoint,
            error: TransportErrorKind::ConnectionLost,
            elapsed: Duration::from_secs(2),
        },
        EventKind::Waiting { duration: waited, reason: WaitReason::Backoff },
        sent(2),
        EventKind::Answered {
            endpoint,
            status: http::StatusCode::NOT_FOUND,
            request_id: Some("r-1".to_owned()),
            elapsed: Duration::ZERO,
        },
        EventKind::RateLimit { limit: 100, remaining: 99 },
        EventKind::Finished {
            succeeded: false,
            attempts: 2,
            elapsed: Duration::from_secs(2) + waited,
        },
    ];
    let kinds: Vec<_> = events.into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, expected);
    let notable: Vec<_> = kinds.iter().map(EventKind::is_notable).collect();
    assert_eq!(notable, [false, true, true, true, false, false, false]);
}

#[test]
fn what_came_before_a_body_broke_off_counts_if_it_is_enough() {
    let whole = r#"{"session_id":"s-1","status":"Confirmed"}"#;
    let cases = [
        (404, "", Some(404)),
        (200, whole, None),
        (200, &whole[..whole.len() - 1], Some(0)),
        (200, "7", Some(0)),
        (200, "", Some(0)),
    ];
    for (status, body, expected) in cases {
        let mut engine = recording();
        retrieve(&mut engine, at(0), "t");
        let mut call = call();
        let (_, ticket) = sends(&mut call, &mut engine, at(1));
        let partial = Response::builder().status(status).body(body.into()).unwrap();
        // Whoever answered has seen the request, whatever the adapter thinks.
        let failure = TransportError::new(TransportErrorKind::Connect).with_partial(partial);
        assert!(!format!("{failure:?}").contains("s-1"));
        call.handle_failure(&mut engine, at(1), ticket, failure);
        let events = format!("{:?}", kinds(&mut engine));
        match (expected, call.poll(&mut engine, at(1))) {
            (None, Step::Done(Ok(decision))) => assert_eq!(decision.session_id().as_str(), "s-1"),
            (Some(404), Step::Done(Err(error))) => {
                assert_eq!(error.response().unwrap().status(), 404);
            }
            (Some(0), Step::Wait { .. }) => {
                assert!(events.contains("error: ConnectionLost"), "{events}");
            }
            (_, step) => panic!("{status} {body:?}: {step:?}"),
        }
    }
}

#[test]
fn refusals_are_no_attempts_and_make_the_pauses_longer() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let mut call = call().with_timeout(Duration::from_secs(1000));
    let (mut now, mut longest) = (at(1), Duration::ZERO);
    for status in [429, 429, 429, 429, 429, 503, 429, 503, 503] {
        let (_, ticket) = sends(&mut call, &mut engine, now);
        answer(&mut call, &mut engine, now, ticket, status, "");
        let (until, reason) = waits(&mut call, &mut engine, now);
        assert_eq!(reason, WaitReason::Backoff);
        longest = longest.max(until.since(now));
        now = until;
    }
    assert!(longest > Duration::from_secs(2), "{longest:?}");
    let (_, ticket) = sends(&mut call, &mut engine, now);
    answer(&mut call, &mut engine, now, ticket, 503, "");
    let error = fails(&mut call, &mut engine, now);
    assert_eq!((error.gave_up(), error.attempts()), (GaveUp::AttemptsExhausted, 10));
}

#[test]
fn a_wait_that_goes_on_is_told_again_once_its_time_has_come() {
    let mut engine = paced(1);
    retrieve(&mut engine, at(0), "t");
    let (mut ahead, mut queued) =
        (call().deadline_from_first_send(), call().deadline_from_first_send());
    assert_eq!(waits(&mut ahead, &mut engine, at(1)).0, at(60));
    let (until, _) = waits(&mut queued, &mut engine, at(1));
    let _in_flight = sends(&mut ahead, &mut engine, at(60));
    engine.take_events();
    let told = |engine: &mut Engine| engine.take_events().len();
    let _ = waits(&mut queued, &mut engine, at(60));
    assert_eq!(told(&mut engine), 0);
    let _ = waits(&mut queued, &mut engine, until);
    assert_eq!(told(&mut engine), 1);
}

#[test]
fn who_waits_behind_a_first_request_that_hangs_is_told_so() {
    let mut engine = engine();
    let (mut hung, mut behind) = (call(), call().with_timeout(Duration::from_millis(900)));
    let (_, ticket) = sends(&mut hung, &mut engine, at(0));
    answer(&mut hung, &mut engine, at(1), ticket, 200, &token("t", 1000));
    sends(&mut hung, &mut engine, at(1));
    let (_, reason) = waits(&mut behind, &mut engine, at(1));
    assert_eq!(reason, WaitReason::FirstResponse);
    let error = fails(&mut behind, &mut engine, at(2));
    assert!(matches!(error.kind(), CallErrorKind::Waiting(WaitReason::FirstResponse)), "{error}");
}
