//! This machine's part of a list that several machines divide.
//!
//! As a [`WorkList`] demands, an id is claimed before it is asked for, and committed before its result
//! is written; then it is confirmed. A kill between the commit and the write leaves an id that is this
//! machine's and not in its files: the next start is told so, and asks for it again. What the files
//! hold is confirmed at each start, for a kill may also come between the write and its confirmation.

use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use didit_blocking_adapter::core::SessionId;
use didit_redis_adapter::{Claim, WorkList, WorkListError};

use super::id_set::IdSet;
use super::input::Input;
use super::ledger::{Ledger, PendingIds};
use super::stop::{self, RESUME_HINT};
use super::workers::Outcome;
use crate::duration::precise;
use crate::failure::Failure;

/// The pause before asking again about an id that another machine works on.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// The pause after Redis did not answer.
const RETRY: Duration = Duration::from_millis(500);
/// Number of ids confirmed at once.
const BATCH: usize = 1000;

/// The next sessions to start.
pub(super) enum Supply {
    Session(SessionId),
    /// There may be more at once.
    More,
    /// There may be more in a moment.
    Later,
    End,
}

pub(crate) struct Division {
    list: WorkList,
    lease: Duration,
    /// The longest time for which Redis may be silent.
    patience: Duration,
    /// Number of ids claimed at once.
    batch: usize,
    claimed: VecDeque<SessionId>,
    elsewhere: VecDeque<Elsewhere>,
    /// Results that are not committed.
    results: Vec<Outcome>,
    /// Ids that are written and not confirmed.
    written: Vec<SessionId>,
    /// All ids that are claimed or committed, and not confirmed.
    held: HashSet<SessionId>,
    renewed: Instant,
    silent_since: Option<Instant>,
    next_try: Instant,
}

/// An id that another machine has, and when to ask about it again.
struct Elsewhere {
    id: SessionId,
    at: Instant,
    unconfirmed: bool,
}

impl Division {
    pub(crate) fn new(list: WorkList, lease: Duration, patience: Duration, batch: usize) -> Self {
        let now = Instant::now();
        Self {
            list: list.with_lease(lease),
            lease,
            patience,
            batch,
            claimed: VecDeque::new(),
            elsewhere: VecDeque::new(),
            results: Vec::new(),
            written: Vec::new(),
            held: HashSet::new(),
            renewed: now,
            silent_since: None,
            next_try: now,
        }
    }

    /// Confirms what the files hold of the input, and returns how many ids of them another machine
    /// has as well.
    pub(crate) fn confirm_files(&mut self, input: &mut Input, ids: &IdSet) -> Result<u64, Failure> {
        let (mut twice, mut batch) = (0, Vec::new());
        let mut confirm = |batch: &mut Vec<SessionId>| {
            let alone = self.list.written(batch).map_err(Failure::unreachable)?;
            batch.clear();
            Ok::<_, Failure>(alone.into_iter().filter(|alone| !alone).count() as u64)
        };
        for id in input.by_ref() {
            let id = id?;
            if ids.is_settled(id.as_str()) {
                batch.push(id);
            }
            if batch.len() == BATCH {
                twice += confirm(&mut batch)?;
            }
        }
        twice += confirm(&mut batch)?;
        input.rewind()?;
        Ok(twice)
    }

    /// Returns the next id that this machine has claimed, and claims more when there is none left.
    pub(super) fn next(
        &mut self,
        pending: &mut PendingIds<'_>,
        ledger: &RefCell<Ledger>,
    ) -> Result<Supply, Failure> {
        if let Some(id) = self.claimed.pop_front() {
            return Ok(Supply::Session(id));
        }
        let now = Instant::now();
        if self.is_waiting(now) {
            return Ok(Supply::Later);
        }
        let due = self.elsewhere.iter().take(self.batch).take_while(|it| it.at <= now).count();
        let mut asked: Vec<_> = self.elsewhere.drain(..due).map(|it| it.id).collect();
        asked.extend(pending.take(self.batch - due));
        if asked.is_empty() {
            return Ok(if self.elsewhere.is_empty() { Supply::End } else { Supply::Later });
        }
        let claims = self.list.claim(&asked);
        let Some(claims) = self.answer(claims)? else {
            for id in asked.into_iter().rev() {
                self.elsewhere.push_front(Elsewhere { id, at: now, unconfirmed: false });
            }
            return Ok(Supply::Later);
        };
        for (id, claim) in asked.into_iter().zip(claims) {
            match claim {
                Claim::Claimed | Claim::Done => {
                    self.held.insert(id.clone());
                    self.claimed.push_back(id);
                }
                Claim::DoneElsewhere => ledger.borrow_mut().settle_elsewhere(&id),
                Claim::ClaimedElsewhere | Claim::Unconfirmed => {
                    self.ask_again(id, claim == Claim::Unconfirmed);
                }
            }
        }
        Ok(self.claimed.pop_front().map_or(Supply::More, Supply::Session))
    }

