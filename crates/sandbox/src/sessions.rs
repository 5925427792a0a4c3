//! The sessions of the data-transfer API: requested scopes, statuses and shared data.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::random::unguessable;
use crate::special_id::{self, SpecialId};
use crate::state_file::{Record, Store};
use crate::{clock, fixtures, person};

/// A session that was created. Times are since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) number: u64,
    /// The client id of the application that created it.
    pub(crate) application: String,
    pub(crate) id: String,
    pub(crate) token: String,
    /// The secret that the form of its page must contain.
    pub(crate) form_token: String,
    pub(crate) scope: String,
    pub(crate) vendor_data: Option<String>,
    #[serde(with = "clock::milliseconds")]
    pub(crate) created_at: Duration,
    #[serde(with = "clock::milliseconds")]
    pub(crate) expires_at: Duration,
    /// The status that was last set; [`status_at`](Self::status_at) returns the current one.
    pub(crate) status: String,
    /// The data that was shared on the session's page; `None` if the page was not used.
    pub(crate) user_data: Option<Map<String, Value>>,
}

/// The sessions, as set up by requests and by tests.
pub(crate) struct Sessions {
    lifetime: Duration,
    store: Store,
    created: BTreeMap<u64, Session>,
    by_id: HashMap<String, u64>,
    by_token: HashMap<String, u64>,
    /// The statuses that tests have set for ids that were not created here.
    statuses: HashMap<String, String>,
    /// The time of the first request for each id of the kind [`SpecialId::Slow`].
    first_requests: HashMap<String, Duration>,
    pub(crate) decisions: HashMap<String, String>,
    pub(crate) missing: HashSet<String>,
}

impl Session {
    pub(crate) fn status_at(&self, now: Duration) -> &str {
        let open = matches!(self.status.as_str(), "initialized" | "retrieved");
        if open && now >= self.expires_at { "expired" } else { &self.status }
    }

    /// Returns whether the user can still decide.
    pub(crate) fn is_open_at(&self, now: Duration) -> bool {
        matches!(self.status_at(now), "initialized" | "retrieved")
    }
}

impl Sessions {
    pub(crate) fn new(lifetime: Duration, store: Store) -> Self {
        Self {
            lifetime,
            store,
            created: BTreeMap::new(),
            by_id: HashMap::new(),
            by_token: HashMap::new(),
            statuses: HashMap::new(),
            first_requests: HashMap::new(),
            decisions: HashMap::new(),
            missing: HashSet::new(),
        }
    }

    pub(crate) fn create(
        &mut self,
        application: String,
        scope: String,
        vendor_data: Option<String>,
        now: Duration,
    ) -> io::Result<Session> {
        let number = self.created.last_key_value().map_or(1, |(last, _)| last + 1);
        let session = Session {
            number,
            application,
            id: format!("00000000-0000-4000-8000-{number:012}"),
            token: format!("sandbox-{}", unguessable()?),
            form_token: unguessable()?,
            scope,
            vendor_data,
            created_at: now,
            expires_at: now.saturating_add(self.lifetime),
            status: "initialized".to_owned(),
            user_data: None,
        };
        self.put(session.clone())?;
        Ok(session)
    }

