use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use didit_core::data_transfer::{Decision, RetrieveDecision};
use didit_core::{Call, SessionId};
use futures_util::Stream;
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use crate::{Client, Error};

/// The decisions of many sessions; made by [`Client::decisions`] and
/// [`Client::decisions_from_stream`].
///
/// It takes no more ids than it works on, and sends nothing before it is polled. It runs within the
/// task that polls it; dropping it cancels the calls under way.
#[must_use = "nothing is retrieved before the stream is polled"]
pub struct Decisions<S> {
    client: Client,
    /// `None` once they have come to an end.
    ids: Option<Pin<Box<S>>>,
    concurrency: usize,
    in_order: bool,
    calls: FuturesUnordered<Retrieval>,
    /// Results that wait for the ones before them, by the position of their ids.
    waiting: BTreeMap<usize, Item>,
    taken: usize,
    yielded: usize,
}

type Item = (SessionId, Result<Decision, Error>);

type Retrieval = Pin<Box<dyn Future<Output = (usize, Item)> + Send>>;

impl<S: Stream<Item = SessionId>> Decisions<S> {
    pub(crate) fn new(client: Client, ids: S) -> Self {
        Self {
            client,
            ids: Some(Box::pin(ids)),
            concurrency: 16,
            in_order: false,
            calls: FuturesUnordered::new(),
            waiting: BTreeMap::new(),
            taken: 0,
            yielded: 0,
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

    fn retrieve(&mut self, session_id: SessionId) {
        let (client, position) = (self.client.clone(), self.taken);
        self.taken += 1;
        self.calls.push(Box::pin(async move {
            let call = Call::new(RetrieveDecision::new(session_id.clone()));
            let result = client.run(call.deadline_from_first_send()).await;
            (position, (session_id, result))
        }));
    }
}

impl<S: Stream<Item = SessionId>> Stream for Decisions<S> {
    type Item = Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Item>> {
        loop {
            while self.calls.len() + self.waiting.len() < self.concurrency {
                let Some(ids) = &mut self.ids else { break };
                match ids.as_mut().poll_next(context) {
                    Poll::Ready(Some(session_id)) => self.retrieve(session_id),
                    Poll::Ready(None) => self.ids = None,
                    Poll::Pending => break,
                }
            }
            let next = self.yielded;
            if let Some(item) = self.waiting.remove(&next) {
                self.yielded += 1;
                return Poll::Ready(Some(item));
            }
            match self.calls.poll_next_unpin(context) {
                Poll::Ready(Some((_, item))) if !self.in_order => return Poll::Ready(Some(item)),
                Poll::Ready(Some((position, item))) => drop(self.waiting.insert(position, item)),
                Poll::Ready(None) if self.ids.is_none() => return Poll::Ready(None),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl<S> fmt::Debug for Decisions<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decisions")
            .field("concurrency", &self.concurrency)
            .field("under_way", &self.calls.len())
            .finish_non_exhaustive()
    }
}
