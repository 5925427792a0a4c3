//! `PATCH /v3/session/{session_id}/update-status/`
//!
//! [Documentation](https://docs.didit.me/sessions-api/update-status)

use std::fmt;

use http::{Method, Request, Response};
use serde::{Deserialize, Serialize};

use super::{SessionId, Status};
use crate::base_url::BaseUrl;
use crate::credentials::Authorization;
use crate::endpoint::{
    Bucket, Endpoint, EndpointKind, Replay, echo, json_headers, request, sealed, triage,
};
use crate::error::{BuildError, ResponseError};
use crate::json;
use crate::secret::Secret;
use crate::session_id::SessionId as AnySessionId;

/// Sets the status of a session: approves or declines it, or requires the user to repeat steps.
///
/// The current status has to be Approved, Declined, In Review, Kyc Expired, Abandoned or
/// Resubmitted. A request that may have reached the service is never retried, since the service may
/// refuse to set a status that the session already has.
///
/// ```
/// use didit_core::verification::UpdateStatus;
/// use didit_core::{BaseUrl, Endpoint};
///
/// let id = "11111111-2222-3333-4444-555555555555".parse()?;
/// let update = UpdateStatus::resubmit(id).with_comment("blurred").with_node("feature_ocr_1", "OCR");
/// let request = update.request(&BaseUrl::verification(), None)?;
/// assert_eq!(request.method(), "PATCH");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct UpdateStatus {
    session_id: SessionId,
    body: Body,
}

#[derive(Clone, Serialize)]
struct Body {
    new_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nodes_to_resubmit: Vec<Node>,
    #[serde(skip_serializing_if = "Option::is_none")]
    send_email: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_language: Option<String>,
}

#[derive(Clone, Serialize)]
struct Node {
    node_id: String,
    feature: String,
}

impl UpdateStatus {
    /// Creates a request to approve a session.
    pub fn approve(session_id: SessionId) -> Self {
        Self::new(session_id, "Approved")
    }

    /// Creates a request to decline a session.
    pub fn decline(session_id: SessionId) -> Self {
        Self::new(session_id, "Declined")
    }

    /// Creates a request that requires the user to repeat the steps that were not approved, or
    /// those set by [`with_node`](Self::with_node).
    pub fn resubmit(session_id: SessionId) -> Self {
        Self::new(session_id, "Resubmitted")
    }

    fn new(session_id: SessionId, new_status: &'static str) -> Self {
        let body = Body {
            new_status,
            comment: None,
            nodes_to_resubmit: Vec::new(),
            send_email: None,
            email_address: None,
            email_language: None,
        };
        Self { session_id, body }
    }

    /// Sets the reason for the change.
    #[must_use]
    pub fn with_comment(mut self, comment: &str) -> Self {
        self.body.comment = Some(comment.to_owned());
        self
    }

    /// Adds a step to repeat: its `node_id`, such as `feature_ocr_1`, and its feature, such as
    /// `OCR`.
    #[must_use]
    pub fn with_node(mut self, node_id: &str, feature: &str) -> Self {
        let (node_id, feature) = (node_id.to_owned(), feature.to_owned());
        self.body.nodes_to_resubmit.push(Node { node_id, feature });
        self
    }

    /// Requests an email from the service to the user, in English by default.
    #[must_use]
    pub fn with_email<'a>(mut self, address: &str, language: impl Into<Option<&'a str>>) -> Self {
        self.body.send_email = Some(true);
        self.body.email_address = Some(address.to_owned());
        self.body.email_language = language.into().map(str::to_owned);
        self
    }

    /// Returns the new status.
    pub fn new_status(&self) -> Status {
        Status::from(self.body.new_status)
    }
}

/// Redacts the data of the user.
impl fmt::Debug for UpdateStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateStatus")
            .field("session_id", &self.session_id)
            .field("new_status", &self.body.new_status)
            .finish_non_exhaustive()
    }
}

impl Endpoint for UpdateStatus {
    type Output = ();
    const KIND: EndpointKind = EndpointKind::UpdateVerificationStatus;
    const BUCKET: Bucket = Bucket::VerificationWrites;
    const AUTHORIZED: bool = true;

    fn replay(&self) -> Replay {
        Replay::OnlyIfUnsent
    }

    fn session_id(&self) -> Option<&AnySessionId> {
        Some(self.session_id.as_any())
    }

    fn request(
        &self,
        base: &BaseUrl,
        authorization: Option<&Authorization>,
    ) -> Result<Request<Vec<u8>>, BuildError> {
        let body = serde_json::to_vec(&self.body)?;
        let path = format!("/v3/session/{}/update-status/", self.session_id);
        request(base, Method::PATCH, path, body, json_headers(authorization))
    }

    fn parse<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<(), ResponseError> {
        #[derive(Deserialize)]
        struct Members {
            session_id: Option<SessionId>,
        }

        let read = |body: &[u8]| json::read_object(json::text(body)?);
        let Members { session_id } = triage::success(self, response, read)?;
        triage::check_session(self, response, session_id.as_ref().map(SessionId::as_any))
    }
}

impl sealed::Sealed for UpdateStatus {
    fn private_texts(&self) -> Vec<Secret> {
        let Body { comment, email_address, .. } = &self.body;
        echo::private([comment, email_address].into_iter().flatten())
    }
}
