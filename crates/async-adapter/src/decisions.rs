use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use didit_core::data_transfer::{Decision, RetrieveDecision};
use didit_core::{Call, SessionId};
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _};

use crate::{Client, Error};

/// A stream of decisions; returned by [`Client::decisions`] and [`Client::decisions_with`].
///
/// It takes an item from its input only when it can start the call, and sends nothing until it is
/// polled. It runs in the task that polls it; dropping it cancels the calls in flight. The timeout
/// of a call starts when the rate limiter admits it.
#[must_use = "nothing is retrieved until the stream is polled"]
pub struct Decisions<'a, T> {
    client: Client,
    concurrency: usize,
    in_order: bool,
    timeout: Option<Duration>,
    /// The input, until the first poll.
    items: Option<BoxStream<'a, (SessionId, T)>>,
    results: BoxStream<'a, (T, Result<Decision, Error>)>,
}

impl<'a, T: Send + 'a> Decisions<'a, T> {
    pub(crate) fn new(
        client: Client,
        items: impl Stream<Item = T> + Send + 'a,
        id_of: impl Fn(&T) -> &SessionId + Send + 'a,
    ) -> Self {
        Self {
            client,
            concurrency: 16,
            in_order: false,
            timeout: None,
            items: Some(items.map(move |item| (id_of(&item).clone(), item)).boxed()),
            results: stream::empty().boxed(),
        }
    }

    /// Sets the number of concurrent calls, at least 1. Default: 16.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls.max(1);
        self
    }

    /// Yields the results in the order of the input. A slow call then delays all results after it.
    pub fn in_order(mut self) -> Self {
        self.in_order = true;
        self
    }

    /// Sets the timeout of each call. Default: the policy's.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl<'a, T: Send + 'a> Stream for Decisions<'a, T> {
    type Item = (T, Result<Decision, Error>);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(items) = self.items.take() {
            let (client, timeout) = (self.client.clone(), self.timeout);
            let calls = items.map(move |(session_id, item)| {
                let call = Call::new(RetrieveDecision::new(session_id)).with_timeout(timeout);
                let call = call.deadline_from_first_send();
                let client = client.clone();
                async move { (item, client.run(call).await) }
            });
            self.results = if self.in_order {
                calls.buffered(self.concurrency).boxed()
            } else {
                calls.buffer_unordered(self.concurrency).boxed()
            };
        }
        self.results.poll_next_unpin(context)
    }
}

impl<T> fmt::Debug for Decisions<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decisions").field("concurrency", &self.concurrency).finish_non_exhaustive()
    }
}
