//! Processes that share one quota and one token through a store.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use didit_core::Policy;

use super::dice::Dice;
use super::fleet::{Fleet, FleetConditions, Outcome};
use super::service::{Access, Quota, Service};
use super::work::{Job, Task};
use super::{RANDOM_SCHEDULES, is_one_seed, millis, run_seeds};

const ENDLESS: Duration = Duration::from_secs(100_000);

/// Processes that drain one quota.
#[derive(Debug)]
struct Drain {
    limit: usize,
    window: Duration,
    processes: usize,
    callers: usize,
    conditions: FleetConditions,
}

fn drain(dice: &mut Dice) -> Drain {
    let window = dice.within(millis(1_000)..millis(60_000));
    let store_latency = dice.up_to((window / 50).min(millis(200)));
    Drain {
        limit: 8 + dice.count(100),
        window,
        processes: dice.count(8),
        callers: dice.count(32),
        conditions: FleetConditions {
            latency: Duration::ZERO..dice.up_to((window / 20).min(millis(900))),
            faults: 0,
            store_latency: Duration::ZERO..store_latency,
            store_faults: 0,
            outage: None,
            cut_off: None,
            flush: None,
        },
    }
}

impl Drain {
    fn policy(&self) -> Policy {
        let mut policy = Policy::default();
        policy.rate_limit_window = self.window;
        policy.call_timeout = ENDLESS;
        policy
    }

    /// Adds all processes; the first `busy` of them make `calls` calls in total.
    fn start(&self, seed: u64, busy: usize, calls: usize) -> Fleet {
        let quota = Quota::new(self.limit, self.window);
        let service = Service::new(Some(quota), Access::Tokens(Some(ENDLESS)));
        let mut fleet = Fleet::new(seed, service, self.conditions.clone());
        for n in 0..self.processes {
            let p = fleet.add_process(self.policy());
            if n >= busy {
                continue;
            }
            let job = Job::many(Task::Decision, calls / busy, Duration::ZERO);
            for job in std::iter::repeat_with(|| job.next()).take(self.callers).flatten() {
                fleet.begin(p, Duration::ZERO, job);
            }
        }
        fleet
    }

    /// Returns the maximum time for the run: with a loss of up to a tenth of each window, and the
    /// maximum latency of all requests.
    fn longest(&self, busy: usize, calls: usize) -> Duration {
        let per_process = calls / busy;
        let (latency, exchange) = (self.conditions.latency.end, self.conditions.store_latency.end);
        let windows = u32::try_from((calls - 1) / self.limit).unwrap();
        let rounds = u32::try_from(per_process.div_ceil(self.callers)).unwrap() + windows + 2;
        (self.window + self.window / 10) * windows + (latency + exchange * 4) * rounds
    }
}

#[test]
fn fleet_drains_a_quota_in_nearly_optimal_time() {
    run_seeds(60, |seed| {
        let mut dice = Dice(seed);
        let drain = drain(&mut dice);
        let calls = drain.limit * dice.count(5) / drain.processes * drain.processes;
        let outcome = drain.start(seed, drain.processes, calls).run();
        outcome.assert_all_succeeded();
        assert_eq!(outcome.results.len(), calls);
        assert_eq!(outcome.service.refused_by_limit, 0);
        assert_eq!(outcome.service.tokens_issued, 1);
        let (taken, most) = (outcome.taken, drain.longest(drain.processes, calls));
        assert!(taken <= most, "{taken:?} instead of {most:?}: {calls} {drain:?}");
    });
}

#[test]
fn busy_process_uses_the_quota_of_idle_ones() {
    run_seeds(40, |seed| {
        let mut dice = Dice(seed);
        let drain = Drain { processes: 8, ..drain(&mut dice) };
        let calls = drain.limit * dice.count(4);
        let outcome = drain.start(seed, 1, calls).run();
        outcome.assert_all_succeeded();
        assert_eq!(outcome.service.refused_by_limit, 0);
        assert_eq!(outcome.service.tokens_issued, 1);
        let (taken, most) = (outcome.taken, drain.longest(1, calls));
        assert!(taken <= most, "{taken:?} instead of {most:?}: {calls} {drain:?}");
    });
}

#[test]
fn killed_processes_delay_others_by_at_most_their_leases() {
    run_seeds(40, |seed| {
        let mut dice = Dice(seed);
        let drain = Drain { processes: 4, ..drain(&mut dice) };
        let calls = drain.limit * 4;
        let mut fleet = drain.start(seed, 4, calls);
        let deaths = dice.count(3);
        for p in 0..deaths {
            fleet.kill(p, dice.up_to(drain.window * 2));
        }
        let outcome = fleet.run();
        outcome.assert_all_succeeded();
        assert_eq!(outcome.service.refused_by_limit, 0);
        assert_eq!(outcome.max_fetching, 1);
        assert!(outcome.service.tokens_issued <= 1 + deaths);
        // The permits of a killed process count until the end of their lease and a window.
        let leases = Duration::from_secs(15) * u32::try_from(deaths).unwrap();
        let most = drain.longest(4, calls) + leases + drain.window;
        assert!(outcome.taken <= most, "{:?} instead of {most:?}", outcome.taken);
    });
}