    /// Returns the sessions that were created, newest first.
    pub(crate) fn created(&self) -> impl ExactSizeIterator<Item = &Session> {
        self.created.values().rev()
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

    /// Records that the user has opened the session.
    pub(crate) fn open(&mut self, token: &str, now: Duration) -> io::Result<()> {
        match self.by_token(token) {
            Some(session) if session.status_at(now) == "initialized" => {
                let session = session.clone();
                self.put(Session { status: "retrieved".to_owned(), ..session })
            }
            _ => Ok(()),
        }
    }

    /// Ends a session with this status, and with the shared data if it is confirmed. Does nothing
    /// and returns false if it has already ended.
    pub(crate) fn end(
        &mut self,
        token: &str,
        status: &str,
        user_data: Option<Map<String, Value>>,
        now: Duration,
    ) -> io::Result<bool> {
        let Some(session) = self.by_token(token).filter(|session| session.is_open_at(now)) else {
            return Ok(false);
        };
        let session = session.clone();
        let user_data = user_data.or(session.user_data);
        self.put(Session { status: status.to_owned(), user_data, ..session }).map(|()| true)
    }

    pub(crate) fn set_status(&mut self, id: String, status: String) -> io::Result<()> {
        let number = self.by_id.get(&id);
        match number.and_then(|number| self.created.get(number)).cloned() {
            Some(session) => self.put(Session { status, ..session }),
            None => {
                self.statuses.insert(id, status);
                Ok(())
            }
        }
    }

    fn put(&mut self, session: Session) -> io::Result<()> {
        self.store.save(&Record::Session(Box::new(session.clone())))?;
        self.restore(session);
        Ok(())
    }

    /// Inserts a session, or replaces it, without saving it.
    pub(crate) fn restore(&mut self, session: Session) {
        self.by_id.insert(session.id.clone(), session.number);
        self.by_token.insert(session.token.clone(), session.number);
        self.created.insert(session.number, session);
    }

    /// Records the time of the first request for an id of the kind [`SpecialId::Slow`].
    pub(crate) fn note_request(&mut self, id: &str, now: Duration) {
        if special_id::of(id) == Some(SpecialId::Slow) && !self.by_id.contains_key(id) {
            self.first_requests.entry(id.to_owned()).or_insert(now);
        }
    }

    /// Returns the behavior of a special id, unless a session or a test has set another one.
    pub(crate) fn special_id(&self, id: &str) -> Option<SpecialId> {
        let is_known = self.by_id.contains_key(id)
            || self.statuses.contains_key(id)
            || self.decisions.contains_key(id);
        if is_known { None } else { special_id::of(id) }
    }

    /// Returns the decision as JSON; `None` if there is no such session for this application.
    /// A strict sandbox has only sessions that were created, or that a test has set up.
    pub(crate) fn decision(
        &self,
        id: &str,
        application: &str,
        strict: bool,
        now: Duration,
    ) -> Option<String> {
        if self.missing.contains(id) {
            return None;
        }
        let created = self.by_id(id);
        if created.is_some_and(|session| session.application != application) {
            return None;
        }
        if let Some(text) = self.decisions.get(id) {
            return Some(text.clone());
        }
        // A valid session id contains no character that JSON escapes.
        let sample = fixtures::DECISION.replace("unique-session-identifier", id);
        let status = created.map(|session| session.status_at(now));
        let status = status.or_else(|| self.statuses.get(id).map(String::as_str));
        let status = match status {
            Some(status) => status,
            None if strict => return None,
            None => match self.special_id(id) {
                Some(SpecialId::Status(status)) => status,
                Some(SpecialId::Slow) => {
                    let first = self.first_requests.get(id).copied().unwrap_or(now);
                    special_id::slow_status(now.saturating_sub(first))
                }
                Some(SpecialId::Missing) => return None,
                Some(SpecialId::Failing) | None => return Some(sample),
            },
        };
        let mut decision: Value = serde_json::from_str(&sample).unwrap_or_default();
        decision["status"] = capitalized(status).into();
        if let Some(session) = created {
            decision["session_number"] = session.number.into();
            decision["vendor_data"] = session.vendor_data.clone().into();
            decision["scope"] = session.scope.clone().into();
            decision["created_at"] = clock::rfc3339(session.created_at).into();
            let shared = || person::shared(&person::members(&session.scope));
            decision["user_data"] = session.user_data.clone().unwrap_or_else(shared).into();
        }
        if !status.eq_ignore_ascii_case("confirmed") {
            decision["user_data"] = json!({});
        }
        Some(decision.to_string())
    }
}

/// Capitalizes a status, as it is in a decision; on the status route it is in lower case.
fn capitalized(status: &str) -> String {
    let mut rest = status.chars();
    rest.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state_file::StateFile;

    const NOW: Duration = Duration::from_secs(1_722_508_200);
    const MINUTE: Duration = Duration::from_secs(60);

    fn create(scope: &str) -> (Sessions, Session) {
        let mut sessions = Sessions::new(MINUTE, Store::default());
        let session =
            sessions.create("app".to_owned(), scope.to_owned(), None, NOW).expect("a session");
        (sessions, session)
    }

    fn decision(sessions: &Sessions, id: &str) -> Value {
        let text = sessions.decision(id, "app", false, NOW).expect("a decision");
        serde_json::from_str(&text).expect("JSON")
    }

    #[test]
    fn only_requested_scopes_are_shared() {
        let (mut sessions, session) = create("pictures email gender unheard-of");
        sessions.set_status(session.id.clone(), "confirmed".to_owned()).expect("saved");
        let decision = decision(&sessions, &session.id);
        let shared = decision["user_data"].as_object().expect("user data");
        assert_eq!(shared.keys().collect::<Vec<_>>(), ["sub", "email", "picture", "gender"]);
        assert_eq!(
            (&decision["status"], &decision["vendor_data"], &decision["created_at"]),
            (&json!("Confirmed"), &json!(null), &json!("2024-08-01T10:30:00.000Z"))
        );
    }

    #[test]
    fn session_is_unknown_to_other_applications() {
        let (mut sessions, session) = create("names");
        assert_eq!(sessions.decision(&session.id, "other", false, NOW), None);
        sessions.decisions.insert(session.id.clone(), "custom".to_owned());
        assert_eq!(sessions.decision(&session.id, "other", false, NOW), None);
        assert_eq!(sessions.decision(&session.id, "app", false, NOW).as_deref(), Some("custom"));
        assert!(sessions.decision("never created", "other", false, NOW).is_some());
        assert_eq!(sessions.decision("never created", "other", true, NOW), None);
    }

    #[test]
    fn ended_session_does_not_change() {
        let (mut sessions, session) = create("names");
        let status = |sessions: &Sessions| sessions.by_id(&session.id).map(|s| s.status.clone());
        sessions.open(&session.token, NOW).expect("saved");
        assert_eq!(status(&sessions).as_deref(), Some("retrieved"));
        let shared = json!({"sub": "u"}).as_object().cloned();
        assert!(sessions.end(&session.token, "confirmed", shared, NOW).expect("saved"));
        assert_eq!(decision(&sessions, &session.id)["user_data"], json!({"sub": "u"}));
        assert!(!sessions.end(&session.token, "declined", None, NOW).expect("saved"));
        sessions.open(&session.token, NOW).expect("saved");
        assert_eq!(status(&sessions).as_deref(), Some("confirmed"));
        assert!(!sessions.end("unknown", "expired", None, NOW).expect("saved"));
    }

    #[test]
    fn open_session_expires_and_ended_one_does_not() {
        let (mut sessions, session) = create("names");
        let (late, in_time) = (NOW + MINUTE, NOW + Duration::from_millis(59_999));
        assert_eq!(session.status_at(in_time), "initialized");
        assert_eq!(session.status_at(late), "expired");
        assert!(!sessions.end(&session.token, "declined", None, late).expect("saved"));
        let text = sessions.decision(&session.id, "app", true, late).expect("a decision");
        assert!(text.contains("\"Expired\"") && text.contains("\"user_data\":{}"), "{text}");
        assert!(sessions.end(&session.token, "declined", None, NOW).expect("saved"));
        assert_eq!(sessions.by_id(&session.id).map(|s| s.status_at(late)), Some("declined"));
    }

    #[test]
    fn failed_save_leaves_sessions_unchanged() {
        let (_, session) = create("names");
        let file = StateFile::read_only("Cargo.toml").expect("a file");
        let mut sessions = Sessions::new(MINUTE, Store::new(file));
        sessions.restore(session.clone());
        assert!(sessions.create("app".to_owned(), "names".to_owned(), None, NOW).is_err());
        assert!(sessions.end(&session.token, "declined", None, NOW).is_err());
        assert_eq!(sessions.created().collect::<Vec<_>>(), [&session]);
    }
}
