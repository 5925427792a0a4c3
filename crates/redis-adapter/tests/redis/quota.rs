use std::time::{Duration, SystemTime, UNIX_EPOCH};

use didit_conformance::redis_server::RedisServer;
use didit_core::{GateReport, Join, QuotaRequest, SharedLimit};

use super::{command, join_request, member_request, pair, process, quota};

const LEARNED: Option<SharedLimit> = Some(SharedLimit::Of(10));

#[test]
fn processes_share_a_limit_that_one_learned() {
    let (server, mut first, mut second) = pair();
    let answer = quota(&mut first, join_request(5));
    assert_eq!((answer.granted, answer.limit), (1, SharedLimit::Unknown), "slow start");
    assert_eq!(answer.wait, Duration::from_millis(20), "the limit is known soon");
    let report = QuotaRequest {
        learned: LEARNED,
        completed: vec![(0, Duration::ZERO)],
        ..member_request(1, 5)
    };
    let answer = quota(&mut first, report);
    assert_eq!((answer.granted, answer.limit), (5, SharedLimit::Of(10)));
    let answer = quota(&mut second, join_request(20));
    assert_eq!((answer.granted, answer.limit), (4, SharedLimit::Of(10)));
    assert_eq!((answer.members, answer.closed), (2, false));
    assert!(answer.wait >= Duration::from_millis(120) && answer.wait <= Duration::from_secs(3));
    assert_eq!(quota(&mut first, member_request(6, 5)).granted, 0);
    // Returned permits are granted in equal shares.
    let unused = QuotaRequest { unused: vec![1, 2], ..member_request(11, 0) };
    assert_eq!(quota(&mut first, unused).granted, 0);
    assert_eq!(quota(&mut second, member_request(20, 16)).granted, 1);
    assert_eq!(quota(&mut first, member_request(11, 5)).granted, 1);
    assert_eq!(command(&server, &["ZCARD", &key(&server, ":permits")]), "int(10)");
}

/// Returns the name of the key that ends like this.
fn key(server: &RedisServer, suffix: &str) -> String {
    let keys = command(server, &["KEYS", &format!("*{suffix}")]);
    let key = keys.split('"').nth(1).unwrap_or_else(|| keys.split('\'').nth(1).unwrap());
    key.to_owned()
}

#[test]
fn permit_counts_for_one_window_after_its_request() {
    let server = RedisServer::start();
    let mut store = process(&server.url());
    let window = Duration::from_secs(1);
    let request = QuotaRequest { window, learned: LEARNED, ..join_request(10) };
    assert_eq!(quota(&mut store, request).granted, 10);
    let completed = (0..10).map(|permit| (permit, Duration::from_millis(900))).collect();
    let done = QuotaRequest { window, completed, ..member_request(10, 1) };
    let answer = quota(&mut store, done.clone());
    assert!(answer.granted == 1 || answer.wait <= Duration::from_millis(100), "{answer:?}");
    std::thread::sleep(Duration::from_millis(110));
    let rest = QuotaRequest { completed: Vec::new(), first: 20, wanted: 20, ..done };
    let all = answer.granted + quota(&mut store, rest).granted;
    assert_eq!(all, 10);
}

#[test]
fn waiting_processes_have_equal_shares() {
    let server = RedisServer::start();
    let mut stores: Vec<_> = (0..4).map(|_| process(&server.url())).collect();
    // One process has the whole quota; the others wait.
    let greedy = QuotaRequest { learned: Some(SharedLimit::Of(100)), ..join_request(100) };
    assert_eq!(quota(&mut stores[0], greedy).granted, 100);
    for store in &mut stores[1..] {
        assert_eq!(quota(store, join_request(50)).granted, 0);
    }
    // It returns everything, and is the first to request more.
    let returned = QuotaRequest { unused: (0..100).collect(), ..member_request(100, 100) };
    let mut granted = vec![quota(&mut stores[0], returned).granted];
    granted
        .extend(stores[1..].iter_mut().map(|store| quota(store, member_request(50, 50)).granted));
    assert_eq!(granted, [25, 25, 25, 25]);
}

#[test]
fn report_without_demand_keeps_the_share_of_a_waiting_process() {
    let (_server, mut first, mut second) = pair();
    let all = QuotaRequest { learned: LEARNED, ..join_request(10) };
    assert_eq!(quota(&mut first, all).granted, 10);
    assert_eq!(quota(&mut second, join_request(10)).granted, 0);
    quota(&mut second, member_request(10, 0));
    let returned = QuotaRequest { unused: (0..10).collect(), ..member_request(10, 10) };
    assert_eq!(quota(&mut first, returned).granted, 5);
}

