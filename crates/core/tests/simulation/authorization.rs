//! Tokens that are fetched, and those that are held.

use std::time::Duration;

use didit_core::{GaveUp, Policy};

use super::dice::Dice;
use super::service::{Access, Service};
use super::work::{Ask, Job};
use super::world::{Weather, World};
use super::{millis, run_seeds};

#[test]
fn many_callers_fetch_one_token_cold_and_one_when_it_ends() {
    run_seeds(200, |seed| {
        let lifetime = Duration::from_secs(1000);
        let service = Service::new(None, Access::Tokens(Some(lifetime)));
        let mut world = World::new(seed, Policy::default(), service, Weather::clear(millis(200)));
        for _ in 0..64 {
            world.begin(Duration::ZERO, Job::once(Ask::Decision));
            // The second load meets the token in the last moments of its life.
            world.begin(lifetime - millis(100), Job::once(Ask::Decision));
        }
        let outcome = world.run();
        outcome.assert_all_succeeded();
        assert_eq!(outcome.service.tokens_issued, 2);
    });
}

#[test]
fn the_refusal_of_what_is_held_is_final_after_one_request() {
    run_seeds(200, |seed| {
        let mut dice = Dice(seed);
        let until = World::BEGINNING.after(dice.up_to(millis(20_000)));
        let access = dice.one_of(&[Access::Bearer(until), Access::ApiKey(until)]);
        let service = Service::new(None, access);
        let weather = Weather::clear(millis(500));
        let mut world = World::new(seed, Policy::default(), service, weather);
        for _ in 0..dice.count(8) {
            let wait =
                Ask::Wait { interval: millis(500), decided_after: dice.up_to(millis(9_000)) };
            let ask = dice.one_of(&[Ask::Decision, Ask::Creation, wait]);
            world.begin(Duration::ZERO, Job::many(ask, dice.count(20), millis(4_000)));
        }
        let outcome = world.run();
        let failures = outcome.failures();
        for error in &failures {
            let status = error.response().map(|answer| answer.status().as_u16());
            let told = (status, error.gave_up(), error.attempts());
            assert_eq!(told, (Some(401), GaveUp::NotRetryable, 1), "{error}");
        }
        assert_eq!(outcome.succeeded() + failures.len(), outcome.results.len());
        assert_eq!(outcome.service.unauthorized, failures.len(), "each is refused once");
    });
}
