//! Tokens that are fetched, and credentials that are given.

use std::time::Duration;

use didit_core::{GaveUp, Policy};

use super::dice::Dice;
use super::service::{Access, Service};
use super::work::{Job, Task};
use super::world::{Conditions, World};
use super::{millis, run_seeds};

#[test]
fn many_callers_fetch_one_token_and_renew_it_once() {
    run_seeds(200, |seed| {
        let lifetime = Duration::from_secs(1000);
        let service = Service::new(None, Access::Tokens(Some(lifetime)));
        let mut world =
            World::new(seed, Policy::default(), service, Conditions::ideal(millis(200)));
        for _ in 0..64 {
            world.begin(Duration::ZERO, Job::once(Task::Decision));
            // The second load starts just before the token expires.
            world.begin(lifetime - millis(100), Job::once(Task::Decision));
        }
        let outcome = world.run();
        outcome.assert_all_succeeded();
        assert_eq!(outcome.service.tokens_issued, 2);
    });
}

#[test]
fn refusal_of_given_credentials_is_final_after_one_request() {
    run_seeds(200, |seed| {
        let mut dice = Dice(seed);
        let until = World::START.after(dice.up_to(millis(20_000)));
        let access = dice.choose(&[Access::Bearer(until), Access::ApiKey(until)]);
        let service = Service::new(None, access);
        let conditions = Conditions::ideal(millis(500));
        let mut world = World::new(seed, Policy::default(), service, conditions);
        for _ in 0..dice.count(8) {
            let wait =
                Task::Wait { interval: millis(500), decided_after: dice.up_to(millis(9_000)) };
            let task = dice.choose(&[Task::Decision, Task::Creation, wait]);
            world.begin(Duration::ZERO, Job::many(task, dice.count(20), millis(4_000)));
        }
        let outcome = world.run();
        let failures = outcome.failures();
        for error in &failures {
            let status = error.response().map(|response| response.status().as_u16());
            let reported = (status, error.gave_up(), error.attempts());
            assert_eq!(reported, (Some(401), GaveUp::NotRetryable, 1), "{error}");
        }
        assert_eq!(outcome.succeeded() + failures.len(), outcome.results.len());
        assert_eq!(outcome.service.unauthorized, failures.len(), "each is refused once");
    });
}
