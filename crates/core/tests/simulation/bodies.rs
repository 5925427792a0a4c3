//! Answers whose head comes, and whose body does not.

use didit_core::Policy;

use super::dice::Dice;
use super::service::{Access, Quota, Service};
use super::work::{Ask, Job};
use super::world::{Weather, World};
use super::{millis, run_seeds};

/// All that can be seen of a run in which half of the bodies break off.
fn run(seed: u64, in_other_words: bool) -> String {
    let mut dice = Dice(seed);
    let mut policy = Policy::default();
    policy.rate_limit_window = millis(2_000);
    let quota = Quota::new(dice.count(20), policy.rate_limit_window);
    let lifetime = dice.within(millis(500)..millis(20_000));
    let service = Service::new(Some(quota), Access::Tokens(Some(lifetime)));
    let weather = Weather {
        faults: dice.one_of(&[0, 10, 40]),
        cut_off: 50,
        in_other_words,
        ..Weather::clear(millis(500))
    };
    let mut world = World::new(seed, policy, service, weather);
    for _ in 0..dice.count(12) {
        let wait = Ask::Wait { interval: millis(700), decided_after: millis(3_000) };
        let ask = dice.one_of(&[Ask::Decision, Ask::Creation, wait]);
        let job = Job::many(ask, dice.count(3), millis(100));
        world.begin(dice.up_to(millis(1_000)), job);
    }
    let outcome = world.run();
    format!("{:?} {:?} {:?}", outcome.taken, outcome.service, outcome.results)
}

#[test]
fn a_broken_body_leaves_a_failed_status_as_it_is_and_breaks_a_success() {
    run_seeds(300, |seed| assert_eq!(run(seed, false), run(seed, true)));
}
