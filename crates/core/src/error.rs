mod build;

use std::fmt;
use std::time::Duration;

use http::{Response, StatusCode};

pub use self::build::BuildError;
use crate::endpoint::sealed::Sealed;
use crate::endpoint::{EndpointKind, triage};
use crate::json::JsonError;
use crate::secret::scrub;

/// The error of a response: an error status, or a success that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseError(pub(crate) Box<Details>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Details {
    endpoint: EndpointKind,
    status: StatusCode,
    kind: ResponseErrorKind,
    pub(crate) message: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    /// The content type or encoding, if it is not plain JSON.
    pub(crate) media: Option<String>,
    /// The target of a redirect, without its query and fragment.
    pub(crate) location: Option<String>,
    /// True if the HTTP client followed the redirect, so that the request was sent to its target.
    pub(crate) followed: bool,
    /// True if a token that was fetched with client credentials authorized the request.
    pub(crate) by_client: bool,
}

/// The kinds of [`ResponseError`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseErrorKind {
    /// 401, or `invalid_client` from the token endpoint with any status: the credentials were not accepted.
    Unauthorized,
    /// 403: the credentials are known but lack the permission.
    Forbidden,
    /// 404.
    NotFound,
    /// 429.
    RateLimited,
    /// Any other 4xx.
    ClientError,
    /// 5xx: the service or a gateway in front of it failed.
    ServerError,
    /// 3xx: redirects are not followed. Or a redirect that the caller's own HTTP client followed: the
    /// response is not used, and the status, 302, stands for that of the redirect.
    Redirect,
    /// Neither a success nor an error (1xx, or an undefined status), or 206, a part of a response.
    UnexpectedStatus,
    /// A success with an undocumented body.
    Malformed(JsonError),
    /// A success without a body.
    Empty,
    /// A success for another session than the requested one.
    SessionMismatch,
    /// A success whose body is not a PDF file.
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
            followed: false,
            by_client: false,
        }))
    }

    /// Returns the error of a response whose status is not a success, for tests of your own code.
    pub fn from_response<B: AsRef<[u8]>>(endpoint: EndpointKind, response: &Response<B>) -> Self {
        triage::failure(endpoint, response)
    }

    /// Removes a secret, in any encoding, from every text of the service.
    pub(crate) fn scrubbed(mut self, secret: &str) -> Self {
        let Details { kind, message, request_id, media, location, .. } = &mut *self.0;
        for text in [message, request_id, media, location] {
            *text = text.take().map(|text| scrub(&text, secret));
        }
        if let ResponseErrorKind::Malformed(error) = kind {
            *error = error.clone().map_path(|path| scrub(path, secret));
        }
        self
    }

    /// Removes the private texts of the request, which the response may echo.
    pub(crate) fn without_echo(self, request: &impl Sealed) -> Self {
        request.private_texts().iter().fold(self, |error, text| error.scrubbed(text.expose()))
    }

    /// Returns the endpoint.
    pub fn endpoint(&self) -> EndpointKind {
        self.0.endpoint
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> &ResponseErrorKind {
        &self.0.kind
    }

    /// Returns the service's error message, if it sent one: at most 301 characters on one line.
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// Returns the service's identifier of the request, to quote to its support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns how long the service asks to wait before the next attempt.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the target of a redirect, without its query, which may contain personal data.
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

    /// Returns short advice on how to resolve the error.
    pub fn advice(&self) -> &'static str {
        match (&self.0.kind, self.0.endpoint) {
            (
                ResponseErrorKind::Unauthorized | ResponseErrorKind::Forbidden,
                EndpointKind::ReadStatus,
            ) => "check the session token",
            (ResponseErrorKind::Unauthorized, EndpointKind::FetchToken) => {
                "check the client id and the client secret, and that they are for this base URL"
            }
            (ResponseErrorKind::Unauthorized | ResponseErrorKind::Forbidden, endpoint)
                if self.0.by_client && endpoint.is_verification() =>
            {
                "use an API key: the verification API takes no client credentials"
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
                EndpointKind::FetchToken
                | EndpointKind::CreateSession
                | EndpointKind::CreateVerificationSession
                | EndpointKind::ListVerificationSessions,
            ) => "check the base URL",
            (ResponseErrorKind::NotFound, EndpointKind::ReadStatus) => {
                "check the session id and the session token"
            }
            (ResponseErrorKind::NotFound, _) => {
                "check the session id, and that the session belongs to these credentials"
            }
            (ResponseErrorKind::RateLimited, _) => "send fewer requests, or raise the timeout",
            (ResponseErrorKind::ClientError, _) if self.is_retryable() => "try again later",
            (ResponseErrorKind::ClientError, _) => "fix the request",
            (ResponseErrorKind::ServerError, _) => "try again later",
            (ResponseErrorKind::Redirect, _) if self.0.followed => {
                "make the HTTP client follow no redirects, and check the base URL"
            }
            (ResponseErrorKind::Redirect, _) => "check the base URL; redirects are not followed",
            (ResponseErrorKind::Malformed(error), _) if error.is_truncated() => "try again later",
            _ => "check the base URL; if it is right, report this to the service",
        }
    }
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details {
            endpoint, status, kind, message, request_id, media, location, followed, ..
        } = &*self.0;
        if *followed {
            let target = location.as_deref().unwrap_or_default().escape_debug();
            return write!(
                f,
                "could not {endpoint}: the HTTP client followed a redirect to {target}"
            );
        }
        write!(f, "could not {endpoint}: HTTP {}", status.as_str())?;
        if let Some(reason) = status.canonical_reason() {
            write!(f, " {reason}")?;
        }
        let media = || {
            let media = media.as_ref().map(|media| format!(" (it is {})", media.escape_debug()));
            media.unwrap_or_default()
        };
        match kind {
            ResponseErrorKind::Malformed(error) => {
                write!(f, ", but the response is unreadable: {error}{}", media())?;
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
            ResponseErrorKind::NotPdf => {
                write!(f, ", but the response is not a PDF{}", media())?;
            }
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

impl std::error::Error for ResponseError {}
