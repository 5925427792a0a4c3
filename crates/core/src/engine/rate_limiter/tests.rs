use super::*;

fn at(millis: u64) -> Moment {
    Moment::new(Duration::from_millis(millis))
}

fn told(limit: u32, remaining: u32) -> RateLimit {
    RateLimit { limit: Some(limit), remaining: Some(remaining), ..RateLimit::default() }
}

fn limiter() -> RateLimiter {
    RateLimiter::new(Duration::from_secs(10), None)
}

/// Sends a request, which must be let go.
fn send(limiter: &mut RateLimiter, id: u64, now: Moment) {
    assert!(limiter.admit(&mut None, now).is_ok(), "request {id}");
    limiter.sent(id, now, now.after(Duration::from_secs(5)));
}

fn opens_at(
    limiter: &mut RateLimiter,
    position: &mut QueuePosition,
    now: Moment,
) -> Option<Moment> {
    limiter.admit(position, now).err().map(|deferred| deferred.until)
}

#[test]
fn what_lapsed_while_an_answer_was_on_its_way_is_not_taken_for_others() {
    let mut limiter = limiter();
    send(&mut limiter, 1, at(0));
    limiter.answered(1, at(0), &told(2, 1), StatusCode::OK);
    send(&mut limiter, 2, at(9_900));
    // The first one lapses here before the answer comes that still counts it.
    assert_eq!(opens_at(&mut limiter, &mut None, at(10_050)), None);
    limiter.answered(2, at(10_100), &told(2, 0), StatusCode::OK);
    assert_eq!(limiter.others.count(), 0);
    send(&mut limiter, 3, at(10_150));
}

#[test]
fn what_others_use_up_is_left_to_them() {
    let mut limiter = limiter();
    send(&mut limiter, 1, at(0));
    limiter.answered(1, at(10), &told(10, 2), StatusCode::OK);
    send(&mut limiter, 2, at(20));
    send(&mut limiter, 3, at(20));
    assert_eq!(opens_at(&mut limiter, &mut None, at(20)), Some(at(10_010)));
    // An answer that does not count the third yet does not make room for a fourth.
    limiter.answered(2, at(30), &told(10, 1), StatusCode::OK);
    assert_eq!(opens_at(&mut limiter, &mut None, at(30)), Some(at(10_010)));
}

#[test]
fn a_gateway_that_fails_tells_nothing_of_the_limit() {
    let mut limiter = limiter();
    send(&mut limiter, 1, at(0));
    limiter.answered(1, at(10), &RateLimit::default(), StatusCode::BAD_GATEWAY);
    send(&mut limiter, 2, at(20));
    assert!(opens_at(&mut limiter, &mut None, at(20)).is_some(), "one at a time still");
    assert!(limiter.answered(2, at(30), &RateLimit::default(), StatusCode::OK), "now all may go");
    for id in 3..300 {
        send(&mut limiter, id, at(40));
    }
}

#[test]
fn who_leaves_makes_room_for_the_next() {
    let mut limiter = limiter();
    send(&mut limiter, 1, at(0));
    limiter.answered(1, at(0), &told(1, 0), StatusCode::OK);
    let (mut first, mut second) = (None, None);
    assert_eq!(opens_at(&mut limiter, &mut first, at(1)), Some(at(10_000)));
    assert!(opens_at(&mut limiter, &mut second, at(1)) > Some(at(10_000)));
    limiter.leave(first, at(2));
    assert_eq!(opens_at(&mut limiter, &mut second, at(3)), Some(at(10_000)));
}

const OK: StatusCode = StatusCode::OK;
const REFUSED: StatusCode = StatusCode::TOO_MANY_REQUESTS;

/// A limiter that has learned this limit, and has one request spent at 0.
fn knowing(limit: u32) -> RateLimiter {
    let mut limiter = limiter();
    send(&mut limiter, 1, at(0));
    assert!(!limiter.answered(1, at(0), &told(limit, limit - 1), OK), "nobody waits");
    limiter
}

#[test]
fn before_the_first_answer_each_second_lets_twice_as_many_go() {
    let mut limiter = limiter();
    send(&mut limiter, 1, at(1_000));
    let most = |millis| limiter.slow_start(at(millis));
    assert_eq!([1_000, 1_999, 2_000, 3_000, 4_500].map(most), [1, 1, 2, 4, 8]);
    let mut second = None;
    assert_eq!(opens_at(&mut limiter, &mut second, at(1_500)), Some(at(1_600)));
    send_in(&mut limiter, &mut second, 2, at(2_000));
    assert!(opens_at(&mut limiter, &mut None, at(2_000)).is_some());
}

#[test]
fn a_wait_is_sure_only_when_a_limit_is_known_or_named() {
    let surely = |limiter: &mut RateLimiter, now| {
        limiter.admit(&mut None, now).err().map(|deferred| deferred.certain)
    };
    let mut budgeted = RateLimiter::new(Duration::from_secs(10), Some(1));
    send(&mut budgeted, 1, at(0));
    assert_eq!(surely(&mut budgeted, at(0)), Some(false));
    budgeted.answered(1, at(1), &RateLimit::default(), OK);
    assert_eq!(surely(&mut budgeted, at(1)), Some(true));
    let mut closed = limiter();
    closed.close(at(5_000), at(0));
    assert_eq!(surely(&mut closed, at(0)), Some(true));
}

