//! Refusals by the rate limit.

use didit_core::verification::{Raw, UpdateStatus};
use http::Method;

use super::*;

#[test]
fn retry_after_applies_to_all_calls() {
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
    // A queued call may wait, but its time runs once it has been refused itself.
    assert_eq!(waits(&mut queued, &mut engine, at(2)), (at(61), WaitReason::Pacing));
    let (_, ticket) = sends(&mut queued, &mut engine, at(61));
    queued.handle_response(&mut engine, at(61), ticket, &refusal().unwrap());
    let error = fails(&mut queued, &mut engine, at(61));
    assert_eq!(error.gave_up(), GaveUp::DeadlineExceeded);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
}

#[test]
fn straggling_success_does_not_end_a_refusal() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let (mut refused, mut accepted) = (call(), call());
    let (_, refused_ticket) = sends(&mut refused, &mut engine, at(1));
    let (_, accepted_ticket) = sends(&mut accepted, &mut engine, at(1));
    let refusal = Response::builder().status(429).header("retry-after", "20").body(&b""[..]);
    refused.handle_response(&mut engine, at(2), refused_ticket, &refusal.unwrap());
    answer(&mut accepted, &mut engine, at(3), accepted_ticket, 200, &decision("Confirmed"));
    assert_eq!(waits(&mut call(), &mut engine, at(3)), (at(22), WaitReason::Pacing));
}

/// Returns an engine whose first request, at 1, was refused with a count of all requests.
fn refused_with_a_count(retry_after: &str, reset: &str) -> Engine {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let mut refused = call();
    let (_, ticket) = sends(&mut refused, &mut engine, at(1));
    let refusal = Response::builder()
        .status(429)
        .header("date", "Thu, 01 Jan 1970 00:00:00 GMT")
        .header("retry-after", retry_after)
        .header("x-ratelimit-limit", "600")
        .header("x-ratelimit-remaining", "0")
        .header("x-ratelimit-reset", reset);
    refused.handle_response(&mut engine, at(1), ticket, &refusal.body(b"").unwrap());
    refused.cancel(&mut engine, at(1));
    engine
}

#[test]
fn refusal_that_counts_all_requests_delays_the_next_only_as_long_as_it_says() {
    for (retry_after, reset, status) in
        [("1", "60", 200), ("1", "1", 404), ("0", "1", 200), ("0", "0", 200)]
    {
        let mut engine = refused_with_a_count(retry_after, reset);
        let mut next = call();
        let (_, ticket) = sends(&mut next, &mut engine, at(2));
        answer(&mut next, &mut engine, at(2), ticket, status, &decision("Confirmed"));
        // As accepted requests report no count, there is no reason to wait.
        for _ in 0..10 {
            retrieve(&mut engine, at(2), "t");
        }
    }
}

#[test]
fn request_that_shows_nothing_after_a_refusal_with_a_count_is_followed_by_another() {
    let lost = || TransportError::new(TransportErrorKind::ConnectionLost);
    for end in ["503", "lost", "cancelled", "timeout"] {
        let mut engine = refused_with_a_count("1", "60");
        let (mut next, mut queued) = (call(), call());
        let (_, ticket) = sends(&mut next, &mut engine, at(2));
        let (until, _) = waits(&mut queued, &mut engine, at(2));
        assert_eq!(until, at(32), "one at a time, and it may be sent before its deadline");
        engine.take_wake();
        match end {
            "503" => answer(&mut next, &mut engine, at(3), ticket, 503, ""),
            "lost" => next.handle_failure(&mut engine, at(3), ticket, lost()),
            "cancelled" => next.cancel(&mut engine, at(3)),
            _ => drop(waits(&mut next, &mut engine, at(12))),
        }
        assert!(engine.take_wake(), "{end}");
        let now = if end == "timeout" { at(12) } else { at(3) };
        sends(&mut queued, &mut engine, now);
        assert!(waits(&mut call(), &mut engine, now).0 > at(30), "{end}: one at a time");
    }
}