#[test]
fn one_probe_ends_a_refusal_for_the_whole_fleet() {
    run_seeds(20, |seed| {
        let drain = drain(&mut Dice(seed));
        let calls = drain.limit * 2 / drain.processes * drain.processes;
        let mut fleet = drain.start(seed, drain.processes, calls);
        fleet.service.refuses_until = Fleet::START.after(Duration::from_secs(600));
        let outcome = fleet.run();
        let failed = outcome.results.iter().filter(|result| result.is_err()).count();
        assert!((1..=3).contains(&failed), "only the first calls are refused: {failed} of {calls}");
        // After 15 minutes one process sees that it is over, and the others with their heartbeats.
        let waited = Duration::from_secs(15 * 60 + 15);
        let most = drain.longest(drain.processes, calls) + waited;
        assert!(
            outcome.taken <= most,
            "{:?} instead of {most:?}: {calls} {drain:?}",
            outcome.taken
        );
    });
}

#[test]
fn store_outage_causes_few_refusals_and_no_failures() {
    let (all_refused, all_calls) = (AtomicUsize::new(0), AtomicUsize::new(0));
    run_seeds(60, |seed| {
        let mut dice = Dice(seed);
        let mut drain = Drain { processes: 1 + dice.count(5), ..drain(&mut dice) };
        let goes = dice.up_to(drain.window * 2);
        drain.conditions.outage =
            dice.percent(70).then(|| goes..goes + dice.up_to(drain.window * 2));
        drain.conditions.flush = dice.percent(70).then(|| goes + dice.up_to(drain.window));
        let calls = drain.limit * 3 / drain.processes * drain.processes;
        let outcome = drain.start(seed, drain.processes, calls).run();
        outcome.assert_all_succeeded();
        assert_eq!(outcome.results.len(), calls);
        all_refused.fetch_add(outcome.service.refused_by_limit, Ordering::Relaxed);
        all_calls.fetch_add(calls, Ordering::Relaxed);
    });
    let (refused, calls) = (all_refused.into_inner(), all_calls.into_inner());
    println!("{refused} refusals of {calls} calls");
    assert!(refused * 50 <= calls || is_one_seed(), "{refused} refusals of {calls} calls");
}

#[test]
fn store_that_returns_with_its_data_causes_no_refusals() {
    run_seeds(60, |seed| {
        let mut dice = Dice(seed);
        let window = dice.within(millis(1_000)..millis(4_000));
        let mut drain = Drain { window, processes: 1 + dice.count(5), ..drain(&mut dice) };
        let goes = window * 2 + dice.up_to(window);
        let returns = goes + Duration::from_secs(2);
        drain.conditions.outage = Some(goes..returns);
        let calls = drain.limit * 8 / drain.processes * drain.processes;
        let outcome = drain.start(seed, drain.processes, calls).run();
        outcome.assert_all_succeeded();
        assert!(outcome.taken > returns, "{drain:?}");
        let last = outcome.service.last_refused_at.since(Fleet::START);
        assert!(last < returns, "refused at {last:?}: {drain:?}");
    });
}

#[test]
fn process_that_alone_loses_the_store_delays_no_other() {
    run_seeds(60, |seed| {
        let mut dice = Dice(seed);
        let window = dice.within(millis(10_000)..millis(60_000));
        let mut drain = Drain { window, processes: 1 + dice.count(5), ..drain(&mut dice) };
        drain.conditions.latency = Duration::ZERO..millis(100);
        drain.conditions.store_latency = Duration::ZERO..millis(50);
        let goes = millis(1_000) + dice.up_to(millis(1_000));
        drain.conditions.outage = Some(goes..goes + Duration::from_secs(2));
        drain.conditions.cut_off = Some(0);
        // The window has room for all calls.
        let calls = drain.limit;
        let mut fleet = drain.start(seed, 1, 0);
        for n in 0..calls {
            let p = n % drain.processes;
            let timeout = (p > 0).then_some(millis(900));
            let job = Job { timeout, ..Job::once(Task::Decision) };
            // One of the others learns the limit: the second of slow start is longer than a call.
            let starts = dice.up_to(millis(6_000));
            fleet.begin(p, if n == 1 { Duration::ZERO } else { starts }, job);
        }
        let outcome = fleet.run();
        outcome.assert_all_succeeded();
        assert_eq!(outcome.results.len(), calls);
    });
}

