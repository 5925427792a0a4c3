use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{Response, StatusCode};

use crate::base_url::InvalidBaseUrl;
use crate::credentials::InvalidCredentials;
use crate::data_transfer::InvalidScope;
use crate::endpoint::{Host, triage};
use crate::json::JsonError;
use crate::secret::scrub;
use crate::session_id::InvalidSessionId;

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
    /// Any other route of the verification API.
    RawVerification,
}

impl EndpointKind {
    /// Returns the host that serves it.
    pub fn host(self) -> Host {
        use EndpointKind::{CreateSession, FetchToken, ReadStatus, RetrieveDecision};
        match self {
            FetchToken | CreateSession | ReadStatus | RetrieveDecision => Host::DataTransfer,
            _ => Host::Verification,
        }
    }

    /// Returns the longest response body that is read, in bytes: 64 MiB for a PDF, which may carry
    /// images, and 8 MiB for any other.
    ///
    /// A client need not read more than one byte beyond it: a longer body is refused whatever it
    /// holds.
    pub const fn max_body_bytes(self) -> usize {
        match self {
            Self::GenerateVerificationPdf => 64 << 20,
            _ => 8 << 20,
        }
    }

    /// Returns whether it is an endpoint of the verification API.
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

/// Input that is refused before anything is sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// See [`InvalidBaseUrl`].
    BaseUrl(InvalidBaseUrl),
    /// See [`InvalidCredentials`].
    Credentials(InvalidCredentials),
    /// See [`InvalidSessionId`].
    SessionId(InvalidSessionId),
    /// See [`InvalidScope`].
    Scope(InvalidScope),
    /// A user agent that no header may carry.
    UserAgent,
    /// A path that does not begin with a slash, has empty or dot segments, or needs to be encoded.
    Path,
    /// A member of the body that the service documents to refuse.
    InvalidMember {
        /// Its path, such as `expected_details.address`.
        name: &'static str,
        /// The problem, as the end of a sentence.
        problem: &'static str,
    },
    /// The body could not be written as JSON; the types of this crate always can.
    Json(Arc<serde_json::Error>),
    /// The `http` crate refused the request; those of this crate are never refused.
    Http(Arc<http::Error>),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BaseUrl(error) => error.fmt(f),
            Self::Credentials(error) => error.fmt(f),
            Self::SessionId(error) => error.fmt(f),
            Self::Scope(error) => error.fmt(f),
            Self::UserAgent => {
                f.write_str("the user agent contains a character that is not visible ASCII")
            }
            Self::Path => f.write_str(
                "the path does not begin with a slash, or has empty, dot or encoded segments",
            ),
            Self::InvalidMember { name, problem } => write!(f, "{name} {problem}"),
            Self::Json(_) | Self::Http(_) => f.write_str("the request could not be built"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json(error) => Some(&**error),
            Self::Http(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<InvalidBaseUrl> for BuildError {
    fn from(error: InvalidBaseUrl) -> Self {
        Self::BaseUrl(error)
    }
}

impl From<InvalidCredentials> for BuildError {
    fn from(error: InvalidCredentials) -> Self {
        Self::Credentials(error)
    }
}

impl From<InvalidSessionId> for BuildError {
    fn from(error: InvalidSessionId) -> Self {
        Self::SessionId(error)
    }
}

impl From<InvalidScope> for BuildError {
    fn from(error: InvalidScope) -> Self {
        Self::Scope(error)
    }
}

impl From<http::Error> for BuildError {
    fn from(error: http::Error) -> Self {
        Self::Http(Arc::new(error))
    }
}

/// A response that is not what was asked for: the status of a failure, or an unreadable success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseError(Box<Details>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Details {
    endpoint: EndpointKind,
    status: StatusCode,
    kind: ResponseErrorKind,
    message: Option<Box<str>>,
    request_id: Option<Box<str>>,
    retry_after: Option<Duration>,
    /// The content type or encoding, if it is not plain JSON.
    media: Option<Box<str>>,
    /// A redirect's target.
    location: Option<Box<str>>,
}

/// The kinds of [`ResponseError`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseErrorKind {
    /// 401, or `invalid_client` from the token route: the credentials are not accepted.
    Unauthorized,
    /// 403: the credentials are known and may not do this.
    Forbidden,
    /// 404.
    NotFound,
    /// 429.
    RateLimited,
    /// Any other 4xx.
    ClientError,
    /// 5xx: the service or a gateway in front of it failed.
    ServerError,
    /// 3xx: redirects are never followed.
    Redirect,
    /// Neither a success nor a failure (1xx, or a status nobody has defined).
    UnexpectedStatus,
    /// A success whose body is not the documented one.
    Malformed(JsonError),
    /// A success without a body.
    Empty,
    /// A success whose body is about another session than the one asked for.
    SessionMismatch,
    /// A success that is no PDF file.
    NotPdf,
    /// A success whose body is longer than [`EndpointKind::max_body_bytes`].
    TooLarge,
}

impl ResponseError {
    pub(crate) fn new(endpoint: EndpointKind, status: StatusCode, kind: ResponseErrorKind) -> Self {
        Self(Box::new(Details {
            endpoint,
            status,
            kind,
            message: None,
            request_id: None,
            retry_after: None,
            media: None,
            location: None,
        }))
    }

