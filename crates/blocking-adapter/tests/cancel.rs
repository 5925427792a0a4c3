//! A thread that dies in the middle of a call leaves the others healthy.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use didit_blocking_adapter::Client;
use didit_core::data_transfer::RetrieveDecision;
use didit_core::{
    Call, ClientCredentials, Engine, Moment, Operation, Policy, Step, Ticket, TransportError,
};
use didit_sandbox::Sandbox;
use http::Response;

const MINUTE: Duration = Duration::from_secs(60);

/// A call that panics at its n-th step, as a subscriber or an allocator might.
struct Dying {
    call: Call<RetrieveDecision>,
    steps_left: u32,
}

impl Dying {
    fn step(&mut self) {
        assert!(self.steps_left > 0, "dying as planned");
        self.steps_left -= 1;
    }
}

impl Operation for Dying {
    type Output = didit_core::data_transfer::Decision;

    fn poll(&mut self, engine: &mut Engine, now: Moment) -> Step<Self::Output> {
        let step = self.call.poll(engine, now);
        self.step();
        step
    }

    fn handle_response<B: AsRef<[u8]>>(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        response: &Response<B>,
    ) {
        self.step();
        self.call.handle_response(engine, now, ticket, response);
    }

    fn handle_failure(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        failure: TransportError,
    ) {
        self.call.handle_failure(engine, now, ticket, failure);
    }

    fn cancel(&mut self, engine: &mut Engine, now: Moment) {
        self.call.cancel(engine, now);
    }
}

#[test]
fn a_thread_that_dies_at_any_step_leaves_the_others_healthy() {
    let mut deaths = 0;
    for steps_left in 0.. {
        let sandbox = Sandbox::start().unwrap();
        let client = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
        // A token that is being fetched is waited for, and nobody would ever come back with it.
        let mut policy = Policy::default();
        (policy.attempt_timeout, policy.call_timeout) = (MINUTE, MINUTE / 12);
        let builder = Client::builder(client).base_url(sandbox.url().parse().unwrap());
        let client = builder.policy(policy).build().unwrap();
        let endpoint = RetrieveDecision::new("s-1".parse().unwrap());
        let dying = Dying { call: Call::new(endpoint), steps_left };
        let survived = catch_unwind(AssertUnwindSafe(|| client.run(dying))).is_ok();
        client.decision(&"s-2".parse().unwrap()).unwrap();
        if survived {
            break;
        }
        deaths += 1;
    }
    assert_eq!(deaths, 5, "three polls and two answers");
}
