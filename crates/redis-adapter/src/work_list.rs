use std::time::Duration;

use didit_core::{Application, SessionId, SharedStore as _, StoreError};

use crate::store::{RedisStore, microseconds};

/// A list of sessions that several machines divide among them, each with an output of its own.
///
/// Every machine goes through the same list. It [claims](Self::claim) what it works on under a
/// lease, [commits](Self::commit) what it is about to write, and writes it. What a machine that
/// died had claimed goes to others when its lease ends; what it had committed is its own for good:
/// when it is started again with the same owner's name, `claim` says
/// [`Done`](Claim::Done), and it writes what its output lacks. So each session is in one output
/// exactly once, as long as Redis keeps the list, which it does for a week after the last request.
///
/// Redis holds hashes of the sessions' ids that are keyed with the client secret.
#[derive(Debug)]
pub struct WorkList {
    store: RedisStore,
    job: String,
    owner: String,
    lease: Duration,
}

/// Who has a session of a [`WorkList`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This owner works on it now, for the time of the lease.
    Claimed,
    /// Another owner works on it: ask again when its lease may have ended.
    ClaimedElsewhere,
    /// Another owner has committed it.
    DoneElsewhere,
    /// This owner has committed it.
    Done,
}

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
        Self { store, job: job.to_owned(), owner: owner.to_owned(), lease }
    }

    /// Sets how long a claim lasts unless it is claimed again. Default: 60 s.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Claims the sessions that nobody has, renews the claims of those that this owner has, and
    /// returns who has each.
    ///
    /// # Errors
    /// Redis cannot be reached; try again.
    pub fn claim(&mut self, ids: &[SessionId]) -> Result<Vec<Claim>, StoreError> {
        self.ask("claim", ids)
    }

    /// Makes sessions that this owner has claimed its own for good, and returns for each whether
    /// it may be written. Where that is not so, the lease had ended and another owner took it.
    ///
    /// # Errors
    /// Redis cannot be reached; write nothing and try again.
    pub fn commit(&mut self, ids: &[SessionId]) -> Result<Vec<bool>, StoreError> {
        let states = self.ask("commit", ids)?;
        Ok(states.into_iter().map(|it| matches!(it, Claim::Claimed | Claim::Done)).collect())
    }

    /// Gives claimed sessions back to the others.
    ///
    /// # Errors
    /// Redis cannot be reached; they go to others when their lease ends.
    pub fn release(&mut self, ids: &[SessionId]) -> Result<(), StoreError> {
        self.ask("release", ids).map(drop)
    }

    fn ask(&mut self, asks: &str, ids: &[SessionId]) -> Result<Vec<Claim>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys = self.store.keys();
        let job = keys.mark(&self.job);
        let mut command = redis::cmd("EVAL");
        command.arg(SCRIPT).arg(3);
        for of in ["done", "owners", "leases"] {
            command.arg(keys.name(&format!("work:{job}:{of}")));
        }
        command.arg(asks).arg(keys.mark(&self.owner)).arg(microseconds(self.lease));
        for id in ids {
            command.arg(keys.mark(id.as_str()));
        }
        let mut pipeline = redis::Pipeline::new();
        pipeline.add_command(command);
        let returned = self.store.query(&pipeline)?.pop();
        let states = returned.and_then(|it| redis::from_redis_value::<Vec<u8>>(it).ok());
        let states = states.filter(|states| states.len() == ids.len());
        let claims = states.into_iter().flatten().map(|state| match state {
            0 => Claim::Claimed,
            1 => Claim::ClaimedElsewhere,
            2 => Claim::DoneElsewhere,
            _ => Claim::Done,
        });
        let claims: Vec<_> = claims.collect();
        if claims.is_empty() { Err(self.store.unexpected()) } else { Ok(claims) }
    }
}
