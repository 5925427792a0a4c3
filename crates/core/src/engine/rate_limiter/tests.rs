use super::*;

fn at(millis: u64) -> Moment {
    Moment::new(Duration::from_millis(millis))
}

fn reported(limit: u32, remaining: u32) -> RateLimit {
    RateLimit { limit: Some(limit), remaining: Some(remaining), ..RateLimit::default() }
}

fn limiter() -> RateLimiter {
    RateLimiter::new(Duration::from_secs(10), None)
}

/// Sends a request, which must be admitted.
fn send(limiter: &mut RateLimiter, id: u64, now: Moment) {
    assert!(limiter.admit(&mut None, now).is_ok(), "request {id}");
    limiter.sent(id, now, now.after(Duration::from_secs(5)));
}

fn opens_at(limiter: &mut RateLimiter, position: &mut Option<u64>, now: Moment) -> Option<Moment> {
    limiter.admit(position, now).err().map(|deferred| deferred.until)
}

#[test]
fn expiry_during_a_response_is_not_counted_as_others() {
    let mut limiter = limiter();
    send(&mut limiter, 1, at(0));
    limiter.answered(1, at(0), &reported(2, 1), StatusCode::OK);
    send(&mut limiter, 2, at(9_900));
    // The first request expires here before the response that still counts it arrives.
    assert_eq!(opens_at(&mut limiter, &mut None, at(10_050)), None);
    limiter.answered(2, at(10_100), &reported(2, 0), StatusCode::OK);
    assert_eq!(limiter.others.count(), 0);
    send(&mut limiter, 3, at(10_150));
}

#[test]
fn requests_of_others_reduce_the_limit() {
    let mut limiter = limiter();
    send(&mut limiter, 1, at(0));
    limiter.answered(1, at(10), &reported(10, 2), StatusCode::OK);
    send(&mut limiter, 2, at(20));
    send(&mut limiter, 3, at(20));
    assert_eq!(opens_at(&mut limiter, &mut None, at(20)), Some(at(10_010)));
    // A response that does not count the third request yet makes no room for a fourth.
    limiter.answered(2, at(30), &reported(10, 1), StatusCode::OK);
    assert_eq!(opens_at(&mut limiter, &mut None, at(30)), Some(at(10_010)));
}

