use super::*;

const WINDOW: Duration = Duration::from_secs(10);
const LONGEST_REQUEST: Duration = Duration::from_secs(5);

fn at(millis: u64) -> Moment {
    Moment::new(Duration::from_millis(millis))
}

/// Returns the state of a limiter with this many waiting calls, which has learned no limit.
fn state(waiting: usize) -> LimiterState {
    LimiterState {
        bucket: Bucket::Decisions,
        budget: Some(7),
        limit: SharedLimit::Unknown,
        waiting,
        closed_until: None,
        refused_until: None,
    }
}

fn answer(granted: u32, wait: u64) -> QuotaAnswer {
    QuotaAnswer {
        bucket: Bucket::Decisions,
        member: true,
        granted,
        wait: Duration::from_millis(wait),
        closed: false,
        limit: SharedLimit::Unknown,
        members: 4,
    }
}

fn asks(permits: &mut Permits, state: &LimiterState, now: Moment) -> QuotaRequest {
    permits.request(state, now, false).expect("a request to the store")
}

/// Returns the permits of a process that joined at 0 and was granted `granted` of the permits that
/// it asked for, and may ask again at 1 s.
fn member(granted: u32) -> Permits {
    let mut permits = Permits::new(WINDOW, LONGEST_REQUEST);
    permits.activate();
    asks(&mut permits, &state(granted.max(1) as usize), at(0));
    permits.answered(&answer(granted, 1_000), at(0));
    permits
}

#[test]
fn quota_that_no_call_needs_is_not_joined() {
    let mut permits = Permits::new(WINDOW, LONGEST_REQUEST);
    assert_eq!(permits.request(&state(0), at(0), true), None);
    permits.activate();
    let request = asks(&mut permits, &state(2), at(0));
    assert_eq!(request.join, Some(Join { again: false, in_flight: vec![] }));
    assert_eq!((request.first, request.wanted, request.budget), (0, 2, Some(7)));
    assert_eq!(request.lease, Duration::from_secs(6));
    permits.answered(&answer(2, 0), at(0));
    permits.activate();
    assert_eq!(permits.request(&state(2), at(0), false), None, "it is a member already");
    assert_eq!(permits.request(&state(2), at(0), true).map(|request| request.join), Some(None));
}

#[test]
fn grants_count_up_to_what_was_asked_for_and_expire_after_a_second() {
    let mut permits = Permits::new(WINDOW, LONGEST_REQUEST);
    permits.activate();
    assert_eq!(permits.answered(&answer(9, 0), at(0)), None, "nothing was asked");
    assert_eq!(permits.free(), Some(0));
    asks(&mut permits, &state(3), at(0));
    permits.answered(&answer(9, 0), at(200));
    assert_eq!(permits.free(), Some(3));
    assert_eq!(permits.next_exchange_at(3, None), Some(at(1_000)), "the permits expire");
    assert_eq!(permits.request(&state(3), at(999), false), None);
    let request = asks(&mut permits, &state(3), at(1_000));
    assert_eq!((request.unused, request.first, request.wanted), (vec![0, 1, 2], 3, 3));
}

#[test]
fn permits_that_no_call_waits_for_are_given_back() {
    let mut permits = member(3);
    let closed = LimiterState { closed_until: Some(at(900)), ..state(3) };
    assert_eq!(asks(&mut permits, &state(1), at(1)).unused, [2, 1]);
    assert_eq!(asks(&mut permits, &closed, at(2)).unused, [0], "the gate admits no call");
    assert_eq!(permits.free(), Some(0));
}

#[test]
fn no_more_permits_are_asked_for_until_the_wait_is_over() {
    let mut permits = member(0);
    assert_eq!(permits.next_exchange_at(0, None), None);
    assert_eq!(permits.next_exchange_at(1, None), Some(at(1_000)));
    assert_eq!(permits.next_exchange_at(1, Some(at(500))), Some(at(1_000)));
    assert_eq!(permits.next_exchange_at(1, Some(at(3_000))), Some(at(3_000)));
    assert_eq!(permits.request(&state(1), at(999), false), None);
    assert_eq!(asks(&mut permits, &state(5_000), at(1_000)).wanted, 1_000, "the most at once");
}

