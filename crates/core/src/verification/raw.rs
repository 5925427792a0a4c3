//! `METHOD /path/`: any other route of the API.
//!
//! [Documentation](https://docs.didit.me/openapi-25.json)

use std::fmt;

use http::{Method, Request, Response, StatusCode};
use serde::Serialize;

use super::query;
use crate::base_url::{BaseUrl, is_plain_segment};
use crate::credentials::Authorization;
use crate::endpoint::{
    Bucket, Endpoint, EndpointKind, Replay, echo, json_headers, request, sealed, triage,
};
use crate::error::{BuildError, ResponseError};
use crate::json::{self, JsonError, RawJson};
use crate::secret::Secret;

/// Sends a request to a route that has no type in this version, with the same authorization and
/// retries. Its rate limit is that of [writes](super::Limits::writes), but counted separately.
///
/// ```
/// use didit_core::verification::Raw;
/// use didit_core::{BaseUrl, Endpoint};
///
/// let raw = Raw::new(http::Method::GET, "/v3/workflows/").with_query("limit", "10");
/// let request = raw.request(&BaseUrl::verification(), None)?;
/// assert_eq!(request.uri(), "https://verification.didit.me/v3/workflows/?limit=10");
/// # Ok::<(), didit_core::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Raw {
    method: Method,
    path: String,
    query: String,
    body: Vec<u8>,
    idempotent: bool,
}

impl Raw {
    /// Creates a request for `path`, which has to begin with a slash; the routes of this API also
    /// end with one.
    ///
    /// Building the request fails if the path has empty or dot segments, a query, or characters
    /// that need to be encoded.
    pub fn new(method: Method, path: &str) -> Self {
        let idempotent = method.is_safe();
        Self { method, path: path.to_owned(), query: String::new(), body: Vec::new(), idempotent }
    }

    /// Adds a parameter to the query.
    #[must_use]
    pub fn with_query(mut self, name: &str, value: &str) -> Self {
        query::push(&mut self.query, name, value);
        self
    }

    /// Sets the body.
    ///
    /// # Errors
    /// The value cannot be serialized as JSON.
    pub fn with_json(mut self, body: &impl Serialize) -> Result<Self, BuildError> {
        self.body = serde_json::to_vec(body)?;
        Ok(self)
    }

    /// Declares the request to be idempotent, so that it is retried even if it may have reached the
    /// service. Requests with a [safe
    /// method](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1), such as `GET`, always are.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }
}

/// Hides the query and the body, which may contain personal data.
impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// A successful response with any content.
#[derive(Clone, PartialEq, Eq)]
pub struct RawResponse {
    status: StatusCode,
    body: Vec<u8>,
}

impl RawResponse {
    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the body as JSON.
    ///
    /// # Errors
    /// The body is not JSON.
    pub fn json(&self) -> Result<RawJson, JsonError> {
        json::text(&self.body)?.parse()
    }
}

/// Shows only the length of the body.
impl fmt::Debug for RawResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawResponse")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Endpoint for Raw {
    type Output = RawResponse;
    const KIND: EndpointKind = EndpointKind::RawVerification;
    const BUCKET: Bucket = Bucket::VerificationOther;
    const AUTHORIZED: bool = true;

    fn replay(&self) -> Replay {
        if self.idempotent { Replay::Safe } else { Replay::OnlyIfUnsent }
    }

    fn request(
        &self,
        base: &BaseUrl,
        authorization: Option<&Authorization>,
    ) -> Result<Request<Vec<u8>>, BuildError> {
        if !is_plain_path(&self.path) {
            return Err(BuildError::Path);
        }
        let path = query::join(&self.path, &self.query);
        request(base, self.method.clone(), path, self.body.clone(), json_headers(authorization))
    }

    fn parse<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<RawResponse, ResponseError> {
        let body = triage::body(self, response)?.to_vec();
        Ok(RawResponse { status: response.status(), body })
    }
}

/// Returns whether a path needs no encoding and has no empty or dot segments.
fn is_plain_path(path: &str) -> bool {
    let segments = path.strip_prefix('/').map(|rest| rest.trim_end_matches('/').split('/'));
    segments.is_some_and(|mut segments| segments.all(is_plain_segment)) && !path.ends_with("//")
}

impl sealed::Sealed for Raw {
    fn private_texts(&self) -> Vec<Secret> {
        let body = std::str::from_utf8(&self.body).map(echo::texts).unwrap_or_default();
        echo::private(query::pairs(&self.query).map(|(_, value)| value).chain(body))
    }
}