#[test]
fn what_failed_counts_unless_it_was_never_sent() {
    let mut limiter = knowing(3);
    send(&mut limiter, 2, at(1));
    send(&mut limiter, 3, at(1));
    let mut position = None;
    assert_eq!(opens_at(&mut limiter, &mut position, at(1)), Some(at(10_000)));
    assert!(!limiter.failed(2, at(2), false), "it may have been accepted");
    assert_eq!(opens_at(&mut limiter, &mut position, at(2)), Some(at(10_000)));
    assert!(limiter.failed(3, at(3), true), "whoever waits may go");
    assert_eq!(opens_at(&mut limiter, &mut position, at(3)), None);
    send(&mut limiter, 4, at(3));
    assert!(!limiter.failed(4, at(4), true), "nobody waits");
    assert_eq!(limiter.counting(), 2);
}

#[test]
fn a_refusal_uses_nothing_up() {
    let mut limiter = knowing(3);
    send(&mut limiter, 2, at(1));
    limiter.answered(2, at(2), &RateLimit::default(), REFUSED);
    assert_eq!(limiter.counting(), 1);
    send(&mut limiter, 3, at(2));
    limiter.answered(3, at(2), &RateLimit::default(), OK);
    assert_eq!(limiter.counting(), 2);
}

#[test]
fn an_answer_wakes_who_waits_if_it_changes_something() {
    let mut limiter = limiter();
    send(&mut limiter, 1, at(0));
    let mut waiting = [None; 4];
    for position in &mut waiting {
        assert!(opens_at(&mut limiter, position, at(0)).is_some());
    }
    let unavailable = StatusCode::SERVICE_UNAVAILABLE;
    assert!(!limiter.answered(1, at(1), &RateLimit::default(), unavailable), "no news");
    send_in(&mut limiter, &mut waiting[0], 2, at(2));
    assert!(limiter.answered(2, at(3), &told(3, 2), OK), "the first telling answer");
    send_in(&mut limiter, &mut waiting[1], 3, at(4));
    send_in(&mut limiter, &mut waiting[2], 4, at(4));
    assert!(opens_at(&mut limiter, &mut waiting[3], at(4)).is_some());
    assert!(!limiter.answered(3, at(5), &told(3, 1), OK), "as was known");
    assert!(limiter.answered(4, at(6), &told(5, 2), OK), "the limit is another");
    assert_eq!(opens_at(&mut limiter, &mut waiting[3], at(6)), None);
}

#[test]
fn a_refusal_wakes_who_waits_behind_what_it_frees() {
    let mut limiter = knowing(2);
    send(&mut limiter, 2, at(1));
    let mut waiting = None;
    assert!(opens_at(&mut limiter, &mut waiting, at(1)).is_some());
    assert!(limiter.answered(2, at(2), &RateLimit::default(), REFUSED));
    assert_eq!(opens_at(&mut limiter, &mut waiting, at(2)), None);
}

#[test]
fn nobody_is_woken_while_the_service_asked_for_silence() {
    let mut limiter = knowing(2);
    send(&mut limiter, 2, at(1));
    let mut waiting = None;
    assert!(opens_at(&mut limiter, &mut waiting, at(1)).is_some());
    limiter.close(at(9_000), at(1));
    assert!(!limiter.failed(2, at(2), true));
    assert_eq!(opens_at(&mut limiter, &mut waiting, at(3)), Some(at(9_000)));
    assert_eq!(opens_at(&mut limiter, &mut waiting, at(9_000)), None);
}

#[test]
fn what_others_used_up_is_seen_from_what_remains() {
    let others = |remaining, reset: Option<u64>, now| {
        let mut limiter = knowing(10);
        send(&mut limiter, 2, at(100));
        let reset_after = reset.map(Duration::from_secs);
        let told = RateLimit { reset_after, ..told(10, remaining) };
        limiter.answered(2, at(now), &told, OK);
        (limiter.others.count(), limiter.others.first_leaves())
    };
    // Two of ten are its own.
    assert_eq!(others(8, None, 200), (0, None));
    assert_eq!(others(7, None, 200), (1, Some(at(10_200))));
    assert_eq!(others(7, Some(3), 200), (1, Some(at(10_200))));
    // Where nothing remains, the first of all leaves at the time that the service names, which is
    // no later than a window from now.
    assert_eq!(others(0, Some(3), 200), (8, Some(at(3_200))));
    assert_eq!(others(0, Some(60), 200), (8, Some(at(10_200))));
    assert_eq!(others(0, Some(0), 200), (8, Some(at(10_200))));
}

