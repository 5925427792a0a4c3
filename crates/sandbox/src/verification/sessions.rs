//! The verification sessions and their changes of status.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::time::Duration;

use super::decision;
use super::session::{Creation, Session};
use super::status;
use crate::random::{unguessable, url_safe};
use crate::state_file::{Record, Store};
use crate::webhook::{Outbox, WebhookFault};

/// The time that a session waits for its user. After that it is `Expired` if it was never started,
/// and `Abandoned` otherwise.
const LIFETIME: Duration = Duration::from_secs(7 * 86_400);

pub(crate) struct Sessions {
    /// The base URL of the hosted flows.
    base: String,
    store: Store,
    created: BTreeMap<u64, Session>,
    by_id: HashMap<String, u64>,
    by_token: HashMap<String, u64>,
    last: u64,
    pub(super) deleted: HashSet<String>,
    /// The statuses that tests have set for ids that were not created here.
    pub(super) statuses: HashMap<String, String>,
    pub(crate) decisions: HashMap<String, String>,
    pub(crate) missing: HashSet<String>,
    pub(crate) outbox: Outbox,
}

impl Sessions {
    pub(crate) fn new(base: String, store: Store) -> Self {
        Self {
            base,
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

    /// Returns the unfinished session with the same vendor data and workflow, which the service
    /// returns again instead of creating another one.
    pub(crate) fn unfinished(&self, application: &str, given: &Creation) -> Option<Session> {
        let same = |session: &&Session| {
            session.application == application
                && session.given.workflow_id.eq_ignore_ascii_case(&given.workflow_id)
                && session.given.vendor_data == given.vendor_data
                && status::is_unfinished(&session.status)
        };
        let is_blank = given.vendor_data.as_ref().is_none_or(|text| text.trim().is_empty());
        self.created().filter(|_| !is_blank).find(same).cloned()
    }

    /// Creates a session, or replaces the callback and the metadata of `again`.
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
                expires_at: now.saturating_add(LIFETIME),
                reviews: Vec::new(),
                nodes_to_resubmit: Vec::new(),
            },
        };
        self.put(session.clone())?;
        Ok(session)
    }

    /// Returns the sessions that were created and not deleted, newest first.
    pub(crate) fn created(&self) -> impl DoubleEndedIterator<Item = &Session> {
        self.created.values().rev().filter(|session| !self.missing.contains(&session.id))
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<&Session> {
        self.by_number(self.by_id.get(id))
    }

    pub(crate) fn by_token(&self, token: &str) -> Option<&Session> {
        self.by_number(self.by_token.get(token))
    }

    fn by_number(&self, number: Option<&u64>) -> Option<&Session> {
        self.created.get(number?).filter(|session| !self.missing.contains(&session.id))
    }

    /// Sets the status of a session, created or not. For a created one webhooks are sent.
    pub(crate) fn set_status(&mut self, id: &str, status: &str, now: Duration) -> io::Result<()> {
        match self.by_id.get(id).and_then(|number| self.created.get(number)).cloned() {
            Some(session) => self.change(Session { status: status.to_owned(), ..session }, now),
            None => {
                self.statuses.insert(id.to_owned(), status.to_owned());
                Ok(())
            }
        }
    }

    /// Saves a session, and sends webhooks if its status has changed. A finished session that becomes
    /// unfinished gets a new expiry time.
    pub(crate) fn change(&mut self, mut session: Session, now: Duration) -> io::Result<()> {
        let before = self.created.get(&session.number).map(|session| session.status.clone());
        let was_finished = before.as_deref().is_some_and(|before| !status::is_unfinished(before));
        if was_finished && status::is_unfinished(&session.status) {
            session.expires_at = now.saturating_add(LIFETIME);
        }
        self.put(session.clone())?;
        if before.as_ref() != Some(&session.status) {
            self.notify(&session, None, now);
        }
        Ok(())
    }

    /// Sends webhooks with a session's current status, with this fault or else the next scripted one.
    pub(crate) fn notify(&mut self, session: &Session, fault: Option<WebhookFault>, now: Duration) {
        let decision = status::webhook_has_decision(&session.status)
            .then(|| decision::of_session(session, &self.base));
        self.outbox.push(session, decision, fault, now);
    }

    /// Ends the sessions whose time is up.
    pub(crate) fn expire(&mut self, now: Duration) -> io::Result<()> {
        let expired: Vec<Session> = self
            .created
            .values()
            .filter_map(|session| {
                let status = session.expired_status(now)?.to_owned();
                Some(Session { status, ..session.clone() })
            })
            .collect();
        expired.into_iter().try_for_each(|session| self.change(session, now))
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

    /// Inserts a session, or replaces it, without saving it.
    pub(crate) fn restore(&mut self, session: Session) {
        self.last = self.last.max(session.number);
        self.by_id.insert(session.id.clone(), session.number);
        self.by_token.insert(session.token.clone(), session.number);
        self.created.insert(session.number, session);
    }

    /// Removes a deleted session.
    pub(crate) fn forget(&mut self, id: &str) {
        if let Some(session) = self.by_id.remove(id).and_then(|number| self.created.remove(&number))
        {
            self.by_token.remove(&session.token);
        }
        self.deleted.insert(id.to_owned());
    }
}