#[test]
fn report_without_demand_does_not_end_the_wait() {
    let mut permits = member(1);
    permits.take(11);
    asks(&mut permits, &state(3), at(1_000));
    permits.answered(&answer(0, 500), at(1_000));
    permits.finish(11, true, at(1_100));
    assert_eq!(asks(&mut permits, &state(3), at(1_100)).wanted, 0);
    permits.answered(&answer(0, 0), at(1_100));
    assert_eq!(permits.next_exchange_at(3, None), Some(at(1_500)));
    // Nor does a refusal, whose time the gate knows.
    asks(&mut permits, &state(3), at(1_500));
    permits.answered(&QuotaAnswer { closed: true, ..answer(0, 900_000) }, at(1_500));
    assert_eq!(permits.next_exchange_at(3, None), Some(at(1_500)));
}

#[test]
fn ended_requests_are_reported_once() {
    let mut permits = member(3);
    for ticket in 11..=13 {
        permits.take(ticket);
    }
    assert_eq!(permits.free(), Some(0));
    permits.finish(11, true, at(100));
    permits.finish(12, false, at(100));
    permits.finish(99, true, at(100));
    let request = asks(&mut permits, &state(0), at(150));
    assert_eq!(request.completed, [(0, Duration::from_millis(50))]);
    assert_eq!((request.unused, request.join), (vec![1], None));
    assert_eq!(permits.request(&state(0), at(160), false), None);
}

#[test]
fn process_that_the_store_has_forgotten_joins_again_and_reports_everything() {
    let mut permits = member(3);
    for ticket in 11..=13 {
        permits.take(ticket);
    }
    permits.finish(11, true, at(100));
    permits.finish(12, true, at(9_000));
    asks(&mut permits, &LimiterState { limit: SharedLimit::Of(5), ..state(0) }, at(9_000));
    permits.answered(&QuotaAnswer { member: false, ..answer(0, 0) }, at(9_000));
    let (closed_until, refused_until) = (Some(at(11_000)), Some(at(12_000)));
    let state = LimiterState { limit: SharedLimit::Of(5), closed_until, refused_until, ..state(0) };
    let request = asks(&mut permits, &state, at(10_100));
    assert_eq!(request.join, Some(Join { again: true, in_flight: vec![2] }));
    // The first has left the window.
    assert_eq!(request.completed, [(1, Duration::from_millis(1_100))]);
    assert_eq!(request.learned, Some(SharedLimit::Of(5)));
    let (closed_for, age) = (Duration::from_millis(1_900), Duration::MAX);
    assert_eq!(request.gate, Some(GateReport { closed_for, named: true, age }));
}

#[test]
fn limit_is_reported_when_it_differs_from_the_stores() {
    let mut permits = member(0);
    let learned = |limit| LimiterState { limit, ..state(0) };
    assert_eq!(permits.request(&learned(SharedLimit::Unknown), at(1), false), None);
    let request = asks(&mut permits, &learned(SharedLimit::Of(5)), at(1));
    assert_eq!(request.learned, Some(SharedLimit::Of(5)));
    let stored = QuotaAnswer { limit: SharedLimit::Of(5), ..answer(0, 0) };
    assert_eq!(permits.answered(&stored, at(1)), Some(SharedLimit::Of(5)));
    assert_eq!(permits.request(&learned(SharedLimit::Of(5)), at(2), false), None);
    asks(&mut permits, &learned(SharedLimit::Unlimited), at(2));
    assert_eq!(permits.answered(&stored, at(2)), None, "the store's limit is the same");
}

