mod pool;
mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use didit_core::data_transfer::{Decision, RetrieveDecision};
use didit_core::{Call, SessionId, WaitReason};

use self::pool::Pool;
use self::watch::{Watch, Watched};
use crate::{Client, Error, report};

/// The decisions of many sessions; made by [`Client::decisions`].
///
/// Each step hands out as many sessions as there are threads without one, so no more ids are taken
/// than are worked on, and nothing is sent before the first step. Dropping it ends the work: calls
/// that wait are given up, a request that was sent is left to end by itself.
///
/// # Panics
/// If a call panics (a subscriber of its log might), so does the step that would have yielded it.
#[must_use = "nothing is retrieved before the iterator is asked"]
pub struct Decisions<I> {
    client: Client,
    /// `None` once they have come to an end.
    ids: Option<I>,
    concurrency: usize,
    in_order: bool,
    watch: Arc<Watch>,
    pool: Option<Pool<Job, Outcome>>,
    /// How many ids were handed out; the place of the next one.
    given: u64,
    /// In order, the place of the one to be yielded next, and those that came before their turn.
    next: u64,
    early: BTreeMap<u64, Option<Item>>,
}

/// A session and what became of it.
type Item = (SessionId, Result<Decision, Error>);

type Job = (u64, SessionId);

/// Without an item if it was given up.
type Outcome = (u64, Option<Item>);

/// How many sessions are worked on at once if nothing else is said.
const CONCURRENCY: usize = 16;

impl<I: Iterator<Item = SessionId>> Decisions<I> {
    pub(crate) fn new(client: Client, ids: I) -> Self {
        Self {
            client,
            ids: Some(ids),
            concurrency: CONCURRENCY,
            in_order: false,
            watch: Arc::default(),
            pool: None,
            given: 0,
            next: 0,
            early: BTreeMap::new(),
        }
    }

    /// How many sessions are worked on at once, each on a thread of its own; at least one.
    /// Default: 16. It counts from the first step on.
    pub fn concurrency(mut self, threads: usize) -> Self {
        self.concurrency = threads.max(1);
        self
    }

    /// Yields them in the order of the ids. One that takes long then holds up those behind it.
    pub fn in_order(mut self) -> Self {
        self.in_order = true;
        self
    }

    /// The next one if it comes within `patience`; pending if not, and `None` at the end.
    pub fn next_within(
        &mut self,
        patience: Duration,
    ) -> Poll<Option<(SessionId, Result<Decision, Error>)>> {
        self.step(Some(patience))
    }

    /// Takes no more ids, gives up the calls that wait, and retries nothing. The iterator goes on
    /// to yield what is in flight; an id that was given up is not yielded.
    pub fn finish(&mut self) {
        self.ids = None;
        self.stop();
    }

    /// What all calls that are under way wait for, and how long until the first of them goes on.
    pub fn waiting(&self) -> Option<(WaitReason, Duration)> {
        let (until, reason) = self.watch.waiting()?;
        Some((reason, until.since(self.client.shared.now())))
    }

    fn step(&mut self, patience: Option<Duration>) -> Poll<Option<Item>> {
        let until = patience.and_then(|patience| Instant::now().checked_add(patience));
        loop {
            self.hand_out();
            if let Some(item) = self.early.remove(&self.next) {
                self.next += 1;
                match item {
                    Some(item) => return Poll::Ready(Some(item)),
                    None => continue,
                }
            }
            let Some(pool) = self.pool.as_mut().filter(|pool| pool.pending() > 0) else {
                return Poll::Ready(None);
            };
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            match pool.take(left) {
                None => return Poll::Pending,
                Some((place, item)) if self.in_order => drop(self.early.insert(place, item)),
                Some((_, Some(item))) => return Poll::Ready(Some(item)),
                Some((_, None)) => {}
            }
        }
    }

    /// Gives every thread that has none an id, while there are any.
    fn hand_out(&mut self) {
        let Some(ids) = &mut self.ids else { return };
        let pool = self.pool.get_or_insert_with(|| {
            let (client, watch) = (self.client.clone(), Arc::clone(&self.watch));
            Pool::new(self.concurrency, move |job| retrieve(&client, &watch, job))
        });
        // Those that wait for their turn count as well, or they would pile up.
        while pool.has_room() && pool.pending() + self.early.len() < self.concurrency {
            match ids.next() {
                Some(id) => {
                    pool.give((self.given, id));
                    self.given += 1;
                }
                None => {
                    self.ids = None;
                    return;
                }
            }
        }
    }
}

fn retrieve(client: &Client, watch: &Arc<Watch>, (place, session_id): Job) -> Outcome {
    if watch.is_stopped() {
        return (place, None);
    }
    let _span = report::enter(&session_id);
    let call = Call::new(RetrieveDecision::new(session_id.clone())).deadline_from_first_send();
    let result = client.run(Watched::new(call, place, Arc::clone(watch))).transpose();
    (place, result.map(|result| (session_id, result)))
}

impl<I: Iterator<Item = SessionId>> Iterator for Decisions<I> {
    type Item = (SessionId, Result<Decision, Error>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Poll::Ready(item) = self.step(None) {
                return item;
            }
        }
    }
}

impl<I: Iterator<Item = SessionId>> FusedIterator for Decisions<I> {}

impl<I> Decisions<I> {
    fn stop(&self) {
        self.watch.stop();
        // Under the lock, so that a call between its look at the flag and its wait is not missed.
        let engine = self.client.shared.lock();
        self.client.shared.woken.notify_all();
        drop(engine);
    }
}

impl<I> Drop for Decisions<I> {
    fn drop(&mut self) {
        self.stop();
    }
}

impl<I> fmt::Debug for Decisions<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decisions")
            .field("concurrency", &self.concurrency)
            .field("in_order", &self.in_order)
            .field("given", &self.given)
            .finish_non_exhaustive()
    }
}