    /// Returns the error that a response of that endpoint comes to, if its status is not a success: for
    /// tests of your own code.
    pub fn from_response<B: AsRef<[u8]>>(endpoint: EndpointKind, response: &Response<B>) -> Self {
        triage::failure(endpoint, response)
    }

    pub(crate) fn with_message(mut self, message: Option<String>) -> Self {
        self.0.message = message.map(Into::into);
        self
    }

    pub(crate) fn with_request_id(mut self, request_id: Option<String>) -> Self {
        self.0.request_id = request_id.map(Into::into);
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.0.retry_after = retry_after;
        self
    }

    pub(crate) fn with_media(mut self, media: Option<String>) -> Self {
        self.0.media = media.map(Into::into);
        self
    }

    pub(crate) fn with_location(mut self, location: Option<String>) -> Self {
        self.0.location = location.map(Into::into);
        self
    }

    /// Removes a secret from every text that the service wrote, in whatever encoding it stands
    /// there.
    pub(crate) fn scrubbed(mut self, secret: &str) -> Self {
        let Details { kind, message, request_id, media, location, .. } = &mut *self.0;
        for text in [message, request_id, media, location] {
            *text = text.take().map(|text| scrub(&text, secret).into());
        }
        if let ResponseErrorKind::Malformed(error) = kind {
            *error = error.clone().map_path(|path| scrub(path, secret));
        }
        self
    }

    /// Returns the endpoint.
    pub fn endpoint(&self) -> EndpointKind {
        self.0.endpoint
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Returns what is wrong with the response.
    pub fn kind(&self) -> &ResponseErrorKind {
        &self.0.kind
    }

    /// Returns the service's own words, if it sent any: at most a few hundred characters on one line.
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// Returns the identifier that the service gave the request, for its support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns how long the service asks to wait before the next attempt.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns where a redirect leads.
    pub fn location(&self) -> Option<&str> {
        self.0.location.as_deref()
    }

    /// Returns whether the same request may succeed later: 408, 429, 500, 502, 503, 504, and
    /// truncated responses.
    pub fn is_retryable(&self) -> bool {
        match &self.0.kind {
            ResponseErrorKind::Malformed(error) => error.is_truncated(),
            ResponseErrorKind::RateLimited => true,
            ResponseErrorKind::ClientError | ResponseErrorKind::ServerError => {
                matches!(self.0.status.as_u16(), 408 | 500 | 502 | 503 | 504)
            }
            _ => false,
        }
    }

    /// Returns what a person can do about it, in a few words.
    pub fn advice(&self) -> &'static str {
        match (&self.0.kind, self.0.endpoint) {
            (ResponseErrorKind::Unauthorized, EndpointKind::ReadStatus) => {
                "check the session token"
            }
            (ResponseErrorKind::Unauthorized, EndpointKind::FetchToken) => {
                "check the client id and the client secret, and that they are for this base URL"
            }
            (ResponseErrorKind::Unauthorized, endpoint) if endpoint.is_verification() => {
                "check the API key"
            }
            (ResponseErrorKind::Unauthorized, _) => "check the credentials",
            (ResponseErrorKind::Forbidden, EndpointKind::GenerateVerificationPdf) => {
                "wait until the session is decided, or check the API key"
            }
            (ResponseErrorKind::Forbidden, endpoint) if endpoint.is_verification() => {
                "check the API key, and that it may do this"
            }
            (ResponseErrorKind::Forbidden, _) => "ask Didit to grant these credentials access",
            (
                ResponseErrorKind::NotFound,
                EndpointKind::FetchToken | EndpointKind::CreateSession,
            ) => "check the base URL",
            (ResponseErrorKind::NotFound, _) => {
                "check the session id, and that the session belongs to these credentials"
            }
            (ResponseErrorKind::RateLimited, _) => "send fewer requests, or allow more time",
            (ResponseErrorKind::ClientError, _) => "fix the request",
            (ResponseErrorKind::ServerError, _) => "try again later",
            (ResponseErrorKind::Redirect, _) => "check the base URL; redirects are not followed",
            (ResponseErrorKind::Malformed(error), _) if error.is_truncated() => "try again later",
            _ => "check the base URL; if it is right, report this to the service",
        }
    }
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { endpoint, status, kind, message, request_id, media, location, .. } = &*self.0;
        write!(f, "could not {endpoint}: HTTP {status}")?;
        match kind {
            ResponseErrorKind::Malformed(error) => {
                write!(f, ", but the response is unreadable: {error}")?;
                if let Some(media) = media {
                    write!(f, " (it is {})", media.escape_debug())?;
                }
            }
            ResponseErrorKind::Empty => f.write_str(", but the response is empty")?,
            ResponseErrorKind::Redirect => {
                if let Some(location) = location {
                    write!(f, ", a redirect to {}", location.escape_debug())?;
                }
            }
            ResponseErrorKind::SessionMismatch => {
                f.write_str(", but the response is about another session")?;
            }
            ResponseErrorKind::NotPdf => f.write_str(", but the response is not a PDF")?,
            ResponseErrorKind::TooLarge => {
                let limit = endpoint.max_body_bytes() >> 20;
                write!(f, ", but the response is larger than {limit} MiB")?;
            }
            _ => {}
        }
        if let Some(message) = message {
            write!(f, "; the service says {message:?}")?;
        }
        if let Some(request_id) = request_id {
            write!(f, " (request id {})", request_id.escape_debug())?;
        }
        Ok(())
    }
}

impl std::error::Error for ResponseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        None
    }
}
