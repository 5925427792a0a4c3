use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use sha2::{Digest as _, Sha256};

use super::canonical_json;
use super::event_kind::EventKind;
use super::signature::SignatureMatch;
use crate::json::{self, JsonError, RawJson};
use crate::secret::redacted;
use crate::verification::{Decision, Status};

/// A verified event.
///
/// The service may deliver an event more than once, and events out of order. Handling the same
/// status of a session twice should therefore change nothing, and an event should not overwrite the
/// data from an event with a greater [`order_key`](Self::order_key).
///
/// An event cannot be deserialized: only [`Webhook::verify`](super::Webhook::verify) creates one.
#[derive(Clone)]
pub struct Event {
    members: Members,
    json: RawJson,
    signature: SignatureMatch,
}

#[derive(Clone, Deserialize)]
struct Members {
    webhook_type: Option<EventKind>,
    event_id: Option<String>,
    timestamp: Option<i64>,
    #[serde(default, deserialize_with = "integer")]
    created_at: Option<i64>,
    application_id: Option<String>,
    environment: Option<String>,
    session_id: Option<String>,
    session_kind: Option<String>,
    status: Option<String>,
    previous_status: Option<String>,
    workflow_id: Option<String>,
    #[serde(default, deserialize_with = "integer")]
    workflow_version: Option<u64>,
    vendor_data: Option<String>,
    business_session_id: Option<String>,
    vendor_business_id: Option<String>,
}

impl Members {
    /// Reads an event with an unknown `webhook_type`. Its members are not documented either, so
    /// those with an unexpected type are dropped.
    fn of_unknown_type(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Required {
            webhook_type: EventKind,
            timestamp: Option<i64>,
        }

        let Required { webhook_type, timestamp } = json::read_object(text).ok()?;
        let webhook_type = matches!(webhook_type, EventKind::Other(_)).then_some(webhook_type)?;
        let members: BTreeMap<_, _> = RawJson::new_unchecked(text).members().into_iter().collect();
        let text = |name: &str| members.get(name)?.deserialize().ok()?;
        Some(Self {
            webhook_type: Some(webhook_type),
            event_id: text("event_id"),
            timestamp,
            created_at: members.get("created_at").and_then(parse_integer),
            application_id: text("application_id"),
            environment: text("environment"),
            session_id: text("session_id"),
            session_kind: text("session_kind"),
            status: text("status"),
            previous_status: text("previous_status"),
            workflow_id: text("workflow_id"),
            workflow_version: members.get("workflow_version").and_then(parse_integer),
            vendor_data: text("vendor_data"),
            business_session_id: text("business_session_id"),
            vendor_business_id: text("vendor_business_id"),
        })
    }
}

impl Event {
    pub(super) fn from_json(body: &[u8], signature: SignatureMatch) -> Result<Self, JsonError> {
        let text = json::text(body)?;
        let members =
            json::read_object(text).or_else(|error| Members::of_unknown_type(text).ok_or(error))?;
        Ok(Self { members, json: RawJson::new_unchecked(text), signature })
    }

    /// Returns the scheme of the verified signature and the index of the secret.
    pub fn signature(&self) -> SignatureMatch {
        self.signature
    }

    /// Returns the kind of event, its `webhook_type`.
    ///
    /// It is [`EventKind::StatusUpdated`] by default, the only kind in the first version of the
    /// payload. In an event of an unknown kind, members with a type other than documented here are
    /// `None`.
    pub fn kind(&self) -> &EventKind {
        self.members.webhook_type.as_ref().unwrap_or(&EventKind::StatusUpdated)
    }

    /// Returns a key that identifies the event among its duplicates: `event_id`, or if there is
    /// none, `{session_id}:{webhook_type}:{status}:{timestamp}:{hash}` with a hash of the whole event.
    ///
    /// The hash distinguishes events of different users, businesses and transactions, which have no
    /// session, without containing their data. A delivery that the service signs again may have
    /// another key, so handling the same status of a session twice must be harmless.
    pub fn dedupe_key(&self) -> String {
        let substitute = || {
            let session_id = self.session_id().unwrap_or_default();
            let status = self.members.status.as_deref().unwrap_or_default();
            let timestamp = self.timestamp().unwrap_or_default();
            format!("{session_id}:{}:{status}:{timestamp}:{}", self.kind(), self.hash())
        };
        let event_id = self.event_id().filter(|id| !id.trim().is_empty());
        event_id.map_or_else(substitute, str::to_owned)
    }

