//! One rate limit and many callers.

use std::cell::Cell;
use std::time::Duration;

use didit_core::Policy;

use super::dice::Dice;
use super::service::{Access, Quota, Service};
use super::work::{Ask, Job};
use super::world::{Outcome, Weather, World};
use super::{is_one_seed, millis, run_seeds};

/// Callers that share a rate limit with nobody else.
#[derive(Debug)]
struct Alone {
    limit: usize,
    window: Duration,
    callers: usize,
    /// Number of calls; each caller takes one after the other.
    calls: usize,
    latency: Duration,
    think: Duration,
    lifetime: Duration,
}

const ENDLESS: Duration = Duration::from_secs(100_000);

impl Alone {
    fn run(&self, seed: u64) -> Outcome {
        let mut policy = Policy::default();
        policy.rate_limit_window = self.window;
        policy.call_timeout = ENDLESS;
        let quota = Quota::new(self.limit, self.window);
        let service = Service::new(Some(quota), Access::Tokens(Some(self.lifetime)));
        let mut world = World::new(seed, policy, service, Weather::clear(self.latency));
        let job = Job::many(Ask::Decision, self.calls, self.think);
        for job in std::iter::repeat_with(|| job.next()).take(self.callers).flatten() {
            world.begin(Duration::ZERO, job);
        }
        let outcome = world.run();
        outcome.assert_all_succeeded();
        assert_eq!(outcome.service.refused_by_limit, 0, "a lone client is never refused: {self:?}");
        outcome
    }

    /// Runs with one token, and no longer than it has to be.
    fn run_in_nearly_the_least_time(&self, seed: u64) {
        let outcome = self.run(seed);
        assert_eq!(outcome.service.tokens_issued, 1, "{self:?}");
        let (taken, most) = (outcome.taken, self.longest());
        assert!(taken <= most, "{taken:?} instead of {most:?}: {self:?}");
    }

    /// The time it takes if every request takes the longest, and no moment is wasted.
    ///
    /// The token comes first, then the first answer, which tells the limit. From then on a request
    /// goes out as soon as the one that is `limit` before it counts no more, a window after its
    /// answer, and one of the callers is there for it, as the one that is `callers` before it has
    /// its answer and was thought about. The least time has no latency: a window for each full
    /// limit that went before.
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
fn a_lone_client_drains_a_quota_without_a_refusal_in_nearly_the_least_time() {
    run_seeds(300, |seed| {
        let mut dice = Dice(seed);
        let limit = dice.count(120);
        let window = dice.within(millis(1_000)..millis(60_000));
        let calls = limit * dice.count(5) + dice.count(5) - 1;
        let all_at_once = Alone {
            limit,
            window,
            callers: calls,
            calls,
            latency: dice.up_to((window / 20).min(millis(900))),
            think: Duration::ZERO,
            lifetime: ENDLESS,
        };
        all_at_once.run_in_nearly_the_least_time(seed);
    });
}

/// Callers of which each begins its next call when its last is over, or a while later.
fn closed_loop(dice: &mut Dice) -> Alone {
    let limit = dice.count(60);
    let window = dice.within(millis(500)..millis(20_000));
    let many = dice.count(64);
    let callers = dice.one_of(&[1, 2, 16, many]);
    let longest_think = dice.up_to(window / 5);
    Alone {
        limit,
        window,
        callers,
        calls: limit * dice.count(6),
        latency: dice.up_to((window / 5).min(millis(900))),
        think: dice.one_of(&[Duration::ZERO, longest_think]),
        lifetime: ENDLESS,
    }
}

#[test]
fn a_lone_closed_loop_is_never_refused_and_takes_nearly_the_least_time() {
    run_seeds(300, |seed| closed_loop(&mut Dice(seed)).run_in_nearly_the_least_time(seed));
}

#[test]
fn a_lone_closed_loop_fetches_one_token_a_lifetime() {
    run_seeds(300, |seed| {
        let mut dice = Dice(seed);
        let mut closed_loop = closed_loop(&mut dice);
        // So long that a call does not meet the ends of two tokens, which a second 401 would be.
        let shortest = closed_loop.window + closed_loop.latency * 5;
        closed_loop.lifetime = dice.within(shortest..shortest + closed_loop.window * 3);
        let outcome = closed_loop.run(seed);
        // A tenth of its lifetime before its end a token is renewed.
        let (taken, issued) = (outcome.taken, outcome.service.tokens_issued);
        let least = closed_loop.lifetime * 9 / 10 * u32::try_from(issued - 1).unwrap();
        assert!(least <= taken, "{issued} tokens in {taken:?}: {closed_loop:?}");
    });
}

#[test]
fn others_who_share_the_quota_bring_no_livelock() {
    let (all_refused, all_calls) = (Cell::new(0), Cell::new(0));
    run_seeds(200, |seed| {
        let mut dice = Dice(seed);
        let limit = 3 + dice.count(40);
        let window = dice.within(millis(1_000)..millis(10_000));
        let mut policy = Policy::default();
        policy.rate_limit_window = window;
        policy.call_timeout = window * 40;
        let service = Service::new(Some(Quota::new(limit, window)), Access::Tokens(Some(ENDLESS)));
        let weather = Weather { shared_quota: true, ..Weather::clear(millis(50)) };
        let mut world = World::new(seed, policy, service, weather);
        let calls = 3 * limit;
        for _ in 0..calls {
            world.begin(Duration::ZERO, Job::once(Ask::Decision));
        }
        let outcome = world.run();
        outcome.assert_all_succeeded();
        let refused = outcome.service.refused_by_limit;
        assert!(refused <= calls, "{refused} refusals of {calls} calls");
        all_refused.update(|all| all + refused);
        all_calls.update(|all| all + calls);
    });
    // The others take what they like without a word; refusals must stay few all the same.
    let (refused, calls) = (all_refused.get(), all_calls.get());
    assert!(refused * 8 <= calls || is_one_seed(), "{refused} refusals of {calls} calls");
}
