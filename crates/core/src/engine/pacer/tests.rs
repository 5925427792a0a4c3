use super::*;

fn at(millis: u64) -> Moment {
    Moment::new(Duration::from_millis(millis))
}

fn told(limit: u32, remaining: u32) -> RateLimit {
    RateLimit { limit: Some(limit), remaining: Some(remaining), ..RateLimit::default() }
}

fn pacer() -> Pacer {
    Pacer::new(Duration::from_secs(10), None)
}

/// Sends a request, which must be let go.
fn send(pacer: &mut Pacer, id: u64, now: Moment) {
    assert!(pacer.admit(&mut None, now).is_ok(), "request {id}");
    pacer.sent(id, now, now.after(Duration::from_secs(5)));
}

fn opens_at(pacer: &mut Pacer, place: &mut Place, now: Moment) -> Option<Moment> {
    pacer.admit(place, now).err().map(|held| held.until)
}

#[test]
fn what_lapsed_while_an_answer_was_on_its_way_is_not_taken_for_others() {
    let mut pacer = pacer();
    send(&mut pacer, 1, at(0));
    pacer.answered(1, at(0), &told(2, 1), StatusCode::OK);
    send(&mut pacer, 2, at(9_900));
    // The first one lapses here before the answer comes that still counts it.
    assert_eq!(opens_at(&mut pacer, &mut None, at(10_050)), None);
    pacer.answered(2, at(10_100), &told(2, 0), StatusCode::OK);
    assert_eq!(pacer.foreign, None);
    send(&mut pacer, 3, at(10_150));
}

#[test]
fn what_others_use_up_is_left_to_them() {
    let mut pacer = pacer();
    send(&mut pacer, 1, at(0));
    pacer.answered(1, at(10), &told(10, 2), StatusCode::OK);
    send(&mut pacer, 2, at(20));
    send(&mut pacer, 3, at(20));
    assert_eq!(opens_at(&mut pacer, &mut None, at(20)), Some(at(10_010)));
    // An answer that does not count the third yet does not make room for a fourth.
    pacer.answered(2, at(30), &told(10, 1), StatusCode::OK);
    assert_eq!(opens_at(&mut pacer, &mut None, at(30)), Some(at(10_010)));
}

#[test]
fn a_gateway_that_fails_tells_nothing_of_the_limit() {
    let mut pacer = pacer();
    send(&mut pacer, 1, at(0));
    pacer.answered(1, at(10), &RateLimit::default(), StatusCode::BAD_GATEWAY);
    send(&mut pacer, 2, at(20));
    assert!(opens_at(&mut pacer, &mut None, at(20)).is_some(), "one at a time still");
    assert!(pacer.answered(2, at(30), &RateLimit::default(), StatusCode::OK), "now all may go");
    for id in 3..300 {
        send(&mut pacer, id, at(40));
    }
}

#[test]
fn who_leaves_makes_room_for_the_next() {
    let mut pacer = pacer();
    send(&mut pacer, 1, at(0));
    pacer.answered(1, at(0), &told(1, 0), StatusCode::OK);
    let (mut first, mut second) = (None, None);
    assert_eq!(opens_at(&mut pacer, &mut first, at(1)), Some(at(10_000)));
    assert!(opens_at(&mut pacer, &mut second, at(1)) > Some(at(10_000)));
    pacer.leave(first, at(2));
    assert_eq!(opens_at(&mut pacer, &mut second, at(3)), Some(at(10_000)));
}

const OK: StatusCode = StatusCode::OK;
const REFUSED: StatusCode = StatusCode::TOO_MANY_REQUESTS;

/// A pacer that has learned this limit, and has one request spent at 0.
fn knowing(limit: u32) -> Pacer {
    let mut pacer = pacer();
    send(&mut pacer, 1, at(0));
    assert!(!pacer.answered(1, at(0), &told(limit, limit - 1), OK), "nobody waits");
    pacer
}

#[test]
fn before_the_first_answer_each_second_lets_twice_as_many_go() {
    let mut pacer = pacer();
    send(&mut pacer, 1, at(1_000));
    let most = |millis| pacer.before_first_answer(at(millis));
    assert_eq!([1_000, 1_999, 2_000, 3_000, 4_500].map(most), [1, 1, 2, 4, 8]);
    let mut second = None;
    assert_eq!(opens_at(&mut pacer, &mut second, at(1_500)), Some(at(1_600)));
    send_in(&mut pacer, &mut second, 2, at(2_000));
    assert!(opens_at(&mut pacer, &mut None, at(2_000)).is_some());
}