#[test]
fn change_of_the_gate_is_reported_once() {
    let mut permits = member(0);
    let closed = LimiterState { closed_until: Some(at(4_000)), ..state(0) };
    let report = |closed_for, age| {
        let [closed_for, age] = [closed_for, age].map(Duration::from_millis);
        Some(GateReport { closed_for, named: true, age })
    };
    permits.gate_changed(Some(at(4_000)), true, at(900));
    permits.gate_changed(Some(at(4_000)), false, at(800));
    assert!(permits.has_gate_change());
    assert_eq!(asks(&mut permits, &closed, at(1_000)).gate, report(3_000, 100));
    permits.answered(&QuotaAnswer { closed: true, ..answer(0, 3_000) }, at(1_000));
    assert!(!permits.has_gate_change());
    assert_eq!(permits.request(&closed, at(1_001), false), None);
    permits.gate_changed(None, true, at(1_000));
    assert_eq!(asks(&mut permits, &state(0), at(1_002)).gate, report(0, 2));
    permits.answered(&answer(0, 0), at(1_002));
    permits.gate_changed(Some(at(1_005)), false, at(1_002));
    let request = asks(&mut permits, &state(0), at(1_003));
    assert_eq!(request.gate.map(|report| report.named), Some(false));
}

#[test]
fn change_of_the_gate_is_reported_until_the_store_knows_it() {
    let mut permits = member(0);
    permits.gate_changed(None, true, at(1_000));
    asks(&mut permits, &state(0), at(1_001));
    permits.store_lost(0, at(1_002));
    let open = |age| {
        let age = Duration::from_millis(age);
        Some(GateReport { closed_for: Duration::ZERO, named: true, age })
    };
    assert_eq!(asks(&mut permits, &state(0), at(2_000)).gate, open(1_000));
    permits.answered(&QuotaAnswer { member: false, ..answer(0, 0) }, at(2_000));
    assert_eq!(asks(&mut permits, &state(0), at(2_001)).gate, open(1_001));
    // A change during the exchange is reported by the next one.
    permits.gate_changed(Some(at(9_000)), true, at(2_001));
    permits.answered(&answer(0, 0), at(2_002));
    let closed_for = Some(Duration::from_millis(6_997));
    let request = asks(&mut permits, &state(0), at(2_003));
    assert_eq!(request.gate.map(|report| report.closed_for), closed_for);
}

#[test]
fn first_acceptance_after_a_refusal_is_reported() {
    let mut permits = member(1);
    permits.accepted(at(100));
    assert!(permits.has_gate_change(), "another process may have been refused");
    asks(&mut permits, &state(0), at(150));
    permits.answered(&answer(0, 0), at(150));
    permits.accepted(at(150));
    assert!(!permits.has_gate_change(), "there was no refusal");
    permits.gate_changed(Some(at(4_000)), true, at(160));
    permits.accepted(at(170));
    let open =
        GateReport { closed_for: Duration::ZERO, named: true, age: Duration::from_millis(10) };
    assert_eq!(asks(&mut permits, &state(0), at(180)).gate, Some(open));
    permits.answered(&answer(0, 0), at(180));
    asks(&mut permits, &state(1), at(1_200));
    permits.answered(&QuotaAnswer { closed: true, ..answer(0, 900_000) }, at(1_200));
    // The store grants a permit to see whether the service still refuses.
    asks(&mut permits, &state(1), at(900_200));
    permits.answered(&answer(1, 0), at(900_200));
    permits.take(11);
    permits.finish(11, true, at(900_300));
    permits.accepted(at(900_200));
    let request = asks(&mut permits, &state(0), at(900_300));
    let age = Duration::from_millis(100);
    assert_eq!(request.gate, Some(GateReport { closed_for: Duration::ZERO, named: true, age }));
    permits.answered(&answer(0, 0), at(900_300));
    permits.accepted(at(900_400));
    assert!(!permits.has_gate_change(), "the store knows");
}

