use std::convert::Infallible;

use super::Agent;
use crate::error::ConfigError;

/// There is nothing to trust a certificate with.
pub(crate) type Root = Infallible;

pub(crate) fn parse_pem(_: &[u8]) -> Result<Vec<Root>, ConfigError> {
    Err(ConfigError::NoTls)
}

pub(crate) fn trusting(_: Agent, _: &[Root]) -> Result<Agent, ConfigError> {
    Err(ConfigError::NoTls)
}
