use std::error::Error as StdError;
use std::fmt;
use std::io;

use didit_core::{BuildError, CallError, TransportErrorKind};

/// Why a call came to nothing: the core's [`CallError`], and the transport's error as its source.
#[derive(Debug)]
pub struct Error {
    call: CallError,
    transport: Option<ureq::Error>,
}

impl Error {
    pub(crate) fn new(call: CallError, transport: Option<ureq::Error>) -> Self {
        let transport =
            transport.filter(|_| matches!(call.kind(), didit_core::CallErrorKind::Transport(_)));
        Self { call, transport }
    }

    /// What stood in the way, to be matched on.
    pub fn call(&self) -> &CallError {
        &self.call
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt(f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.transport {
            Some(transport) => Some(transport),
            None => self.call.source(),
        }
    }
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        error.call
    }
}

/// Why a client could not be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// A setting was refused.
    Build(BuildError),
    /// The root certificate is not PEM, or holds no certificate.
    Certificate,
    /// This machine has no trusted root certificates, and none was given.
    NoRootCertificates,
    /// The base URL is https, and this build has neither of the features `rustls` and `native-tls`.
    NoTls,
    /// This environment variable names something else than an HTTP proxy.
    Proxy(&'static str),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build(error) => error.fmt(f),
            Self::Certificate => f.write_str("the root certificate is not a PEM certificate"),
            Self::NoRootCertificates => {
                f.write_str("this machine has no trusted root certificates")
            }
            Self::NoTls => f.write_str("this build has no TLS: enable `rustls` or `native-tls`"),
            Self::Proxy(name) => {
                write!(f, "{name} is not the address of an HTTP proxy, like http://host:port")
            }
        }
    }
}

impl StdError for ConfigError {}

impl From<BuildError> for ConfigError {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

/// In the core's terms, how far a failed exchange can have come.
pub(crate) fn failure_kind(error: &ureq::Error) -> TransportErrorKind {
    match error {
        ureq::Error::Timeout(_) => TransportErrorKind::Timeout,
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::InvalidProxyUrl
        | ureq::Error::ConnectProxyFailed(_)
        | ureq::Error::Tls(_) => TransportErrorKind::Connect,
        #[cfg(feature = "rustls")]
        ureq::Error::Rustls(error) => tls_failure_kind(error),
        #[cfg(feature = "native-tls")]
        ureq::Error::NativeTls(error) => native_failure_kind(error),
        ureq::Error::Io(error) => io_failure_kind(error),
        _ => TransportErrorKind::ConnectionLost,
    }
}

fn io_failure_kind(error: &io::Error) -> TransportErrorKind {
    #[cfg(feature = "rustls")]
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
        return tls_failure_kind(error);
    }
    // The error of a failed look-up has no kind of its own.
    if error.to_string().starts_with("failed to lookup address") {
        return TransportErrorKind::Connect;
    }
    match error.kind() {
        // These come from making a connection alone; an unreachable host or network may as well be
        // told of a connection that was made.
        io::ErrorKind::ConnectionRefused | io::ErrorKind::AddrNotAvailable => {
            TransportErrorKind::Connect
        }
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => TransportErrorKind::Timeout,
        _ => TransportErrorKind::ConnectionLost,
    }
}

#[cfg(feature = "rustls")]
fn tls_failure_kind(error: &rustls::Error) -> TransportErrorKind {
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            TransportErrorKind::Certificate
        }
        _ => TransportErrorKind::ConnectionLost,
    }
}

/// The system's library tells with words alone what it refused, and only before anything was sent.
#[cfg(feature = "native-tls")]
fn native_failure_kind(error: &native_tls::Error) -> TransportErrorKind {
    if error.to_string().contains("certificate") {
        TransportErrorKind::Certificate
    } else {
        TransportErrorKind::Connect
    }
}

#[cfg(all(test, feature = "rustls"))]
mod tests {
    use rustls::CertificateError;

    use super::*;

    #[test]
    fn a_failure_is_unsent_only_if_it_surely_is() {
        use TransportErrorKind::{Broken, Certificate, Connect, Timeout};
        let io = |kind: io::ErrorKind| ureq::Error::Io(kind.into());
        let unknown = || rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let cases = [
            (ureq::Error::Timeout(ureq::Timeout::Global), Timeout),
            (ureq::Error::HostNotFound, Connect),
            (ureq::Error::ConnectionFailed, Connect),
            (ureq::Error::InvalidProxyUrl, Connect),
            (ureq::Error::Tls("no provider"), Connect),
            (ureq::Error::Rustls(unknown()), Certificate),
            (ureq::Error::Rustls(rustls::Error::NoCertificatesPresented), Certificate),
            (ureq::Error::Rustls(rustls::Error::DecryptError), Broken),
            (ureq::Error::Io(io::Error::other(unknown())), Certificate),
            (ureq::Error::Io(io::Error::other("failed to lookup address information")), Connect),
            (io(io::ErrorKind::ConnectionRefused), Connect),
            (io(io::ErrorKind::AddrNotAvailable), Connect),
            (io(io::ErrorKind::TimedOut), Timeout),
            (io(io::ErrorKind::WouldBlock), Timeout),
            (io(io::ErrorKind::HostUnreachable), Broken),
            (io(io::ErrorKind::ConnectionReset), Broken),
            (ureq::Error::RedirectFailed, Broken),
        ];
        for (error, kind) in cases {
            assert_eq!(failure_kind(&error), kind, "{error:?}");
        }
    }
}
