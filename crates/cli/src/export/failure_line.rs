//! A line of the failures file.

use didit_blocking_adapter::Error;
use didit_blocking_adapter::core::SessionId;
use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::failure::Failure;

#[derive(Serialize, Deserialize)]
pub(super) struct FailureLine {
    pub(super) session_id: String,
    error: String,
    /// The HTTP status, if a response failed the session.
    status: Option<u16>,
}

impl FailureLine {
    pub(super) fn new(session_id: &SessionId, error: &Error) -> Self {
        Self {
            session_id: session_id.to_string(),
            error: Failure::of_call(None, error).line().to_owned(),
            status: error.call().response().map(|response| response.status().as_u16()),
        }
    }

    pub(super) fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    pub(super) fn to_line(&self) -> Result<String, Failure> {
        let line = serde_json::to_string(self).map_err(Failure::other)?;
        Ok(line + "\n")
    }

    /// Returns the exit code that matches the status, for a line whose recorded code was lost with
    /// the end of the state file.
    pub(super) fn exit_of_status(&self) -> Exit {
        match self.status {
            Some(401 | 403) => Exit::CredentialsRefused,
            Some(404) => Exit::NoSuchSession,
            Some(429) => Exit::RateLimited,
            Some(400..500) => Exit::Other,
            Some(500..600) | None => Exit::Unreachable,
            Some(_) => Exit::NotADecision,
        }
    }
}
