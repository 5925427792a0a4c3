//! A panic in the middle of a call leaves other calls unaffected.
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

/// A call that panics at its n-th step, as an event listener might.
struct PanickingCall {
    call: Call<RetrieveDecision>,
    steps_left: u32,
}

impl PanickingCall {
    fn step(&mut self) {
        assert!(self.steps_left > 0, "planned panic");
        self.steps_left -= 1;
    }
}

impl Operation for PanickingCall {
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
fn panic_at_any_step_leaves_other_calls_unaffected() {
    let mut panics = 0;
    for steps_left in 0.. {
        let sandbox = Sandbox::start().unwrap();
        let client = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
        // If the panicked call kept the right to fetch the token, the others would time out.
        let mut policy = Policy::default();
        (policy.attempt_timeout, policy.call_timeout) = (MINUTE, MINUTE / 12);
        let builder = Client::builder(client).base_url(sandbox.url().parse().unwrap());
        let client = builder.policy(policy).build().unwrap();
        let endpoint = RetrieveDecision::new("s-1".parse().unwrap());
        let call = PanickingCall { call: Call::new(endpoint), steps_left };
        let completed = catch_unwind(AssertUnwindSafe(|| client.run(call))).is_ok();
        client.decision(&"s-2".parse().unwrap()).unwrap();
        if completed {
            break;
        }
        panics += 1;
    }
    assert_eq!(panics, 5, "three polls and two responses");
}
