//! The applications that may ask: their credentials, and which of them a request comes from.

use std::collections::HashSet;
use std::fmt;
use std::io;

use crate::random::unguessable;

/// One application registered with the service: what it authorizes itself with.
///
/// A session belongs to the application that created it. To the others it does not exist.
///
/// ```
/// use didit_sandbox::{Application, Sandbox};
///
/// let other = Application::new("other-id", "other-secret");
/// assert_eq!(other.api_key(), "other-id-api-key");
/// let sandbox = Sandbox::builder().application(other).start()?;
/// assert_eq!(sandbox.client_id(), "sandbox-client-id");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Application {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) api_key: String,
    /// URLs and secrets.
    pub(crate) webhooks: Vec<(String, String)>,
}

impl Application {
    /// Describes an application with this client id and secret, whose key for `X-Api-Key` is
    /// `{client_id}-api-key`.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        let client_id = client_id.into();
        let api_key = format!("{client_id}-api-key");
        Self { client_id, client_secret: client_secret.into(), api_key, webhooks: Vec::new() }
    }

    /// Gives the application another key.
    #[must_use]
    pub fn with_api_key(mut self, api_key: impl Into<String>) -> Self {
        self.api_key = api_key.into();
        self
    }

    /// Sends the webhooks of the application's verification sessions to this URL, as
    /// [`SandboxBuilder::webhook`](crate::SandboxBuilder::webhook) does for the first application.
    #[must_use]
    pub fn with_webhook(mut self, url: impl Into<String>, secret: impl Into<String>) -> Self {
        self.webhooks.push((url.into(), secret.into()));
        self
    }

    /// Replaces a secret and a key that everyone can look up.
    pub(crate) fn replace_published(&mut self) -> io::Result<()> {
        let published = Self::default();
        if self.client_secret == published.client_secret {
            self.client_secret = unguessable()?;
        }
        if self.api_key == published.api_key {
            self.api_key = unguessable()?;
        }
        Ok(())
    }

    /// Returns the client id.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Returns the client secret.
    pub fn client_secret(&self) -> &str {
        &self.client_secret
    }

    /// Returns the key for `X-Api-Key`.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }
}

impl Default for Application {
    fn default() -> Self {
        Self::new("sandbox-client-id", "sandbox-client-secret").with_api_key("sandbox-api-key")
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Refuses applications that a request could not be told apart by.
pub(crate) fn check_distinct<'a>(
    applications: impl Iterator<Item = &'a Application>,
) -> io::Result<()> {
    let (mut ids, mut keys) = (HashSet::new(), HashSet::new());
    for Application { client_id, api_key, .. } in applications {
        if !ids.insert(client_id) || !keys.insert(api_key) {
            let why = format!("another application has the id or the key of {client_id:?}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applications_differ_in_id_and_key() {
        let check = |all: &[Application]| check_distinct(all.iter()).is_ok();
        assert!(check(&[Application::default(), Application::new("a", "s")]));
        assert!(!check(&[
            Application::new("a", "s"),
            Application::new("a", "t").with_api_key("k")
        ]));
        assert!(!check(&[
            Application::default(),
            Application::new("a", "s").with_api_key("sandbox-api-key")
        ]));
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", Application::new("id", "canary"));
        assert!(shown.contains("\"id\"") && !shown.contains("canary"), "{shown}");
    }
}
