//! A waiting operation is not polled until its wait ends.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use didit_blocking_adapter::Client;
use didit_core::{
    Credentials, Engine, Moment, Operation, Step, Ticket, TransportError, WaitReason,
};
use didit_sandbox::Sandbox;
use http::Response;

const PAUSE: Duration = Duration::from_millis(100);

/// Waits once and returns the number of its polls.
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
fn waiting_does_not_busy_poll() {
    let sandbox = Sandbox::start().unwrap();
    let builder = Client::builder(Credentials::None).base_url(sandbox.url().parse().unwrap());
    let polls = builder.build().unwrap().run(Pause::default()).unwrap();
    // Allows for a few spurious wake-ups.
    assert!((2..10).contains(&polls), "{polls} polls");
}
