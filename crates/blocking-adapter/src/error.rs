use std::io;

use didit_core::client::{FailedExchange, NOT_HTTP, TransportDetail, describe_refusal, tls};
use didit_core::{ClientError, TransportError, TransportErrorKind};

/// The error of a call; see [`ClientError`].
pub type Error = ClientError<ureq::Error>;

/// Converts an error of the HTTP library for the engine and for the caller.
pub fn failed(error: ureq::Error) -> FailedExchange<ureq::Error> {
    (TransportError::new(kind(&error)), Some(detail(error)))
}

/// Classifies a failed exchange by whether the service may have received the request.
fn kind(error: &ureq::Error) -> TransportErrorKind {
    if let Some(kind) = tls_error(error).and_then(tls::kind) {
        return kind;
    }
    match error {
        ureq::Error::Timeout(_) => TransportErrorKind::Timeout,
        ureq::Error::ConnectProxyFailed(_) => TransportErrorKind::Proxy,
        ureq::Error::LargeResponseHeader(..)
        | ureq::Error::Protocol(ureq_proto::Error::HttpParseTooManyHeaders) => {
            TransportErrorKind::HeadTooLarge
        }
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::InvalidProxyUrl
        | ureq::Error::Tls(_) => TransportErrorKind::Connect,
        ureq::Error::Other(error) if error.is::<io::Error>() => TransportErrorKind::Connect,
        ureq::Error::Io(error) => match error.kind() {
            // These two occur only while connecting. An unreachable host or network can also be
            // reported on an established connection.
            io::ErrorKind::ConnectionRefused | io::ErrorKind::AddrNotAvailable => {
                TransportErrorKind::Connect
            }
            _ if is_timeout(error) => TransportErrorKind::Timeout,
            _ => TransportErrorKind::ConnectionLost,
        },
        _ => TransportErrorKind::ConnectionLost,
    }
}

pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

/// Returns the error with its text and advice.
fn detail(error: ureq::Error) -> TransportDetail<ureq::Error> {
    let (description, advice) = match (tls_error(&error), &error) {
        (Some(error), _) => (tls::describe(error), tls::advice(error)),
        (_, ureq::Error::ConnectProxyFailed(text)) => describe_refusal(text),
        (_, ureq::Error::Io(error)) => (error.to_string(), None),
        (_, ureq::Error::Other(error)) => (error.to_string(), None),
        (_, ureq::Error::HostNotFound) => ("the host was not found".to_owned(), None),
        (_, ureq::Error::Protocol(_) | ureq::Error::Http(_))
            if kind(&error) == TransportErrorKind::ConnectionLost =>
        {
            (NOT_HTTP.to_owned(), None)
        }
        _ => return TransportDetail { error, description: None, advice: None },
    };
    TransportDetail { error, description: Some(description), advice }
}

/// Returns the TLS library's error, which an `io::Error` may wrap.
fn tls_error(error: &ureq::Error) -> Option<&rustls::Error> {
    let error: &io::Error = match error {
        ureq::Error::Rustls(error) => return Some(error),
        ureq::Error::Io(error) => error,
        ureq::Error::Other(error) => error.downcast_ref()?,
        _ => return None,
    };
    error.get_ref()?.downcast_ref()
}
