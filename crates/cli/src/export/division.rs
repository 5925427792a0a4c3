//! This machine's share of a list that several machines divide.
//!
//! As [`WorkList`] requires, an id is claimed before it is requested, committed before its result
//! is written, and confirmed afterwards. If the process is killed between commit and write, the id
//! belongs to this machine but is not in its files: the next start claims it as [`Claim::Done`],
//! and requests it again. A kill may also come between write and confirmation, so each start
//! confirms the ids in the files.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use didit_blocking_adapter::core::SessionId;
use didit_redis_adapter::{Claim, WorkList, WorkListError};

use super::id_set::IdSet;
use super::input::Input;
use super::ledger::Ledger;
use super::stop::{self, RESUME_HINT};
use crate::duration::precise;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::workers::Outcome;

/// The pause before claiming an id again that another machine is working on.
const RECLAIM_DELAY: Duration = Duration::from_millis(500);
/// The pause after a request to which Redis did not respond.
const RETRY: Duration = Duration::from_millis(500);
/// The number of ids confirmed at once.
const BATCH: usize = 1000;

/// The next session to start, or the reason there is none.
pub(super) enum Supply {
    Session(SessionId),
    /// More may be available immediately.
    More,
    /// More may be available after a pause.
    Later,
    End,
}

pub(crate) struct Division {
    list: WorkList,
    lease: Duration,
    /// The maximum time without a response from Redis.
    max_silence: Duration,
    /// The number of ids claimed at once.
    batch: usize,
    claimed: VecDeque<SessionId>,
    elsewhere: VecDeque<Elsewhere>,
    /// Results that are not yet committed.
    results: Vec<Outcome>,
    /// Ids that are written but not yet confirmed.
    written: Vec<SessionId>,
    /// All ids that are claimed or committed, but not yet confirmed.
    held: HashSet<SessionId>,
    renewed: Instant,
    silent_since: Option<Instant>,
    next_try: Instant,
}

/// An id that another machine holds, and the time to claim it again.
struct Elsewhere {
    id: SessionId,
    at: Instant,
    unconfirmed: bool,
}

