use std::fmt;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use serde::{Deserialize, Serialize};

use super::decision::{check_objects, objects};
use super::{ListSessions, Number, Status, Timestamp};
use crate::json::{self, JsonError, RawJson};
use crate::secret::redacted;

/// A page of the list of sessions.
#[derive(Clone, PartialEq)]
pub struct SessionPage {
    members: Members,
    /// True if the link to the next page does not lead forward.
    breaks_off: bool,
    /// Hashes of the queries of the pages so far, if the link to the next page has no offset.
    asked: Vec<u64>,
    json: RawJson,
}

#[derive(Clone, PartialEq, Deserialize)]
struct Members {
    count: Option<Number>,
    next: Option<String>,
    previous: Option<String>,
    #[serde(deserialize_with = "objects")]
    results: Vec<SessionSummary>,
}

impl SessionPage {
    pub(super) fn from_json(body: &[u8]) -> Result<Self, JsonError> {
        let text = json::text(body)?;
        check_objects(text)?;
        let members: Members = json::read_object(text)?;
        for (name, url) in [("next", &members.next), ("previous", &members.previous)] {
            if url.as_deref().is_some_and(|url| query_of(url).is_none()) {
                return Err(JsonError::at(name, "expected a URL of /v3/sessions/"));
            }
        }
        Ok(Self {
            members,
            breaks_off: false,
            asked: Vec::new(),
            json: RawJson::new_unchecked(text.trim_ascii()),
        })
    }

    /// Marks the link to the next page as broken if it has no larger offset, leads without one to a
    /// page requested before (`asked`), or is on an empty page: following it could go on forever, or
    /// list sessions twice.
    pub(super) fn followed_from(mut self, query: &str, asked: &[u64]) -> Self {
        let Some(next) = self.members.next.as_deref().and_then(query_of) else { return self };
        let leads_forward = match (offset(next), offset(query)) {
            (Some(next), here) => next > here.unwrap_or(0),
            (None, here) => {
                self.asked = [asked, &[hash(query)]].concat();
                here.is_none() && !self.asked.contains(&hash(next))
            }
        };
        self.breaks_off = !leads_forward || self.members.results.is_empty();
        self
    }

    /// Returns the number of sessions; for KYB at most 100. Follow [`next_page`](Self::next_page)
    /// instead of counting.
    pub fn count(&self) -> Option<&Number> {
        self.members.count.as_ref()
    }

    /// Returns the sessions of the page.
    pub fn sessions(&self) -> &[SessionSummary] {
        &self.members.results
    }

    /// Returns the sessions of the page, without copying them.
    pub fn into_sessions(self) -> Vec<SessionSummary> {
        self.members.results
    }

    /// Returns a request for the next page, if there is one. If the service's link does not lead
    /// forward, the request cannot be built ([`BuildError::BrokenLink`](crate::BuildError::BrokenLink)):
    /// the list is not complete, and following the link would not end. With the kind `all`, the next
    /// pages have only KYC sessions.
    ///
    /// The request goes to the client's base URL even if the link has another host, so that the key
    /// is never sent to another host.
    pub fn next_page(&self) -> Option<ListSessions> {
        let query = self.members.next.as_deref().and_then(query_of)?;
        Some(if self.breaks_off {
            ListSessions::broken()
        } else {
            ListSessions::of_query(query).after(&self.asked)
        })
    }

    /// Returns a request for the previous page, if there is one.
    pub fn previous_page(&self) -> Option<ListSessions> {
        self.members.previous.as_deref().and_then(query_of).map(ListSessions::of_query)
    }

    /// Returns the whole page as the service sent it.
    pub fn json(&self) -> &RawJson {
        &self.json
    }
}

/// Returns the query of a URL of the list; `None` for any other URL.
fn query_of(url: &str) -> Option<&str> {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let allowed = |byte: u8| byte.is_ascii_graphic() && !b"#\"<>".contains(&byte);
    (path.ends_with("/v3/sessions/") && query.bytes().all(allowed)).then_some(query)
}

/// Returns the number of sessions that a query skips, if it contains one; 0 if that is unreadable.
fn offset(query: &str) -> Option<u64> {
    query.split('&').find_map(|pair| Some(pair.strip_prefix("offset=")?.parse().unwrap_or(0)))
}

/// Returns a hash of a query, which is shorter.
fn hash(query: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(query)
}

impl fmt::Debug for SessionPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionPage")
            .field("count", &self.count())
            .field("sessions", &self.sessions())
            .finish_non_exhaustive()
    }
}

/// One session of the list. Members that are absent or `null` are `None`.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SessionSummary {
    /// The identifier of the session.
    pub session_id: Option<String>,
    /// `user` (KYC) or `business` (KYB).
    pub session_kind: Option<String>,
    /// The session number.
    pub session_number: Option<Number>,
    /// The URL of the session's pages.
    pub session_url: Option<String>,
    /// The status of the session.
    pub status: Option<Status>,
    /// The `vendor_data` with which the session was created.
    pub vendor_data: Option<String>,
    /// The time of creation.
    pub created_at: Option<Timestamp>,
    /// The steps and their statuses.
    #[serde(deserialize_with = "objects")]
    pub features: Vec<FeatureStatus>,
    /// The full name of the user.
    pub full_name: Option<String>,
    /// The country.
    pub country: Option<String>,
    /// The kind of document, in words.
    pub document_type: Option<String>,
    /// The URL of the portrait.
    pub portrait_image: Option<String>,
    /// The service's identifier of the user.
    pub didit_internal_id: Option<String>,
    /// The phone number and its verification.
    pub phone_number: Option<RawJson>,
    /// The email address and its verification.
    pub email_address: Option<RawJson>,
    /// Scores by step, from 0 to 1.
    pub additional_details: Option<RawJson>,
    /// The identifier of the workflow; KYB only.
    pub workflow_id: Option<String>,
    /// The kind of workflow; KYB only.
    pub workflow_type: Option<String>,
    /// The name of the workflow; KYB only.
    pub workflow_label: Option<String>,
    /// The name of the business.
    pub company_name: Option<String>,
    /// The registration number of the business.
    pub registration_number: Option<String>,
}

impl fmt::Debug for SessionSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionSummary")
            .field("session_id", &self.session_id)
            .field("session_kind", &self.session_kind)
            .field("status", &self.status)
            .field("vendor_data", &redacted(self.vendor_data.as_ref()))
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}

/// A step of a workflow and its status.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FeatureStatus {
    /// The code of the kind of step.
    pub feature: Option<String>,
    /// The status of the step.
    pub status: Option<Status>,
}
