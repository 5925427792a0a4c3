//! The token that all calls share.

use super::*;

#[test]
fn one_call_renews_early_while_others_use_the_old_token() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "old");
    // A tenth of 1000 s is more than 60 s, so the token is renewed 60 s before it expires.
    assert_eq!(sends(&mut call(), &mut engine, at(939)).0, "decision old");
    let mut renewing = call();
    let (sent, ticket) = sends(&mut renewing, &mut engine, at(940));
    assert_eq!(sent, "token -");
    assert_eq!(sends(&mut call(), &mut engine, at(940)).0, "decision old");
    answer(&mut renewing, &mut engine, at(941), ticket, 200, &token("new", 1000));
    assert_eq!(sends(&mut renewing, &mut engine, at(941)).0, "decision new");
    assert_eq!(sends(&mut call(), &mut engine, at(942)).0, "decision new");
}

#[test]
fn failed_renewal_keeps_the_old_token_in_use() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "old");
    let mut renewing = call();
    let (_, ticket) = sends(&mut renewing, &mut engine, at(950));
    answer(&mut renewing, &mut engine, at(950), ticket, 400, "{}");
    assert_eq!(sends(&mut renewing, &mut engine, at(950)).0, "decision old");
    assert_eq!(sends(&mut call(), &mut engine, at(999)).0, "decision old");
    assert_eq!(sends(&mut call(), &mut engine, at(1000)).0, "token -");
}

#[test]
fn postponed_renewal_keeps_the_old_token_in_use() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "old");
    let mut renewing = call();
    let (_, ticket) = sends(&mut renewing, &mut engine, at(950));
    let later = Response::builder().status(429).header("retry-after", "600").body(&b""[..]);
    renewing.handle_response(&mut engine, at(950), ticket, &later.unwrap());
    assert_eq!(sends(&mut renewing, &mut engine, at(950)).0, "decision old");
}

#[test]
fn late_401_does_not_discard_a_newer_token() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "first");
    let (mut early, mut late) = (call(), call());
    let (_, early_ticket) = sends(&mut early, &mut engine, at(1));
    let (_, late_ticket) = sends(&mut late, &mut engine, at(1));
    answer(&mut early, &mut engine, at(2), early_ticket, 401, "");
    let (sent, ticket) = sends(&mut early, &mut engine, at(2));
    assert_eq!(sent, "token -");
    answer(&mut early, &mut engine, at(3), ticket, 200, &token("second", 1000));
    answer(&mut late, &mut engine, at(4), late_ticket, 401, "");
    assert_eq!(sends(&mut late, &mut engine, at(4)).0, "decision second");
}

#[test]
fn refusal_is_reported_if_no_time_is_left_for_another_token() {
    let (mut engine, mut call) = (engine(), call().with_timeout(Duration::from_secs(2)));
    retrieve(&mut engine, at(0), "t");
    let (_, ticket) = sends(&mut call, &mut engine, at(1));
    answer(&mut call, &mut engine, at(3), ticket, 401, "");
    let error = fails(&mut call, &mut engine, at(3));
    assert_eq!(error.response().map(|error| error.status().as_u16()), Some(401), "{error}");
    assert_eq!(error.gave_up(), GaveUp::DeadlineExceeded);
}

