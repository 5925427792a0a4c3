//! Many callers under one rate limit.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use didit_core::Policy;

use super::dice::Dice;
use super::service::{Access, Quota, Reports, Service};
use super::work::{Job, Task};
use super::world::{Conditions, Outcome, World};
use super::{is_one_seed, millis, run_seeds};

/// A client whose callers have a rate limit to themselves.
#[derive(Debug)]
struct SingleClient {
    limit: usize,
    window: Duration,
    callers: usize,
    /// The number of calls of all callers together.
    calls: usize,
    latency: Duration,
    think: Duration,
    lifetime: Duration,
}

const ENDLESS: Duration = Duration::from_secs(100_000);

/// Returns a latency at which slow start sends no more than `limit` requests before the first response.
pub(crate) fn max_latency(limit: usize) -> Duration {
    if limit == 1 { millis(500) } else { millis(1_000) }
}

impl SingleClient {
    fn run(&self, seed: u64) -> Outcome {
        let mut policy = Policy::default();
        policy.rate_limit_window = self.window;
        policy.call_timeout = ENDLESS;
        let quota = Quota::new(self.limit, self.window);
        let service = Service::new(Some(quota), Access::Tokens(Some(self.lifetime)));
        let mut world = World::new(seed, policy, service, Conditions::ideal(self.latency));
        let job = Job::many(Task::Decision, self.calls, self.think);
        for job in std::iter::repeat_with(|| job.next()).take(self.callers).flatten() {
            world.begin(Duration::ZERO, job);
        }
        let outcome = world.run();
        outcome.assert_all_succeeded();
        assert_eq!(outcome.service.refused_by_limit, 0, "a lone client is never refused: {self:?}");
        outcome
    }

    /// Checks that the run uses one token and takes nearly the optimal time.
    fn run_in_nearly_optimal_time(&self, seed: u64) {
        let outcome = self.run(seed);
        assert_eq!(outcome.service.tokens_issued, 1, "{self:?}");
        let (taken, most) = (outcome.taken, self.longest());
        assert!(taken <= most, "{taken:?} instead of {most:?}: {self:?}");
    }

    /// Returns the time that the run takes if every request has the maximum latency and no time is
    /// wasted.
    ///
    /// After the token and the first response, which shows the limit, a request is sent as soon as
    /// the one `limit` positions before it has left the window, and the one `callers` positions
    /// before it has been answered and its caller's pause has passed.
    fn longest(&self) -> Duration {
        let mut sent = vec![self.latency * 2; self.calls];
        for n in 0..self.calls {
            let mut after = |distance: usize, pause: Duration| {
                if let Some(before) = n.checked_sub(distance) {
                    sent[n] = sent[n].max(sent[before] + self.latency + pause);
                }
            };
            after(self.limit, self.window);
            after(self.callers, self.think);
        }
        sent[self.calls - 1] + self.latency
    }
}

#[test]
fn single_client_drains_a_quota_without_refusals_in_nearly_optimal_time() {
    run_seeds(300, |seed| {
        let mut dice = Dice(seed);
        let limit = dice.count(120);
        let window = dice.within(millis(1_000)..millis(60_000));
        let calls = limit * dice.count(5) + dice.count(5) - 1;
        let all_at_once = SingleClient {
            limit,
            window,
            callers: calls,
            calls,
            latency: dice.up_to((window / 20).min(max_latency(limit))),
            think: Duration::ZERO,
            lifetime: ENDLESS,
        };
        all_at_once.run_in_nearly_optimal_time(seed);
    });
}

