use std::io;

use didit_core::{ClientError, TransportDetail, TransportErrorKind};
use rustls::CertificateError;

/// Why a call failed; see [`ClientError`].
pub type Error = ClientError<ureq::Error>;

/// Classifies a failed exchange by whether the service may have received the request.
pub(crate) fn kind(error: &ureq::Error) -> TransportErrorKind {
    if let Some(error) = tls_error(error) {
        return match error {
            rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
                TransportErrorKind::Certificate
            }
            _ => TransportErrorKind::ConnectionLost,
        };
    }
    match error {
        ureq::Error::Timeout(_) => TransportErrorKind::Timeout,
        ureq::Error::ConnectProxyFailed(_) => TransportErrorKind::Proxy,
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::InvalidProxyUrl
        | ureq::Error::Tls(_) => TransportErrorKind::Connect,
        ureq::Error::Io(error) => match error.kind() {
            // Only making a connection fails so; an unreachable host or network may as well be told
            // of a connection that was made.
            io::ErrorKind::ConnectionRefused | io::ErrorKind::AddrNotAvailable => {
                TransportErrorKind::Connect
            }
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => TransportErrorKind::Timeout,
            _ => TransportErrorKind::ConnectionLost,
        },
        _ => TransportErrorKind::ConnectionLost,
    }
}

/// Returns the error and what it says.
pub(crate) fn detail(error: ureq::Error) -> TransportDetail<ureq::Error> {
    let tls = tls_error(&error);
    let advice = tls.and_then(tls_advice);
    let words = tls.map(tls_words).or_else(|| match &error {
        ureq::Error::Io(error) => Some(error.to_string()),
        ureq::Error::HostNotFound => Some("the host was not found".to_owned()),
        ureq::Error::ConnectProxyFailed(words) => Some(words.clone()),
        _ => None,
    });
    TransportDetail { error, words, advice }
}

/// Returns the TLS library's error, which an `io::Error` may wrap.
fn tls_error(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref()),
        _ => None,
    }
}

fn tls_words(error: &rustls::Error) -> String {
    use CertificateError::{Expired, ExpiredContext, NotValidForName, NotValidForNameContext};
    let words = match error {
        rustls::Error::InvalidMessage(_) => "the server does not speak TLS on this port",
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::UnknownIssuer => "no trusted authority issued the certificate",
            Expired | ExpiredContext { .. } => "the certificate has expired",
            NotValidForName | NotValidForNameContext { .. } => {
                "the certificate is for another host"
            }
            CertificateError::Other(_) => {
                "the certificate is an authority's or of an old version, not a server's"
            }
            other => return other.to_string(),
        },
        other => return other.to_string(),
    };
    words.to_owned()
}

fn tls_advice(error: &rustls::Error) -> Option<&'static str> {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            Some("if the server is right, trust its issuer as a root certificate (`--ca-file`)")
        }
        rustls::Error::InvalidCertificate(CertificateError::Other(_)) => {
            Some("give the server a certificate of its own, of version 3")
        }
        rustls::Error::InvalidMessage(_) => Some("check the port of the base URL"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_unsent_only_if_it_surely_is() {
        use TransportErrorKind::{Certificate, Connect, ConnectionLost, Proxy, Timeout};
        let io = |kind: io::ErrorKind| ureq::Error::Io(kind.into());
        let unknown = || rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let message = rustls::InvalidMessage::InvalidContentType;
        let cases = [
            (ureq::Error::Timeout(ureq::Timeout::Global), Timeout),
            (ureq::Error::HostNotFound, Connect),
            (ureq::Error::ConnectionFailed, Connect),
            (ureq::Error::InvalidProxyUrl, Connect),
            (ureq::Error::ConnectProxyFailed("407".to_owned()), Proxy),
            (ureq::Error::Tls("no provider"), Connect),
            (ureq::Error::Rustls(unknown()), Certificate),
            (ureq::Error::Rustls(rustls::Error::NoCertificatesPresented), Certificate),
            (ureq::Error::Rustls(rustls::Error::InvalidMessage(message)), ConnectionLost),
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
