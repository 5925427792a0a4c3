use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use didit_core::data_transfer::{Decision, RetrieveDecision};
use didit_core::{Call, SessionId};
use futures_util::Stream;
use futures_util::stream::{FuturesOrdered, FuturesUnordered, StreamExt as _};

use crate::{Client, Error, report};

/// The decisions of many sessions; made by [`Client::decisions`] and
/// [`Client::decisions_from_stream`].
///
/// No more ids are taken than are worked on, and nothing is sent before the stream is polled. It
/// runs within the task that polls it; dropping it gives up the calls under way.
#[must_use = "nothing is retrieved before the stream is polled"]
pub struct Decisions<S> {
    client: Client,
    /// `None` once they have come to an end.
    ids: Option<Pin<Box<S>>>,
    concurrency: usize,
    calls: Calls,
}

/// A session and what became of it.
type Item = (SessionId, Result<Decision, Error>);

type Retrieval = Pin<Box<dyn Future<Output = Item> + Send>>;

enum Calls {
    AsTheyFinish(FuturesUnordered<Retrieval>),
    /// Those that wait for their turn count until they are yielded.
    InOrder(FuturesOrdered<Retrieval>),
}

/// How many sessions are worked on at once if nothing else is said.
const CONCURRENCY: usize = 16;

impl<S: Stream<Item = SessionId>> Decisions<S> {
    pub(crate) fn new(client: Client, ids: S) -> Self {
        Self {
            client,
            ids: Some(Box::pin(ids)),
            concurrency: CONCURRENCY,
            calls: Calls::AsTheyFinish(FuturesUnordered::new()),
        }
    }

    /// How many sessions are worked on at once; at least one. Default: 16.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls.max(1);
        self
    }

    /// Yields them in the order of the ids. One that takes long then holds up those behind it.
    ///
    /// It is for a stream that has not been polled yet.
    pub fn in_order(mut self) -> Self {
        self.calls = Calls::InOrder(FuturesOrdered::new());
        self
    }

    fn retrieve(&self, session_id: SessionId) -> Retrieval {
        let client = self.client.clone();
        Box::pin(async move {
            let call =
                Call::new(RetrieveDecision::new(session_id.clone())).deadline_from_first_send();
            let result = report::within(&session_id, client.run(call)).await;
            (session_id, result)
        })
    }
}

impl<S: Stream<Item = SessionId>> Stream for Decisions<S> {
    type Item = (SessionId, Result<Decision, Error>);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while self.calls.len() < self.concurrency {
            let Some(ids) = &mut self.ids else { break };
            match ids.as_mut().poll_next(context) {
                Poll::Ready(Some(session_id)) => {
                    let retrieval = self.retrieve(session_id);
                    self.calls.push(retrieval);
                }
                Poll::Ready(None) => self.ids = None,
                Poll::Pending => break,
            }
        }
        match self.calls.poll_next(context) {
            // More ids may come.
            Poll::Ready(None) if self.ids.is_some() => Poll::Pending,
            polled => polled,
        }
    }
}

impl Calls {
    fn len(&self) -> usize {
        match self {
            Self::AsTheyFinish(calls) => calls.len(),
            Self::InOrder(calls) => calls.len(),
        }
    }

    fn push(&mut self, retrieval: Retrieval) {
        match self {
            Self::AsTheyFinish(calls) => calls.push(retrieval),
            Self::InOrder(calls) => calls.push_back(retrieval),
        }
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Item>> {
        match self {
            Self::AsTheyFinish(calls) => calls.poll_next_unpin(context),
            Self::InOrder(calls) => calls.poll_next_unpin(context),
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
