//! Session ids on the command line.

use didit_blocking_adapter::core::SessionId;

use crate::failure::Failure;

/// Reads a session id that was given as an argument.
pub(crate) fn parse(text: &str) -> Result<SessionId, Failure> {
    text.parse().map_err(|error| Failure::usage(format!("{text:?}: {error}")))
}