#[test]
fn inconclusive_probe_of_a_long_refusal_with_a_count_is_soon_followed_by_another() {
    let mut engine = refused_with_a_count("86400", "60");
    let (mut probe, mut next) = (call(), call());
    let (_, ticket) = sends(&mut probe, &mut engine, at(901));
    answer(&mut probe, &mut engine, at(902), ticket, 503, "");
    let _ = waits(&mut probe, &mut engine, at(902));
    assert_eq!(waits(&mut next, &mut engine, at(902)).0, at(907));
}

/// Returns the response of a service that refuses requests for this number of seconds.
fn refused(seconds: &str) -> Response<&'static [u8]> {
    Response::builder().status(429).header("retry-after", seconds).body(&b""[..]).unwrap()
}

/// Returns a refusal that does not say for how long.
fn without_time() -> Response<&'static [u8]> {
    Response::builder().status(429).body(&b""[..]).unwrap()
}

/// Returns an engine whose first request was refused for a day, at 0.
fn refused_for_a_day() -> Engine {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let mut first = call();
    let (_, ticket) = sends(&mut first, &mut engine, at(0));
    first.handle_response(&mut engine, at(0), ticket, &refused("86400"));
    engine
}

#[test]
fn response_to_a_probe_shortens_or_ends_a_long_refusal() {
    for shortened in [true, false] {
        let mut engine = refused_for_a_day();
        let (mut probe, mut queued) = (call(), call().deadline_from_first_send());
        let (_, ticket) = sends(&mut probe, &mut engine, at(900));
        assert_eq!(waits(&mut queued, &mut engine, at(900)).0, at(1800));
        engine.take_wake();
        if shortened {
            probe.handle_response(&mut engine, at(901), ticket, &refused("5"));
            assert!(engine.take_wake(), "the queued calls may be sent earlier");
            assert_eq!(waits(&mut queued, &mut engine, at(901)).0, at(906));
        } else {
            answer(&mut probe, &mut engine, at(901), ticket, 200, &decision("Confirmed"));
            assert!(engine.take_wake(), "the queued calls may be sent");
            sends(&mut queued, &mut engine, at(901));
        }
    }
}

#[test]
fn refusal_that_names_no_time_confirms_a_long_one() {
    for response in [refused("0"), without_time()] {
        let mut engine = refused_for_a_day();
        let (mut probe, mut queued) = (call(), call().deadline_from_first_send());
        let (_, ticket) = sends(&mut probe, &mut engine, at(900));
        probe.handle_response(&mut engine, at(900), ticket, &response);
        assert_eq!(waits(&mut queued, &mut engine, at(901)).0, at(1800));
    }
}

#[test]
fn token_refusal_that_names_no_time_confirms_a_long_one() {
    let (mut engine, mut first) = (engine(), call());
    let (_, ticket) = sends(&mut first, &mut engine, at(0));
    first.handle_response(&mut engine, at(0), ticket, &refused("86400"));
    let mut probe = call();
    let (_, ticket) = sends(&mut probe, &mut engine, at(900));
    probe.handle_response(&mut engine, at(900), ticket, &without_time());
    let error = fails(&mut call(), &mut engine, at(901));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(899)));
}

#[test]
fn calls_wait_five_seconds_for_the_next_probe_after_a_canceled_one() {
    let mut engine = refused_for_a_day();
    let (mut probe, mut queued) = (call(), call().deadline_from_first_send());
    sends(&mut probe, &mut engine, at(900));
    assert_eq!(waits(&mut queued, &mut engine, at(900)).0, at(1800));
    engine.take_wake();
    probe.cancel(&mut engine, at(901));
    assert!(engine.take_wake());
    assert_eq!(waits(&mut queued, &mut engine, at(901)).0, at(906));
}

#[test]
fn probe_that_shows_nothing_is_repeated_after_five_seconds() {
    let mut engine = refused_for_a_day();
    let mut probe = call();
    let (_, ticket) = sends(&mut probe, &mut engine, at(900));
    let unsent = TransportError::new(TransportErrorKind::Connect);
    probe.handle_failure(&mut engine, at(900), ticket, unsent);
    assert_eq!(waits(&mut probe, &mut engine, at(901)), (at(905), WaitReason::Pacing));
    let (_, ticket) = sends(&mut probe, &mut engine, at(905));
    answer(&mut probe, &mut engine, at(906), ticket, 502, "");
    assert_eq!(waits(&mut probe, &mut engine, at(908)).0, at(911));
    // A canceled call does not know either.
    let _ = sends(&mut probe, &mut engine, at(911));
    probe.cancel(&mut engine, at(912));
    let mut next = call();
    assert_eq!(waits(&mut next, &mut engine, at(913)).0, at(917));
    let (_, ticket) = sends(&mut next, &mut engine, at(917));
    answer(&mut next, &mut engine, at(917), ticket, 200, &decision("Confirmed"));
    sends(&mut call(), &mut engine, at(917));
}

