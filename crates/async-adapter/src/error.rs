use std::error::Error as StdError;
use std::io;

use didit_core::{ClientError, Route, TransportDetail, TransportErrorKind};
use rustls::CertificateError;

/// Why a call failed; see [`ClientError`].
pub type Error = ClientError<reqwest::Error>;

/// Classifies a failed exchange by whether the service may have received the request.
pub(crate) fn kind(error: &reqwest::Error, route: &Route) -> TransportErrorKind {
    match tls_error(error) {
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
            TransportErrorKind::Certificate
        }
        _ if error.is_timeout() => TransportErrorKind::Timeout,
        // A proxy that answered and refused is the one failure to connect without I/O below it.
        None if error.is_connect() && route.proxy().is_some() && io_error(error).is_none() => {
            TransportErrorKind::Proxy
        }
        _ if error.is_connect() || error.is_builder() => TransportErrorKind::Connect,
        _ => TransportErrorKind::ConnectionLost,
    }
}

/// Returns the error without the URL, and what it says.
pub(crate) fn detail(error: reqwest::Error) -> TransportDetail<reqwest::Error> {
    let tls = tls_error(&error);
    let words = tls.map(tls_words).or_else(|| io_error(&error).map(ToString::to_string));
    let advice = tls.and_then(tls_advice);
    TransportDetail { error: error.without_url(), words, advice }
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

fn io_error(error: &reqwest::Error) -> Option<&io::Error> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// Returns the TLS library's error, which one `io::Error` in another may wrap.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    fn unwrapped<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
        match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => unwrapped(wrapped),
            None => cause.downcast_ref(),
        }
    }
    causes(error).find_map(unwrapped)
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
