//! The counts and resets that the service reports with accepted requests.

use super::*;

/// Answers a request with a decision and the headers of the rate limit; `reset` is in seconds from
/// the response.
fn counted(
    call: &mut impl Operation,
    engine: &mut Engine,
    now: Moment,
    ticket: Ticket,
    [limit, remaining, reset]: [u64; 3],
) {
    let body = decision("Confirmed");
    let response = Response::builder()
        .header("date", "Thu, 01 Jan 1970 00:00:00 GMT")
        .header("x-ratelimit-limit", limit)
        .header("x-ratelimit-remaining", remaining)
        .header("x-ratelimit-reset", reset)
        .body(body.as_bytes());
    call.handle_response(engine, now, ticket, &response.unwrap());
}

/// Retrieves a decision at `now`, whose response arrives a second later.
fn retrieve_counted(engine: &mut Engine, now: Moment, count: [u64; 3]) {
    let mut call = call();
    let (_, ticket) = sends(&mut call, engine, now);
    let arrival = now.after(Duration::from_secs(1));
    counted(&mut call, engine, arrival, ticket, count);
    succeeds(&mut call, engine, arrival);
}

/// Returns an engine with a token.
fn authorized() -> Engine {
    let token = Authorization::bearer("held").unwrap();
    let builder = Engine::builder(token).base_url(BASE.parse::<BaseUrl>().unwrap());
    builder.build().unwrap()
}

#[test]
fn failed_request_that_the_service_did_not_count_takes_no_room() {
    let mut engine = authorized();
    retrieve_counted(&mut engine, at(0), [3, 2, 60]);
    let mut failed = call();
    let (_, ticket) = sends(&mut failed, &mut engine, at(2));
    answer(&mut failed, &mut engine, at(3), ticket, 502, "");
    let _ = waits(&mut failed, &mut engine, at(3));
    let (mut third, mut queued) = (call(), call().deadline_from_first_send());
    let (_, ticket) = sends(&mut third, &mut engine, at(4));
    assert_eq!(waits(&mut queued, &mut engine, at(4)).1, WaitReason::Pacing);
    engine.take_wake();
    counted(&mut third, &mut engine, at(5), ticket, [3, 1, 56]);
    assert!(engine.take_wake(), "the service counts two of three");
    sends(&mut queued, &mut engine, at(5));
    assert_eq!(waits(&mut call().deadline_from_first_send(), &mut engine, at(5)).0, at(63));
}

#[test]
fn request_that_its_own_response_does_not_count_can_be_repeated() {
    let mut engine = authorized();
    let mut only = call();
    let (_, ticket) = sends(&mut only, &mut engine, at(0));
    let response = Response::builder()
        .status(502)
        .header("x-ratelimit-limit", 1)
        .header("x-ratelimit-remaining", 1)
        .body(b"");
    only.handle_response(&mut engine, at(1), ticket, &response.unwrap());
    let (until, reason) = waits(&mut only, &mut engine, at(1));
    assert_eq!(reason, WaitReason::Backoff);
    sends(&mut only, &mut engine, until);
}

#[test]
fn reset_of_a_used_up_limit_ends_the_wait_of_own_requests_too() {
    let mut engine = authorized();
    retrieve_counted(&mut engine, at(0), [2, 1, 60]);
    let mut second = call();
    let (_, ticket) = sends(&mut second, &mut engine, at(2));
    let mut queued = call().deadline_from_first_send();
    assert_eq!(waits(&mut queued, &mut engine, at(2)), (at(61), WaitReason::Pacing));
    engine.take_wake();
    counted(&mut second, &mut engine, at(3), ticket, [2, 0, 15]);
    assert!(engine.take_wake(), "the queued call may be sent earlier");
    assert_eq!(waits(&mut queued, &mut engine, at(3)), (at(18), WaitReason::Pacing));
    // Only one may be sent, as the service names the time of the first only.
    sends(&mut queued, &mut engine, at(18));
    assert!(waits(&mut call().deadline_from_first_send(), &mut engine, at(18)).0 >= at(63));
}

#[test]
fn slow_first_response_lets_few_requests_pass() {
    let mut engine = authorized();
    let mut sent_at = |now| {
        let steps = (0..20).map(|_| call().poll(&mut engine, now));
        steps.filter(|step| matches!(step, Step::Send { .. })).count()
    };
    // No response arrives.
    assert_eq!([at(0), at(9)].map(&mut sent_at), [1, 7]);
}