#[test]
fn token_request_that_shows_nothing_is_repeated_after_five_seconds() {
    let (mut engine, mut first) = (engine(), call());
    let (_, ticket) = sends(&mut first, &mut engine, at(0));
    let day = Response::builder().status(503).header("retry-after", "86400").body(&b""[..]);
    first.handle_response(&mut engine, at(0), ticket, &day.unwrap());
    fails(&mut first, &mut engine, at(0));
    let mut probe = call();
    let (_, ticket) = sends(&mut probe, &mut engine, at(900));
    answer(&mut probe, &mut engine, at(900), ticket, 502, "");
    assert_eq!(waits(&mut probe, &mut engine, at(901)), (at(905), WaitReason::RetryAfter));
    let _ = sends(&mut probe, &mut engine, at(905));
    probe.cancel(&mut engine, at(906));
    let mut next = call();
    assert_eq!(waits(&mut next, &mut engine, at(906)).0, at(911));
    let (_, ticket) = sends(&mut next, &mut engine, at(911));
    answer(&mut next, &mut engine, at(911), ticket, 200, &token("t", 1000));
    assert_eq!(sends(&mut next, &mut engine, at(911)).0, "decision t");
}

#[test]
fn call_that_waits_out_a_long_refusal_of_the_token_does_not_keep_others_from_testing_it() {
    let (mut engine, mut patient) = (engine(), call().with_timeout(Duration::from_secs(7200)));
    let (_, ticket) = sends(&mut patient, &mut engine, at(0));
    let hour = Response::builder().status(503).header("retry-after", "3600").body(&b""[..]);
    patient.handle_response(&mut engine, at(0), ticket, &hour.unwrap());
    assert_eq!(waits(&mut patient, &mut engine, at(0)).0, at(3600));
    let mut probe = call();
    let (_, ticket) = sends(&mut probe, &mut engine, at(900));
    answer(&mut probe, &mut engine, at(900), ticket, 200, &token("t", 1000));
    assert_eq!(sends(&mut probe, &mut engine, at(900)).0, "decision t");
}

#[test]
fn refusal_of_another_route_does_not_stop_writes() {
    let key = Authorization::api_key("key").unwrap();
    let mut engine = Engine::builder(key).build().unwrap();
    let mut update = Call::new(Raw::new(Method::PATCH, "/v3/session/s/update-data/"));
    let (_, ticket) = sends(&mut update, &mut engine, at(0));
    let refusal = Response::builder().status(429).header("retry-after", "40").body(&b""[..]);
    update.handle_response(&mut engine, at(0), ticket, &refusal.unwrap());
    let session_id = "11111111-2222-3333-4444-555555555555".parse().unwrap();
    sends(&mut Call::new(UpdateStatus::approve(session_id)), &mut engine, at(0));
}