    /// Returns a hash of the event that stays the same if a proxy rewrites the JSON.
    fn hash(&self) -> String {
        let text = self.json.as_str();
        let canonical = canonical_json(text.as_bytes()).unwrap_or_else(|_| text.to_owned());
        let bytes = Sha256::digest(canonical).into_iter().take(16);
        let hash = bytes.fold(0_u128, |hash, byte| hash << 8 | u128::from(byte));
        format!("{hash:032x}")
    }

    /// Returns the key that orders the events of a session: the time of the event, then
    /// the time of the signature, both in seconds since 1970.
    ///
    /// A retried delivery is signed again, so an earlier event may have a later
    /// [`timestamp`](Self::timestamp) than its successor.
    pub fn order_key(&self) -> (i64, i64) {
        let signed_at = self.timestamp().unwrap_or_default();
        (self.created_at().unwrap_or(signed_at), signed_at)
    }

    /// Returns the identifier of the event; the first version of the payload has none.
    pub fn event_id(&self) -> Option<&str> {
        self.members.event_id.as_deref()
    }

    /// Returns the time at which the delivery was signed, in seconds since 1970; if it is absent,
    /// the time of the event.
    pub fn timestamp(&self) -> Option<i64> {
        self.signed_timestamp().or(self.created_at())
    }

    /// Returns the member `timestamp`, without the fallback of [`timestamp`](Self::timestamp).
    pub(super) fn signed_timestamp(&self) -> Option<i64> {
        self.members.timestamp
    }

    /// Returns the time of the event, in seconds since 1970.
    pub fn created_at(&self) -> Option<i64> {
        self.members.created_at
    }

    /// Returns the identifier of the application.
    pub fn application_id(&self) -> Option<&str> {
        self.members.application_id.as_deref()
    }

    /// Returns `live` or `sandbox`.
    pub fn environment(&self) -> Option<&str> {
        self.members.environment.as_deref()
    }

    /// Returns the identifier of the session, if the event is about one.
    pub fn session_id(&self) -> Option<&str> {
        self.members.session_id.as_deref()
    }

    /// Returns `user` (KYC) or `business` (KYB).
    pub fn session_kind(&self) -> Option<&str> {
        self.members.session_kind.as_deref()
    }

    /// Returns the current status. Users, businesses and transactions have other statuses than
    /// sessions, such as `BLOCKED`.
    pub fn status(&self) -> Option<Status> {
        self.members.status.as_deref().map(Status::from)
    }

    /// Returns the text of the [`status`](Self::status) as the service signed it.
    pub fn status_text(&self) -> Option<&str> {
        self.members.status.as_deref()
    }

    /// Returns the previous status, which events about users and businesses contain.
    pub fn previous_status(&self) -> Option<Status> {
        self.members.previous_status.as_deref().map(Status::from)
    }

    /// Returns the identifier of the session's workflow.
    pub fn workflow_id(&self) -> Option<&str> {
        self.members.workflow_id.as_deref()
    }

    /// Returns the version of the workflow, if it is a number.
    pub fn workflow_version(&self) -> Option<u64> {
        self.members.workflow_version
    }

    /// Returns the `vendor_data` of the session, user or business, as set by the caller.
    pub fn vendor_data(&self) -> Option<&str> {
        self.members.vendor_data.as_deref()
    }

    /// Returns the identifier of the KYB session, if the event is about one.
    pub fn business_session_id(&self) -> Option<&str> {
        self.members.business_session_id.as_deref()
    }

    /// Returns the caller's identifier of the business.
    pub fn vendor_business_id(&self) -> Option<&str> {
        self.members.vendor_business_id.as_deref()
    }

    /// Parses the decision of the session, which events with a settled status contain.
    ///
    /// # Errors
    /// A documented member has another type than documented, or the destination's webhook version
    /// is not v3.
    pub fn decision(&self) -> Result<Option<Decision>, JsonError> {
        let decision = self.get("decision");
        decision.map(|json| Decision::from_json(json.as_str().as_bytes())).transpose()
    }

