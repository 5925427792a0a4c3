use std::io;

use didit_core::client::{FailedExchange, NOT_HTTP, TransportDetail, tls};
use didit_core::{ClientError, TransportError, TransportErrorKind};

/// The error of a call; see [`ClientError`].
pub type Error = ClientError<ureq::Error>;

/// Converts an error of the HTTP library for the engine and for the caller.
pub fn failed(error: ureq::Error) -> FailedExchange<ureq::Error> {
    (TransportError::new(kind(&error)), Some(detail(error)))
}

/// Classifies a failed exchange by whether the service may have received the request.
fn kind(error: &ureq::Error) -> TransportErrorKind {
    if let Some(error) = tls_error(error) {
        return tls::kind(error).unwrap_or(TransportErrorKind::ConnectionLost);
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
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => TransportErrorKind::Timeout,
            _ => TransportErrorKind::ConnectionLost,
        },
        _ => TransportErrorKind::ConnectionLost,
    }
}

/// Returns the error with its text and advice.
fn detail(error: ureq::Error) -> TransportDetail<ureq::Error> {
    let tls_error = tls_error(&error);
    let advice = tls_error.and_then(tls::advice);
    let description = tls_error.map(tls::describe).or_else(|| match &error {
        ureq::Error::Io(error) => Some(error.to_string()),
        ureq::Error::Other(error) => Some(error.to_string()),
        ureq::Error::HostNotFound => Some("the host was not found".to_owned()),
        ureq::Error::ConnectProxyFailed(description) => Some(description.clone()),
        ureq::Error::Protocol(_) | ureq::Error::Http(_)
            if kind(&error) == TransportErrorKind::ConnectionLost =>
        {
            Some(NOT_HTTP.to_owned())
        }
        _ => None,
    });
    TransportDetail { error, description, advice }
}

/// Returns the TLS library's error, which an `io::Error` may wrap.
fn tls_error(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rustls::CertificateError;

    use super::*;

    #[test]
    fn ambiguous_errors_count_as_lost_connections() {
        use TransportErrorKind::{
            Certificate, Connect, ConnectionLost, Handshake, HeadTooLarge, Proxy, Timeout,
        };
        let io = |kind: io::ErrorKind| ureq::Error::Io(kind.into());
        let unknown = || rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let alert = |alert| ureq::Error::Io(io::Error::other(rustls::Error::AlertReceived(alert)));
        let message = rustls::InvalidMessage::InvalidContentType;
        let cases = [
            (ureq::Error::Timeout(ureq::Timeout::Global), Timeout),
            (ureq::Error::HostNotFound, Connect),
            (ureq::Error::Other(Box::new(io::Error::from(io::ErrorKind::WouldBlock))), Connect),
            (ureq::Error::ConnectionFailed, Connect),
            (ureq::Error::InvalidProxyUrl, Connect),
            (ureq::Error::ConnectProxyFailed("407".to_owned()), Proxy),
            (ureq::Error::LargeResponseHeader(2, 1), HeadTooLarge),
            (ureq::Error::Protocol(ureq_proto::Error::HttpParseTooManyHeaders), HeadTooLarge),
            (ureq::Error::Tls("no provider"), Connect),
            (ureq::Error::Rustls(unknown()), Certificate),
            (ureq::Error::Rustls(rustls::Error::NoCertificatesPresented), Certificate),
            (ureq::Error::Rustls(rustls::Error::InvalidMessage(message)), ConnectionLost),
            (alert(rustls::AlertDescription::CertificateRequired), Handshake),
            (alert(rustls::AlertDescription::InternalError), ConnectionLost),
            (ureq::Error::Rustls(rustls::Error::DecryptError), ConnectionLost),
            (ureq::Error::Io(io::Error::other(unknown())), Certificate),
            (io(io::ErrorKind::ConnectionRefused), Connect),
            (io(io::ErrorKind::AddrNotAvailable), Connect),
            (io(io::ErrorKind::TimedOut), Timeout),
            (io(io::ErrorKind::WouldBlock), Timeout),
            (io(io::ErrorKind::HostUnreachable), ConnectionLost),
            (io(io::ErrorKind::ConnectionReset), ConnectionLost),
            (ureq::Error::RedirectFailed, ConnectionLost),
        ];
        for (error, expected) in cases {
            assert_eq!(kind(&error), expected, "{error:?}");
        }
    }
}
