//! `POST /v3/session/`
//!
//! [Documentation](https://docs.didit.me/sessions-api/create-session)

mod check;

use std::collections::BTreeMap;
use std::fmt;

use http::{Method, Request, Response};
use serde::Serialize;

use super::session_id::canonical_uuid;
use super::{ContactDetails, ExpectedDetails, InvalidUuid, Session};
use crate::base_url::BaseUrl;
use crate::credentials::{Authorization, json_headers};
use crate::endpoint::{Bucket, Endpoint, Replay, request, sealed, triage};
use crate::error::{BuildError, EndpointKind, ResponseError};
use crate::json::RawJson;

/// Creates a verification session for a workflow.
///
/// Members that the service documents to refuse are refused before anything is sent
/// ([`BuildError::InvalidMember`]).
///
/// Creating costs money, and the service has no idempotency key. So a request that may have reached
/// the service is not sent again, unless [`allow_retry`](Self::allow_retry)
/// allows it.
///
/// ```
/// use didit_core::verification::CreateSession;
/// use didit_core::{BaseUrl, Endpoint};
///
/// let create = CreateSession::new("9f9b1234-aaaa-bbbb-cccc-1234567890ab")?
///     .with_vendor_data("user-123")
///     .with_callback("https://example.com/done")
///     .with_metadata(&serde_json::json!({"plan": "premium"}))?;
/// let request = create.request(&BaseUrl::verification(), None)?;
/// assert_eq!(request.uri(), "https://verification.didit.me/v3/session/");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct CreateSession {
    members: BTreeMap<String, RawJson>,
    vendor_data: Option<String>,
    retry: bool,
}

impl CreateSession {
    /// Creates a session for that workflow.
    ///
    /// # Errors
    /// The identifier of the workflow is no UUID.
    pub fn new(workflow_id: &str) -> Result<Self, InvalidUuid> {
        let workflow_id = canonical_uuid(workflow_id)?;
        let create = Self { members: BTreeMap::new(), vendor_data: None, retry: false };
        Ok(create.with_text("workflow_id", &workflow_id))
    }

    /// Sets a text of your own, such as the identifier of the user.
    ///
    /// While a session with the same text and workflow is unfinished, the service returns that one.
    /// Two users must never share a text.
    #[must_use]
    pub fn with_vendor_data(mut self, vendor_data: &str) -> Self {
        self.vendor_data = Some(vendor_data.to_owned());
        self.with_text("vendor_data", vendor_data)
    }

    /// Allows retries of a request that may have reached the service, if there is a `vendor_data`.
    ///
    /// The service then returns the session of the first request, unless the user has already
    /// finished it: then there is a second one, which costs money as well.
    #[must_use]
    pub fn allow_retry(mut self) -> Self {
        self.retry = true;
        self
    }

    /// Sets where the user is sent afterwards: a URL, also one with a scheme of an app.
    ///
    /// The service adds `verificationSessionId` and `status` to it, which prove nothing.
    #[must_use]
    pub fn with_callback(self, callback: &str) -> Self {
        self.with_text("callback", callback)
    }

    /// Sets on which device the user is sent there: `initiator`, `completer` or `both`.
    #[must_use]
    pub fn with_callback_method(self, method: &str) -> Self {
        self.with_text("callback_method", method)
    }

    /// Sets the language of the pages, such as `en` or `pt-BR`.
    #[must_use]
    pub fn with_language(self, language: &str) -> Self {
        self.with_text("language", language)
    }

    /// Sets an image of the user's face, in base64, at most 2 MB.
    #[must_use]
    pub fn with_portrait_image(self, base64: &str) -> Self {
        self.with_text("portrait_image", base64)
    }

    /// Sets how the session ends, with a sandbox key.
    #[must_use]
    pub fn with_sandbox_scenario(self, scenario: &str) -> Self {
        self.with_text("sandbox_scenario", scenario)
    }

    /// Sets what the user is expected to be.
    ///
    /// # Errors
    /// Never; writing any value as JSON might fail.
    pub fn with_expected_details(self, details: &ExpectedDetails) -> Result<Self, BuildError> {
        self.with_member("expected_details", details)
    }

    /// Sets how the user can be reached.
    ///
    /// # Errors
    /// Never; writing any value as JSON might fail.
    pub fn with_contact_details(self, details: &ContactDetails) -> Result<Self, BuildError> {
        self.with_member("contact_details", details)
    }

    /// Sets a JSON value of your own, which decisions and webhooks repeat.
    ///
    /// # Errors
    /// The value cannot be written as JSON.
    pub fn with_metadata(self, metadata: &impl Serialize) -> Result<Self, BuildError> {
        self.with_member("metadata", metadata)
    }

    /// Sets any other member of the body.
    ///
    /// # Errors
    /// The value cannot be written as JSON.
    pub fn with_member(mut self, name: &str, value: &impl Serialize) -> Result<Self, BuildError> {
        let text = serde_json::to_string(value).map_err(|error| BuildError::Json(error.into()))?;
        self.members.insert(name.to_owned(), RawJson::new_unchecked(&text));
        Ok(self)
    }

    fn with_text(mut self, name: &str, text: &str) -> Self {
        let text = serde_json::Value::from(text).to_string();
        self.members.insert(name.to_owned(), RawJson::new_unchecked(&text));
        self
    }
}

/// Shows which members are set, but not their values.
impl fmt::Debug for CreateSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateSession").field("members", &self.members).finish_non_exhaustive()
    }
}

impl Endpoint for CreateSession {
    type Output = Session;
    const KIND: EndpointKind = EndpointKind::CreateVerificationSession;
    const BUCKET: Bucket = Bucket::VerificationCreates;
    const AUTHORIZED: bool = true;

    fn replay(&self) -> Replay {
        if self.retry && self.vendor_data.is_some() { Replay::Safe } else { Replay::OnlyIfUnsent }
    }

    fn request(
        &self,
        base: &BaseUrl,
        authorization: Option<&Authorization>,
    ) -> Result<Request<Vec<u8>>, BuildError> {
        check::check(&self.members)?;
        let body = serde_json::to_vec(&self.members);
        let body = body.map_err(|error| BuildError::Json(error.into()))?;
        request(base, Method::POST, "/v3/session/".to_owned(), body, json_headers(authorization))
    }

    fn parse<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<Session, ResponseError> {
        // A refusal may repeat the input, and `vendor_data` is the caller's own.
        let repeated = self.vendor_data.as_deref().filter(|text| text.len() >= MIN_SCRUBBED);
        triage::success(Self::KIND, response, Session::from_json)
            .map_err(|error| error.scrubbed(repeated.unwrap_or_default()))
    }
}

/// Shorter texts would be found in the service's own words by chance.
const MIN_SCRUBBED: usize = 4;

impl sealed::Sealed for CreateSession {}
