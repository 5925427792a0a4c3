//! The errors of attempts and the reasons for waits.

use std::fmt;

use http::Response;

/// The error of a request that got no complete response.
pub struct TransportError {
    pub(super) kind: TransportErrorKind,
    pub(super) partial: Option<Box<Response<Vec<u8>>>>,
}

impl TransportError {
    /// Creates the error of an exchange that failed before the head of a response arrived.
    pub fn new(kind: TransportErrorKind) -> Self {
        Self { kind, partial: None }
    }

    /// Returns the kind of the failure.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Adds the part of the response that arrived before its body broke off. An error status still
    /// counts, and so does a body that is a complete JSON object, since some servers omit the last
    /// chunk ([RFC 9112, section 7.1](https://www.rfc-editor.org/rfc/rfc9112#section-7.1)).
    #[must_use]
    pub fn with_partial(mut self, partial: Response<Vec<u8>>) -> Self {
        self.partial = Some(Box::new(partial));
        self
    }
}

impl fmt::Debug for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.partial.as_ref().map(|partial| partial.status());
        f.debug_struct("TransportError")
            .field("kind", &self.kind)
            .field("status", &status)
            .finish_non_exhaustive()
    }
}

/// The kinds of failure below HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection was made, so nothing of the request left this machine.
    Connect,
    /// The server's certificate was refused, so nothing of the request left this machine.
    Certificate,
    /// The TLS handshake failed: the server demands a client certificate, or supports no TLS version
    /// or cipher of this client. It saw nothing of the request.
    Handshake,
    /// The proxy refused to connect, or closed its connection. Nothing of the request reached the
    /// service.
    Proxy,
    /// The time for the request ran out.
    Timeout,
    /// The connection was lost, or did not speak HTTP, after the request may have been sent.
    ConnectionLost,
    /// The head of the response is larger, or has more fields, than the client accepts.
    HeadTooLarge,
}

impl TransportErrorKind {
    /// Returns whether it is certain that the service did not see the request.
    pub(super) fn is_unsent(self) -> bool {
        matches!(self, Self::Connect | Self::Certificate | Self::Handshake | Self::Proxy)
    }

    /// Returns whether a retry would fail in the same way.
    pub(super) fn is_permanent(self) -> bool {
        matches!(self, Self::Certificate | Self::Handshake | Self::Proxy | Self::HeadTooLarge)
    }

    /// Returns short advice on how to resolve the error.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Connect => "check the network, the base URL and the proxy, if there is one",
            Self::Certificate => "check the base URL and the trusted certificates",
            Self::Handshake => "check the base URL; client certificates are not supported",
            Self::Proxy => "check the proxy, and the user name and password for it",
            Self::Timeout => "try again, or raise the timeout",
            Self::ConnectionLost => "try again later",
            Self::HeadTooLarge => "check the base URL; if it is right, report this to the service",
        }
    }
}

impl fmt::Display for TransportErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "no connection could be made",
            Self::Certificate => "the server's certificate was refused",
            Self::Handshake => "the TLS handshake failed",
            Self::Proxy => "the proxy refused the connection",
            Self::Timeout => "no complete response arrived in time",
            Self::ConnectionLost => "the connection was lost before a complete response arrived",
            Self::HeadTooLarge => "the response's headers exceed 64 KiB or 128 fields",
        })
    }
}

/// The reason for a [`Step::Wait`](super::Step::Wait).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitReason {
    /// Room in the rate limit.
    Pacing,
    /// The first response in this rate-limit bucket, which shows whether there is a limit.
    FirstResponse,
    /// The time that the service set for the next attempt.
    RetryAfter,
    /// A pause before the next attempt.
    Backoff,
    /// The next poll of an undecided session.
    Polling,
    /// The token that another call is fetching.
    Token,
    /// The response to a request that was sent.
    Response,
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pacing => "the rate limit",
            Self::FirstResponse => "the first response, to learn the rate limit",
            Self::RetryAfter => "the Retry-After time set by the service",
            Self::Backoff => "the next attempt",
            Self::Polling => "a final status",
            Self::Token => "the token that another call is fetching",
            Self::Response => "the response",
        })
    }
}