impl Division {
    pub(crate) fn new(
        list: WorkList,
        lease: Duration,
        max_silence: Duration,
        batch: usize,
    ) -> Self {
        let now = Instant::now();
        Self {
            list: list.with_lease(lease),
            lease,
            max_silence,
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

    /// Confirms the input's ids that are in the files, and returns the number of them that another
    /// machine has too.
    pub(crate) fn confirm_files(&mut self, input: &mut Input, ids: &IdSet) -> Result<u64, Failure> {
        let (mut duplicates, mut batch) = (0, Vec::new());
        let mut confirm = |batch: &mut Vec<SessionId>| {
            let alone =
                self.list.written(batch).map_err(|error| Failure::new(Exit::Unreachable, error))?;
            batch.clear();
            Ok::<_, Failure>(alone.into_iter().filter(|alone| !alone).count() as u64)
        };
        for id in input.by_ref() {
            let id = id?;
            if ids.is_settled(id.as_str()) {
                batch.push(id);
            }
            if batch.len() == BATCH {
                duplicates += confirm(&mut batch)?;
            }
        }
        duplicates += confirm(&mut batch)?;
        input.rewind()?;
        Ok(duplicates)
    }

    /// Returns the next claimed id, and claims more when none is left.
    pub(super) fn next(&mut self, ledger: &mut Ledger) -> Result<Supply, Failure> {
        if let Some(id) = self.claimed.pop_front() {
            return Ok(Supply::Session(id));
        }
        let now = Instant::now();
        if self.is_waiting(now) {
            return Ok(Supply::Later);
        }
        let due =
            self.elsewhere.iter().take(self.batch).take_while(|entry| entry.at <= now).count();
        let mut ids: Vec<_> = self.elsewhere.drain(..due).map(|entry| entry.id).collect();
        ids.extend(ledger.by_ref().take(self.batch - due));
        if ids.is_empty() {
            return Ok(if self.elsewhere.is_empty() { Supply::End } else { Supply::Later });
        }
        let claims = self.list.claim(&ids);
        let Some(claims) = self.response(claims)? else {
            for id in ids.into_iter().rev() {
                self.elsewhere.push_front(Elsewhere { id, at: now, unconfirmed: false });
            }
            return Ok(Supply::Later);
        };
        for (id, claim) in ids.into_iter().zip(claims) {
            match claim {
                Claim::Claimed | Claim::Done => {
                    self.held.insert(id.clone());
                    self.claimed.push_back(id);
                }
                Claim::DoneElsewhere => ledger.settle_elsewhere(&id),
                Claim::ClaimedElsewhere | Claim::Unconfirmed => {
                    self.reclaim_later(id, claim == Claim::Unconfirmed);
                }
            }
        }
        Ok(self.claimed.pop_front().map_or(Supply::More, Supply::Session))
    }

    /// Commits results, and returns those to write now.
    pub(super) fn commit(&mut self, arrived: Vec<Outcome>) -> Result<Vec<Outcome>, Failure> {
        let is_written = |outcome: &Outcome| match &outcome.result {
            None => false,
            Some(Ok(_)) => true,
            Some(Err(error)) => stop::stops_share(error).is_none(),
        };
        let (results, others): (Vec<_>, Vec<_>) = arrived.into_iter().partition(is_written);
        self.results.extend(results);
        if self.results.is_empty() || self.is_waiting(Instant::now()) {
            return Ok(others);
        }
        let ids: Vec<_> = self.results.iter().map(|outcome| outcome.session_id.clone()).collect();
        let allowed = self.list.commit(&ids);
        let Some(allowed) = self.response(allowed)? else { return Ok(others) };
        let mut ready = others;
        for (outcome, allowed) in std::mem::take(&mut self.results).into_iter().zip(allowed) {
            if allowed {
                ready.push(outcome);
            } else {
                // The lease expired, and another machine took over the id.
                self.held.remove(&outcome.session_id);
                self.reclaim_later(outcome.session_id, false);
            }
        }
        Ok(ready)
    }

    /// Records that an id is in the files.
    pub(super) fn wrote(&mut self, id: &SessionId) {
        self.written.push(id.clone());
    }

    /// Confirms the written ids, and renews the leases when due.
    pub(super) fn confirm_and_renew(&mut self) -> Result<(), Failure> {
        if self.is_waiting(Instant::now()) {
            return Ok(());
        }
        if !self.written.is_empty() {
            let confirmed = self.list.written(&self.written);
            if self.response(confirmed)?.is_some() {
                for id in self.written.drain(..) {
                    self.held.remove(&id);
                }
            }
        }
        if self.renewed.elapsed() > self.lease / 3 && !self.held.is_empty() {
            let held: Vec<_> = self.held.iter().cloned().collect();
            // A lost lease is noticed at the commit.
            let renewed = self.list.claim(&held);
            if self.response(renewed)?.is_some() {
                self.renewed = Instant::now();
            }
        }
        Ok(())
    }

    /// Returns true if all results are written and confirmed.
    pub(super) fn is_up_to_date(&self) -> bool {
        self.results.is_empty() && self.written.is_empty()
    }

    /// Returns a failure if all remaining ids may have been written by other machines before they
    /// were killed.
    pub(super) fn unconfirmed(&self) -> Option<Failure> {
        let sessions = self.elsewhere.len();
        let stuck = sessions > 0 && self.elsewhere.iter().all(|entry| entry.unconfirmed);
        stuck.then(|| {
            Failure::other(format!(
                "{sessions} {} may be in the files of a machine that was killed; run the export there \
                 again, then here",
                if sessions == 1 { "session" } else { "sessions" }
            ))
        })
    }

    /// Returns true if Redis did not respond to the last request.
    pub(super) fn is_silent(&self) -> bool {
        self.silent_since.is_some()
    }

    /// Releases the ids that are not written, for other machines to claim.
    pub(super) fn release(&mut self) {
        let written: HashSet<_> = self.written.drain(..).collect();
        let held: Vec<_> = self.held.drain().filter(|id| !written.contains(id)).collect();
        // If this fails, others can claim them when their lease expires.
        let _ = self.list.release(&held);
    }

    fn reclaim_later(&mut self, id: SessionId, unconfirmed: bool) {
        self.elsewhere.push_back(Elsewhere { id, at: Instant::now() + RECLAIM_DELAY, unconfirmed });
    }

    /// Returns true during the pause after a missing response.
    fn is_waiting(&self, now: Instant) -> bool {
        self.next_try > now
    }

    /// Returns the response of Redis, or `None` if there was none and the request is to be retried.
    ///
    /// # Errors
    /// Redis has not responded for too long, or has lost the list.
    fn response<T>(&mut self, response: Result<T, WorkListError>) -> Result<Option<T>, Failure> {
        match response {
            Ok(response) => {
                self.silent_since = None;
                Ok(Some(response))
            }
            Err(WorkListError::Store(error)) => {
                let now = Instant::now();
                let since = *self.silent_since.get_or_insert(now);
                self.next_try = now + RETRY;
                if now.duration_since(since) < self.max_silence {
                    return Ok(None);
                }
                let max_silence = precise(self.max_silence);
                Err(Failure::new(
                    Exit::Unreachable,
                    format!("{error} (no response for {max_silence}); {RESUME_HINT}"),
                ))
            }
            Err(error) => Err(Failure::other(format!(
                "{error}; run the same command again on every machine, so that each reports what it \
                 exported"
            ))),
        }
    }
}
