use std::error::Error as StdError;
use std::fmt;
use std::io;

use didit_core::{BuildError, CallError, TransportErrorKind};

/// Why a call came to nothing: the core's [`CallError`], and the transport's error as its source where
/// there is one; a time that ran out has none.
#[derive(Debug)]
pub struct Error {
    call: CallError,
    transport: Option<reqwest::Error>,
}

impl Error {
    pub(crate) fn new(call: CallError, transport: Option<reqwest::Error>) -> Self {
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
    /// The TLS library refused its settings.
    #[cfg(feature = "rustls")]
    Tls(rustls::Error),
    /// The HTTP library refused its settings.
    Http(reqwest::Error),
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
            #[cfg(feature = "rustls")]
            Self::Tls(_) => f.write_str("TLS could not be set up"),
            Self::Http(_) => f.write_str("the HTTP client could not be set up"),
        }
    }
}

impl StdError for ConfigError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            #[cfg(feature = "rustls")]
            Self::Tls(error) => Some(error),
            Self::Http(error) => Some(error),
            _ => None,
        }
    }
}

impl From<BuildError> for ConfigError {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

/// In the core's terms, how far a failed exchange can have come.
pub(crate) fn failure_kind(error: &reqwest::Error) -> TransportErrorKind {
    if causes(error).any(is_certificate_refusal) {
        TransportErrorKind::Certificate
    } else if error.is_connect() && !error.is_timeout() {
        TransportErrorKind::Connect
    } else if error.is_timeout() {
        TransportErrorKind::Timeout
    } else {
        TransportErrorKind::ConnectionLost
    }
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

/// TLS libraries report through `io::Error`, whose `source` passes over the error that it wraps.
fn is_certificate_refusal(cause: &(dyn StdError + 'static)) -> bool {
    if let Some(wrapped) = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        return is_certificate_refusal(wrapped);
    }
    #[cfg(feature = "rustls")]
    if let Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) =
        cause.downcast_ref()
    {
        return true;
    }
    // The system's library has words for it alone.
    #[cfg(feature = "native-tls")]
    if let Some(error) = cause.downcast_ref::<native_tls::Error>() {
        return error.to_string().contains("certificate");
    }
    false
}
