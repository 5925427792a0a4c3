//! Responses whose body is cut off after the head.

use didit_core::Policy;

use super::dice::Dice;
use super::service::{Access, Quota, Service};
use super::work::{Job, Task};
use super::world::{Conditions, World};
use super::{millis, run_seeds};

/// Returns everything observable of a run in which half of the bodies are cut off.
fn run(seed: u64, normalized: bool) -> String {
    let mut dice = Dice(seed);
    let mut policy = Policy::default();
    policy.rate_limit_window = millis(2_000);
    let quota = Quota::new(dice.count(20), policy.rate_limit_window);
    let lifetime = dice.within(millis(500)..millis(20_000));
    let service = Service::new(Some(quota), Access::Tokens(Some(lifetime)));
    let conditions = Conditions {
        faults: dice.choose(&[0, 10, 40]),
        cut_off: 50,
        normalized,
        ..Conditions::ideal(millis(500))
    };
    let mut world = World::new(seed, policy, service, conditions);
    for _ in 0..dice.count(12) {
        let wait = Task::Wait { interval: millis(700), decided_after: millis(3_000) };
        let task = dice.choose(&[Task::Decision, Task::Creation, wait]);
        let job = Job::many(task, dice.count(3), millis(100));
        world.begin(dice.up_to(millis(1_000)), job);
    }
    let outcome = world.run();
    format!("{:?} {:?} {:?}", outcome.taken, outcome.service, outcome.results)
}

#[test]
fn cut_off_body_counts_as_its_error_status_or_as_a_lost_connection() {
    run_seeds(300, |seed| assert_eq!(run(seed, false), run(seed, true)));
}
