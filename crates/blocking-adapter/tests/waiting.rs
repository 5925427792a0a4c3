//! An operation that waits is left alone until its time has come.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use didit_blocking_adapter::Client;
use didit_core::{
    Credentials, Engine, Moment, Operation, Step, Ticket, TransportError, WaitReason,
};
use didit_sandbox::Sandbox;
use http::Response;

const PAUSE: Duration = Duration::from_millis(100);

/// Waits once, comes to the number of its polls.
#[derive(Default)]
struct Pause {
    until: Option<Moment>,
    polls: u32,
}

impl Operation for Pause {
    type Output = u32;

    fn poll(&mut self, _: &mut Engine, now: Moment) -> Step<u32> {
        self.polls += 1;
        let until = *self.until.get_or_insert(now.after(PAUSE));
        if now < until {
            Step::Wait { until, reason: WaitReason::Backoff }
        } else {
            Step::Done(Ok(self.polls))
        }
    }

    fn handle_response<B: AsRef<[u8]>>(
        &mut self,
        _: &mut Engine,
        _: Moment,
        _: Ticket,
        _: &Response<B>,
    ) {
    }

    fn handle_failure(&mut self, _: &mut Engine, _: Moment, _: Ticket, _: TransportError) {}

    fn cancel(&mut self, _: &mut Engine, _: Moment) {}
}

#[test]
fn a_wait_is_not_spent_with_asking() {
    let sandbox = Sandbox::start().unwrap();
    let builder = Client::builder(Credentials::None).base_url(sandbox.url().parse().unwrap());
    let polls = builder.build().unwrap().run(Pause::default()).unwrap();
    // The system may wake it a few times for nothing.
    assert!((2..10).contains(&polls), "{polls} polls");
}
