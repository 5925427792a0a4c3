use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use didit_core::data_transfer::{Decision, RetrieveDecision};
use didit_core::{Call, SessionId};
use futures_util::Stream;
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use crate::{Client, Error};

/// The decisions of many sessions; made by [`Client::decisions`] and its sisters.
///
/// It takes no more items than it works on, and sends nothing before it is polled. It runs within the
/// task that polls it; dropping it cancels the calls under way.
#[must_use = "nothing is retrieved before the stream is polled"]
pub struct Decisions<S: Stream> {
    client: Client,
    /// `None` once they have come to an end.
    items: Option<Pin<Box<S>>>,
    id_of: IdOf<S::Item>,
    concurrency: usize,
    in_order: bool,
    timeout: Option<Duration>,
    calls: FuturesUnordered<Retrieval>,
    /// The items of those calls and of the results, by their positions.
    taken: BTreeMap<usize, S::Item>,
    /// Results that wait for the ones before them.
    waiting: BTreeMap<usize, Result<Decision, Error>>,
    next_taken: usize,
    next_yielded: usize,
}

type IdOf<T> = Box<dyn Fn(&T) -> SessionId + Send>;

type Retrieval = Pin<Box<dyn Future<Output = (usize, Result<Decision, Error>)> + Send>>;

// Nothing in it is pinned but what has a box of its own.
impl<S: Stream> Unpin for Decisions<S> {}

impl<S: Stream> Decisions<S> {
    pub(crate) fn new<F>(client: Client, items: S, id_of: F) -> Self
    where
        F: Fn(&S::Item) -> &SessionId + Send + 'static,
    {
        Self {
            client,
            items: Some(Box::pin(items)),
            id_of: Box::new(move |item| id_of(item).clone()),
            concurrency: 16,
            in_order: false,
            timeout: None,
            calls: FuturesUnordered::new(),
            taken: BTreeMap::new(),
            waiting: BTreeMap::new(),
            next_taken: 0,
            next_yielded: 0,
        }
    }

    /// Sets how many sessions are worked on at once, at least one. Default: 16.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls.max(1);
        self
    }

    /// Yields the results in the order of the ids. A slow one then holds up those behind it.
    pub fn in_order(mut self) -> Self {
        self.in_order = true;
        self
    }

    /// Sets the time for each session, from the moment the rate limiter lets it go. Default: the
    /// policy's.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    fn retrieve(&mut self, item: S::Item) {
        let (client, position) = (self.client.clone(), self.next_taken);
        let call = Call::new(RetrieveDecision::new((self.id_of)(&item))).deadline_from_first_send();
        let call = match self.timeout {
            Some(timeout) => call.with_timeout(timeout),
            None => call,
        };
        self.next_taken += 1;
        self.taken.insert(position, item);
        self.calls.push(Box::pin(async move { (position, client.run(call).await) }));
    }

    fn yielded(
        &mut self,
        position: usize,
        result: Result<Decision, Error>,
    ) -> Option<(S::Item, Result<Decision, Error>)> {
        self.taken.remove(&position).map(|item| (item, result))
    }
}

impl<S: Stream> Stream for Decisions<S> {
    type Item = (S::Item, Result<Decision, Error>);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            while self.taken.len() < self.concurrency {
                let Some(items) = &mut self.items else { break };
                match items.as_mut().poll_next(context) {
                    Poll::Ready(Some(item)) => self.retrieve(item),
                    Poll::Ready(None) => self.items = None,
                    Poll::Pending => break,
                }
            }
            let next = self.next_yielded;
            if let Some(result) = self.waiting.remove(&next) {
                self.next_yielded += 1;
                return Poll::Ready(self.yielded(next, result));
            }
            match self.calls.poll_next_unpin(context) {
                Poll::Ready(Some((position, result))) if !self.in_order => {
                    return Poll::Ready(self.yielded(position, result));
                }
                Poll::Ready(Some((position, result))) => {
                    self.waiting.insert(position, result);
                }
                Poll::Ready(None) if self.items.is_none() => return Poll::Ready(None),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl<S: Stream> fmt::Debug for Decisions<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decisions")
            .field("concurrency", &self.concurrency)
            .field("under_way", &self.calls.len())
            .finish_non_exhaustive()
    }
}
