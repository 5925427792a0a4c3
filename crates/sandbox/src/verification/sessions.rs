//! All verification sessions, and what becomes of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::time::Duration;

use super::decision;
use super::session::{Creation, Session};
use super::status;
use crate::random::{unguessable, url_safe};
use crate::store::{Record, Store};
use crate::webhook::{Outbox, WebhookFault};

pub(crate) struct Sessions {
    /// The sandbox's base URL, below which the hosted flows are.
    base: String,
    lifetime: Duration,
    store: Store,
    created: BTreeMap<u64, Session>,
    by_id: HashMap<String, u64>,
    by_token: HashMap<String, u64>,
    last: u64,
    deleted: HashSet<String>,
    /// Of sessions that were not created here.
    statuses: HashMap<String, String>,
    pub(crate) decisions: HashMap<String, String>,
    pub(crate) missing: HashSet<String>,
    pub(crate) outbox: Outbox,
}

/// The meaning of an id.
pub(crate) enum Known<'a> {
    Created(&'a Session),
    /// Never created here: what the sandbox says of it, unless it is strict.
    Sample {
        status: Option<&'a str>,
    },
    Deleted,
    Unknown,
}

impl Sessions {
    pub(crate) fn new(base: String, lifetime: Duration, store: Store) -> Self {
        Self {
            base,
            lifetime,
            store,
            created: BTreeMap::new(),
            by_id: HashMap::new(),
            by_token: HashMap::new(),
            last: 0,
            deleted: HashSet::new(),
            statuses: HashMap::new(),
            decisions: HashMap::new(),
            missing: HashSet::new(),
            outbox: Outbox::default(),
        }
    }

    /// The session that the service would return again: of the same vendor data and workflow, and
    /// unfinished.
    pub(crate) fn unfinished(&self, application: &str, given: &Creation) -> Option<Session> {
        let same = |session: &&Session| {
            session.application == application
                && session.given.workflow_id == given.workflow_id
                && session.given.vendor_data == given.vendor_data
                && status::is_unfinished(&session.status)
        };
        given.vendor_data.as_ref().and_then(|_| self.created().find(same)).cloned()
    }

    /// Creates a session, or replaces the callback and the metadata of that one.
    pub(crate) fn create(
        &mut self,
        application: &str,
        given: Creation,
        again: Option<Session>,
        now: Duration,
    ) -> io::Result<Session> {
        let session = match again {
            Some(mut session) => {
                session.given.callback = given.callback;
                session.given.metadata = given.metadata;
                session
            }
            None => Session {
                number: self.last + 1,
                application: application.to_owned(),
                id: format!("00000000-0000-4000-9000-{:012}", self.last + 1),
                token: url_safe()?,
                form_token: unguessable()?,
                given,
                status: status::NOT_STARTED.to_owned(),
                created_at: now,
                expires_at: now.saturating_add(self.lifetime),
                reviews: Vec::new(),
                nodes_to_resubmit: Vec::new(),
            },
        };
        self.put(session.clone())?;
        Ok(session)
    }

    /// The sessions that were created and not deleted, newest first.
    pub(crate) fn created(&self) -> impl DoubleEndedIterator<Item = &Session> {
        self.created.values().rev().filter(|session| !self.missing.contains(&session.id))
    }

    pub(crate) fn by_token(&self, token: &str) -> Option<&Session> {
        let session = self.created.get(self.by_token.get(token)?)?;
        (!self.missing.contains(&session.id)).then_some(session)
    }

    pub(crate) fn known(&self, id: &str, strict: bool) -> Known<'_> {
        if self.missing.contains(id) {
            Known::Unknown
        } else if self.deleted.contains(id) {
            Known::Deleted
        } else if let Some(session) = self.by_id.get(id).and_then(|number| self.created.get(number))
        {
            Known::Created(session)
        } else if strict && !self.statuses.contains_key(id) && !self.decisions.contains_key(id) {
            Known::Unknown
        } else {
            Known::Sample { status: self.statuses.get(id).map(String::as_str) }
        }
    }

    /// Gives a session a status, created or not. A created one tells its webhooks of a new status.
    pub(crate) fn set_status(&mut self, id: &str, status: &str, now: Duration) -> io::Result<()> {
        match self.by_id.get(id).and_then(|number| self.created.get(number)).cloned() {
            Some(session) => self.change(Session { status: status.to_owned(), ..session }, now),
            None => {
                self.statuses.insert(id.to_owned(), status.to_owned());
                Ok(())
            }
        }
    }

    /// Saves a session, and tells its webhooks if the status is another one. A session that waits
    /// for its user again gets new time.
    pub(crate) fn change(&mut self, mut session: Session, now: Duration) -> io::Result<()> {
        let before = self.created.get(&session.number).map(|session| session.status.clone());
        let was_finished = before.as_deref().is_some_and(|before| !status::is_unfinished(before));
        if was_finished && status::is_unfinished(&session.status) {
            session.expires_at = now.saturating_add(self.lifetime);
        }
        self.put(session.clone())?;
        if before.as_ref() != Some(&session.status) {
            self.tell(&session, None, now);
        }
        Ok(())
    }

    /// Sends the webhook of a session's present status, with this fault or else the next one of the
    /// script.
    pub(crate) fn tell(&mut self, session: &Session, fault: Option<WebhookFault>, now: Duration) {
        let decision = status::tells_decision(&session.status)
            .then(|| decision::of_session(session, &self.base));
        self.outbox.push(session, decision, fault, now);
    }

    /// Ends the sessions whose time is over.
    pub(crate) fn expire(&mut self, now: Duration) -> io::Result<()> {
        let overdue: Vec<Session> = self
            .created
            .values()
            .filter_map(|session| {
                let status = session.overdue(now)?.to_owned();
                Some(Session { status, ..session.clone() })
            })
            .collect();
        overdue.into_iter().try_for_each(|session| self.change(session, now))
    }

    pub(crate) fn delete(&mut self, id: &str) -> io::Result<()> {
        self.store.save(&Record::VerificationDeleted { id: id.to_owned() })?;
        self.forget(id);
        Ok(())
    }

    fn put(&mut self, session: Session) -> io::Result<()> {
        self.store.save(&Record::Verification(Box::new(session.clone())))?;
        self.restore(session);
        Ok(())
    }

    /// Lists a session as it was kept.
    pub(crate) fn restore(&mut self, session: Session) {
        self.last = self.last.max(session.number);
        self.by_id.insert(session.id.clone(), session.number);
        self.by_token.insert(session.token.clone(), session.number);
        self.created.insert(session.number, session);
    }

    /// Drops what is known of a session that was deleted.
    pub(crate) fn forget(&mut self, id: &str) {
        if let Some(session) = self.by_id.remove(id).and_then(|number| self.created.remove(&number))
        {
            self.by_token.remove(&session.token);
        }
        self.deleted.insert(id.to_owned());
    }
}