#[test]
fn limit_that_only_refusals_report_is_drained_in_nearly_optimal_time() {
    run_seeds(100, |seed| {
        let mut dice = Dice(seed);
        let (limit, window) = (dice.count(200), dice.within(millis(2_000)..millis(60_000)));
        let latency = dice.within(millis(1)..millis(100));
        let callers = dice.count(32);
        let mut policy = Policy::default();
        policy.rate_limit_window = window;
        policy.call_timeout = ENDLESS;
        let quota = Quota::new(limit, window).with_reports(Reports::OnRefusal);
        let service = Service::new(Some(quota), Access::Tokens(Some(ENDLESS)));
        let mut world = World::new(seed, policy, service, Conditions::ideal(latency));
        let job = Job::many(Task::Decision, limit * 3, Duration::ZERO);
        for job in std::iter::repeat_with(|| job.next()).take(callers).flatten() {
            world.begin(Duration::ZERO, job);
        }
        let outcome = world.run();
        outcome.assert_all_succeeded();
        // At the end of each window the service asks for a wait, in whole seconds.
        let rounds = u32::try_from(limit * 3 / callers + 8).unwrap();
        let longest = window * 2 + millis(2_000) + latency * rounds;
        assert!(outcome.taken <= longest, "{:?} instead of {longest:?}", outcome.taken);
        let refused = outcome.service.refused_by_limit;
        // At the end of each of the three windows, each caller is refused once.
        assert!(refused <= 3 * callers, "{refused} refusals of {callers} callers");
    });
}

/// Returns a closed loop: each caller starts its next call after its last has finished, possibly
/// after a pause.
fn closed_loop(dice: &mut Dice) -> SingleClient {
    let limit = dice.count(60);
    let window = dice.within(millis(500)..millis(20_000));
    let many = dice.count(64);
    let callers = dice.choose(&[1, 2, 16, many]);
    let longest_think = dice.up_to(window / 5);
    SingleClient {
        limit,
        window,
        callers,
        calls: limit * dice.count(6),
        latency: dice.up_to((window / 5).min(max_latency(limit))),
        think: dice.choose(&[Duration::ZERO, longest_think]),
        lifetime: ENDLESS,
    }
}

#[test]
fn closed_loop_has_no_refusals_and_nearly_optimal_time() {
    run_seeds(300, |seed| closed_loop(&mut Dice(seed)).run_in_nearly_optimal_time(seed));
}

#[test]
fn closed_loop_fetches_one_token_per_lifetime() {
    run_seeds(300, |seed| {
        let mut dice = Dice(seed);
        let mut closed_loop = closed_loop(&mut dice);
        // Long enough that no call spans the expiry of two tokens, which would be a second 401.
        let shortest = closed_loop.window + closed_loop.latency * 5;
        closed_loop.lifetime = dice.within(shortest..shortest + closed_loop.window * 3);
        let outcome = closed_loop.run(seed);
        // A token is renewed a tenth of its lifetime before it expires.
        let (taken, issued) = (outcome.taken, outcome.service.tokens_issued);
        let least = closed_loop.lifetime * 9 / 10 * u32::try_from(issued - 1).unwrap();
        assert!(least <= taken, "{issued} tokens in {taken:?}: {closed_loop:?}");
    });
}

#[test]
fn other_clients_of_the_quota_cause_no_livelock() {
    let (all_refused, all_calls) = (AtomicUsize::new(0), AtomicUsize::new(0));
    run_seeds(200, |seed| {
        let mut dice = Dice(seed);
        let limit = 3 + dice.count(40);
        let window = dice.within(millis(1_000)..millis(10_000));
        let mut policy = Policy::default();
        policy.rate_limit_window = window;
        policy.call_timeout = window * 40;
        let service = Service::new(Some(Quota::new(limit, window)), Access::Tokens(Some(ENDLESS)));
        let conditions = Conditions { shared_quota: true, ..Conditions::ideal(millis(50)) };
        let mut world = World::new(seed, policy, service, conditions);
        let calls = 3 * limit;
        for _ in 0..calls {
            world.begin(Duration::ZERO, Job::once(Task::Decision));
        }
        let outcome = world.run();
        outcome.assert_all_succeeded();
        let refused = outcome.service.refused_by_limit;
        assert!(refused <= calls, "{refused} refusals of {calls} calls");
        all_refused.fetch_add(refused, Ordering::Relaxed);
        all_calls.fetch_add(calls, Ordering::Relaxed);
    });
    // Refusals must stay rare although the other client's use is unpredictable.
    let (refused, calls) = (all_refused.into_inner(), all_calls.into_inner());
    assert!(refused * 8 <= calls || is_one_seed(), "{refused} refusals of {calls} calls");
}
