//! Classifies the errors of the HTTP library.

use std::io;

use didit_blocking_adapter::failed;
use didit_core::TransportErrorKind;
use rustls::CertificateError;

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
        (ureq::Error::Other(Box::new(io::Error::other(unknown()))), Certificate),
        (ureq::Error::Other(Box::new(io::Error::other(rustls::Error::DecryptError))), Connect),
        (io(io::ErrorKind::ConnectionRefused), Connect),
        (io(io::ErrorKind::AddrNotAvailable), Connect),
        (io(io::ErrorKind::TimedOut), Timeout),
        (io(io::ErrorKind::WouldBlock), Timeout),
        (io(io::ErrorKind::HostUnreachable), ConnectionLost),
        (io(io::ErrorKind::ConnectionReset), ConnectionLost),
        (ureq::Error::RedirectFailed, ConnectionLost),
    ];
    for (error, expected) in cases {
        let shown = format!("{error:?}");
        assert_eq!(failed(error).0.kind(), expected, "{shown}");
    }
}