#[test]
fn refusal_without_retry_after_closes_the_gate_until_the_reset() {
    let used_up = |reset| RateLimit { reset_after: Some(reset), ..reported(10, 0) };
    let (second, day) = (Duration::from_secs(1), Duration::from_secs(86_400));
    let waits = RateLimit { retry_after: Some(second), ..used_up(second * 3) };
    let others = RateLimit { remaining: Some(5), ..used_up(second * 3) };
    let cases = [
        (used_up(second * 3), Some(at(3_000))),
        (used_up(day), Some(at(10_000))),
        (used_up(Duration::ZERO), None),
        (waits, None),
        (others, None),
    ];
    for (told, opens) in cases {
        let mut limiter = limiter();
        send(&mut limiter, 1, at(0));
        limiter.answered(1, at(0), &told, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(opens_at(&mut limiter, &mut None, at(0)), opens, "{told:?}");
    }
}

#[test]
fn reset_beyond_the_window_does_not_shorten_a_long_refusal() {
    for (reset, opens) in [(9, at(909_000)), (86_000, at(1_800_000))] {
        let mut limiter = limiter();
        limiter.close(at(86_400_000), true, at(0), at(0));
        send(&mut limiter, 1, at(900_000));
        let told = RateLimit { reset_after: Some(Duration::from_secs(reset)), ..reported(10, 0) };
        limiter.answered(1, at(900_000), &told, REFUSED);
        assert_eq!(opens_at(&mut limiter, &mut None, at(900_000)), Some(opens));
    }
}

#[test]
fn gateway_error_does_not_end_slow_start() {
    let mut limiter = limiter();
    send(&mut limiter, 1, at(0));
    limiter.answered(1, at(10), &RateLimit::default(), StatusCode::BAD_GATEWAY);
    send(&mut limiter, 2, at(20));
    assert!(opens_at(&mut limiter, &mut None, at(20)).is_some(), "still one at a time");
    assert!(
        limiter.answered(2, at(30), &RateLimit::default(), StatusCode::OK),
        "all may be sent now"
    );
    for id in 3..300 {
        send(&mut limiter, id, at(40));
    }
}

#[test]
fn leaving_the_queue_advances_the_next() {
    let mut limiter = limiter_with_limit(1);
    let (mut first, mut second) = (None, None);
    assert_eq!(opens_at(&mut limiter, &mut first, at(1)), Some(at(10_000)));
    assert!(opens_at(&mut limiter, &mut second, at(1)) > Some(at(10_000)));
    assert!(limiter.leave(first, at(2)), "the next is earlier");
    assert_eq!(opens_at(&mut limiter, &mut second, at(3)), Some(at(10_000)));
}

#[test]
fn call_that_is_admitted_but_not_sent_wakes_the_next() {
    let mut limiter = limiter_with_limit(1);
    let (mut first, mut second) = (None, None);
    assert!(opens_at(&mut limiter, &mut first, at(1)).is_some());
    assert!(opens_at(&mut limiter, &mut second, at(1)).is_some());
    assert_eq!(opens_at(&mut limiter, &mut first, at(10_000)), None);
    assert!(limiter.leave(first, at(10_000)), "its request could not be built");
    send_from(&mut limiter, &mut second, 2, at(10_000));
    assert!(!limiter.leave(second, at(10_001)), "no call waits");
}

const OK: StatusCode = StatusCode::OK;
const REFUSED: StatusCode = StatusCode::TOO_MANY_REQUESTS;

/// Returns a limiter that has learned this limit, with one request completed at 0.
fn limiter_with_limit(limit: u32) -> RateLimiter {
    let mut limiter = limiter();
    send(&mut limiter, 1, at(0));
    assert!(!limiter.answered(1, at(0), &reported(limit, limit - 1), OK), "no call waits");
    limiter
}

#[test]
fn slow_start_doubles_every_half_second_until_the_first_response() {
    let mut limiter = limiter();
    send(&mut limiter, 1, at(1_000));
    let max_in_flight = |millis| limiter.slow_start(at(millis));
    let times = [1_000, 1_499, 1_500, 2_000, 2_750, 60_000];
    assert_eq!(times.map(max_in_flight), [1, 1, 2, 4, 8, 8]);
    let mut second = None;
    assert_eq!(opens_at(&mut limiter, &mut second, at(1_400)), Some(at(1_500)));
    send_from(&mut limiter, &mut second, 2, at(1_500));
    assert!(opens_at(&mut limiter, &mut None, at(1_500)).is_some());
}

#[test]
fn wait_is_certain_only_for_a_known_limit_or_a_closed_gate() {
    let certain = |limiter: &mut RateLimiter, now| {
        limiter.admit(&mut None, now).err().map(|deferred| deferred.certain)
    };
    let mut budgeted = RateLimiter::new(Duration::from_secs(10), Some(1));
    send(&mut budgeted, 1, at(0));
    assert_eq!(certain(&mut budgeted, at(0)), Some(false));
    budgeted.answered(1, at(1), &RateLimit::default(), OK);
    assert_eq!(certain(&mut budgeted, at(1)), Some(true));
    let mut closed = limiter();
    closed.close(at(5_000), true, at(0), at(0));
    assert_eq!(certain(&mut closed, at(0)), Some(true));
}

#[test]
fn failed_requests_count_unless_unsent() {
    let mut limiter = limiter_with_limit(3);
    send(&mut limiter, 2, at(1));
    send(&mut limiter, 3, at(1));
    let mut position = None;
    assert_eq!(opens_at(&mut limiter, &mut position, at(1)), Some(at(10_000)));
    assert!(!limiter.failed(2, at(2), false), "it may have been accepted");
    assert_eq!(opens_at(&mut limiter, &mut position, at(2)), Some(at(10_000)));
    assert!(limiter.failed(3, at(3), true), "the waiting call may be sent");
    assert_eq!(opens_at(&mut limiter, &mut position, at(3)), None);
    send(&mut limiter, 4, at(3));
    assert!(!limiter.failed(4, at(4), true), "no call waits");
    assert_eq!(limiter.in_window(at(4)), 2);
}

#[test]
fn refused_requests_do_not_count() {
    let mut limiter = limiter_with_limit(3);
    send(&mut limiter, 2, at(1));
    limiter.answered(2, at(2), &RateLimit::default(), REFUSED);
    assert_eq!(limiter.in_window(at(2)), 1);
    send(&mut limiter, 3, at(2));
    limiter.answered(3, at(2), &RateLimit::default(), OK);
    assert_eq!(limiter.in_window(at(2)), 2);
}

#[test]
fn response_wakes_waiting_calls_only_on_change() {
    let mut limiter = limiter();
    send(&mut limiter, 1, at(0));
    let mut waiting = [None; 4];
    for position in &mut waiting {
        assert!(opens_at(&mut limiter, position, at(0)).is_some());
    }
    let unavailable = StatusCode::SERVICE_UNAVAILABLE;
    assert!(!limiter.answered(1, at(1), &RateLimit::default(), unavailable), "nothing learned");
    send_from(&mut limiter, &mut waiting[0], 2, at(2));
    assert!(limiter.answered(2, at(3), &reported(3, 2), OK), "the first conclusive response");
    send_from(&mut limiter, &mut waiting[1], 3, at(4));
    send_from(&mut limiter, &mut waiting[2], 4, at(4));
    assert!(opens_at(&mut limiter, &mut waiting[3], at(4)).is_some());
    assert!(!limiter.answered(3, at(5), &reported(3, 1), OK), "the limit is the same");
    assert!(limiter.answered(4, at(6), &reported(5, 2), OK), "the limit has changed");
    assert_eq!(opens_at(&mut limiter, &mut waiting[3], at(6)), None);
}

#[test]
fn refusal_wakes_the_call_that_takes_its_room() {
    let mut limiter = limiter_with_limit(2);
    send(&mut limiter, 2, at(1));
    let mut waiting = None;
    assert!(opens_at(&mut limiter, &mut waiting, at(1)).is_some());
    assert!(limiter.answered(2, at(2), &RateLimit::default(), REFUSED));
    assert_eq!(opens_at(&mut limiter, &mut waiting, at(2)), None);
}

#[test]
fn closed_gate_wakes_no_calls() {
    let mut limiter = limiter_with_limit(2);
    send(&mut limiter, 2, at(1));
    let mut waiting = None;
    assert!(opens_at(&mut limiter, &mut waiting, at(1)).is_some());
    limiter.close(at(9_000), true, at(0), at(1));
    assert!(!limiter.failed(2, at(2), true));
    assert_eq!(opens_at(&mut limiter, &mut waiting, at(3)), Some(at(9_000)));
    assert_eq!(opens_at(&mut limiter, &mut waiting, at(9_000)), None);
}

#[test]
fn others_are_derived_from_the_remaining_requests() {
    let others = |remaining, reset: Option<u64>, now| {
        let mut limiter = limiter_with_limit(10);
        send(&mut limiter, 2, at(100));
        let reset_after = reset.map(Duration::from_secs);
        let reported = RateLimit { reset_after, ..reported(10, remaining) };
        limiter.answered(2, at(now), &reported, OK);
        (limiter.others.count(), limiter.others.first_leaves())
    };
    // Two of the ten are the limiter's own.
    assert_eq!(others(8, None, 200), (0, None));
    assert_eq!(others(7, None, 200), (1, Some(at(10_200))));
    assert_eq!(others(7, Some(3), 200), (1, Some(at(10_200))));
    // If nothing remains, the oldest request leaves at the time that the service names, but no
    // later than a window from now.
    assert_eq!(others(0, Some(3), 200), (8, Some(at(3_200))));
    assert_eq!(others(0, Some(60), 200), (8, Some(at(10_200))));
    assert_eq!(others(0, Some(0), 200), (8, Some(at(10_200))));
}

#[test]
fn requests_that_left_the_window_before_do_not_count_as_ones_own() {
    let mut limiter = limiter_with_limit(10);
    limiter.sent(2, at(5_000), at(60_000));
    send(&mut limiter, 3, at(11_000));
    // The service counts three: the one in flight, this one, and one of another client.
    limiter.answered(3, at(11_100), &reported(10, 7), OK);
    assert_eq!(limiter.others.count(), 1);
}

#[test]
fn calls_at_the_end_of_the_queue_wait_for_several_windows() {
    let mut limiter = limiter_with_limit(1);
    let mut opens = || opens_at(&mut limiter, &mut None, at(1));
    assert_eq!(
        [opens(), opens(), opens()],
        [10_000, 10_001, 20_001].map(|millis| Some(at(millis)))
    );
}

#[test]
fn others_shrink_with_the_count_of_the_service() {
    let mut limiter = limiter_with_limit(10);
    let others_after = |limiter: &mut RateLimiter, id, now, remaining| {
        send(limiter, id, at(now));
        limiter.answered(id, at(now + 1), &reported(10, remaining), OK);
        limiter.others.count()
    };
    assert_eq!(others_after(&mut limiter, 2, 100, 5), 3);
    assert_eq!(others_after(&mut limiter, 3, 200, 4), 3);
    assert_eq!(others_after(&mut limiter, 4, 300, 4), 2, "one of them has left the window");
    assert_eq!(others_after(&mut limiter, 5, 400, 1), 4);
    assert_eq!(limiter.others.first_leaves(), Some(at(10_101)), "the earlier ones leave first");
    limiter.forget(at(10_401));
    assert_eq!(limiter.others.count(), 0);
}

#[test]
fn budget_applies_to_the_limit_before_others_are_deducted() {
    let mut limiter = RateLimiter::new(Duration::from_secs(10), Some(3));
    send(&mut limiter, 1, at(0));
    // Seven of ten are used by others, so that three are left.
    limiter.answered(1, at(1), &reported(10, 2), OK);
    assert_eq!(limiter.limit(), Some(3));
    limiter.others.observe(9, 9, at(1), Duration::from_secs(10));
    assert_eq!(limiter.limit(), Some(1));
}

#[test]
fn limit_is_unlearned_when_responses_stop_naming_one() {
    let mut limiter = limiter_with_limit(1);
    let none = RateLimit::default();
    for (id, now) in [(2, 10_000), (3, 20_001)] {
        send(&mut limiter, id, at(now));
        limiter.answered(id, at(now), &none, StatusCode::BAD_GATEWAY);
        assert_eq!(limiter.limit(), Some(1));
    }
    // Only what a window of responses shows counts, and a refusal shows that there is a limit.
    for (id, now, status) in [(4, 30_001, OK), (5, 40_001, REFUSED), (6, 40_001, OK)] {
        assert_eq!(limiter.limit(), Some(1));
        send(&mut limiter, id, at(now));
        limiter.answered(id, at(now), &none, status);
    }
    assert_eq!(limiter.limit(), None);
}

#[test]
fn limit_that_a_response_names_again_is_kept() {
    let mut limiter = limiter_with_limit(1);
    for (id, now) in [(2, 10_000), (3, 20_000), (4, 30_000)] {
        send(&mut limiter, id, at(now));
        let told = if id == 3 { reported(1, 0) } else { RateLimit::default() };
        limiter.answered(id, at(now), &told, OK);
        assert_eq!(limiter.limit(), Some(1));
    }
}

#[test]
fn success_opens_the_gate() {
    let mut limiter = limiter_with_limit(10);
    send(&mut limiter, 2, at(1));
    limiter.close(Moment::new(Duration::MAX), true, at(0), at(1));
    let deferred = limiter.admit(&mut None, at(2)).unwrap_err();
    assert!(deferred.refused && deferred.until == at(900_001));
    send(&mut limiter, 3, at(900_001));
    assert!(opens_at(&mut limiter, &mut None, at(900_001)).is_some(), "one request at a time");
    limiter.answered(3, at(900_002), &reported(10, 9), OK);
    assert_eq!(opens_at(&mut limiter, &mut None, at(900_002)), None);
}

#[test]
fn lost_requests_count_until_they_leave_the_window() {
    let mut limiter = limiter_with_limit(3);
    send(&mut limiter, 2, at(1));
    send(&mut limiter, 3, at(2));
    let oldest = limiter.in_flight.values().next().map(|sent| sent.sent_at);
    assert_eq!((limiter.in_flight.len(), oldest), (2, Some(at(1))));
    limiter.answered(3, at(3), &reported(3, 1), OK);
    assert_eq!(limiter.in_flight.len(), 1);
    // A request without a response counts as accepted at the end of its time.
    limiter.forget(at(5_001));
    assert_eq!(limiter.in_flight.len(), 0);
    assert_eq!((limiter.in_window(at(5_001)), limiter.completed.len()), (3, 3));
    assert_eq!(limiter.completed.back().map(|request| request.at), Some(at(5_001)));
    limiter.forget(at(10_000));
    assert_eq!((limiter.in_window(at(10_000)), limiter.completed.len()), (2, 2));
    limiter.forget(at(15_001));
    assert_eq!((limiter.in_window(at(15_001)), limiter.completed.len()), (0, 0));
}

#[test]
fn expired_entries_are_kept_while_an_older_request_is_in_flight() {
    let mut limiter = limiter_with_limit(3);
    limiter.sent(2, at(5_000), at(60_000));
    limiter.forget(at(10_000));
    assert_eq!((limiter.in_window(at(10_000)), limiter.completed.len()), (0, 1));
    limiter.answered(2, at(10_001), &reported(3, 1), OK);
    assert_eq!(limiter.others.count(), 0, "the response counts the one that has expired since");
    limiter.forget(at(10_001));
    assert_eq!((limiter.in_window(at(10_001)), limiter.completed.len()), (1, 1));
}

#[test]
fn requests_of_others_that_replace_expired_ones_are_counted() {
    let mut limiter = limiter_with_limit(10);
    send(&mut limiter, 2, at(100));
    limiter.answered(2, at(100), &reported(10, 1), OK);
    assert_eq!((limiter.others.count(), limiter.others.first_leaves()), (7, Some(at(10_100))));
    send(&mut limiter, 3, at(10_050));
    limiter.answered(3, at(10_200), &reported(10, 2), OK);
    limiter.forget(at(10_200));
    assert!(limiter.others.count() >= 6);
}

#[test]
fn queue_position_expires_after_the_grace_period() {
    let mut limiter = limiter_with_limit(1);
    let (mut first, mut second) = (None, None);
    assert_eq!(opens_at(&mut limiter, &mut first, at(1)), Some(at(10_000)));
    assert_eq!(opens_at(&mut limiter, &mut second, at(1)), Some(at(10_001)));
    // The first call does not return; its position is kept for five seconds.
    assert!(opens_at(&mut limiter, &mut second, at(14_999)).is_some());
    assert_eq!(opens_at(&mut limiter, &mut second, at(15_000)), None);
}

fn send_from(limiter: &mut RateLimiter, position: &mut Option<u64>, id: u64, now: Moment) {
    assert!(limiter.admit(position, now).is_ok(), "request {id}");
    limiter.sent(id, now, now.after(Duration::from_secs(5)));
}
