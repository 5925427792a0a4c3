//! Several clients that share a rate limit, and learn of each other only through the headers.

use std::time::Duration;

use didit_core::Policy;

use super::millis;
use super::service::{Access, Quota, Service};
use super::work::{Job, Task};
use super::world::{Conditions, Outcome, World};

const LIMIT: usize = 100;
const CALLS: usize = 500;
const ENDLESS: Duration = Duration::from_secs(100_000);

struct IndependentClients {
    clients: usize,
    /// The total number of callers.
    callers: usize,
    window: Duration,
    latency: Duration,
}

impl IndependentClients {
    fn run(&self, seed: u64) -> Outcome {
        let mut policy = Policy::default();
        policy.rate_limit_window = self.window;
        policy.call_timeout = ENDLESS;
        let quota = Quota::new(LIMIT, self.window);
        let service = Service::new(Some(quota), Access::Tokens(Some(ENDLESS)));
        let latency = self.latency..self.latency;
        let conditions = Conditions { latency, ..Conditions::ideal(self.latency) };
        let mut world = World::with_clients(self.clients, seed, policy, service, conditions);
        for client in 0..self.clients {
            let calls = Job::many(Task::Decision, CALLS / self.clients, Duration::ZERO);
            let calls = Job { client, ..calls };
            let callers = (self.callers / self.clients).max(1);
            for job in std::iter::repeat_with(|| calls.next()).take(callers).flatten() {
                world.begin(Duration::ZERO, job);
            }
        }
        let outcome = world.run();
        outcome.assert_all_succeeded();
        outcome
    }

    /// Returns the optimal time, for clients that know when each request leaves the service's window.
    fn optimal(&self) -> Duration {
        let mut sent = vec![Duration::ZERO; CALLS];
        for n in 0..CALLS {
            for (distance, pause) in [(LIMIT, self.window), (self.callers, self.latency)] {
                if let Some(before) = n.checked_sub(distance) {
                    sent[n] = sent[n].max(sent[before] + pause);
                }
            }
        }
        sent[CALLS - 1] + self.latency
    }
}

fn fleets(clients: usize, window: Duration) -> impl Iterator<Item = IndependentClients> {
    let latencies = [0, 20, 50, 200].map(millis).into_iter();
    latencies.flat_map(move |latency| {
        [1, 16, 256].map(|callers| IndependentClients {
            clients,
            callers: callers.max(clients),
            window,
            latency,
        })
    })
}

#[test]
fn clients_drain_the_documented_limit_in_nearly_optimal_time() {
    for clients in [1, 4] {
        for fleet in fleets(clients, Duration::from_secs(60)) {
            let outcome = fleet.run(1);
            let ratio = outcome.taken.as_secs_f64() / fleet.optimal().as_secs_f64();
            let IndependentClients { callers, latency, .. } = fleet;
            let what = format!("{ratio} with {clients} clients, {callers} callers, {latency:?}");
            assert!(ratio <= 1.02, "{what}");
            assert!(clients > 1 || outcome.service.refused_by_limit == 0, "{what}");
        }
    }
}

#[test]
fn rounding_of_retry_after_costs_at_most_a_second_per_window() {
    let window = millis(2_000);
    for fleet in fleets(4, window) {
        let taken = fleet.run(1).taken;
        let windows = u32::try_from((CALLS - 1) / LIMIT).unwrap();
        // Counting each request from its response costs one latency per window as well.
        let most = fleet.optimal() + (fleet.latency + Duration::from_secs(1)) * windows;
        let IndependentClients { callers, latency, .. } = fleet;
        assert!(taken <= most, "{taken:?} of {most:?} with {callers} callers, {latency:?}");
    }
}
