use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::base_url::InvalidBaseUrl;
use crate::credentials::InvalidCredentials;
use crate::json::JsonError;
use crate::scope::InvalidScope;
use crate::secret::scrub;
use crate::session_id::InvalidSessionId;

/// One of the requests of the API, as errors and events name what was attempted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// `POST /auth/v2/token/`
    FetchToken,
    /// `POST /auth/v2/session/`
    CreateSession,
    /// `GET /auth/v2/session/{session_id}/status/`
    ReadStatus,
    /// `GET /auth/v2/session/{session_id}/decision/`
    RetrieveDecision,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FetchToken => "fetch an access token",
            Self::CreateSession => "create the session",
            Self::ReadStatus => "read the session's status",
            Self::RetrieveDecision => "retrieve the decision",
        })
    }
}

/// Bad input, refused before anything is sent.
#[derive(Debug)]
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
    /// The body could not be written as JSON; the types here are made so that it always can.
    Json(serde_json::Error),
    /// The `http` crate refused the request; the types here are made so that it never does.
    Http(http::Error),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BaseUrl(error) => error.fmt(f),
            Self::Credentials(error) => error.fmt(f),
            Self::SessionId(error) => error.fmt(f),
            Self::Scope(error) => error.fmt(f),
            Self::UserAgent => f.write_str("the user agent is not visible ASCII"),
            Self::Json(_) | Self::Http(_) => f.write_str("the request could not be built"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            Self::Http(error) => Some(error),
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
        Self::Http(error)
    }
}

/// An answer that is not what was asked for: a failure's status, or a success that cannot be read.
#[derive(Clone, Debug)]
pub struct ResponseError(Box<Refusal>);

#[derive(Clone, Debug)]
struct Refusal {
    action: Action,
    status: StatusCode,
    kind: ResponseErrorKind,
    message: Option<Box<str>>,
    request_id: Option<Box<str>>,
    retry_after: Option<Duration>,
}

/// What kind of answer a [`ResponseError`] is about.
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
    Rejected,
    /// 5xx: the service or a gateway before it failed.
    Unavailable,
    /// 3xx: redirects are never followed.
    Redirect,
    /// Neither a success nor a failure (1xx, or a status nobody has defined).
    UnexpectedStatus,
    /// A success whose body is not the documented answer.
    Malformed(JsonError),
    /// A success whose body is about another session than the one asked for.
    AnotherSession,
    /// A success whose body is longer than [`MAX_BODY_BYTES`](crate::MAX_BODY_BYTES).
    TooLarge,
}

impl ResponseError {
    pub(crate) fn new(action: Action, status: StatusCode, kind: ResponseErrorKind) -> Self {
        Self(Box::new(Refusal {
            action,
            status,
            kind,
            message: None,
            request_id: None,
            retry_after: None,
        }))
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

    /// The same without a secret that the service sent back in its own words.
    pub(crate) fn scrubbed(mut self, secret: &str) -> Self {
        for text in [&mut self.0.message, &mut self.0.request_id] {
            *text = text.take().map(|text| scrub(&text, secret).into());
        }
        self
    }

    /// What was attempted.
    pub fn action(&self) -> Action {
        self.0.action
    }

    /// The HTTP status of the answer.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What kind of answer it was.
    pub fn kind(&self) -> &ResponseErrorKind {
        &self.0.kind
    }

    /// The service's own words, if it had any: at most a few hundred characters, without controls.
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// The identifier that the service gave the request, to be named when asking its support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How long the service asks to wait before the next try.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the same request may succeed later: 408, 429, 500, 502, 503, 504, truncated answers.
    pub fn is_retryable(&self) -> bool {
        match &self.0.kind {
            ResponseErrorKind::Malformed(error) => error.is_truncated(),
            ResponseErrorKind::RateLimited => true,
            ResponseErrorKind::Rejected | ResponseErrorKind::Unavailable => {
                matches!(self.0.status.as_u16(), 408 | 500 | 502 | 503 | 504)
            }
            _ => false,
        }
    }

    /// What a person can do about it, in a few words.
    pub fn advice(&self) -> &'static str {
        match (&self.0.kind, self.0.action) {
            (ResponseErrorKind::Unauthorized, Action::ReadStatus) => "check the session token",
            (ResponseErrorKind::Unauthorized, _) => "check the credentials",
            (ResponseErrorKind::Forbidden, _) => "ask for access with these credentials",
            (ResponseErrorKind::NotFound, Action::FetchToken | Action::CreateSession) => {
                "check the base URL"
            }
            (ResponseErrorKind::NotFound, _) => "check the session id and whose session it is",
            (ResponseErrorKind::RateLimited, _) => "ask less often, or allow more time",
            (ResponseErrorKind::Rejected, _) => "mend the request",
            (ResponseErrorKind::Unavailable, _) => "try again later",
            (ResponseErrorKind::Redirect, _) => "check the base URL; redirects are not followed",
            (ResponseErrorKind::Malformed(error), _) if error.is_truncated() => "try again later",
            _ => "check the base URL; if it is right, report this to the service",
        }
    }
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refusal { action, status, kind, message, request_id, .. } = &*self.0;
        write!(f, "could not {action}: HTTP {status}")?;
        match kind {
            ResponseErrorKind::Malformed(error) => {
                write!(f, ", but the answer is unreadable: {error}")?;
            }
            ResponseErrorKind::AnotherSession => {
                f.write_str(", but the answer is about another session")?;
            }
            ResponseErrorKind::TooLarge => f.write_str(", but the answer is over 8 MiB")?,
            _ => {}
        }
        if let Some(message) = message {
            write!(f, ", the service says: {message:?}")?;
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
