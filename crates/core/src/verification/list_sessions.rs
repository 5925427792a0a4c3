//! `GET /v3/sessions/`
//!
//! [Documentation](https://docs.didit.me/sessions-api/list-sessions)

use std::fmt;

use http::{Method, Request, Response};
use time::format_description::well_known::Iso8601;

use super::session_id::{InvalidUuid, canonical_uuid};
use super::{SessionPage, Status, query};
use crate::base_url::BaseUrl;
use crate::credentials::Authorization;
use crate::endpoint::{
    Bucket, Endpoint, EndpointKind, Replay, echo, json_headers, request, sealed, triage,
};
use crate::error::{BuildError, ResponseError};
use crate::json::JsonError;
use crate::secret::Secret;

/// Lists the sessions of an application, newest first, page by page.
///
/// A value that is unknown to the service matches no session and causes no error. Sessions that are
/// created meanwhile make pages repeat others ([`ListedSessions`](super::ListedSessions)).
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
    is_broken: bool,
    /// Hashes of the queries of the pages before, if a link without an offset led here.
    asked: Vec<u64>,
}

impl ListSessions {
    /// Creates a request for all KYC sessions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a request with a query that is already encoded.
    pub(super) fn of_query(query: &str) -> Self {
        Self { query: query.to_owned(), ..Self::default() }
    }

    /// Sets the hashes of the queries of the pages before this one.
    pub(super) fn after(self, asked: &[u64]) -> Self {
        Self { asked: asked.to_vec(), ..self }
    }

    /// Creates a request for a link that does not lead forward; building it fails.
    pub(super) fn broken() -> Self {
        Self { is_broken: true, ..Self::default() }
    }

    /// Limits the list to sessions of a kind: `user` (KYC), `business` (KYB) or `all`. With `all`, the
    /// service's pages end with the last KYC session; list each kind on its own to miss none.
    #[must_use]
    pub fn with_session_kind(self, kind: &str) -> Self {
        self.with_query("session_kind", kind)
    }

    /// Sets the maximum number of sessions in a page; with the kind `all`, a page may have twice as
    /// many.
    #[must_use]
    pub fn with_limit(self, limit: u32) -> Self {
        self.with_query("limit", &limit.to_string())
    }

    /// Sets the number of sessions to skip.
    #[must_use]
    pub fn with_offset(self, offset: u32) -> Self {
        self.with_query("offset", &offset.to_string())
    }

    /// Limits the list to sessions with one of these statuses.
    #[must_use]
    pub fn with_status(self, statuses: &[Status]) -> Self {
        let statuses: Vec<_> = statuses.iter().map(Status::as_str).collect();
        self.with_query("status", &statuses.join(","))
    }

    /// Limits the list to sessions with exactly this `vendor_data`.
    #[must_use]
    pub fn with_vendor_data(self, vendor_data: &str) -> Self {
        self.with_query("vendor_data", vendor_data)
    }

    /// Limits the list to sessions that contain this text.
    #[must_use]
    pub fn with_search(self, text: &str) -> Self {
        self.with_query("search", text)
    }

    /// Limits the list to sessions of this workflow.
    ///
    /// # Errors
    /// `workflow_id` is not a UUID.
    pub fn with_workflow_id(self, workflow_id: &str) -> Result<Self, InvalidUuid> {
        Ok(self.with_query("workflow_id", &canonical_uuid(workflow_id)?))
    }

    /// Limits the list to sessions since this day, `YYYY-MM-DD` in UTC.
    ///
    /// # Errors
    /// There is no such day, or the text has another format.
    pub fn with_date_from(self, date: &str) -> Result<Self, InvalidDate> {
        Ok(self.with_query("date_from", checked_date(date)?))
    }

    /// Limits the list to sessions until this day, `YYYY-MM-DD` in UTC: until its end for KYC,
    /// until its beginning for KYB.
    ///
    /// # Errors
    /// There is no such day, or the text has another format.
    pub fn with_date_to(self, date: &str) -> Result<Self, InvalidDate> {
        Ok(self.with_query("date_to", checked_date(date)?))
    }

    /// Adds any other parameter, such as `country`, `document_type` or `warning`.
    #[must_use]
    pub fn with_query(mut self, name: &str, value: &str) -> Self {
        query::push(&mut self.query, name, value);
        self
    }
}

fn checked_date(text: &str) -> Result<&str, InvalidDate> {
    let date = time::Date::parse(text, &Iso8601::DATE).map_err(|_| InvalidDate(()))?;
    // The parser also accepts other forms, such as the week and its day.
    if date.year() > 0 && date.to_string() == text { Ok(text) } else { Err(InvalidDate(())) }
}

/// Error for a text that is not a date of the form `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidDate(());

impl fmt::Display for InvalidDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a date, such as 2026-01-31")
    }
}

impl std::error::Error for InvalidDate {}

/// Hides the query, which may contain personal data.
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
        if self.is_broken {
            return Err(BuildError::BrokenLink);
        }
        let path = query::join("/v3/sessions/", &self.query);
        request(base, Method::GET, path, Vec::new(), json_headers(authorization))
    }

    fn parse<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<SessionPage, ResponseError> {
        let page = triage::success(self, response, SessionPage::from_json)?;
        if page.sessions().is_empty() {
            let problem = JsonError::at("results", "expected sessions");
            triage::check_no_error(self, response, problem)?;
        }
        Ok(page.followed_from(&self.query, &self.asked))
    }
}

impl sealed::Sealed for ListSessions {
    fn private_texts(&self) -> Vec<Secret> {
        let pairs = query::pairs(&self.query);
        echo::private(
            pairs.filter(|(name, _)| !SETTINGS.contains(&&**name)).map(|(_, value)| value),
        )
    }
}

/// The parameters that contain no data of the caller or the user, so that an error may show their
/// values.
const SETTINGS: [&str; 7] =
    ["session_kind", "status", "limit", "offset", "workflow_id", "date_from", "date_to"];
