//! A list of sessions that several machines share, as calls of `work_list.lua`.

use std::fmt;
use std::time::Duration;

use didit_core::{Application, SessionId, SharedStore as _, StoreError};

use crate::store::{RedisStore, microseconds};

/// A list of sessions that several machines share, each with its own output.
///
/// Every machine goes through the same list. For each session it
///
/// 1. [claims](Self::claim) it under a lease, and does the work,
/// 2. [commits](Self::commit) to write the result,
/// 3. writes it, and
/// 4. confirms that it is [written](Self::written).
///
/// If a machine dies, its claims go to others when their leases end. Its commits remain its own,
/// since only that machine can tell whether they are in its output. Others see them as
/// [`Unconfirmed`](Claim::Unconfirmed) after the lease, and neither lose nor repeat them. When the
/// machine is started again with the same owner name, it first confirms the sessions in its output;
/// for its other commits `claim` returns [`Done`](Claim::Done), and it does their work and writes
/// them.
///
/// Each session is therefore in one output exactly once, as long as Redis keeps the list, which it
/// does for a week after the last request. Redis holds hashes of the session ids, keyed with the
/// client secret.
#[derive(Debug)]
pub struct WorkList {
    store: RedisStore,
    job: String,
    owner: String,
    lease: Duration,
    /// The identity of the list at the first request of this process; empty before.
    epoch: String,
}

/// The state of a session of a [`WorkList`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This owner has claimed it, until the lease ends.
    Claimed,
    /// Another owner has claimed it: claim it again when that lease may have ended.
    ClaimedElsewhere,
    /// Another owner has it in its output.
    DoneElsewhere,
    /// Another owner has committed it, and did not confirm within its lease that it is written.
    Unconfirmed,
    /// This owner has committed it.
    Done,
}

/// The error of a request to a [`WorkList`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WorkListError {
    /// Redis could not be reached or did not respond. Retry the request.
    Store(StoreError),
    /// Redis has lost the list since the first request of this [`WorkList`]. Create a new one, and
    /// first confirm what is [written](WorkList::written); other owners have to do the same.
    Forgotten(StoreError),
}

impl fmt::Display for WorkListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Store(error) | Self::Forgotten(error)) = self;
        error.fmt(f)
    }
}

impl std::error::Error for WorkListError {}

const SCRIPT: &str = include_str!("work_list.lua");

impl WorkList {
    /// Opens the list of a job. Machines with the same application and `job` share it; each needs
    /// its own `owner` name, which it keeps across restarts.
    pub fn new(
        mut store: RedisStore,
        application: &Application<'_>,
        job: &str,
        owner: &str,
    ) -> Self {
        store.open(application);
        let lease = Duration::from_secs(60);
        let (job, owner) = (job.to_owned(), owner.to_owned());
        Self { store, job, owner, lease, epoch: String::new() }
    }

    /// Sets the duration of a claim, unless it is renewed. Default: 60 s.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Claims the sessions without an owner, renews the leases of this owner's sessions, and
    /// returns the state of each.
    ///
    /// # Errors
    /// See [`WorkListError`].
    pub fn claim(&mut self, ids: &[SessionId]) -> Result<Vec<Claim>, WorkListError> {
        self.request("claim", ids)
    }

    /// Commits sessions that this owner has claimed, and returns for each whether it may be
    /// written. It may not if the lease has ended and another owner has claimed the session.
    ///
    /// # Errors
    /// See [`WorkListError`]. Write nothing then.
    pub fn commit(&mut self, ids: &[SessionId]) -> Result<Vec<bool>, WorkListError> {
        let states = self.request("commit", ids)?;
        Ok(states.into_iter().map(|claim| matches!(claim, Claim::Claimed | Claim::Done)).collect())
    }

    /// Confirms that sessions are in this owner's output, even if others have claimed them, and
    /// returns for each whether it is in no other output. If it may be, Redis had lost the list and
    /// another owner has committed the session.
    ///
    /// # Errors
    /// See [`WorkListError`].
    pub fn written(&mut self, ids: &[SessionId]) -> Result<Vec<bool>, WorkListError> {
        Ok(self.request("written", ids)?.into_iter().map(|claim| claim == Claim::Done).collect())
    }

    /// Releases sessions that this owner has claimed or committed, but not written.
    ///
    /// # Errors
    /// See [`WorkListError`]. Claims then go to others when their leases end.
    pub fn release(&mut self, ids: &[SessionId]) -> Result<(), WorkListError> {
        self.request("release", ids).map(drop)
    }

    fn request(&mut self, operation: &str, ids: &[SessionId]) -> Result<Vec<Claim>, WorkListError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys = self.store.keys();
        let job = keys.mark(&self.job);
        let mut command = redis::cmd("EVAL");
        command.arg(SCRIPT).arg(4);
        for suffix in ["done", "owners", "leases", "epoch"] {
            command.arg(keys.name(&format!("work:{job}:{suffix}")));
        }
        command.arg(operation).arg(keys.mark(&self.owner)).arg(microseconds(self.lease));
        command.arg(&self.epoch).arg(keys.process());
        for id in ids {
            command.arg(keys.mark(id.as_str()));
        }
        let returned = self.store.run(command).map_err(WorkListError::Store)?;
        let (epoch, states): (String, Vec<u8>) = redis::from_redis_value(returned)
            .map_err(|_| WorkListError::Store(self.store.unexpected()))?;
        if !self.epoch.is_empty() && epoch != self.epoch {
            let place = self.store.address();
            let lost = StoreError::new(format!("Redis at {place} has lost the list of the job"));
            return Err(WorkListError::Forgotten(lost));
        }
        if states.len() != ids.len() {
            return Err(WorkListError::Store(self.store.unexpected()));
        }
        self.epoch = epoch;
        let claims = states.into_iter().map(|state| {
            Some(match state {
                0 => Claim::Claimed,
                1 => Claim::ClaimedElsewhere,
                2 => Claim::DoneElsewhere,
                3 => Claim::Done,
                4 => Claim::Unconfirmed,
                _ => return None,
            })
        });
        claims.collect::<Option<_>>().ok_or_else(|| WorkListError::Store(self.store.unexpected()))
    }
}
