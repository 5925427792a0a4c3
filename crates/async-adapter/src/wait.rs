use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use didit_core::{DecisionEndpoint, WaitForDecision};

use crate::{Client, Error};

/// A wait for a decision, which starts when it is awaited.
#[derive(Debug)]
#[must_use = "nothing is sent until it is awaited"]
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
}

impl<'a, E> IntoFuture for Wait<'a, E>
where
    E: DecisionEndpoint<Output: Send> + Send + 'a,
{
    type Output = Result<E::Output, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.client.run(self.wait))
    }
}