#[test]
fn refusals_do_not_count_as_attempts_but_lengthen_backoff() {
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
fn queued_call_pauses_its_time_in_the_queue_but_not_during_a_refusal() {
    let mut engine = paced(2);
    retrieve(&mut engine, at(0), "t");
    let (mut queued, mut other) = (call().deadline_from_first_send(), call());
    let (_, ticket) = sends(&mut queued, &mut engine, at(0));
    answer(&mut queued, &mut engine, at(0), ticket, 503, "");
    // The two requests leave the window after 60 seconds, the call has 30.
    assert_eq!(waits(&mut queued, &mut engine, at(1)), (at(60), WaitReason::Pacing));
    let (_, ticket) = sends(&mut queued, &mut engine, at(60));
    let (_, other_ticket) = sends(&mut other, &mut engine, at(60));
    other.handle_response(&mut engine, at(60), other_ticket, &refused("40"));
    answer(&mut queued, &mut engine, at(60), ticket, 503, "");
    let error = fails(&mut queued, &mut engine, at(61));
    assert_eq!(error.gave_up(), GaveUp::DeadlineExceeded);
}

#[test]
fn end_of_a_long_refusal_wakes_calls_even_if_the_window_is_full() {
    let held = Authorization::bearer("held").unwrap();
    let one = |policy: &mut Policy| policy.max_requests_per_window = Some(1);
    let mut engine = Engine::builder(held).edit_policy(one).build().unwrap();
    let (mut first, mut probe) = (call(), call());
    let mut queued = call().deadline_from_first_send();
    let (_, ticket) = sends(&mut first, &mut engine, at(0));
    let day = Response::builder().status(429).header("retry-after", "86400").body(&b""[..]);
    first.handle_response(&mut engine, at(0), ticket, &day.unwrap());
    let (_, ticket) = sends(&mut probe, &mut engine, at(900));
    assert_eq!(waits(&mut queued, &mut engine, at(900)).0, at(1800));
    engine.take_wake();
    answer(&mut probe, &mut engine, at(901), ticket, 200, &decision("Confirmed"));
    assert!(engine.take_wake());
    assert_eq!(waits(&mut queued, &mut engine, at(901)).0, at(961));
}

#[test]
fn refusal_of_the_token_ends_calls_that_cannot_wait_at_once() {
    let (mut engine, mut patient, mut other) =
        (engine(), call().with_timeout(Duration::from_secs(200)), call());
    let (_, ticket) = sends(&mut patient, &mut engine, at(0));
    assert_eq!(waits(&mut other, &mut engine, at(0)), (at(10), WaitReason::Token));
    engine.take_wake();
    let refusal = Response::builder().status(429).header("retry-after", "100").body(&b""[..]);
    patient.handle_response(&mut engine, at(1), ticket, &refusal.unwrap());
    assert!(engine.take_wake());
    fails(&mut other, &mut engine, at(1));
}

#[test]
fn refusal_that_is_half_over_names_the_rest() {
    let (mut engine, mut first) = (engine(), call());
    let (_, ticket) = sends(&mut first, &mut engine, at(0));
    let refusal = Response::builder().status(429).header("retry-after", "100").body(&b""[..]);
    first.handle_response(&mut engine, at(0), ticket, &refusal.unwrap());
    let error = fails(&mut call(), &mut engine, at(60));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(40)));
    assert!(error.to_string().ends_with("the next request can be sent in 40 s"), "{error}");
}

#[test]
fn refusal_does_not_count_as_a_wait_for_a_token() {
    let slow = |policy: &mut Policy| policy.attempt_timeout = Duration::from_secs(60);
    let mut engine = builder().edit_policy(slow).build().unwrap();
    let brief = didit_core::oauth::AccessToken::new("brief", Duration::from_secs(10)).unwrap();
    engine.set_access_token(&brief, at(0));
    retrieve(&mut engine, at(0), "unused");
    let (mut refused_first, mut refused_later) =
        (call(), call().with_timeout(Duration::from_secs(300)));
    let mut queued = call().deadline_from_first_send();
    let (_, first) = sends(&mut refused_first, &mut engine, at(0));
    let (_, later) = sends(&mut refused_later, &mut engine, at(0));
    let refusal = |seconds| {
        Response::builder().status(429).header("retry-after", seconds).body(&b""[..]).unwrap()
    };
    refused_first.handle_response(&mut engine, at(0), first, &refusal("20"));
    assert_eq!(waits(&mut queued, &mut engine, at(0)), (at(20), WaitReason::Pacing));
    let (sent, ticket) = sends(&mut queued, &mut engine, at(20));
    assert_eq!(sent, "token -");
    refused_later.handle_response(&mut engine, at(21), later, &refusal("40"));
    answer(&mut queued, &mut engine, at(22), ticket, 200, &token("t", 1000));
    assert_eq!(waits(&mut queued, &mut engine, at(22)), (at(61), WaitReason::Pacing));
    assert_eq!(sends(&mut queued, &mut engine, at(61)).0, "decision t");
}
