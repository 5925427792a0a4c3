//! `POST /v3/session/`
//!
//! [Documentation](https://docs.didit.me/sessions-api/create-session)

mod check;

use std::fmt;

use http::{Method, Request, Response};
use serde::Serialize;

use super::members::Members;
use super::session_id::canonical_uuid;
use super::{ContactDetails, ExpectedDetails, InvalidUuid, Session};
use crate::base_url::BaseUrl;
use crate::credentials::Authorization;
use crate::endpoint::{
    Bucket, Endpoint, EndpointKind, Replay, echo, json_headers, request, sealed, triage,
};
use crate::error::{BuildError, ResponseError};
use crate::secret::Secret;

/// Creates a verification session for a workflow.
///
/// Members that the service is documented to refuse are rejected when the request is built
/// ([`BuildError::InvalidMember`]).
///
/// Each session costs money, and the service has no idempotency key. A request that may have
/// reached the service is therefore not retried, unless [`allow_retry`](Self::allow_retry) is set.
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
    members: Members,
    retry: bool,
}

impl CreateSession {
    /// Creates a request for a session of the workflow `workflow_id`.
    ///
    /// # Errors
    /// `workflow_id` is not a UUID.
    pub fn new(workflow_id: &str) -> Result<Self, InvalidUuid> {
        let workflow_id = canonical_uuid(workflow_id)?;
        let create = Self { members: Members::default(), retry: false };
        Ok(create.with_text("workflow_id", &workflow_id))
    }

    /// Sets a custom string, such as your identifier of the user.
    ///
    /// While a session with the same string and workflow is unfinished, the service returns that
    /// session. Two users must therefore never share a string.
    #[must_use]
    pub fn with_vendor_data(self, vendor_data: &str) -> Self {
        self.with_text("vendor_data", vendor_data)
    }

    /// Allows retrying a request that may have reached the service, if `vendor_data` is set and not
    /// blank.
    ///
    /// The service then returns the session of the first request. If the user has already finished
    /// that session, the service creates a second one, which also costs money.
    #[must_use]
    pub fn allow_retry(mut self) -> Self {
        self.retry = true;
        self
    }

    /// Sets the URL to which the user is redirected afterwards; its scheme may be that of an app.
    ///
    /// The service adds the parameters `verificationSessionId` and `status`, which anyone can
    /// forge.
    #[must_use]
    pub fn with_callback(self, callback: &str) -> Self {
        self.with_text("callback", callback)
    }

    /// Sets the device on which the user is redirected: `initiator`, `completer` or `both`.
    #[must_use]
    pub fn with_callback_method(self, method: &str) -> Self {
        self.with_text("callback_method", method)
    }

    /// Sets the language of the session's pages, such as `en` or `pt-BR`.
    #[must_use]
    pub fn with_language(self, language: &str) -> Self {
        self.with_text("language", language)
    }

    /// Sets an image of the user's face, in base64, at most 2 MB.
    #[must_use]
    pub fn with_portrait_image(self, base64: &str) -> Self {
        self.with_text("portrait_image", base64)
    }

    /// Sets the outcome of the session; requires a sandbox key.
    #[must_use]
    pub fn with_sandbox_scenario(self, scenario: &str) -> Self {
        self.with_text("sandbox_scenario", scenario)
    }

    /// Sets the expected data of the user.
    #[must_use]
    pub fn with_expected_details(mut self, details: &ExpectedDetails) -> Self {
        self.members.set_or_defer("expected_details", details);
        self
    }

    /// Sets the contact details of the user.
    #[must_use]
    pub fn with_contact_details(mut self, details: &ContactDetails) -> Self {
        self.members.set_or_defer("contact_details", details);
        self
    }

    /// Sets a custom JSON value, which decisions and webhooks will contain.
    ///
    /// # Errors
    /// The value cannot be serialized as JSON.
    pub fn with_metadata(self, metadata: &impl Serialize) -> Result<Self, BuildError> {
        self.with_member("metadata", metadata)
    }

    /// Sets any other member of the body.
    ///
    /// # Errors
    /// The value cannot be serialized as JSON.
    pub fn with_member(mut self, name: &str, value: &impl Serialize) -> Result<Self, BuildError> {
        self.members.set(name, value)?;
        Ok(self)
    }

    fn vendor_data(&self) -> Option<String> {
        self.members.get("vendor_data")?.deserialize().ok()
    }

    fn with_text(mut self, name: &str, text: &str) -> Self {
        self.members.set_or_defer(name, &text);
        self
    }
}

/// Redacts the values of the members.
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
        // The service finds no session by a blank string.
        let has_vendor_data = self.vendor_data().is_some_and(|text| !text.trim().is_empty());
        if self.retry && has_vendor_data { Replay::Safe } else { Replay::OnlyIfUnsent }
    }

    fn request(
        &self,
        base: &BaseUrl,
        authorization: Option<&Authorization>,
    ) -> Result<Request<Vec<u8>>, BuildError> {
        check::check(&self.members)?;
        let body = self.members.to_body()?;
        request(base, Method::POST, "/v3/session/".to_owned(), body, json_headers(authorization))
    }

    fn parse<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<Session, ResponseError> {
        triage::success(self, response, Session::from_json)
    }
}

impl sealed::Sealed for CreateSession {
    fn private_texts(&self) -> Vec<Secret> {
        echo::private(self.members.texts_except(&SETTINGS))
    }
}

/// The members that contain no data of the caller or the user, so that an error may show their
/// values.
const SETTINGS: [&str; 4] = ["workflow_id", "callback_method", "language", "sandbox_scenario"];
