//! `GET /v3/sessions/`
//!
//! [Documentation](https://docs.didit.me/sessions-api/list-sessions)

use std::fmt;

use http::{Method, Request, Response};

use super::{SessionPage, Status, query};
use crate::base_url::BaseUrl;
use crate::credentials::{Authorization, json_headers};
use crate::endpoint::{Bucket, Endpoint, Replay, request, sealed, triage};
use crate::error::{BuildError, EndpointKind, ResponseError};

/// Lists the sessions of an application, newest first, page by page.
///
/// A value that the service does not know matches nothing, without an error.
///
/// ```
/// use didit_core::verification::{ListSessions, Status};
/// use didit_core::{BaseUrl, Endpoint};
///
/// let list = ListSessions::new().with_status(&[Status::InReview, Status::Declined]).with_limit(20);
/// let request = list.request(&BaseUrl::verification(), None)?;
/// assert_eq!(
///     request.uri(),
///     "https://verification.didit.me/v3/sessions/?status=In%20Review%2CDeclined&limit=20"
/// );
/// # Ok::<(), didit_core::BuildError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ListSessions {
    query: String,
}

impl ListSessions {
    /// Lists all KYC sessions.
    pub fn new() -> Self {
        Self::default()
    }

    /// The page of that query, encoded as the service wrote it.
    pub(super) fn of_query(query: &str) -> Self {
        Self { query: query.to_owned() }
    }

    /// Lists sessions of that kind: `user` (KYC), `business` (KYB) or `all`.
    #[must_use]
    pub fn with_session_kind(self, kind: &str) -> Self {
        self.with_query("session_kind", kind)
    }

    /// Sets how many sessions a page has; of `all`, it may be twice as many.
    #[must_use]
    pub fn with_limit(self, limit: u32) -> Self {
        self.with_query("limit", &limit.to_string())
    }

    /// Sets how many sessions to leave out at the beginning.
    #[must_use]
    pub fn with_offset(self, offset: u32) -> Self {
        self.with_query("offset", &offset.to_string())
    }

    /// Lists sessions with one of those statuses.
    #[must_use]
    pub fn with_status(self, statuses: &[Status]) -> Self {
        let statuses: Vec<_> = statuses.iter().map(Status::as_str).collect();
        self.with_query("status", &statuses.join(","))
    }

    /// Lists sessions with exactly that text of your own.
    #[must_use]
    pub fn with_vendor_data(self, vendor_data: &str) -> Self {
        self.with_query("vendor_data", vendor_data)
    }

    /// Lists sessions that have that text somewhere.
    #[must_use]
    pub fn with_search(self, text: &str) -> Self {
        self.with_query("search", text)
    }

    /// Lists sessions of that workflow.
    #[must_use]
    pub fn with_workflow_id(self, workflow_id: &str) -> Self {
        self.with_query("workflow_id", workflow_id)
    }

    /// Lists sessions from that day on, `YYYY-MM-DD` in UTC.
    #[must_use]
    pub fn with_date_from(self, date: &str) -> Self {
        self.with_query("date_from", date)
    }

    /// Lists sessions up to that day, `YYYY-MM-DD` in UTC: its end for KYC, its beginning for KYB.
    #[must_use]
    pub fn with_date_to(self, date: &str) -> Self {
        self.with_query("date_to", date)
    }

    /// Adds any other parameter, such as `country`, `document_type` or `warning`.
    #[must_use]
    pub fn with_query(mut self, name: &str, value: &str) -> Self {
        query::push(&mut self.query, name, value);
        self
    }
}

/// Shows that there is a query, but not which: it may be about somebody.
impl fmt::Debug for ListSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListSessions").finish_non_exhaustive()
    }
}

impl Endpoint for ListSessions {
    type Output = SessionPage;
    const KIND: EndpointKind = EndpointKind::ListVerificationSessions;
    const BUCKET: Bucket = Bucket::VerificationReads;
    const AUTHORIZED: bool = true;

    fn replay(&self) -> Replay {
        Replay::Safe
    }

    fn request(
        &self,
        base: &BaseUrl,
        authorization: Option<&Authorization>,
    ) -> Result<Request<Vec<u8>>, BuildError> {
        let path = query::join("/v3/sessions/", &self.query);
        request(base, Method::GET, path, Vec::new(), json_headers(authorization))
    }

    fn parse<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<SessionPage, ResponseError> {
        let page = triage::success(Self::KIND, response, SessionPage::from_json)?;
        Ok(page.followed_from(&self.query))
    }
}

impl sealed::Sealed for ListSessions {}
