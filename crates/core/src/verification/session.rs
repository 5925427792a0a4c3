use std::fmt;

use serde::{Deserialize, Deserializer};

use super::{Number, SessionId, Status};
use crate::json::{self, JsonError, RawJson};
use crate::secret::Secret;

/// A session that was just created, or an unfinished one with the same `vendor_data`.
///
/// Anyone who knows the token or the URL can act in the session, so `Debug` shows neither.
#[derive(Clone)]
pub struct Session {
    members: Members,
    json: Secret,
}

#[derive(Clone, Deserialize)]
struct Members {
    session_id: SessionId,
    session_number: Option<Number>,
    session_token: Option<Secret>,
    url: Secret,
    status: Option<Status>,
    workflow_id: Option<String>,
    #[serde(default, deserialize_with = "number")]
    workflow_version: Option<Number>,
    vendor_data: Option<String>,
    metadata: Option<RawJson>,
    callback: Option<String>,
}

impl Session {
    pub(super) fn from_json(body: &[u8]) -> Result<Self, JsonError> {
        let text = json::text(body)?;
        let members: Members = json::read_object(text)?;
        json::check_web_address(members.url.expose())?;
        Ok(Self { members, json: text.into() })
    }

    /// Returns the identifier of the session.
    pub fn session_id(&self) -> &SessionId {
        &self.members.session_id
    }

    /// Returns the session number.
    pub fn session_number(&self) -> Option<&Number> {
        self.members.session_number.as_ref()
    }

    /// Returns the URL at which the user completes the steps. Use it unchanged.
    pub fn url(&self) -> &Secret {
        &self.members.url
    }

    /// Returns the token of the session.
    pub fn session_token(&self) -> Option<&Secret> {
        self.members.session_token.as_ref()
    }

    /// Returns the status of the session.
    pub fn status(&self) -> Option<&Status> {
        self.members.status.as_ref()
    }

    /// Returns the identifier of the session's workflow.
    pub fn workflow_id(&self) -> Option<&str> {
        self.members.workflow_id.as_deref()
    }

    /// Returns the version of the workflow, if it is a number.
    pub fn workflow_version(&self) -> Option<&Number> {
        self.members.workflow_version.as_ref()
    }

    /// Returns the `vendor_data` with which the session was created.
    pub fn vendor_data(&self) -> Option<&str> {
        self.members.vendor_data.as_deref()
    }

    /// Returns the `metadata` with which the session was created.
    pub fn metadata(&self) -> Option<&RawJson> {
        self.members.metadata.as_ref()
    }

    /// Returns the URL to which the user is redirected afterwards.
    pub fn callback(&self) -> Option<&str> {
        self.members.callback.as_deref()
    }

    /// Returns the whole response as the service sent it, JSON that contains the token and the URL.
    pub fn secret_json(&self) -> &Secret {
        &self.json
    }
}

/// Deserializes a number; `None` for any other value. An error would lose a session that exists and
/// costs money.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Number>, D::Error> {
    let json: RawJson = Deserialize::deserialize(deserializer)?;
    Ok(json.deserialize().ok())
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("session_id", &self.session_id())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
