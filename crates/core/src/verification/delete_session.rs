//! `DELETE /v3/session/{session_id}/delete/`
//!
//! [Documentation](https://docs.didit.me/openapi-25.json)

use http::{Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};

use super::members::Members;
use super::{Number, SessionId};
use crate::base_url::BaseUrl;
use crate::credentials::Authorization;
use crate::endpoint::{
    Bucket, Endpoint, EndpointKind, Replay, echo, json_headers, request, sealed, triage,
};
use crate::error::{BuildError, ResponseError, ResponseErrorKind};
use crate::json;
use crate::secret::Secret;
use crate::session_id::SessionId as AnySessionId;

/// Deletes a session and its data. Deletion is idempotent.
///
/// If a retry finds no session after an attempt that may have deleted it, the call succeeds, and all
/// members of its [`Deletion`] are `None`.
#[derive(Clone, Debug)]
pub struct DeleteSession {
    session_id: SessionId,
    members: Members,
}

impl DeleteSession {
    /// Creates a request to delete a session.
    pub fn new(session_id: SessionId) -> Self {
        Self { session_id, members: Members::default() }
    }

    /// Retains the face template, by which the user can be recognized, for the given number of days
    /// or for as long as the application's settings define.
    #[must_use]
    pub fn retain_face_embeddings(mut self, days: impl Into<Option<u32>>) -> Self {
        self.members.set_or_defer("retain_face_embeddings", &true);
        if let Some(days) = days.into() {
            self.members.set_or_defer("face_retention_days", &days);
        }
        self
    }

    /// Sets any other member of the body, such as `face_retention_deadline` or
    /// `deletion_instruction`.
    ///
    /// # Errors
    /// The value cannot be serialized as JSON.
    pub fn with_member(mut self, name: &str, value: &impl Serialize) -> Result<Self, BuildError> {
        self.members.set(name, value)?;
        Ok(self)
    }
}

/// The outcome of a deletion. All members are `None` if it is unknown, because the response was
/// lost or an older version of the service sent no body.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Deletion {
    /// The identifier of the session.
    pub session_id: Option<SessionId>,
    /// The session number.
    pub session_number: Option<Number>,
    /// The outcome for the face template, such as `deleted`, `retained_with_user` or
    /// `ineligible_no_vendor_user`.
    pub face_retention_outcome: Option<String>,
    /// The identifier of the retained face template.
    pub biometric_template_uuid: Option<String>,
}

impl Endpoint for DeleteSession {
    type Output = Deletion;
    const KIND: EndpointKind = EndpointKind::DeleteVerificationSession;
    const BUCKET: Bucket = Bucket::VerificationWrites;
    const AUTHORIZED: bool = true;

    fn replay(&self) -> Replay {
        Replay::Safe
    }

    fn session_id(&self) -> Option<&AnySessionId> {
        Some(self.session_id.as_any())
    }

    fn request(
        &self,
        base: &BaseUrl,
        authorization: Option<&Authorization>,
    ) -> Result<Request<Vec<u8>>, BuildError> {
        let path = format!("/v3/session/{}/delete/", self.session_id);
        request(base, Method::DELETE, path, self.members.to_body()?, json_headers(authorization))
    }

    fn parse<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<Deletion, ResponseError> {
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(Deletion::default());
        }
        let read = |body: &[u8]| json::read_object(json::text(body)?);
        let deletion: Deletion = triage::success(self, response, read)?;
        triage::check_session(self, response, deletion.session_id.as_ref().map(SessionId::as_any))?;
        Ok(deletion)
    }

    fn already_done(&self, error: &ResponseError) -> Option<Deletion> {
        (*error.kind() == ResponseErrorKind::NotFound).then(Deletion::default)
    }
}

impl sealed::Sealed for DeleteSession {
    fn private_texts(&self) -> Vec<Secret> {
        echo::private(self.members.texts_except(&[]))
    }
}
