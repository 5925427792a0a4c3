//! Waits for sessions that are decided while they wait.

use std::time::Duration;

use didit_core::{CallErrorKind, Policy};

use super::dice::Dice;
use super::service::{Access, Quota, Service};
use super::work::{Ask, Job};
use super::world::{Weather, World};
use super::{millis, run_seeds};

const ACCESS: Access = Access::Tokens(Some(Duration::from_secs(100_000)));

#[test]
fn a_wait_is_over_an_interval_after_the_decision_or_by_its_own_end() {
    run_seeds(300, |seed| {
        let mut dice = Dice(seed);
        let latency = dice.within(millis(1)..millis(900));
        let interval = dice.within(millis(10)..millis(5_000));
        let decided_after = dice.up_to(millis(30_000));
        let timeout = dice.within(millis(1)..millis(40_000));
        let weather = Weather::clear(latency);
        let mut world = World::new(seed, Policy::default(), Service::new(None, ACCESS), weather);
        let ask = Ask::Wait { interval, decided_after };
        world.begin(Duration::ZERO, Job { timeout: Some(timeout), ..Job::once(ask) });
        let outcome = world.run();
        // The last look that came too early, the pause, and the look that saw it; or the token and
        // the first look.
        let most = (decided_after + latency / 2 + interval).max(latency) + latency;
        let taken = outcome.taken;
        let looks = u32::try_from(outcome.service.undecided).unwrap();
        match outcome.results[0].as_ref().unwrap() {
            Ok(_) => assert!(decided_after <= taken && taken <= most.min(timeout), "{taken:?}"),
            Err(error) => {
                assert!(taken == timeout && timeout <= most, "{taken:?} of {timeout:?}: {error}");
                // The end may cut off the first look, on its way back even.
                let undecided = matches!(error.kind(), CallErrorKind::Undecided(_));
                assert!(if undecided { looks >= 1 } else { looks <= 1 }, "{looks}: {error}");
            }
        }
        let (least, most) = (looks.saturating_sub(1) * interval, looks * (interval + latency));
        assert!(least <= taken && taken <= latency * 2 + most, "{looks} looks in {taken:?}");
    });
}

#[test]
fn looks_and_calls_count_under_one_limit() {
    run_seeds(200, |seed| {
        let mut dice = Dice(seed);
        let limit = dice.count(30);
        let window = dice.within(millis(500)..millis(5_000));
        let mut policy = Policy::default();
        policy.rate_limit_window = window;
        policy.call_timeout = Duration::from_secs(100_000);
        let service = Service::new(Some(Quota::new(limit, window)), ACCESS);
        let latency = dice.up_to(window / 10);
        let mut world = World::new(seed, policy, service, Weather::clear(latency));
        for _ in 0..dice.count(10) {
            let interval = dice.within(millis(10)..millis(1_000));
            let decided_after = dice.up_to(window * 4);
            let wait = Job::once(Ask::Wait { interval, decided_after });
            world.begin(dice.up_to(window), Job { timeout: Some(window * 4_000), ..wait });
            let calls = Job::many(Ask::Decision, dice.count(10), millis(100));
            world.begin(dice.up_to(window), calls);
        }
        let outcome = world.run();
        outcome.assert_all_succeeded();
        assert_eq!(outcome.service.refused_by_limit, 0, "a lone client is never refused");
        assert_eq!(outcome.service.decided, outcome.results.len());
    });
}
