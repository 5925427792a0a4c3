//! Retries, deadlines and events.

use didit_core::data_transfer::{Scope, Scopes};
use didit_core::verification::DeleteSession;

use super::*;

#[test]
fn queued_call_without_a_token_times_out() {
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
fn queued_calls_time_out_while_another_call_fetches_the_token() {
    let mut engine = engine();
    let mut fetching = call().deadline_from_first_send();
    let _in_flight = sends(&mut fetching, &mut engine, at(0));
    let mut queued = call().deadline_from_first_send();
    assert_eq!(waits(&mut queued, &mut engine, at(0)), (at(10), WaitReason::Token));
    engine.set_credentials(ClientCredentials::new("id", "new").unwrap());
    let mut next = call();
    let _in_flight = sends(&mut next, &mut engine, at(25));
    assert_eq!(waits(&mut queued, &mut engine, at(25)), (at(30), WaitReason::Token));
    let error = fails(&mut queued, &mut engine, at(30));
    assert!(matches!(error.kind(), CallErrorKind::Waiting(WaitReason::Token)), "{error}");
}

#[test]
fn wait_for_a_token_does_not_count_later_in_the_queue() {
    let mut engine = paced(1);
    retrieve(&mut engine, at(0), "t");
    let mut renewing = call().deadline_from_first_send();
    // The token is due for renewal; its failure leaves the call in the queue, with the old token.
    let (sent, ticket) = sends(&mut renewing, &mut engine, at(945));
    assert_eq!(sent, "token -");
    answer(&mut renewing, &mut engine, at(945), ticket, 503, "");
    let (sent, ticket) = sends(&mut renewing, &mut engine, at(945));
    assert_eq!(sent, "decision t");
    let mut queued = call().deadline_from_first_send();
    assert_eq!(waits(&mut queued, &mut engine, at(946)).1, WaitReason::Pacing);
    answer(&mut renewing, &mut engine, at(946), ticket, 200, &decision("Confirmed"));
    let until = waits(&mut queued, &mut engine, at(946)).0;
    assert_eq!((until, sends(&mut queued, &mut engine, until).0), (at(1006), "token -".to_owned()));
}

#[test]
fn request_that_must_not_be_repeated_has_all_the_time_of_its_call() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let scopes = Scopes::new([Scope::NAMES]).unwrap();
    let mut creating = Call::new(CreateSession::new(scopes)).with_timeout(Duration::from_secs(60));
    let Step::Send { timeout, .. } = creating.poll(&mut engine, at(0)) else { panic!("a request") };
    assert_eq!(timeout, Duration::from_secs(60));
    let error = fails(&mut creating, &mut engine, at(60));
    assert!(error.is_timeout() && error.may_have_taken_effect());
    assert_eq!(error.gave_up(), GaveUp::DeadlineExceeded);
}

#[test]
fn wait_is_recorded_once() {
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
fn retry_beyond_the_deadline_fails_at_once() {
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
        "could not retrieve the decision: HTTP 503 Service Unavailable, and the time ran out: the \
         service asks to wait for 5 s"
    );
}

#[test]
fn token_that_takes_all_the_time_is_the_reason() {
    let mut engine = engine();
    let mut call = call().with_timeout(Duration::from_secs(5));
    let (sent, ticket) = sends(&mut call, &mut engine, at(0));
    assert_eq!(sent, "token -");
    answer(&mut call, &mut engine, at(5), ticket, 200, &token("t", 1000));
    let error = fails(&mut call, &mut engine, at(5));
    assert_eq!(error.endpoint(), EndpointKind::FetchToken);
    assert!(error.to_string().ends_with("timed out waiting for the response"), "{error}");
}

#[test]
fn late_response_is_ignored() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let mut call = call();
    let (_, late) = sends(&mut call, &mut engine, at(1));
    // Ten seconds without a response are a timeout, even if the adapter does not report it.
    let (until, reason) = waits(&mut call, &mut engine, at(11));
    assert_eq!(reason, WaitReason::Backoff);
    let (_, ticket) = sends(&mut call, &mut engine, until);
    answer(&mut call, &mut engine, until, late, 404, "");
    assert_eq!(waits(&mut call, &mut engine, until).1, WaitReason::Response);
    answer(&mut call, &mut engine, until, ticket, 200, &decision("Confirmed"));
    succeeds(&mut call, &mut engine, until);
}

#[test]
fn creation_is_retried_only_if_it_had_no_effect() {
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
        let case = format!("{outcome:?}");
        let mut create = Call::new(CreateSession::new("names".parse().unwrap()));
        let (sent, ticket) = sends(&mut create, &mut engine, at(1));
        assert_eq!(sent, "session t");
        match outcome {
            Ok(status) => answer(&mut create, &mut engine, at(1), ticket, status, ""),
            Err(failure) => create.handle_failure(&mut engine, at(1), ticket, failure),
        }
        let step = create.poll(&mut engine, at(1));
        let failed = matches!(step, Step::Done(Err(_)));
        assert_eq!(!failed, repeated, "{case}");
        if let Step::Done(Err(error)) = step {
            assert!(!error.is_retryable(), "{case}");
            assert!(error.advice().starts_with("the session may have been created"), "{case}");
        }
    }
}

