//! Arguments that are session ids.

use didit_blocking_adapter::core::SessionId;

use crate::failure::Failure;

/// Parses a session id given as an argument.
pub(crate) fn parse(text: &str) -> Result<SessionId, Failure> {
    text.parse().map_err(|error| {
        let url = text.starts_with("https://") || text.starts_with("http://");
        let hint = if url { "; give the session's ID, not its URL" } else { "" };
        Failure::usage(format!("{text:?}: {error}{hint}"))
    })
}
