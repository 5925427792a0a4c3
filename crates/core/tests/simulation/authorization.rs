//! Tokens that are fetched.

use std::time::Duration;

use didit_core::Policy;

use super::service::Service;
use super::work::{Ask, Job};
use super::world::{Weather, World};
use super::{millis, run_seeds};

#[test]
fn many_callers_fetch_one_token_cold_and_one_when_it_ends() {
    run_seeds(200, |seed| {
        let lifetime = Duration::from_secs(1000);
        let service = Service::new(None, Some(lifetime));
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