/// A session that is gone after an attempt that may have deleted it counts as deleted.
#[test]
fn deletion_succeeds_if_a_retry_finds_no_session() {
    let lost = || Err(TransportErrorKind::ConnectionLost);
    for (first, succeeds) in [
        (lost(), true),
        (Ok(503), true),
        (Err(TransportErrorKind::Connect), false),
        (Ok(429), false),
    ] {
        let credentials = Authorization::api_key("key").unwrap();
        let mut engine = Engine::builder(credentials).build().unwrap();
        let id = "11111111-2222-4333-8444-555555555555".parse().unwrap();
        let mut deleting = Call::new(DeleteSession::new(id));
        let Step::Send { ticket, .. } = deleting.poll(&mut engine, at(0)) else { panic!() };
        match first {
            Ok(status) => answer(&mut deleting, &mut engine, at(0), ticket, status, ""),
            Err(kind) => {
                deleting.handle_failure(&mut engine, at(0), ticket, TransportError::new(kind));
            }
        }
        let ticket = loop {
            match deleting.poll(&mut engine, at(10)) {
                Step::Send { ticket, .. } => break ticket,
                Step::Wait { .. } => {}
                Step::Done(result) => panic!("{result:?}"),
            }
        };
        answer(&mut deleting, &mut engine, at(10), ticket, 404, "");
        let Step::Done(result) = deleting.poll(&mut engine, at(10)) else { panic!() };
        assert_eq!(result.is_ok(), succeeds, "{first:?}: {result:?}");
    }
}

#[test]
fn status_is_read_without_a_token() {
    let mut engine = engine();
    let mut call = Call::new(ReadStatus::new("s-1".parse().unwrap(), "session"));
    let (sent, ticket) = sends(&mut call, &mut engine, at(0));
    assert_eq!(sent, "status -");
    answer(&mut call, &mut engine, at(0), ticket, 200, r#"{"status":"retrieved"}"#);
    assert_eq!(succeeds(&mut call, &mut engine, at(0)).status(), &Status::Retrieved);
}

#[test]
fn polling_a_canceled_call_is_an_error() {
    let mut engine = engine();
    let mut call = call();
    call.cancel(&mut engine, at(0));
    assert!(matches!(fails(&mut call, &mut engine, at(0)).kind(), CallErrorKind::Finished));
}

#[test]
fn budget_defers_requests_in_order_of_arrival() {
    let mut engine = paced(2);
    retrieve(&mut engine, at(0), "t");
    retrieve(&mut engine, at(20), "t");
    let patient = || call().with_timeout(Duration::from_secs(600));
    let (mut third, mut fourth) = (patient(), patient());
    assert_eq!(waits(&mut third, &mut engine, at(30)), (at(60), WaitReason::Pacing));
    assert_eq!(waits(&mut fourth, &mut engine, at(30)), (at(80), WaitReason::Pacing));
    // A call with an earlier deadline fails at once.
    let error = fails(&mut call(), &mut engine, at(30));
    assert!(matches!(error.kind(), CallErrorKind::Waiting(WaitReason::Pacing)));
    // First come, first served, regardless of the order of the polls.
    assert_eq!(waits(&mut fourth, &mut engine, at(60)), (at(80), WaitReason::Pacing));
    assert_eq!(sends(&mut third, &mut engine, at(60)).0, "decision t");
}

#[test]
fn queued_calls_timeout_starts_with_the_first_request() {
    let mut engine = paced(1);
    retrieve(&mut engine, at(0), "t");
    let mut queued = call().deadline_from_first_send();
    assert_eq!(waits(&mut queued, &mut engine, at(0)), (at(60), WaitReason::Pacing));
    let (_, _ticket) = sends(&mut queued, &mut engine, at(60));
    assert_eq!(waits(&mut queued, &mut engine, at(65)), (at(70), WaitReason::Response));
    let error = loop {
        match queued.poll(&mut engine, at(90)) {
            Step::Done(result) => break result.unwrap_err(),
            Step::Wait { .. } => panic!("the 30 s have passed"),
            Step::Send { .. } => {}
        }
    };
    assert_eq!(error.gave_up(), GaveUp::DeadlineExceeded);
}

#[test]
fn events_are_recorded_on_request() {
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
fn partial_response_counts_if_an_error_or_complete() {
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
        // A server that responded has seen the request, even if the adapter reports `Connect`.
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
fn prolonged_wait_is_recorded_again_after_its_end() {
    let mut engine = paced(1);
    retrieve(&mut engine, at(0), "t");
    let (mut ahead, mut queued) =
        (call().deadline_from_first_send(), call().deadline_from_first_send());
    assert_eq!(waits(&mut ahead, &mut engine, at(1)).0, at(60));
    let (until, _) = waits(&mut queued, &mut engine, at(1));
    let _in_flight = sends(&mut ahead, &mut engine, at(60));
    engine.take_events();
    let recorded = |engine: &mut Engine| engine.take_events().len();
    let _ = waits(&mut queued, &mut engine, at(60));
    assert_eq!(recorded(&mut engine), 0);
    let _ = waits(&mut queued, &mut engine, until);
    assert_eq!(recorded(&mut engine), 1);
}

#[test]
fn timeout_behind_a_hanging_first_request_reports_that_reason() {
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