    /// Takes back an id that could not be started.
    pub(super) fn put_back(&mut self, id: SessionId) {
        self.claimed.push_front(id);
    }

    /// Commits results, and returns those that are to be written now.
    pub(super) fn commit(&mut self, arrived: Vec<Outcome>) -> Result<Vec<Outcome>, Failure> {
        let is_written = |outcome: &Outcome| match &outcome.result {
            None => false,
            Some(Ok(_)) => true,
            Some(Err(error)) => stop::stops_part(error).is_none(),
        };
        let (results, others): (Vec<_>, Vec<_>) = arrived.into_iter().partition(is_written);
        self.results.extend(results);
        if self.results.is_empty() || self.is_waiting(Instant::now()) {
            return Ok(others);
        }
        let ids: Vec<_> = self.results.iter().map(|outcome| outcome.session_id.clone()).collect();
        let allowed = self.list.commit(&ids);
        let Some(allowed) = self.answer(allowed)? else { return Ok(others) };
        let mut ready = others;
        for (outcome, allowed) in std::mem::take(&mut self.results).into_iter().zip(allowed) {
            if allowed {
                ready.push(outcome);
            } else {
                // The lease had ended, and another machine was faster.
                self.held.remove(&outcome.session_id);
                self.ask_again(outcome.session_id, false);
            }
        }
        Ok(ready)
    }

    /// Notes that an id is in the files.
    pub(super) fn wrote(&mut self, id: &SessionId) {
        self.written.push(id.clone());
    }

    /// Confirms what is written, and renews the leases now and then.
    pub(super) fn keep_up(&mut self) -> Result<(), Failure> {
        if self.is_waiting(Instant::now()) {
            return Ok(());
        }
        if !self.written.is_empty() {
            let confirmed = self.list.written(&self.written);
            if self.answer(confirmed)?.is_some() {
                for id in self.written.drain(..) {
                    self.held.remove(&id);
                }
            }
        }
        if self.renewed.elapsed() > self.lease / 3 && !self.held.is_empty() {
            let held: Vec<_> = self.held.iter().cloned().collect();
            // Who has lost one is told when it commits.
            let renewed = self.list.claim(&held);
            if self.answer(renewed)?.is_some() {
                self.renewed = Instant::now();
            }
        }
        Ok(())
    }

    /// Tells whether all results are written and confirmed.
    pub(super) fn is_up_to_date(&self) -> bool {
        self.results.is_empty() && self.written.is_empty()
    }

    /// Returns the failure that there is if nothing is left but what other machines may have written
    /// before they died.
    pub(super) fn unconfirmed(&self) -> Option<Failure> {
        let sessions = self.elsewhere.len();
        let dead = sessions > 0 && self.elsewhere.iter().all(|it| it.unconfirmed);
        dead.then(|| {
            Failure::other(format!(
                "sessions that another machine may have written when it was killed: {sessions}; run \
                 its command again there, and then this one"
            ))
        })
    }

    /// Tells whether Redis has not answered for a moment.
    pub(super) fn is_silent(&self) -> bool {
        self.silent_since.is_some()
    }

    /// Gives what is not written back to the others.
    pub(super) fn release(&mut self) {
        let written: HashSet<_> = self.written.drain(..).collect();
        let held: Vec<_> = self.held.drain().filter(|id| !written.contains(id)).collect();
        // If this fails, they go to others when their lease ends.
        let _ = self.list.release(&held);
    }

    fn ask_again(&mut self, id: SessionId, unconfirmed: bool) {
        self.elsewhere.push_back(Elsewhere { id, at: Instant::now() + ASK_AGAIN, unconfirmed });
    }

    /// Tells whether Redis did not answer just before.
    fn is_waiting(&self, now: Instant) -> bool {
        self.next_try > now
    }

    /// Returns an answer of Redis; `None` if there is none yet.
    ///
    /// # Errors
    /// Redis has been silent for too long, or has lost the list.
    fn answer<T>(&mut self, answer: Result<T, WorkListError>) -> Result<Option<T>, Failure> {
        match answer {
            Ok(answer) => {
                self.silent_since = None;
                Ok(Some(answer))
            }
            Err(WorkListError::Store(error)) => {
                let now = Instant::now();
                let since = *self.silent_since.get_or_insert(now);
                self.next_try = now + RETRY;
                if now.duration_since(since) < self.patience {
                    return Ok(None);
                }
                let patience = precise(self.patience);
                Err(Failure::unreachable(format!("{error}, for {patience} now; {RESUME_HINT}")))
            }
            Err(error) => Err(Failure::other(format!(
                "{error}; run the same command again on every machine, so that each tells what it \
                 has exported"
            ))),
        }
    }
}