#[test]
fn outage_shorter_than_the_timeout_fails_no_call() {
    run_seeds(60, |seed| {
        let mut dice = Dice(seed);
        let window = dice.within(millis(20_000)..millis(60_000));
        let mut drain = Drain { window, processes: 1 + dice.count(5), ..drain(&mut dice) };
        let goes = dice.up_to(window / 2);
        drain.conditions.outage = Some(goes..goes + dice.up_to(window / 4));
        drain.conditions.flush = dice.percent(30).then_some(goes);
        // The window has room for all calls.
        let mut fleet = drain.start(seed, 1, 0);
        for n in 0..drain.limit {
            let job = Job { timeout: Some(window / 2), ..Job::once(Task::Decision) };
            fleet.begin(n % drain.processes, dice.up_to(window / 2), job);
        }
        let outcome = fleet.run();
        outcome.assert_all_succeeded();
        assert_eq!(outcome.results.len(), drain.limit);
    });
}

fn conditions(dice: &mut Dice) -> FleetConditions {
    let slowest = dice.within(millis(1)..millis(1_500));
    let store_slowest = dice.choose(&[millis(2), millis(100), millis(900), millis(3_000)]);
    let goes = dice.up_to(millis(10_000));
    let outage = goes..goes + dice.up_to(millis(10_000));
    FleetConditions {
        latency: Duration::ZERO..slowest,
        faults: dice.choose(&[0, 0, 10, 50]),
        store_latency: Duration::ZERO..store_slowest,
        store_faults: dice.choose(&[0, 0, 10, 60]),
        outage: dice.percent(30).then_some(outage),
        cut_off: None,
        flush: dice.percent(30).then(|| dice.up_to(millis(10_000))),
    }
}

fn job(dice: &mut Dice) -> Job {
    let task = match dice.below(10) {
        0 | 1 => Task::Creation,
        2 => Task::Wait { interval: millis(500), decided_after: dice.up_to(millis(9_000)) },
        _ => Task::Decision,
    };
    let patient = matches!(task, Task::Wait { .. }) || dice.percent(20);
    let timeout = patient.then(|| dice.within(millis(1)..millis(10_000)));
    Job { timeout, ..Job::many(task, dice.count(4) - 1, millis(200)) }
}

/// Runs a random schedule, in which every caller checks the guarantees of its own calls.
fn run_random(seed: u64) -> (Outcome, FleetConditions) {
    let mut dice = Dice(seed);
    let mut policy = Policy::default();
    policy.call_timeout = dice.within(millis(500)..millis(40_000));
    policy.attempt_timeout = dice.within(millis(100)..millis(12_000));
    policy.rate_limit_window = dice.within(millis(500)..millis(5_000));
    let quota = dice.percent(70).then(|| Quota::new(dice.count(30), policy.rate_limit_window));
    let lifetime = dice.within(millis(1)..millis(60_000));
    let lifetime = dice.choose(&[None, Some(lifetime), Some(ENDLESS), Some(ENDLESS)]);
    let service = Service::new(quota, Access::Tokens(lifetime));
    let conditions = conditions(&mut dice);
    let mut fleet = Fleet::new(seed, service, conditions.clone());
    let processes = 1 + dice.count(3);
    for _ in 0..processes {
        let p = fleet.add_process(policy.clone());
        for _ in 0..dice.count(3) {
            let job = job(&mut dice);
            fleet.begin(p, dice.up_to(millis(2_000)), job);
        }
        if p > 0 && dice.percent(25) {
            fleet.kill(p, dice.up_to(millis(8_000)));
        }
    }
    (fleet.run(), conditions)
}

#[test]
fn random_fleet_schedules_keep_all_guarantees() {
    run_seeds(RANDOM_SCHEDULES, |seed| {
        let (outcome, conditions) = run_random(seed);
        let reliable = conditions.store_faults == 0
            && conditions.outage.is_none()
            && conditions.flush.is_none()
            && conditions.store_latency.end < Duration::from_secs(1);
        if reliable && conditions.faults == 0 {
            assert!(outcome.max_fetching <= 1, "two processes fetch a token at once");
            // Slow start doubles if the limit is unknown after a second, so a lost response, or a
            // process killed before it could report the limit, may cause refusals.
            let fast =
                conditions.latency.end + conditions.store_latency.end * 3 < Duration::from_secs(1);
            if fast && outcome.lost == 0 && outcome.service.unauthorized == 0 {
                assert_eq!(outcome.service.refused_by_limit, 0, "nobody else uses the quota");
            }
        }
    });
}
