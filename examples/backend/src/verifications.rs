//! The state of verification sessions, as reported by webhooks.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use didit_async_adapter::core::JsonError;
use didit_async_adapter::core::verification::{Decision, Status};
use didit_async_adapter::core::webhook::Event;

/// The state of each session, as of its latest event; a real backend would use a database table.
#[derive(Clone, Default)]
pub(crate) struct Verifications {
    sessions: Arc<Mutex<HashMap<String, Verification>>>,
}

#[derive(Clone, Default)]
pub(crate) struct Verification {
    pub(crate) status: Option<Status>,
    /// The decision of the latest event with one.
    pub(crate) decision: Option<Decision>,
    /// The order key of the latest event.
    latest: (i64, i64),
    /// The dedupe keys of all events.
    seen: HashSet<String>,
}

/// The effect of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Stored,
    /// The event was delivered before.
    Duplicate,
    /// A later event was delivered before.
    Late,
    /// The event is not about a session.
    Other,
}

impl Verifications {
    pub(crate) fn get(&self, session_id: &str) -> Option<Verification> {
        self.lock().get(session_id).cloned()
    }

    /// Stores a verified event, once and in order.
    ///
    /// # Errors
    /// The decision does not have the format of version 3 of the API.
    pub(crate) fn record(&self, event: &Event) -> Result<Change, JsonError> {
        let Some(session_id) = event.session_id() else { return Ok(Change::Other) };
        let decision = event.decision()?;
        // In a database, this would be one transaction.
        let mut sessions = self.lock();
        let session = sessions.entry(session_id.to_owned()).or_default();
        if !session.seen.insert(event.dedupe_key()) {
            return Ok(Change::Duplicate);
        }
        if event.order_key() < session.latest {
            return Ok(Change::Late);
        }
        session.latest = event.order_key();
        session.status = event.status().or(session.status.take());
        session.decision = decision.or(session.decision.take());
        Ok(Change::Stored)
    }

    /// Ignores poisoning, since a panic cannot leave the map inconsistent.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Verification>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use didit_async_adapter::core::webhook::Webhook;

    use super::*;

    const SESSION: &str = "11111111-2222-3333-4444-555555555555";

    /// Returns an event with its times of creation and of signing, in Unix seconds.
    fn event(id: &str, status: &str, happened: u64, signed: u64, decision: &str) -> Event {
        let webhook = Webhook::new(["secret"]).unwrap();
        let body = format!(
            r#"{{"event_id":{id:?},"webhook_type":"status.updated","session_id":"{SESSION}",
                "status":{status:?},"created_at":{happened},"timestamp":{signed},"decision":{decision}}}"#
        );
        let headers = webhook.sign(body.as_bytes()).unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(signed);
        webhook.verify(&headers, body.as_bytes(), now).unwrap()
    }

    fn status(verifications: &Verifications) -> String {
        verifications.get(SESSION).unwrap().status.unwrap().to_string()
    }

    #[test]
    fn duplicate_event_is_ignored() {
        let verifications = Verifications::default();
        let approved = event("a", "Approved", 10, 10, r#"{"status":"Approved"}"#);
        assert_eq!(verifications.record(&approved), Ok(Change::Stored));
        assert_eq!(verifications.record(&approved), Ok(Change::Duplicate));
        // Signed again, as after a lost response.
        let again = event("a", "Approved", 10, 70, "null");
        assert_eq!(verifications.record(&again), Ok(Change::Duplicate));
        let decision = verifications.get(SESSION).unwrap().decision.unwrap();
        assert_eq!(decision.status(), &Status::Approved);
    }

    #[test]
    fn late_event_is_ignored() {
        let verifications = Verifications::default();
        let approved = event("b", "Approved", 20, 20, r#"{"status":"Approved"}"#);
        // The first delivery was lost, and the second one is signed again.
        let review = event("a", "In Review", 10, 70, r#"{"status":"In Review"}"#);
        assert_eq!(verifications.record(&approved), Ok(Change::Stored));
        assert_eq!(verifications.record(&review), Ok(Change::Late));
        assert_eq!(status(&verifications), "Approved");
        let decision = verifications.get(SESSION).unwrap().decision.unwrap();
        assert_eq!(decision.status(), &Status::Approved);
    }

    #[test]
    fn event_without_a_decision_keeps_the_last_decision() {
        let verifications = Verifications::default();
        let approved = event("a", "Approved", 10, 10, r#"{"status":"Approved"}"#);
        verifications.record(&approved).unwrap();
        verifications.record(&event("b", "Kyc Expired", 20, 20, "null")).unwrap();
        assert_eq!(status(&verifications), "Kyc Expired");
        assert!(verifications.get(SESSION).unwrap().decision.is_some());
    }

    /// The service can redeliver it once the destination is set to version 3.
    #[test]
    fn decision_of_an_older_version_is_an_error() {
        let verifications = Verifications::default();
        let older = event("a", "Approved", 10, 10, r#"{"status":"Approved","kyc":{}}"#);
        assert!(verifications.record(&older).is_err());
        assert!(verifications.get(SESSION).is_none());
    }
}
