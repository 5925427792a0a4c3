use std::error::Error;
use std::fmt;

use super::environment::InvalidEnvironment;
use crate::base_url::InvalidBaseUrl;
use crate::credentials::InvalidCredentials;
use crate::error::BuildError;
use crate::proxy::InvalidProxy;

const NO_ROOTS: &str = "this machine has no trusted root certificates; install them, often with the \
     package ca-certificates, or add one";

/// Error building a client.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// A setting was refused.
    Build(BuildError),
    /// The root certificate is not PEM, or contains no usable certificate.
    Certificate,
    /// This machine has no trusted root certificates, and none was given.
    NoRootCertificates,
    /// The variables of the environment are incomplete, malformed or contradict each other.
    Environment(InvalidEnvironment),
    /// The proxy is not the address of an HTTP proxy.
    Proxy(InvalidProxy),
    /// This setting has no effect on a custom HTTP client.
    OwnHttpClient(&'static str),
    /// The HTTP or TLS library refused its settings, or the system provided no thread.
    Library(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build(error) => error.fmt(f),
            Self::Certificate => f.write_str("the root certificate is not a PEM certificate"),
            Self::NoRootCertificates => f.write_str(NO_ROOTS),
            Self::Environment(error) => error.fmt(f),
            Self::Proxy(error) => error.fmt(f),
            Self::OwnHttpClient(setting) => {
                write!(f, "{setting} has no effect on an HTTP client of your own; set it there")
            }
            Self::Library(_) => f.write_str("the client could not be set up"),
        }
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Build(error) => error.source(),
            Self::Library(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<BuildError> for ConfigError {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

impl From<InvalidBaseUrl> for ConfigError {
    fn from(error: InvalidBaseUrl) -> Self {
        Self::Build(error.into())
    }
}

impl From<InvalidCredentials> for ConfigError {
    fn from(error: InvalidCredentials) -> Self {
        Self::Build(error.into())
    }
}

impl From<InvalidEnvironment> for ConfigError {
    fn from(error: InvalidEnvironment) -> Self {
        Self::Environment(error)
    }
}

impl From<InvalidProxy> for ConfigError {
    fn from(error: InvalidProxy) -> Self {
        Self::Proxy(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_state_what_is_wrong() {
        let cases = [
            (ConfigError::Certificate, "the root certificate is not a PEM certificate"),
            (
                ConfigError::NoRootCertificates,
                "this machine has no trusted root certificates; install them, often with the \
                 package ca-certificates, or add one",
            ),
            (
                ConfigError::OwnHttpClient("proxy"),
                "proxy has no effect on an HTTP client of your own; set it there",
            ),
            (ConfigError::Library("x".into()), "the client could not be set up"),
            (
                ConfigError::from(InvalidBaseUrl::Port),
                "the base URL's port is not a number from 1 to 65535",
            ),
            (
                ConfigError::from(InvalidCredentials::Empty { what: "API key" }),
                "the API key is empty",
            ),
        ];
        for (error, words) in cases {
            assert_eq!(error.to_string(), words);
        }
        assert_eq!(ConfigError::Library("x".into()).source().unwrap().to_string(), "x");
    }
}
