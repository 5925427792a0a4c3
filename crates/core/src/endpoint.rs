//! The stateless layer: one type per endpoint, which builds the request and parses the response.

pub(crate) mod echo;
pub(crate) mod triage;

use std::fmt;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, Response};

use crate::base_url::BaseUrl;
use crate::credentials::Authorization;
use crate::error::{BuildError, ResponseError};
use crate::session_id::SessionId;

/// The longest head of a response that is read, in bytes (64 KiB).
pub const MAX_HEAD_BYTES: usize = 64 * 1024;

/// One endpoint of the API, without I/O.
///
/// Use it directly if you have your own HTTP client and your own handling of tokens and retries:
/// send the result of [`request`](Endpoint::request), and pass the response, of any status, to
/// [`parse`](Endpoint::parse). Redirects must not be followed.
pub trait Endpoint: sealed::Sealed {
    /// The parsed successful response.
    type Output;
    /// The name of the endpoint in errors and events, which also determines its host.
    const KIND: EndpointKind;
    /// The rate limit that the requests count against.
    const BUCKET: Bucket;
    /// True if the request carries the caller's [`Authorization`].
    const AUTHORIZED: bool;

    /// Returns the conditions for sending the request again.
    fn replay(&self) -> Replay;

    /// Returns the session that the request concerns, if it concerns one.
    fn session_id(&self) -> Option<&SessionId> {
        None
    }

    /// Builds the request. `base` is the URL of the host that [`KIND`](Self::KIND) names: see
    /// [`Host::production`]. Without an `authorization` the service refuses the request; endpoints
    /// with their own ignore it.
    ///
    /// # Errors
    /// The input cannot be sent.
    fn request(
        &self,
        base: &BaseUrl,
        authorization: Option<&Authorization>,
    ) -> Result<Request<Vec<u8>>, BuildError>;

    /// Parses the response.
    ///
    /// # Errors
    /// The response is an error, or not the documented response to this request.
    fn parse<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<Self::Output, ResponseError>;

    /// Returns the output if this error of a retry shows that an earlier attempt took effect
    /// although it failed.
    fn already_done(&self, _error: &ResponseError) -> Option<Self::Output> {
        None
    }
}

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

/// A host of the service; an engine has a base URL for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Host {
    /// `apx.didit.me`: the data-transfer API and tokens.
    DataTransfer,
    /// `verification.didit.me`: the verification API.
    Verification,
}

impl Host {
    /// Returns the base URL of the live service.
    pub fn production(self) -> BaseUrl {
        match self {
            Self::DataTransfer => BaseUrl::production(),
            Self::Verification => BaseUrl::verification(),
        }
    }
}

/// The conditions for sending a failed request again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// At any time: the request is idempotent.
    Safe,
    /// Only if the service certainly did not act on it: it was never sent, or it was refused.
    OnlyIfUnsent,
}

/// A rate limit of the service, which the requests of one or more endpoints share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Bucket {
    /// Token requests. There is at most one at a time; a refusal applies to all calls.
    Token,
    /// Decisions of the data-transfer API.
    Decisions,
    /// Other reads of the data-transfer API.
    Reads,
    /// Writes of the data-transfer API.
    Writes,
    /// Reads of the verification API, including decisions.
    VerificationReads,
    /// Writes of the verification API, except new sessions.
    VerificationWrites,
    /// New sessions of the verification API.
    VerificationCreates,
    /// PDFs of the verification API.
    VerificationPdfs,
    /// [Other requests](crate::verification::Raw) to the verification API, some of which have narrow
    /// limits of their own.
    VerificationOther,
}

impl Bucket {
    /// All buckets.
    pub const ALL: [Self; 9] = [
        Self::Token,
        Self::Decisions,
        Self::Reads,
        Self::Writes,
        Self::VerificationReads,
        Self::VerificationWrites,
        Self::VerificationCreates,
        Self::VerificationPdfs,
        Self::VerificationOther,
    ];

    /// Returns a stable name of lower-case letters and hyphens, which can be used as a storage key.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "tokens",
            Self::Decisions => "decisions",
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::VerificationReads => "verification-reads",
            Self::VerificationWrites => "verification-writes",
            Self::VerificationCreates => "verification-creates",
            Self::VerificationPdfs => "verification-pdfs",
            Self::VerificationOther => "verification-other",
        }
    }

    /// Returns the minimum timeout for requests to which the service responds slowly, or zero.
    pub const fn min_timeout(self) -> Duration {
        match self {
            Self::VerificationPdfs => Duration::from_secs(60),
            _ => Duration::ZERO,
        }
    }
}

pub(crate) mod sealed {
    use crate::secret::Secret;

    pub trait Sealed {
        /// Returns the request's own secrets and the caller's data in it, which must not appear in an
        /// error or an event although the service may echo them.
        fn private_texts(&self) -> Vec<Secret> {
            Vec::new()
        }
    }
}

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Returns the headers of a request that sends and expects JSON.
pub(crate) fn json_headers(authorization: Option<&Authorization>) -> HeaderMap {
    let authorization = authorization.map(Authorization::header);
    [(ACCEPT, JSON), (CONTENT_TYPE, JSON)].into_iter().chain(authorization).collect()
}

pub(crate) fn request(
    base: &BaseUrl,
    method: Method,
    path: String,
    body: Vec<u8>,
    headers: HeaderMap,
) -> Result<Request<Vec<u8>>, BuildError> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = base.join(path)?;
    *request.headers_mut() = headers;
    Ok(request)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_bucket_has_its_own_name_and_is_listed_in_order() {
        let names: HashSet<_> = Bucket::ALL.iter().map(|bucket| bucket.name()).collect();
        assert_eq!(names.len(), Bucket::ALL.len());
        let places: Vec<_> = Bucket::ALL.iter().map(|bucket| *bucket as usize).collect();
        assert_eq!(places, (0..Bucket::ALL.len()).collect::<Vec<_>>());
        let plain = |name: &&str| name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'-'));
        assert!(names.iter().all(plain) && !names.contains(""), "{names:?}");
    }

    #[test]
    fn production_is_the_base_url_of_the_host() {
        let base = EndpointKind::RetrieveVerificationDecision.host().production();
        assert_eq!(base, BaseUrl::verification());
        assert_eq!(EndpointKind::FetchToken.host().production(), BaseUrl::production());
    }

    #[test]
    fn sizes_are_limited() {
        assert_eq!(MAX_HEAD_BYTES, 65_536);
        assert_eq!(EndpointKind::GenerateVerificationPdf.max_body_bytes(), 67_108_864);
        assert_eq!(EndpointKind::RetrieveDecision.max_body_bytes(), 8_388_608);
    }
}
