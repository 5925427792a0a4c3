//! `DELETE /v3/session/{session_id}/delete/`
//!
//! [Documentation](https://docs.didit.me/openapi-25.json)

use http::{Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};

use super::{Number, SessionId};
use crate::base_url::BaseUrl;
use crate::credentials::{Authorization, json_headers};
use crate::endpoint::{Bucket, Endpoint, Replay, request, sealed, triage};
use crate::error::{BuildError, EndpointKind, ResponseError, ResponseErrorKind};
use crate::json;
use crate::session_id::SessionId as AnySessionId;

/// Deletes a session and its data. Deleting it again changes nothing.
#[derive(Clone, Debug)]
pub struct DeleteSession {
    session_id: SessionId,
    retention: Option<Retention>,
}

#[derive(Clone, Debug, Serialize)]
struct Retention {
    retain_face_embeddings: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    face_retention_days: Option<u32>,
}

impl DeleteSession {
    /// Deletes that session.
    pub fn new(session_id: SessionId) -> Self {
        Self { session_id, retention: None }
    }

    /// Keeps what the user's face is known again by, for that many days or as the application is set.
    #[must_use]
    pub fn retain_face_embeddings(mut self, days: impl Into<Option<u32>>) -> Self {
        let face_retention_days = days.into();
        self.retention = Some(Retention { retain_face_embeddings: true, face_retention_days });
        self
    }
}

/// The outcome of a deletion; all `None` from an older service.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Deletion {
    /// The identifier of the session.
    pub session_id: Option<SessionId>,
    /// The number of the session.
    pub session_number: Option<Number>,
    /// The outcome for the face, such as `deleted`, `retained_with_user` or
    /// `ineligible_no_vendor_user`.
    pub face_retention_outcome: Option<String>,
    /// The retained face template.
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
        let body = self.retention.as_ref().map(serde_json::to_vec).transpose();
        let body = body.map_err(|error| BuildError::Json(error.into()))?.unwrap_or_default();
        let path = format!("/v3/session/{}/delete/", self.session_id);
        request(base, Method::DELETE, path, body, json_headers(authorization))
    }

    fn parse<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<Deletion, ResponseError> {
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(Deletion::default());
        }
        let deletion: Deletion =
            triage::success(Self::KIND, response, |body| json::read_object(json::text(body)?))?;
        if deletion.session_id.as_ref().is_some_and(|id| *id != self.session_id) {
            return Err(triage::error(Self::KIND, response, ResponseErrorKind::SessionMismatch));
        }
        Ok(deletion)
    }
}

impl sealed::Sealed for DeleteSession {}