#[test]
fn second_401_is_final() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "first");
    let (mut call, mut other) = (call(), call());
    let (_, ticket) = sends(&mut call, &mut engine, at(1));
    let (_, other_ticket) = sends(&mut other, &mut engine, at(1));
    answer(&mut call, &mut engine, at(1), ticket, 401, "");
    let (_, ticket) = sends(&mut call, &mut engine, at(1));
    answer(&mut call, &mut engine, at(1), ticket, 200, &token("second", 1000));
    answer(&mut other, &mut engine, at(1), other_ticket, 401, "");
    let (_, other_ticket) = sends(&mut other, &mut engine, at(1));
    let (sent, ticket) = sends(&mut call, &mut engine, at(1));
    assert_eq!(sent, "decision second");
    answer(&mut call, &mut engine, at(1), ticket, 401, "");
    let error = fails(&mut call, &mut engine, at(1));
    assert_eq!((error.gave_up(), error.attempts()), (GaveUp::NotRetryable, 3));
    assert_eq!(error.response().unwrap().status(), 401);
    // For ten seconds, no other token is fetched, and another refusal does not prolong them.
    answer(&mut other, &mut engine, at(6), other_ticket, 401, "");
    fails(&mut other, &mut engine, at(6));
    let mut soon = super::call();
    let (_, ticket) = sends(&mut soon, &mut engine, at(10));
    answer(&mut soon, &mut engine, at(10), ticket, 401, "");
    assert_eq!(fails(&mut soon, &mut engine, at(10)).attempts(), 1);
    let mut later = super::call();
    let (_, ticket) = sends(&mut later, &mut engine, at(11));
    answer(&mut later, &mut engine, at(11), ticket, 401, "");
    assert_eq!(sends(&mut later, &mut engine, at(11)).0, "token -");
}