#[test]
fn others_are_forgotten_when_the_service_stops_counting_them() {
    let mut limiter = knowing(10);
    let tell = |limiter: &mut RateLimiter, id, now, remaining| {
        send(limiter, id, at(now));
        limiter.answered(id, at(now + 1), &told(10, remaining), OK);
        limiter.others.count()
    };
    assert_eq!(tell(&mut limiter, 2, 100, 5), 3);
    assert_eq!(tell(&mut limiter, 3, 200, 4), 3);
    assert_eq!(tell(&mut limiter, 4, 300, 4), 2, "one of theirs has left the window");
    assert_eq!(tell(&mut limiter, 5, 400, 1), 4);
    assert_eq!(limiter.others.first_leaves(), Some(at(10_101)), "the earlier ones leave first");
    limiter.forget(at(10_401));
    assert_eq!(limiter.others.count(), 0);
}

#[test]
fn a_budget_is_a_share_of_the_limit_and_not_of_what_others_leave() {
    let mut limiter = RateLimiter::new(Duration::from_secs(10), Some(3));
    send(&mut limiter, 1, at(0));
    // Seven of ten are used by others, so that three are left.
    limiter.answered(1, at(1), &told(10, 2), OK);
    assert_eq!(limiter.limit(), Some(3));
    limiter.others.observe(9, 9, at(1), Duration::from_secs(10));
    assert_eq!(limiter.limit(), Some(1));
}

#[test]
fn a_limit_is_unlearned_when_responses_stop_naming_one() {
    let mut limiter = knowing(1);
    let none = RateLimit::default();
    for (id, now) in [(2, 10_000), (3, 20_001)] {
        send(&mut limiter, id, at(now));
        limiter.answered(id, at(now), &none, StatusCode::BAD_GATEWAY);
        assert_eq!(limiter.limit(), Some(1));
    }
    send(&mut limiter, 4, at(30_001));
    limiter.answered(4, at(30_001), &none, OK);
    assert_eq!(limiter.limit(), None);
}

#[test]
fn a_success_opens_the_gate() {
    let mut limiter = knowing(10);
    send(&mut limiter, 2, at(1));
    limiter.close(Moment::new(Duration::MAX), at(1));
    let deferred = limiter.admit(&mut None, at(2)).unwrap_err();
    assert!(deferred.refused && deferred.until == at(900_001));
    send(&mut limiter, 3, at(900_001));
    assert!(opens_at(&mut limiter, &mut None, at(900_001)).is_some(), "one request at a time");
    limiter.answered(3, at(900_002), &told(10, 9), OK);
    assert_eq!(opens_at(&mut limiter, &mut None, at(900_002)), None);
}

#[test]
fn what_is_lost_counts_and_what_is_over_is_forgotten() {
    let mut limiter = knowing(3);
    send(&mut limiter, 2, at(1));
    send(&mut limiter, 3, at(2));
    assert_eq!((limiter.in_flight.len(), limiter.in_flight.oldest()), (2, Some(at(1))));
    limiter.answered(3, at(3), &told(3, 1), OK);
    assert_eq!(limiter.in_flight.len(), 1);
    // Without an answer by its time, a request was accepted then at the latest.
    limiter.forget(at(5_001));
    assert_eq!(limiter.in_flight.len(), 0);
    assert_eq!((limiter.counting(), limiter.completed.back()), (3, Some(&at(5_001))));
    limiter.forget(at(10_000));
    assert_eq!((limiter.counting(), limiter.completed.len()), (2, 2));
    limiter.forget(at(15_001));
    assert_eq!((limiter.counting(), limiter.completed.len()), (0, 0));
}

#[test]
fn what_lapsed_is_kept_while_an_older_request_is_on_its_way() {
    let mut limiter = knowing(3);
    limiter.sent(2, at(5_000), at(60_000));
    limiter.forget(at(10_000));
    assert_eq!((limiter.counting(), limiter.completed.len()), (0, 1));
    limiter.answered(2, at(10_001), &told(3, 1), OK);
    assert_eq!(limiter.others.count(), 0, "the response counts the one that has expired since");
    limiter.forget(at(10_001));
    assert_eq!((limiter.counting(), limiter.completed.len()), (1, 1));
}

#[test]
fn a_place_is_kept_for_who_comes_in_time_and_given_away_after() {
    let mut limiter = knowing(1);
    let (mut first, mut second) = (None, None);
    assert_eq!(opens_at(&mut limiter, &mut first, at(1)), Some(at(10_000)));
    assert_eq!(opens_at(&mut limiter, &mut second, at(1)), Some(at(10_001)));
    // The first does not come; its position is kept for five seconds.
    assert!(opens_at(&mut limiter, &mut second, at(14_999)).is_some());
    assert_eq!(opens_at(&mut limiter, &mut second, at(15_000)), None);
}

fn send_in(limiter: &mut RateLimiter, position: &mut QueuePosition, id: u64, now: Moment) {
    assert!(limiter.admit(position, now).is_ok(), "request {id}");
    limiter.sent(id, now, now.after(Duration::from_secs(5)));
}