    /// Returns the `metadata` with which the session was created.
    pub fn metadata(&self) -> Option<RawJson> {
        self.get("metadata")
    }

    /// Returns the steps that the user has to repeat, in events with the status `Resubmitted`.
    pub fn resubmit_info(&self) -> Option<RawJson> {
        self.get("resubmit_info")
    }

    /// Returns any member of the event that is present and not `null`.
    pub fn get(&self, name: &str) -> Option<RawJson> {
        self.json().get(name).filter(|value| !value.is_null())
    }

    /// Returns the whole event as the service sent it.
    pub fn json(&self) -> &RawJson {
        &self.json
    }
}

/// Redacts personal data and the caller's data.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("kind", self.kind())
            .field("event_id", &self.event_id())
            .field("timestamp", &self.timestamp())
            .field("session_id", &self.session_id())
            .field("status", &self.status())
            .field("vendor_data", &redacted(self.vendor_data()))
            .field("signature", &self.signature)
            .finish_non_exhaustive()
    }
}

/// The part of an event that [`Scheme::Simple`](super::Scheme::Simple) covers.
#[derive(Clone)]
pub struct SimpleEvent {
    members: SimpleMembers,
    secret_index: usize,
}

#[derive(Clone, Deserialize)]
struct SimpleMembers {
    timestamp: Option<i64>,
    session_id: Option<String>,
    status: Option<String>,
    webhook_type: Option<EventKind>,
}

impl SimpleEvent {
    pub(super) fn from_json(body: &[u8]) -> Result<Self, JsonError> {
        let members = json::read_object(json::text(body)?)?;
        Ok(Self { members, secret_index: 0 })
    }

    pub(super) fn signed_by(self, secret_index: usize) -> Self {
        Self { secret_index, ..self }
    }

    pub(super) fn signed_message(&self) -> String {
        let SimpleMembers { timestamp, session_id, status, webhook_type } = &self.members;
        let timestamp = timestamp.map_or(String::new(), |timestamp| timestamp.to_string());
        let webhook_type = webhook_type.as_ref().map_or("", EventKind::as_str);
        let [session_id, status] =
            [session_id, status].map(|text| text.as_deref().unwrap_or_default());
        format!("{timestamp}:{session_id}:{status}:{webhook_type}")
    }

    /// Returns the index of the secret that matched.
    pub fn secret_index(&self) -> usize {
        self.secret_index
    }

    /// Returns the kind of event; see [`Event::kind`].
    pub fn kind(&self) -> &EventKind {
        self.members.webhook_type.as_ref().unwrap_or(&EventKind::StatusUpdated)
    }

    /// Returns the time at which the delivery was signed, in seconds since 1970.
    pub fn timestamp(&self) -> Option<i64> {
        self.members.timestamp
    }

    /// Returns the identifier of the session, if the event is about one.
    pub fn session_id(&self) -> Option<&str> {
        self.members.session_id.as_deref()
    }

    /// Returns the current status; see [`Event::status`].
    pub fn status(&self) -> Option<Status> {
        self.members.status.as_deref().map(Status::from)
    }

    /// Returns the text of the status; see [`Event::status_text`].
    pub fn status_text(&self) -> Option<&str> {
        self.members.status.as_deref()
    }
}

impl fmt::Debug for SimpleEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimpleEvent")
            .field("kind", &self.kind())
            .field("timestamp", &self.timestamp())
            .field("session_id", &self.session_id())
            .field("status", &self.status())
            .field("secret", &self.secret_index)
            .finish_non_exhaustive()
    }
}

/// Deserializes an integer; `None` for any other value, such as a time in another format.
fn integer<'de, D: Deserializer<'de>, T: FromStr>(deserializer: D) -> Result<Option<T>, D::Error> {
    let json: RawJson = Deserialize::deserialize(deserializer)?;
    Ok(parse_integer(&json))
}

fn parse_integer<T: FromStr>(json: &RawJson) -> Option<T> {
    json.as_str().parse().ok()
}
