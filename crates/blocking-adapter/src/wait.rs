use std::time::Duration;

use didit_core::{DecisionEndpoint, WaitForDecision};

use crate::{Client, Error};

/// A wait for a decision, which begins with [`wait`](Self::wait).
#[derive(Debug)]
#[must_use = "nothing is sent before `wait` is called"]
pub struct Wait<'a, E: DecisionEndpoint> {
    pub(crate) client: &'a Client,
    pub(crate) wait: WaitForDecision<E>,
}

impl<E: DecisionEndpoint> Wait<'_, E> {
    /// Sets the time from the end of one poll to the beginning of the next. Default: 2 s; less than
    /// 10 ms is raised to that.
    pub fn every(mut self, interval: Duration) -> Self {
        self.wait = self.wait.with_interval(interval);
        self
    }

    /// Sets the time of the whole wait. Default: 10 minutes.
    pub fn at_most(mut self, timeout: Duration) -> Self {
        self.wait = self.wait.with_timeout(timeout);
        self
    }

    /// Waits.
    ///
    /// # Errors
    /// The status was undecided when the time ran out, or a failure that does not pass.
    pub fn wait(self) -> Result<E::Output, Error> {
        self.client.run(self.wait)
    }
}