#[test]
fn a_wait_is_sure_only_when_a_limit_is_known_or_named() {
    let surely = |pacer: &mut Pacer, now| pacer.admit(&mut None, now).err().map(|held| held.surely);
    let mut budgeted = Pacer::new(Duration::from_secs(10), Some(1));
    send(&mut budgeted, 1, at(0));
    assert_eq!(surely(&mut budgeted, at(0)), Some(false));
    budgeted.answered(1, at(1), &RateLimit::default(), OK);
    assert_eq!(surely(&mut budgeted, at(1)), Some(true));
    let mut closed = pacer();
    closed.close(at(5_000));
    assert_eq!(surely(&mut closed, at(0)), Some(true));
}

#[test]
fn what_failed_counts_unless_it_was_never_sent() {
    let mut pacer = knowing(3);
    send(&mut pacer, 2, at(1));
    send(&mut pacer, 3, at(1));
    let mut place = None;
    assert_eq!(opens_at(&mut pacer, &mut place, at(1)), Some(at(10_000)));
    assert!(!pacer.failed(2, at(2), false), "it may have been accepted");
    assert_eq!(opens_at(&mut pacer, &mut place, at(2)), Some(at(10_000)));
    assert!(pacer.failed(3, at(3), true), "whoever waits may go");
    assert_eq!(opens_at(&mut pacer, &mut place, at(3)), None);
    send(&mut pacer, 4, at(3));
    assert!(!pacer.failed(4, at(4), true), "nobody waits");
    assert_eq!(pacer.counting(), 2);
}

#[test]
fn a_refusal_uses_nothing_up() {
    let mut pacer = knowing(3);
    send(&mut pacer, 2, at(1));
    pacer.answered(2, at(2), &RateLimit::default(), REFUSED);
    assert_eq!(pacer.counting(), 1);
    send(&mut pacer, 3, at(2));
    pacer.answered(3, at(2), &RateLimit::default(), OK);
    assert_eq!(pacer.counting(), 2);
}

#[test]
fn an_answer_wakes_who_waits_if_it_changes_something() {
    let mut pacer = pacer();
    send(&mut pacer, 1, at(0));
    let mut waiting = [None; 4];
    for place in &mut waiting {
        assert!(opens_at(&mut pacer, place, at(0)).is_some());
    }
    let unavailable = StatusCode::SERVICE_UNAVAILABLE;
    assert!(!pacer.answered(1, at(1), &RateLimit::default(), unavailable), "no news");
    send_in(&mut pacer, &mut waiting[0], 2, at(2));
    assert!(pacer.answered(2, at(3), &told(3, 2), OK), "the first telling answer");
    send_in(&mut pacer, &mut waiting[1], 3, at(4));
    send_in(&mut pacer, &mut waiting[2], 4, at(4));
    assert!(opens_at(&mut pacer, &mut waiting[3], at(4)).is_some());
    assert!(!pacer.answered(3, at(5), &told(3, 1), OK), "as was known");
    assert!(pacer.answered(4, at(6), &told(5, 2), OK), "the limit is another");
    assert_eq!(opens_at(&mut pacer, &mut waiting[3], at(6)), None);
}

#[test]
fn a_refusal_wakes_who_waits_behind_what_it_frees() {
    let mut pacer = knowing(2);
    send(&mut pacer, 2, at(1));
    let mut waiting = None;
    assert!(opens_at(&mut pacer, &mut waiting, at(1)).is_some());
    assert!(pacer.answered(2, at(2), &RateLimit::default(), REFUSED));
    assert_eq!(opens_at(&mut pacer, &mut waiting, at(2)), None);
}

#[test]
fn nobody_is_woken_while_the_service_asked_for_silence() {
    let mut pacer = knowing(2);
    send(&mut pacer, 2, at(1));
    let mut waiting = None;
    assert!(opens_at(&mut pacer, &mut waiting, at(1)).is_some());
    pacer.close(at(9_000));
    assert!(!pacer.failed(2, at(2), true));
    assert_eq!(opens_at(&mut pacer, &mut waiting, at(3)), Some(at(9_000)));
    assert_eq!(opens_at(&mut pacer, &mut waiting, at(9_000)), None);
}