#[test]
fn failure_of_a_later_attempt_also_fails_the_waiting_calls() {
    let mut engine = engine();
    let (mut first, mut second) = (call(), call());
    let (_, ticket) = sends(&mut first, &mut engine, at(0));
    let _ = waits(&mut second, &mut engine, at(0));
    answer(&mut first, &mut engine, at(1), ticket, 503, "");
    let (until, _) = waits(&mut first, &mut engine, at(1));
    let (_, ticket) = sends(&mut first, &mut engine, until);
    answer(&mut first, &mut engine, until, ticket, 401, r#"{"error":"invalid_client"}"#);
    for call in [&mut first, &mut second] {
        assert_eq!(fails(call, &mut engine, until).endpoint(), EndpointKind::FetchToken);
    }
}

#[test]
fn other_calls_wait_for_the_one_that_fetches() {
    let mut engine = engine();
    let (mut first, mut second) = (call(), call());
    let (_, ticket) = sends(&mut first, &mut engine, at(0));
    assert_eq!(waits(&mut second, &mut engine, at(0)), (at(10), WaitReason::Token));
    assert!(!engine.take_wake());
    answer(&mut first, &mut engine, at(1), ticket, 200, &token("t", 1000));
    assert!(engine.take_wake(), "the second call need not wait for the end of the lease");
    assert_eq!(sends(&mut second, &mut engine, at(1)).0, "decision t");
}

#[test]
fn lease_of_a_vanished_call_expires() {
    let mut engine = engine();
    let (mut vanished, mut second, mut third) = (call(), call(), call());
    let (_, late) = sends(&mut vanished, &mut engine, at(0));
    assert_eq!(waits(&mut second, &mut engine, at(1)), (at(10), WaitReason::Token));
    assert_eq!(sends(&mut second, &mut engine, at(10)).0, "token -");
    assert_eq!(waits(&mut third, &mut engine, at(10)), (at(20), WaitReason::Token));
    // The late response to the first call is still used.
    answer(&mut vanished, &mut engine, at(11), late, 200, &token("late", 1000));
    assert_eq!(sends(&mut third, &mut engine, at(11)).0, "decision late");
}

#[test]
fn token_request_of_a_slow_endpoint_times_out_with_its_lease() {
    let mut engine = engine();
    let id = "11111111-2222-3333-4444-555555555555".parse().unwrap();
    let mut pdf = Call::new(didit_core::verification::GeneratePdf::new(id));
    let attempt_timeout = engine.policy().attempt_timeout;
    match pdf.poll(&mut engine, at(0)) {
        Step::Send { timeout, .. } => assert_eq!(timeout, attempt_timeout),
        other => panic!("{other:?}"),
    }
}

#[test]
fn canceled_call_releases_its_lease_at_once() {
    let mut engine = engine();
    let (mut first, mut second) = (call(), call());
    let _ = sends(&mut first, &mut engine, at(0));
    let _ = waits(&mut second, &mut engine, at(0));
    first.cancel(&mut engine, at(1));
    assert!(engine.take_wake());
    assert_eq!(sends(&mut second, &mut engine, at(1)).0, "token -");
}

#[test]
fn lasting_failures_of_the_token_fail_all_calls_for_a_second() {
    let refused = r#"{"error":"invalid_client"}"#;
    for (status, body) in [(401, refused), (429, refused), (404, ""), (200, "<html>")] {
        let mut engine = engine();
        let (mut first, mut second, mut later) = (call(), call(), call());
        let (_, ticket) = sends(&mut first, &mut engine, at(0));
        let _ = waits(&mut second, &mut engine, at(0));
        answer(&mut first, &mut engine, at(1), ticket, status, body);
        assert!(engine.take_wake(), "the second call need not wait for the end of the lease");
        for call in [&mut first, &mut second] {
            let error = fails(call, &mut engine, at(1));
            assert_eq!(error.endpoint(), EndpointKind::FetchToken);
            assert_eq!(error.response().unwrap().status(), status);
        }
        let just_before = Moment::new(Duration::from_millis(1999));
        assert_eq!(fails(&mut call(), &mut engine, just_before).attempts(), 0);
        assert_eq!(sends(&mut later, &mut engine, at(2)).0, "token -");
        later.cancel(&mut engine, at(2));
    }
}

/// Later calls know of a refusal even if the refused calls have ended at their deadlines.
#[test]
fn refusals_without_a_time_are_remembered_across_calls() {
    let mut engine = engine();
    let (mut calls, mut requests) = (Vec::new(), 0);
    for millis in 0..20_000 {
        let now = Moment::new(Duration::from_millis(millis));
        calls.push(call().with_timeout(Duration::from_millis(200)));
        calls.retain_mut(|call| match call.poll(&mut engine, now) {
            Step::Send { ticket, .. } => {
                requests += 1;
                answer(call, &mut engine, now, ticket, 429, "");
                true
            }
            Step::Wait { .. } => true,
            Step::Done(_) => false,
        });
    }
    assert!((2..20).contains(&requests), "{requests}");
}

/// The error of the call that fetches explains why the others got no token.
#[test]
fn calls_that_wait_for_a_token_report_why_it_does_not_come() {
    let mut engine = engine();
    let (mut fetching, mut waiting) = (call(), call());
    let (_, ticket) = sends(&mut fetching, &mut engine, at(0));
    let _ = waits(&mut waiting, &mut engine, at(0));
    answer(&mut fetching, &mut engine, at(1), ticket, 500, "");
    let (retried_at, _) = waits(&mut fetching, &mut engine, at(1));
    let _in_flight = sends(&mut fetching, &mut engine, retried_at);
    let _ = waits(&mut waiting, &mut engine, retried_at);
    let error = fails(&mut waiting, &mut engine, at(30));
    assert_eq!(
        (error.endpoint(), error.gave_up()),
        (EndpointKind::FetchToken, GaveUp::DeadlineExceeded)
    );
    assert_eq!(error.status(), Some(http::StatusCode::INTERNAL_SERVER_ERROR), "{error}");
}

#[test]
fn error_of_an_earlier_token_request_is_not_reported() {
    let mut engine = engine();
    let (mut refused, mut fetching) = (call(), call());
    let (_, ticket) = sends(&mut refused, &mut engine, at(0));
    answer(&mut refused, &mut engine, at(0), ticket, 401, "");
    let _in_flight = sends(&mut fetching, &mut engine, at(100));
    let mut waiting = call().with_timeout(Duration::from_secs(5));
    let _ = waits(&mut waiting, &mut engine, at(100));
    let error = fails(&mut waiting, &mut engine, at(105));
    assert!(matches!(error.kind(), CallErrorKind::Waiting(WaitReason::Token)), "{error}");
}

/// If the time of a call is over when it could take the lease, its error is about the token.
#[test]
fn call_without_time_for_its_token_request_waited_for_the_token() {
    let mut engine = engine();
    let (mut fetching, mut queued) =
        (call().deadline_from_first_send(), call().deadline_from_first_send());
    let (_, ticket) = sends(&mut fetching, &mut engine, at(0));
    let _ = waits(&mut queued, &mut engine, at(0));
    let timeout = TransportError::new(TransportErrorKind::Timeout);
    fetching.handle_failure(&mut engine, at(30), ticket, timeout);
    let error = fails(&mut queued, &mut engine, at(30));
    let is_about_the_token = error.endpoint() == EndpointKind::FetchToken
        || matches!(error.kind(), CallErrorKind::Waiting(WaitReason::Token));
    assert!(is_about_the_token, "{error}");
}

#[test]
fn expired_token_is_used_by_the_call_that_fetched_it() {
    let mut engine = engine();
    let mut call = call();
    let (_, ticket) = sends(&mut call, &mut engine, at(0));
    let brief = r#"{"access_token":"brief","expires_in":0.000001}"#;
    answer(&mut call, &mut engine, at(1), ticket, 200, brief);
    let soon = at(1).after(Duration::from_millis(999));
    assert_eq!(sends(&mut call, &mut engine, soon).0, "decision brief");
}

#[test]
fn short_lived_token_is_renewed_a_tenth_before_expiry() {
    let mut engine = engine();
    let mut first = call();
    let (_, ticket) = sends(&mut first, &mut engine, at(0));
    answer(&mut first, &mut engine, at(0), ticket, 200, &token("old", 100));
    assert_eq!(sends(&mut call(), &mut engine, at(89)).0, "decision old");
    assert_eq!(sends(&mut call(), &mut engine, at(90)).0, "token -");
}

#[test]
fn token_that_expires_during_a_failed_renewal_is_not_used() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "old");
    let mut renewing = call();
    let (_, ticket) = sends(&mut renewing, &mut engine, at(999));
    answer(&mut renewing, &mut engine, at(1000), ticket, 400, "{}");
    let error = fails(&mut renewing, &mut engine, at(1000));
    assert_eq!(error.endpoint(), EndpointKind::FetchToken, "{error}");
}