#[test]
fn rate_limited_response_stops_all_processes_until_a_later_request_succeeds() {
    let (_server, mut first, mut second) = pair();
    let report = |closed_for, age| {
        let [closed_for, age] = [closed_for, age].map(Duration::from_millis);
        Some(GateReport { closed_for, named: true, age })
    };
    let refused = report(20_000, 100);
    quota(&mut first, QuotaRequest { learned: LEARNED, gate: refused, ..join_request(0) });
    let answer = quota(&mut second, join_request(1));
    assert_eq!((answer.granted, answer.closed), (0, true));
    assert!(answer.wait > Duration::from_secs(19) && answer.wait <= Duration::from_secs(20));
    // The responses to requests that were sent before the refusal do not count, but the later end does.
    quota(&mut first, QuotaRequest { gate: report(0, 500), ..member_request(0, 0) });
    quota(&mut first, QuotaRequest { gate: report(5_000, 500), ..member_request(0, 0) });
    assert!(quota(&mut second, member_request(1, 1)).wait > Duration::from_secs(18));
    std::thread::sleep(Duration::from_millis(1_050));
    quota(&mut first, QuotaRequest { gate: report(5_000, 0), ..member_request(0, 0) });
    let answer = quota(&mut second, member_request(1, 1));
    assert!(answer.closed && answer.wait <= Duration::from_secs(5), "{answer:?}");
    std::thread::sleep(Duration::from_millis(1_050));
    quota(&mut first, QuotaRequest { gate: report(0, 0), ..member_request(0, 0) });
    assert_eq!(quota(&mut second, member_request(1, 1)).granted, 1);
}

/// Returns the report of a request that was refused just now for this number of seconds, or accepted.
fn report(closed_for: u64) -> GateReport {
    let closed_for = Duration::from_secs(closed_for);
    GateReport { closed_for, named: true, age: Duration::ZERO }
}

/// Changes the state as if the last refusal was a quarter of an hour ago.
fn next_probe_is_due(server: &RedisServer) {
    let origin = UNIX_EPOCH + Duration::from_secs(901);
    let refused_at = SystemTime::now().duration_since(origin).unwrap();
    let refused_at = refused_at.as_micros().to_string();
    command(server, &["HSET", &key(server, ":state"), "probe", "1", "refused", &refused_at]);
}

#[test]
fn one_process_probes_a_long_refusal_for_all() {
    let (server, mut first, mut second) = pair();
    let day = QuotaRequest { learned: LEARNED, gate: Some(report(86_400)), ..join_request(0) };
    let answer = quota(&mut first, day);
    assert!(answer.closed && answer.wait <= Duration::from_secs(900), "{answer:?}");
    assert!(quota(&mut second, join_request(5)).closed);
    next_probe_is_due(&server);
    let answer = quota(&mut first, member_request(0, 5));
    assert_eq!((answer.granted, answer.closed), (1, false));
    assert!(quota(&mut second, member_request(5, 5)).closed);
    // What a process knows from before does not start another quarter of an hour.
    let gate = Some(GateReport { age: Duration::MAX, ..report(86_399) });
    let again = Some(Join { again: true, in_flight: Vec::new() });
    assert!(quota(&mut second, QuotaRequest { join: again, gate, ..join_request(0) }).closed);
    // A probe that shows nothing is soon followed by another.
    let completed = vec![(0, Duration::ZERO)];
    let answer = quota(&mut first, QuotaRequest { completed, ..member_request(5, 0) });
    assert!(answer.closed && answer.wait <= Duration::from_secs(5), "{answer:?}");
    quota(&mut first, QuotaRequest { gate: Some(report(0)), ..member_request(5, 0) });
    let answer = quota(&mut second, member_request(10, 5));
    assert_eq!((answer.granted, answer.closed), (5, false));
    // Nor does what it knows from before close the gate again.
    let again = Some(Join { again: true, in_flight: Vec::new() });
    let gate = Some(GateReport { age: Duration::MAX, ..report(86_399) });
    assert!(!quota(&mut second, QuotaRequest { join: again, gate, ..join_request(0) }).closed);
}

#[test]
fn process_that_joins_again_does_not_lengthen_a_shortened_refusal() {
    let (server, mut first, mut second) = pair();
    quota(&mut first, QuotaRequest { gate: Some(report(86_400)), ..join_request(0) });
    next_probe_is_due(&server);
    assert_eq!(quota(&mut first, member_request(0, 5)).granted, 1);
    let probed = QuotaRequest { gate: Some(report(60)), ..member_request(5, 0) };
    assert!(quota(&mut first, QuotaRequest { unused: vec![0], ..probed }).closed);
    let gate = Some(GateReport { age: Duration::MAX, ..report(86_399) });
    let again = Some(Join { again: true, in_flight: Vec::new() });
    let answer = quota(&mut second, QuotaRequest { join: again, gate, ..join_request(0) });
    assert!(answer.closed && answer.wait <= Duration::from_secs(60), "{answer:?}");
}