#[test]
fn process_keeps_to_its_share_while_the_store_is_lost() {
    let mut permits = member(2);
    assert_eq!(permits.share_of(40), None);
    permits.take(11);
    permits.store_lost(6, at(1_000));
    permits.store_lost(2, at(2_000));
    assert_eq!(
        (permits.free(), permits.share_of(40), permits.share_of(3)),
        (None, Some(6), Some(1))
    );
    assert_eq!(permits.next_exchange_at(1, None), Some(Moment::LAST));
    // A request without a permit takes a new number; one that does not count is forgotten.
    for ticket in 12..=13 {
        permits.take(ticket);
    }
    permits.finish(13, false, at(2_000));
    permits.forget(at(11_000));
    assert_eq!(permits.share_of(40), Some(10), "a window later, the others' use is bounded");
    let request = asks(&mut permits, &state(1), at(11_000));
    assert_eq!(request.join, Some(Join { again: true, in_flight: vec![0, 2] }));
    assert_eq!((request.unused, request.wanted), (vec![], 0));
    permits.store_returned(at(11_000));
    permits.answered(&answer(0, 0), at(11_000));
    assert_eq!((permits.free(), permits.share_of(40)), (Some(0), None));
}

#[test]
fn permits_are_asked_for_a_second_after_the_return_of_a_lost_store() {
    let mut permits = Permits::new(WINDOW, LONGEST_REQUEST);
    permits.activate();
    asks(&mut permits, &state(1), at(0));
    permits.store_lost(0, at(1_000));
    assert_eq!(asks(&mut permits, &state(1), at(2_000)).wanted, 0);
    permits.store_returned(at(2_001));
    permits.answered(&answer(0, 0), at(2_001));
    assert_eq!(permits.request(&state(1), at(3_000), false), None);
    assert_eq!(permits.next_exchange_at(1, None), Some(at(3_001)));
    // The store has answered since, so its return changes nothing.
    permits.store_returned(at(3_001));
    assert_eq!(asks(&mut permits, &state(1), at(3_001)).wanted, 1);
}

#[test]
fn process_that_has_not_joined_has_the_whole_limit_while_the_store_is_lost() {
    let mut permits = Permits::new(WINDOW, LONGEST_REQUEST);
    permits.activate();
    asks(&mut permits, &state(1), at(0));
    permits.store_lost(0, at(1_000));
    assert_eq!(permits.share_of(40), Some(40));
    permits.answered(&answer(1, 0), at(1_000));
    assert_eq!(permits.free(), None, "an answer that comes too late");
    assert!(!asks(&mut permits, &state(1), at(1_000)).join.expect("a join").again);
}

#[test]
fn uncounted_end_during_the_exchange_that_joins_again_is_reported() {
    let mut permits = member(0);
    permits.store_lost(0, at(1_000));
    permits.take(11);
    let request = asks(&mut permits, &state(0), at(2_000));
    let reported = request.join.expect("a join").in_flight;
    permits.finish(11, false, at(2_001));
    permits.store_returned(at(2_002));
    permits.answered(&answer(0, 0), at(2_002));
    assert_eq!(asks(&mut permits, &state(0), at(2_003)).unused, reported);
}

#[test]
fn request_sent_during_the_exchange_that_joins_again_is_reported_by_another_join() {
    let mut permits = member(0);
    permits.store_lost(0, at(1_000));
    permits.take(11);
    let in_flight = |request: QuotaRequest| request.join.map(|join| join.in_flight);
    let first = in_flight(asks(&mut permits, &state(1), at(2_000))).expect("a join");
    permits.take(12);
    permits.store_returned(at(2_001));
    permits.answered(&answer(1, 0), at(2_001));
    assert_eq!(permits.free(), Some(0));
    let second = in_flight(asks(&mut permits, &state(1), at(2_002))).expect("a join");
    assert_eq!((first.len(), second.len(), second[0]), (1, 2, first[0]));
    permits.answered(&answer(0, 0), at(2_003));
    assert_eq!(in_flight(asks(&mut permits, &state(1), at(3_001))), None);
    permits.answered(&answer(1, 0), at(3_001));
    assert_eq!(permits.free(), Some(1));
}
