//! Waits for the decisions of sessions.

use std::time::Duration;

use didit_core::{CallErrorKind, Policy};

use super::dice::Dice;
use super::service::{Access, Quota, Service};
use super::work::{Job, Task};
use super::world::{Conditions, World};
use super::{millis, run_seeds};

const ACCESS: Access = Access::Tokens(Some(Duration::from_secs(100_000)));

#[test]
fn wait_ends_within_an_interval_of_the_decision_or_at_its_timeout() {
    run_seeds(300, |seed| {
        let mut dice = Dice(seed);
        let latency = dice.within(millis(1)..millis(900));
        let interval = dice.within(millis(10)..millis(5_000));
        let decided_after = dice.up_to(millis(30_000));
        let timeout = dice.within(millis(1)..millis(40_000));
        let conditions = Conditions::ideal(latency);
        let mut world = World::new(seed, Policy::default(), Service::new(None, ACCESS), conditions);
        let task = Task::Wait { interval, decided_after };
        world.begin(Duration::ZERO, Job { timeout: Some(timeout), ..Job::once(task) });
        let outcome = world.run();
        // The last poll before the decision, the pause, and the poll that saw it; or the token and
        // the first poll.
        let most = (decided_after + latency / 2 + interval).max(latency) + latency;
        let taken = outcome.taken;
        let polls = u32::try_from(outcome.service.undecided).unwrap();
        match outcome.results[0].as_ref().unwrap() {
            Ok(_) => assert!(decided_after <= taken && taken <= most.min(timeout), "{taken:?}"),
            Err(error) => {
                assert!(taken == timeout && timeout <= most, "{taken:?} of {timeout:?}: {error}");
                // The timeout may cut off the first poll, even during its response.
                let undecided = matches!(error.kind(), CallErrorKind::Undecided(_));
                assert!(if undecided { polls >= 1 } else { polls <= 1 }, "{polls}: {error}");
            }
        }
        let (least, most) = (polls.saturating_sub(1) * interval, polls * (interval + latency));
        assert!(least <= taken && taken <= latency * 2 + most, "{polls} polls in {taken:?}");
    });
}

#[test]
fn polls_and_calls_share_one_limit() {
    run_seeds(200, |seed| {
        let mut dice = Dice(seed);
        let limit = dice.count(30);
        let window = dice.within(millis(500)..millis(5_000));
        let mut policy = Policy::default();
        policy.rate_limit_window = window;
        policy.call_timeout = Duration::from_secs(100_000);
        let service = Service::new(Some(Quota::new(limit, window)), ACCESS);
        let latency = dice.up_to(window / 10);
        let mut world = World::new(seed, policy, service, Conditions::ideal(latency));
        for _ in 0..dice.count(10) {
            let interval = dice.within(millis(10)..millis(1_000));
            let decided_after = dice.up_to(window * 4);
            let wait = Job::once(Task::Wait { interval, decided_after });
            world.begin(dice.up_to(window), Job { timeout: Some(window * 4_000), ..wait });
            let calls = Job::many(Task::Decision, dice.count(10), millis(100));
            world.begin(dice.up_to(window), calls);
        }
        let outcome = world.run();
        outcome.assert_all_succeeded();
        assert_eq!(outcome.service.refused_by_limit, 0, "a lone client is never refused");
        assert_eq!(outcome.service.decided, outcome.results.len());
    });
}