#[test]
fn refusal_that_names_no_time_confirms_a_long_one() {
    let server = RedisServer::start();
    let mut store = process(&server.url());
    quota(&mut store, QuotaRequest { gate: Some(report(86_400)), ..join_request(0) });
    next_probe_is_due(&server);
    assert_eq!(quota(&mut store, member_request(0, 5)).granted, 1);
    let gate = Some(GateReport { named: false, ..report(1) });
    let probed = QuotaRequest { unused: vec![0], gate, ..member_request(5, 0) };
    let answer = quota(&mut store, probed);
    assert!(answer.closed && answer.wait > Duration::from_secs(890), "{answer:?}");
}

/// Changes the state as if the clock of Redis had gone back by an hour.
fn turn_back_the_clock(server: &RedisServer) {
    const LATER: &str = "
        for _, permit in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
          redis.call('ZINCRBY', KEYS[1], 3600e6, permit)
        end
        for _, field in ipairs({ 'closed', 'probe', 'refused', 'from' }) do
          if redis.call('HEXISTS', KEYS[2], field) == 1 then
            redis.call('HINCRBY', KEYS[2], field, 3600e6)
          end
        end";
    let state = key(server, ":state");
    command(server, &["EVAL", LATER, "2", &state.replace(":state", ":permits"), &state]);
}

#[test]
fn permits_leave_after_their_lease_and_window_if_the_clock_goes_back() {
    let server = RedisServer::start();
    let mut store = process(&server.url());
    let times = |request| {
        let [window, lease] = [400, 200].map(Duration::from_millis);
        QuotaRequest { window, lease, ..request }
    };
    let all = times(QuotaRequest { learned: LEARNED, ..join_request(10) });
    assert_eq!(quota(&mut store, all).granted, 10);
    turn_back_the_clock(&server);
    assert_eq!(quota(&mut store, times(member_request(10, 10))).granted, 0);
    std::thread::sleep(Duration::from_millis(610));
    assert_eq!(quota(&mut store, times(member_request(20, 10))).granted, 10);
}

#[test]
fn permits_of_a_process_with_a_longer_lease_are_kept() {
    let (_server, mut patient, mut hasty) = pair();
    let leased = |request, millis| QuotaRequest {
        window: Duration::from_millis(100),
        lease: Duration::from_millis(millis),
        ..request
    };
    let all = QuotaRequest { learned: LEARNED, ..join_request(10) };
    assert_eq!(quota(&mut patient, leased(all, 60_000)).granted, 10);
    assert_eq!(quota(&mut hasty, leased(join_request(5), 100)).granted, 0);
    std::thread::sleep(Duration::from_millis(210));
    assert_eq!(quota(&mut hasty, leased(member_request(0, 5), 100)).granted, 0);
}

#[test]
fn probe_ends_a_refusal_that_lasts_longer_because_the_clock_went_back() {
    let server = RedisServer::start();
    let mut store = process(&server.url());
    let refused = QuotaRequest { learned: LEARNED, gate: Some(report(20)), ..join_request(0) };
    quota(&mut store, refused);
    turn_back_the_clock(&server);
    assert_eq!(quota(&mut store, member_request(0, 5)).granted, 1);
    quota(&mut store, QuotaRequest { gate: Some(report(0)), ..member_request(5, 0) });
    assert_eq!(quota(&mut store, member_request(5, 5)).granted, 5);
}

#[test]
fn store_grants_nothing_while_members_rejoin() {
    let (server, mut first, mut second) = pair();
    let learned = QuotaRequest { learned: LEARNED, ..join_request(6) };
    assert_eq!(quota(&mut first, learned.clone()).granted, 6);
    assert_eq!(quota(&mut second, join_request(4)).granted, 4);
    command(&server, &["FLUSHALL"]);
    command(&server, &["SCRIPT", "FLUSH"]);
    assert!(!quota(&mut first, member_request(6, 1)).member);
    let again = |in_flight| Some(Join { again: true, in_flight });
    let answer = quota(&mut first, QuotaRequest { join: again(vec![0, 1, 2, 3, 4, 5]), ..learned });
    assert_eq!((answer.member, answer.granted), (true, 0));
    assert!(answer.wait > Duration::from_millis(500), "the others have a second to rejoin");
    let returned = QuotaRequest { join: again(vec![0, 1, 2, 3]), ..join_request(1) };
    assert_eq!(quota(&mut second, returned).granted, 0);
    assert_eq!(command(&server, &["ZCARD", &key(&server, ":permits")]), "int(10)");
}

#[test]
fn unlimited_quota_stores_no_permits() {
    let server = RedisServer::start();
    let mut store = process(&server.url());
    let request = QuotaRequest { learned: Some(SharedLimit::Unlimited), ..join_request(1000) };
    assert_eq!(quota(&mut store, request).granted, 1000);
    assert_eq!(command(&server, &["KEYS", "*:permits"]), "array([])");
    let budget = QuotaRequest { budget: Some(7), ..member_request(1000, 1000) };
    assert_eq!(quota(&mut store, budget).granted, 7);
}
