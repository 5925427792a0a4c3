use std::fmt;
use std::time::Duration;

use didit_core::{Application, SessionId, SharedStore as _, StoreError};

use crate::store::{RedisStore, microseconds};

/// A list of sessions that several machines divide among them, each with an output of its own.
///
/// Every machine goes through the same list. For each session it
///
/// 1. [claims](Self::claim) it under a lease, and does the work,
/// 2. [commits](Self::commit) to write the result,
/// 3. writes it, and
/// 4. says that it is [written](Self::written).
///
/// What a machine that died had claimed goes to others when its lease ends. What it had committed is
/// its own for good: it may be in its output or not, which only that machine can tell. Others see it
/// as [`Unconfirmed`](Claim::Unconfirmed) when the lease has ended, and neither lose nor repeat it.
/// When the machine is started again with the same owner's name, it first says what is in its output;
/// for the rest `claim` says [`Done`](Claim::Done), and it does and writes that.
///
/// So each session is in one output exactly once, as long as Redis keeps the list, which it does for
/// a week after the last request. Redis holds hashes of the sessions' ids that are keyed with the
/// client secret.
#[derive(Debug)]
pub struct WorkList {
    store: RedisStore,
    job: String,
    owner: String,
    lease: Duration,
    /// The name that the list had when this process first asked; empty before.
    epoch: String,
}

/// The holder of a session of a [`WorkList`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This owner works on it now, for the time of the lease.
    Claimed,
    /// Another owner works on it: ask again when its lease may have ended.
    ClaimedElsewhere,
    /// Another owner has it in its output.
    DoneElsewhere,
    /// Another owner has committed it, and did not say within its lease that it is written.
    Unconfirmed,
    /// This owner has committed it.
    Done,
}

/// The reason a [`WorkList`] did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WorkListError {
    /// Redis could not be reached or did not answer. Ask again.
    Store(StoreError),
    /// Redis has lost the list since this [`WorkList`] first asked. Make a new one, and say first
    /// what is [written](WorkList::written); other owners have to do the same.
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
    /// Opens the list of that job. Machines with the same application and `job` divide it; each
    /// needs an `owner` name of its own, which it keeps when it is started again.
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

    /// Sets how long a claim lasts unless it is claimed again. Default: 60 s.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Claims the sessions that nobody has, renews the leases of those that this owner has, and
    /// returns who has each.
    ///
    /// # Errors
    /// Redis gave no answer.
    pub fn claim(&mut self, ids: &[SessionId]) -> Result<Vec<Claim>, WorkListError> {
        self.ask("claim", ids)
    }

    /// Makes sessions that this owner has claimed its own for good, and returns for each whether
    /// it may be written. Where that is not so, the lease had ended and another owner took it.
    ///
    /// # Errors
    /// Redis gave no answer; write nothing and ask again.
    pub fn commit(&mut self, ids: &[SessionId]) -> Result<Vec<bool>, WorkListError> {
        let states = self.ask("commit", ids)?;
        Ok(states.into_iter().map(|it| matches!(it, Claim::Claimed | Claim::Done)).collect())
    }

    /// Says that sessions are in this owner's output, whoever has claimed them, and returns for each
    /// whether it is there alone. Where that is not so, another owner has committed it: Redis had
    /// lost the list.
    ///
    /// # Errors
    /// Redis gave no answer; ask again.
    pub fn written(&mut self, ids: &[SessionId]) -> Result<Vec<bool>, WorkListError> {
        Ok(self.ask("written", ids)?.into_iter().map(|it| it == Claim::Done).collect())
    }

    /// Gives back sessions that this owner has claimed or committed, and not written.
    ///
    /// # Errors
    /// Redis gave no answer; what was claimed goes to others when its lease ends.
    pub fn release(&mut self, ids: &[SessionId]) -> Result<(), WorkListError> {
        self.ask("release", ids).map(drop)
    }

    fn ask(&mut self, asks: &str, ids: &[SessionId]) -> Result<Vec<Claim>, WorkListError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys = self.store.keys();
        let job = keys.mark(&self.job);
        let mut command = redis::cmd("EVAL");
        command.arg(SCRIPT).arg(4);
        for of in ["done", "owners", "leases", "epoch"] {
            command.arg(keys.name(&format!("work:{job}:{of}")));
        }
        command.arg(asks).arg(keys.mark(&self.owner)).arg(microseconds(self.lease));
        command.arg(&self.epoch).arg(keys.process());
        for id in ids {
            command.arg(keys.mark(id.as_str()));
        }
        let mut pipeline = redis::Pipeline::new();
        pipeline.add_command(command);
        let returned = self.store.query(&pipeline).map_err(WorkListError::Store)?.pop();
        let returned =
            returned.and_then(|it| redis::from_redis_value::<(String, Vec<u8>)>(it).ok());
        let (epoch, states) =
            returned.ok_or_else(|| WorkListError::Store(self.store.unexpected()))?;
        if !self.epoch.is_empty() && epoch != self.epoch {
            let place = self.store.address();
            let lost = StoreError::new(format!("Redis at {place} has lost the list of the job"));
            return Err(WorkListError::Forgotten(lost));
        }
        if states.len() != ids.len() {
            return Err(WorkListError::Store(self.store.unexpected()));
        }
        self.epoch = epoch;
        let claims = states.into_iter().map(|state| match state {
            0 => Claim::Claimed,
            1 => Claim::ClaimedElsewhere,
            2 => Claim::DoneElsewhere,
            3 => Claim::Done,
            _ => Claim::Unconfirmed,
        });
        Ok(claims.collect())
    }
}