#[test]
fn token_of_unknown_lifetime_is_used_for_one_request() {
    let mut engine = engine();
    let mut call = call();
    let (_, ticket) = sends(&mut call, &mut engine, at(0));
    answer(&mut call, &mut engine, at(0), ticket, 200, r#"{"access_token":"one"}"#);
    let (sent, ticket) = sends(&mut call, &mut engine, at(0));
    assert_eq!(sent, "decision one");
    answer(&mut call, &mut engine, at(0), ticket, 503, "");
    let (until, _) = waits(&mut call, &mut engine, at(0));
    assert_eq!(sends(&mut call, &mut engine, until).0, "token -");
}

#[test]
fn retry_of_the_token_request_extends_the_lease() {
    let mut engine = engine();
    let (mut fetching, mut waiting) = (call(), call());
    let (_, ticket) = sends(&mut fetching, &mut engine, at(0));
    let later = Response::builder().status(503).header("retry-after", "20").body(&b""[..]);
    fetching.handle_response(&mut engine, at(0), ticket, &later.unwrap());
    assert_eq!(waits(&mut fetching, &mut engine, at(0)), (at(20), WaitReason::RetryAfter));
    assert_eq!(waits(&mut waiting, &mut engine, at(15)), (at(20), WaitReason::RetryAfter));
    // A call with less time fails at once, with the refusal.
    let mut hasty = call().with_timeout(Duration::from_secs(3));
    let error = fails(&mut hasty, &mut engine, at(15));
    assert_eq!(
        (error.status(), error.retry_after()),
        (Some(503.try_into().unwrap()), Some(Duration::from_secs(5)))
    );
    let (sent, ticket) = sends(&mut fetching, &mut engine, at(20));
    assert_eq!(sent, "token -");
    assert_eq!(waits(&mut waiting, &mut engine, at(20)), (at(30), WaitReason::Token));
    answer(&mut fetching, &mut engine, at(21), ticket, 200, &token("t", 1000));
    assert_eq!(sends(&mut waiting, &mut engine, at(21)).0, "decision t");
}

#[test]
fn timeout_while_fetching_passes_the_lease_on() {
    let mut engine = engine();
    let (mut hasty, mut patient) = (call().with_timeout(Duration::from_secs(1)), call());
    let _in_flight = sends(&mut hasty, &mut engine, at(0));
    assert_eq!(waits(&mut patient, &mut engine, at(0)).1, WaitReason::Token);
    assert_eq!(fails(&mut hasty, &mut engine, at(1)).gave_up(), GaveUp::DeadlineExceeded);
    assert_eq!(sends(&mut patient, &mut engine, at(1)).0, "token -");
}

#[test]
fn queued_call_replaces_its_fetched_token_after_expiry() {
    let mut engine = paced(1);
    let mut first = call();
    let (_, ticket) = sends(&mut first, &mut engine, at(0));
    answer(&mut first, &mut engine, at(0), ticket, 200, &token("first", 20));
    let (_, ticket) = sends(&mut first, &mut engine, at(0));
    answer(&mut first, &mut engine, at(0), ticket, 200, &decision("Confirmed"));
    let mut queued = call().deadline_from_first_send();
    let (_, ticket) = sends(&mut queued, &mut engine, at(30));
    answer(&mut queued, &mut engine, at(30), ticket, 200, &token("second", 20));
    // The rate limit defers the first use of the token until it has expired.
    assert_eq!(waits(&mut queued, &mut engine, at(30)), (at(60), WaitReason::Pacing));
    let (sent, ticket) = sends(&mut queued, &mut engine, at(60));
    assert_eq!(sent, "token -");
    answer(&mut queued, &mut engine, at(60), ticket, 200, &token("third", 20));
    assert_eq!(sends(&mut queued, &mut engine, at(60)).0, "decision third");
}

#[test]
fn queued_call_fetches_no_token_before_it_may_be_sent() {
    let mut engine = paced(1);
    let mut first = call();
    let (_, ticket) = sends(&mut first, &mut engine, at(0));
    answer(&mut first, &mut engine, at(0), ticket, 200, &token("first", 20));
    let (_, ticket) = sends(&mut first, &mut engine, at(0));
    let mut queued = call().deadline_from_first_send();
    assert_eq!(waits(&mut queued, &mut engine, at(0)).1, WaitReason::FirstResponse);
    answer(&mut first, &mut engine, at(0), ticket, 200, &decision("Confirmed"));
    for now in [21, 42, 59] {
        assert_eq!(waits(&mut queued, &mut engine, at(now)), (at(60), WaitReason::Pacing));
    }
    assert_eq!(sends(&mut queued, &mut engine, at(60)).0, "token -");
}

#[test]
fn queued_call_does_not_use_its_fetched_token_with_other_credentials() {
    let mut engine = paced(1);
    retrieve(&mut engine, at(0), "first");
    engine.set_credentials(ClientCredentials::new("id", "second secret").unwrap());
    let mut queued = call().deadline_from_first_send();
    let (_, ticket) = sends(&mut queued, &mut engine, at(30));
    answer(&mut queued, &mut engine, at(30), ticket, 200, &token("second", 1000));
    waits(&mut queued, &mut engine, at(30));
    engine.set_credentials(ClientCredentials::new("id", "third secret").unwrap());
    assert_eq!(sends(&mut queued, &mut engine, at(60)).0, "token -");
}

#[test]
fn token_older_than_the_refused_one_is_not_used() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "old");
    // The old token is due for renewal; the new one is valid for one request, and is refused.
    let mut call = call();
    let (_, ticket) = sends(&mut call, &mut engine, at(941));
    answer(&mut call, &mut engine, at(941), ticket, 200, r#"{"access_token": "new"}"#);
    let (_, ticket) = sends(&mut call, &mut engine, at(941));
    answer(&mut call, &mut engine, at(941), ticket, 401, "");
    let (sent, ticket) = sends(&mut call, &mut engine, at(941));
    assert_eq!(sent, "token -");
    answer(&mut call, &mut engine, at(941), ticket, 400, "");
    assert_eq!(fails(&mut call, &mut engine, at(941)).endpoint(), EndpointKind::FetchToken);
}
