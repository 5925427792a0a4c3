//! The engine in virtual time: thousands of random schedules against a strict model of the service.
//!
//! `SIMULATION_SCHEDULES=1000000` runs more of them, `SIMULATION_SEED=n` the one that failed.

// The whole of it is a test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::unchecked_time_subtraction,
    clippy::disallowed_methods
)]

mod service;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use didit_core::Policy;

use self::service::{Quota, Service};
use self::world::{Dice, Weather, World};

const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Runs `schedule` with every seed, or the one asked for; a seed that fails is told.
fn run_seeds(schedules: u64, schedule: impl Fn(u64)) {
    let seeds = match environment("SIMULATION_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..environment("SIMULATION_SCHEDULES").unwrap_or(schedules),
    };
    for seed in seeds {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| schedule(seed))) {
            let test = std::thread::current().name().unwrap_or_default().to_owned();
            eprintln!("SIMULATION_SEED={seed} cargo test -p didit-core --test simulation {test}");
            resume_unwind(panic);
        }
    }
}

#[test]
fn random_schedules_keep_every_promise() {
    run_seeds(10_000, |seed| {
        let mut dice = Dice(seed);
        let mut policy = Policy::default();
        policy.call_timeout = dice.within(millis(500)..millis(40_000));
        policy.attempt_timeout = dice.within(millis(100)..millis(12_000));
        policy.rate_window = dice.within(millis(500)..millis(5_000));
        if dice.percent(20) {
            policy.budget = Some(1 + u32::try_from(dice.below(20)).unwrap());
        }
        let quota = dice
            .percent(50)
            .then(|| Quota::new(1 + usize::try_from(dice.below(30)).unwrap(), policy.rate_window));
        let lifetime = match dice.below(4) {
            0 => None,
            1 => Some(dice.within(millis(1)..millis(500))),
            _ => Some(dice.within(millis(500)..millis(100_000))),
        };
        let slowest = dice.within(millis(1)..millis(2_000));
        let weather = Weather {
            latency: Duration::ZERO..slowest,
            faults: [0, 5, 30, 90][usize::try_from(dice.below(4)).unwrap()],
            dropped: if dice.percent(50) { 30 } else { 0 },
            queued: if dice.percent(50) { 40 } else { 0 },
            shared_quota: dice.percent(30),
        };
        let mut world = World::new(seed, policy, Service::new(quota, lifetime), weather);
        for _ in 0..=dice.below(24) {
            let timeout = dice.percent(20).then(|| dice.within(millis(1)..millis(10_000)));
            let after = dice.within(Duration::ZERO..millis(2_000));
            world.call(after, dice.percent(20), timeout);
        }
        let outcome = world.run();
        let answers = outcome.service.decided + outcome.service.created;
        assert!(outcome.succeeded() <= answers, "more was handed out than the service gave");
    });
}

/// A lone client, `calls` at once: how long the quota of `limit` per `window` takes to drain.
fn drain(seed: u64, calls: usize, limit: usize, window: Duration, latency: Duration) -> Duration {
    let mut policy = Policy::default();
    policy.rate_window = window;
    policy.call_timeout = Duration::from_secs(100_000);
    let service = Service::new(Some(Quota::new(limit, window)), Some(Duration::from_secs(100_000)));
    // Every request takes its own time, up to the latency.
    let weather = Weather {
        latency: Duration::ZERO..latency,
        faults: 0,
        dropped: 0,
        queued: 0,
        shared_quota: false,
    };
    let mut world = World::new(seed, policy, service, weather);
    let began = world.now;
    for _ in 0..calls {
        world.call(Duration::ZERO, false, None);
    }
    let outcome = world.run();
    assert_eq!(outcome.succeeded(), calls, "{:?}", outcome.failures());
    assert_eq!(outcome.service.refused_by_limit, 0, "a lone client is never refused");
    assert_eq!(outcome.service.tokens_issued, 1);
    outcome.ended.since(began)
}

#[test]
fn a_lone_client_drains_a_quota_without_a_refusal_in_nearly_the_least_time() {
    run_seeds(300, |seed| {
        let mut dice = Dice(seed);
        let limit = 1 + usize::try_from(dice.below(120)).unwrap();
        let calls = limit * (1 + usize::try_from(dice.below(5)).unwrap())
            + usize::try_from(dice.below(5)).unwrap();
        let window = dice.within(millis(1_000)..millis(60_000));
        let latency = dice.within(Duration::ZERO..(window / 20).min(millis(900)));
        let taken = drain(seed, calls, limit, window, latency);
        let rounds = u32::try_from((calls - 1) / limit).unwrap();
        let least = window * rounds;
        // Each round adds a latency, the token and the first answer one more each.
        let most = least + latency * (rounds + 3);
        assert!(
            taken <= most,
            "{calls} calls at {limit} per {window:?}: {taken:?} instead of {most:?}"
        );
    });
}

#[test]
fn others_who_share_the_quota_bring_no_livelock() {
    run_seeds(200, |seed| {
        let mut dice = Dice(seed);
        let limit = 4 + usize::try_from(dice.below(40)).unwrap();
        let window = dice.within(millis(1_000)..millis(10_000));
        let mut policy = Policy::default();
        policy.rate_window = window;
        policy.call_timeout = window * 40;
        let service =
            Service::new(Some(Quota::new(limit, window)), Some(Duration::from_secs(100_000)));
        let weather = Weather {
            latency: Duration::ZERO..millis(50),
            faults: 0,
            dropped: 0,
            queued: 0,
            shared_quota: true,
        };
        let mut world = World::new(seed, policy, service, weather);
        let calls = 3 * limit;
        for _ in 0..calls {
            world.call(Duration::ZERO, false, None);
        }
        let outcome = world.run();
        assert_eq!(outcome.succeeded(), calls, "{:?}", outcome.failures());
        // The others take what they like without a word; refusals must stay few all the same.
        assert!(
            outcome.service.refused_by_limit <= calls / 2,
            "{} refusals",
            outcome.service.refused_by_limit
        );
    });
}

#[test]
fn many_callers_fetch_one_token_cold_and_one_when_it_ends() {
    run_seeds(200, |seed| {
        let lifetime = Duration::from_secs(1000);
        let service = Service::new(None, Some(lifetime));
        let weather = Weather {
            latency: Duration::ZERO..millis(200),
            faults: 0,
            dropped: 0,
            queued: 0,
            shared_quota: false,
        };
        let mut world = World::new(seed, Policy::default(), service, weather);
        for _ in 0..64 {
            world.call(Duration::ZERO, false, None);
            // The second load meets the token in the last moments of its life.
            world.call(lifetime - millis(100), false, None);
        }
        let outcome = world.run();
        assert_eq!(outcome.succeeded(), 128, "{:?}", outcome.failures());
        assert_eq!(outcome.service.tokens_issued, 2);
    });
}
