use std::time::Duration;

use didit_core::{DecisionEndpoint, WaitForDecision};

use crate::{Client, Error};

/// A wait for a decision, which starts with [`wait`](Self::wait).
#[derive(Debug)]
#[must_use = "nothing is sent until `wait` is called"]
pub struct Wait<'a, E: DecisionEndpoint> {
    pub(crate) client: &'a Client,
    pub(crate) wait: WaitForDecision<E>,
}

impl<E: DecisionEndpoint> Wait<'_, E> {
    /// Sets the pause between the end of one poll and the start of the next, at least 10 ms.
    /// Default: 2 s.
    pub fn every(mut self, interval: Duration) -> Self {
        self.wait = self.wait.with_interval(interval);
        self
    }

    /// Sets the timeout of the whole wait. Default: 10 minutes.
    pub fn at_most(mut self, timeout: Duration) -> Self {
        self.wait = self.wait.with_timeout(timeout);
        self
    }

    /// Waits for the decision and returns it.
    ///
    /// # Errors
    /// The status is undecided at the timeout, or a call fails with an error that is not retryable.
    pub fn wait(self) -> Result<E::Output, Error> {
        self.client.run(self.wait)
    }
}
