use std::fmt;

use super::Host;

/// The name of an endpoint, for errors and events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndpointKind {
    /// `POST /auth/v2/token/`
    FetchToken,
    /// `POST /auth/v2/session/`
    CreateSession,
    /// `GET /auth/v2/session/{session_id}/status/`
    ReadStatus,
    /// `GET /auth/v2/session/{session_id}/decision/`
    RetrieveDecision,
    /// `POST /v3/session/`
    CreateVerificationSession,
    /// `GET /v3/session/{session_id}/decision/`
    RetrieveVerificationDecision,
    /// `GET /v3/sessions/`
    ListVerificationSessions,
    /// `PATCH /v3/session/{session_id}/update-status/`
    UpdateVerificationStatus,
    /// `GET /v3/session/{session_id}/generate-pdf/`
    GenerateVerificationPdf,
    /// `DELETE /v3/session/{session_id}/delete/`
    DeleteVerificationSession,
    /// Any other endpoint of the verification API.
    RawVerification,
}

impl EndpointKind {
    /// Returns the host that serves the endpoint.
    pub fn host(self) -> Host {
        use EndpointKind::{CreateSession, FetchToken, ReadStatus, RetrieveDecision};
        match self {
            FetchToken | CreateSession | ReadStatus | RetrieveDecision => Host::DataTransfer,
            _ => Host::Verification,
        }
    }

    /// Returns the longest response body that is read, in bytes: 64 MiB for a PDF, which may contain
    /// images, and 8 MiB for any other.
    ///
    /// A client may stop reading one byte after the limit: any longer body is refused.
    pub const fn max_body_bytes(self) -> usize {
        match self {
            Self::GenerateVerificationPdf => 64 << 20,
            _ => 8 << 20,
        }
    }

    /// Returns whether the endpoint is part of the verification API.
    pub(crate) fn is_verification(self) -> bool {
        self.host() == Host::Verification
    }
}

impl fmt::Display for EndpointKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FetchToken => "fetch an access token",
            Self::CreateSession => "create the session",
            Self::ReadStatus => "read the session's status",
            Self::RetrieveDecision => "retrieve the decision",
            Self::CreateVerificationSession => "create the verification session",
            Self::RetrieveVerificationDecision => "retrieve the verification decision",
            Self::ListVerificationSessions => "list the verification sessions",
            Self::UpdateVerificationStatus => "update the status of the verification session",
            Self::GenerateVerificationPdf => "generate the PDF of the verification session",
            Self::DeleteVerificationSession => "delete the verification session",
            Self::RawVerification => "call the verification API",
        })
    }
}
