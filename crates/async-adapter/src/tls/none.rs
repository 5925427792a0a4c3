use std::convert::Infallible;

use reqwest::ClientBuilder;

use crate::error::ConfigError;

/// There is nothing to trust a certificate with.
pub(crate) type Root = Infallible;

pub(crate) fn parse_pem(_: &[u8]) -> Result<Vec<Root>, ConfigError> {
    Err(ConfigError::NoTls)
}

pub(crate) fn trusting(_: ClientBuilder, _: Vec<Root>) -> Result<ClientBuilder, ConfigError> {
    Err(ConfigError::NoTls)
}

#[allow(clippy::unnecessary_wraps, reason = "a TLS library may refuse")]
pub(crate) fn plain(client: ClientBuilder) -> Result<ClientBuilder, ConfigError> {
    Ok(client)
}
