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
    // One in a queue has the time.
    assert_eq!(waits(&mut queued, &mut engine, at(2)), (at(61), WaitReason::Pacing));
    let (_, ticket) = sends(&mut queued, &mut engine, at(61));
    queued.handle_response(&mut engine, at(61), ticket, &refusal().unwrap());
    assert_eq!(waits(&mut queued, &mut engine, at(61)), (at(121), WaitReason::RetryAfter));
    assert_eq!(sends(&mut queued, &mut engine, at(121)).0, "decision t");
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
    let mut policy = Policy::default();
    policy.max_requests_per_window = Some(1);
    let client = ClientCredentials::new("id", "secret").unwrap();
    let mut engine =
        Engine::builder(client).base_url(BASE.parse().unwrap()).policy(policy).build().unwrap();
    retrieve(&mut engine, at(0), "t");
    let _in_flight = sends(&mut call(), &mut engine, at(60));
    engine.record_events(true);
    let mut queued = call().deadline_from_first_send();
    for _ in 0..3 {
        let _ = waits(&mut queued, &mut engine, at(61));
    }
    assert_eq!(queued.take_events().len(), 1);
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
    let mut policy = Policy::default();
    policy.max_requests_per_window = Some(2);
    let client = ClientCredentials::new("id", "secret").unwrap();
    let mut engine =
        Engine::builder(client).base_url(BASE.parse().unwrap()).policy(policy).build().unwrap();
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
    let mut policy = Policy::default();
    policy.max_requests_per_window = Some(1);
    let client = ClientCredentials::new("id", "secret").unwrap();
    let mut engine =
        Engine::builder(client).base_url(BASE.parse().unwrap()).policy(policy).build().unwrap();
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
    let mut engine = engine();
    let mut silent = call();
    let (_, ticket) = sends(&mut silent, &mut engine, at(0));
    answer(&mut silent, &mut engine, at(0), ticket, 200, &token("t", 1000));
    assert_eq!(silent.take_events(), []);

    engine.record_events(true);
    let mut told = call();
    let (_, ticket) = sends(&mut told, &mut engine, at(1));
    told.handle_failure(
        &mut engine,
        at(1),
        ticket,
        TransportError::new(TransportErrorKind::ConnectionLost),
    );
    let (until, _) = waits(&mut told, &mut engine, at(1));
    let action = EndpointKind::RetrieveDecision;
    let events = told.take_events();
    assert_eq!(
        events[..2],
        [
            Event::Sent { action, attempt: 1 },
            Event::Failed { action, failure: TransportErrorKind::ConnectionLost },
        ]
    );
    assert_eq!(
        events[2],
        Event::Waiting { duration: until.since(at(1)), reason: WaitReason::Backoff }
    );
    assert_eq!(events.len(), 3);
}

#[test]
fn a_failed_status_counts_though_its_body_never_came() {
    for (status, cause) in [(404, "NotFound"), (200, "Broken")] {
        let mut engine = engine();
        retrieve(&mut engine, at(0), "t");
        let mut policy_of_one = call();
        let (_, ticket) = sends(&mut policy_of_one, &mut engine, at(1));
        let head = Response::builder().status(status).body(()).unwrap();
        // Whoever answered has seen the request, whatever the adapter thinks.
        let failure = TransportError::in_body(TransportErrorKind::Connect, head);
        engine.record_events(true);
        policy_of_one.handle_failure(&mut engine, at(1), ticket, failure);
        let events = format!("{:?}", policy_of_one.take_events());
        match cause {
            "NotFound" => {
                let error = fails(&mut policy_of_one, &mut engine, at(1));
                assert_eq!(error.response().unwrap().status(), 404);
            }
            _ => assert!(events.contains("failure: Broken"), "{events}"),
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
    let mut policy = Policy::default();
    policy.max_requests_per_window = Some(1);
    let client = ClientCredentials::new("id", "secret").unwrap();
    let mut engine =
        Engine::builder(client).base_url(BASE.parse().unwrap()).policy(policy).build().unwrap();
    retrieve(&mut engine, at(0), "t");
    engine.record_events(true);
    let (mut ahead, mut queued) =
        (call().deadline_from_first_send(), call().deadline_from_first_send());
    assert_eq!(waits(&mut ahead, &mut engine, at(1)).0, at(60));
    let (until, _) = waits(&mut queued, &mut engine, at(1));
    let _in_flight = sends(&mut ahead, &mut engine, at(60));
    let told = |queued: &mut Call<_>| queued.take_events().len();
    assert_eq!(told(&mut queued), 1);
    let _ = waits(&mut queued, &mut engine, at(60));
    assert_eq!(told(&mut queued), 0);
    let _ = waits(&mut queued, &mut engine, until);
    assert_eq!(told(&mut queued), 1);
}

#[test]
fn what_was_read_ahead_counts_for_its_own_request_alone() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let (mut one, mut other) = (call(), call());
    let (_, ticket) = sends(&mut one, &mut engine, at(1));
    let (_, others) = sends(&mut other, &mut engine, at(1));
    let confirmed = decision("Confirmed");
    let read = Response::new(confirmed.as_bytes());

    one.read_ahead(&others, &read);
    answer(&mut one, &mut engine, at(1), ticket, 404, "");
    assert!(matches!(fails(&mut one, &mut engine, at(1)).kind(), CallErrorKind::Response(_)));

    // Read whole, but lost all the same; the next request has an answer of its own.
    other.read_ahead(&others, &read);
    other.handle_failure(
        &mut engine,
        at(1),
        others,
        TransportError::new(TransportErrorKind::ConnectionLost),
    );
    let (again, _) = waits(&mut other, &mut engine, at(1));
    let (_, ticket) = sends(&mut other, &mut engine, again);
    answer(&mut other, &mut engine, again, ticket, 200, &decision("Declined"));
    assert_eq!(succeeds(&mut other, &mut engine, again).status(), &Status::Declined);

    let mut third = call();
    let (_, ticket) = sends(&mut third, &mut engine, again);
    third.read_ahead(&ticket, &read);
    third.handle_response(&mut engine, again, ticket, &read);
    assert_eq!(succeeds(&mut third, &mut engine, again).status(), &Status::Confirmed);
}