#[test]
fn what_others_used_up_is_seen_from_what_remains() {
    let foreign = |remaining, reset: Option<u64>, now| {
        let mut pacer = knowing(10);
        send(&mut pacer, 2, at(100));
        let reset_after = reset.map(Duration::from_secs);
        let told = RateLimit { reset_after, ..told(10, remaining) };
        pacer.answered(2, at(now), &told, OK);
        (pacer.foreign, pacer.closed_until)
    };
    // Two of ten are its own.
    assert_eq!(foreign(8, None, 200), (None, None));
    assert_eq!(foreign(7, None, 200), (Some((1, at(10_200))), None));
    // At the least a window, as long as the service says, and two windows at the most.
    assert_eq!(foreign(7, Some(15), 200), (Some((1, at(15_200))), None));
    assert_eq!(foreign(7, Some(60), 200), (Some((1, at(20_200))), None));
    // Where nothing remains, nothing is sent.
    assert_eq!(foreign(0, Some(3), 200), (Some((8, at(10_200))), Some(at(3_200))));
    assert_eq!(foreign(0, Some(0), 200), (Some((8, at(10_200))), Some(at(300))));
}

#[test]
fn an_earlier_count_of_others_stands_until_it_lapses() {
    let mut pacer = knowing(10);
    let tell = |pacer: &mut Pacer, id, now, remaining| {
        send(pacer, id, at(now));
        pacer.answered(id, at(now), &told(10, remaining), OK);
        pacer.foreign
    };
    assert_eq!(tell(&mut pacer, 2, 100, 5), Some((3, at(10_100))));
    assert_eq!(tell(&mut pacer, 3, 200, 5), Some((3, at(10_100))), "fewer may hide the others");
    assert_eq!(tell(&mut pacer, 4, 300, 3), Some((3, at(10_300))), "as many, and later");
    assert_eq!(tell(&mut pacer, 5, 400, 1), Some((4, at(10_400))));
    // The own five have lapsed; of the others two are left.
    assert_eq!(tell(&mut pacer, 6, 10_400, 7), Some((2, at(20_400))));
    // None of them any more, once that has lapsed.
    assert_eq!(tell(&mut pacer, 7, 20_400, 9), None);
}

#[test]
fn what_is_lost_counts_and_what_is_over_is_forgotten() {
    let mut pacer = knowing(3);
    send(&mut pacer, 2, at(1));
    send(&mut pacer, 3, at(2));
    assert_eq!((pacer.in_flight.len(), pacer.in_flight.oldest()), (2, Some(at(1))));
    pacer.answered(3, at(3), &told(3, 1), OK);
    assert_eq!((pacer.in_flight.len(), pacer.in_flight.sent.len()), (1, 2), "it waits for 2");
    // Without an answer by its time, a request was accepted then at the latest.
    pacer.forget(at(5_001));
    assert_eq!((pacer.in_flight.len(), pacer.in_flight.sent.len()), (0, 0));
    assert_eq!((pacer.counting(), pacer.spent.back()), (3, Some(&at(5_001))));
    pacer.forget(at(10_000));
    assert_eq!((pacer.counting(), pacer.spent.len()), (2, 2));
    pacer.forget(at(15_001));
    assert_eq!((pacer.counting(), pacer.spent.len()), (0, 0));
}

#[test]
fn what_lapsed_is_kept_while_an_older_request_is_on_its_way() {
    let mut pacer = knowing(3);
    pacer.sent(2, at(5_000), at(60_000));
    pacer.forget(at(10_000));
    assert_eq!((pacer.counting(), pacer.spent.len()), (0, 1));
    pacer.answered(2, at(10_001), &told(3, 1), OK);
    assert_eq!(pacer.foreign, None, "the lapsed one is in what the answer counts");
    pacer.forget(at(10_001));
    assert_eq!((pacer.counting(), pacer.spent.len()), (1, 1));
}

#[test]
fn a_place_is_kept_for_who_comes_in_time_and_given_away_after() {
    let mut pacer = knowing(1);
    let (mut first, mut second) = (None, None);
    assert_eq!(opens_at(&mut pacer, &mut first, at(1)), Some(at(10_000)));
    assert_eq!(opens_at(&mut pacer, &mut second, at(1)), Some(at(10_001)));
    // The first does not come; its place is kept for five seconds.
    assert!(opens_at(&mut pacer, &mut second, at(14_999)).is_some());
    assert_eq!(opens_at(&mut pacer, &mut second, at(15_000)), None);
}

fn send_in(pacer: &mut Pacer, place: &mut Place, id: u64, now: Moment) {
    assert!(pacer.admit(place, now).is_ok(), "request {id}");
    pacer.sent(id, now, now.after(Duration::from_secs(5)));
}
