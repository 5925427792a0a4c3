//! The registered applications and their credentials.

use std::collections::HashSet;
use std::fmt;
use std::io;

use crate::random::unguessable;

/// An application registered with the service: its credentials and webhooks.
///
/// A session belongs to the application that created it. For all others it does not exist.
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
    /// Pairs of a URL and its secret.
    pub(crate) webhooks: Vec<(String, String)>,
}

impl Application {
    /// Creates an application with this client id and secret. Its key for `X-Api-Key` is
    /// `{client_id}-api-key`.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        let client_id = client_id.into();
        let api_key = format!("{client_id}-api-key");
        Self { client_id, client_secret: client_secret.into(), api_key, webhooks: Vec::new() }
    }

    /// Replaces the key for `X-Api-Key`.
    #[must_use]
    pub fn with_api_key(mut self, api_key: impl Into<String>) -> Self {
        self.api_key = api_key.into();
        self
    }

    /// Adds a webhook destination for the application's verification sessions, like
    /// [`SandboxBuilder::webhook`](crate::SandboxBuilder::webhook) for the first application.
    #[must_use]
    pub fn with_webhook(mut self, url: impl Into<String>, secret: impl Into<String>) -> Self {
        self.webhooks.push((url.into(), secret.into()));
        self
    }

    /// Replaces the default secret and key, which are published, with random ones.
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

/// Checks that no two applications have the same client id or API key.
pub(crate) fn check_distinct<'a>(
    applications: impl Iterator<Item = &'a Application>,
) -> io::Result<()> {
    let (mut ids, mut keys) = (HashSet::new(), HashSet::new());
    for Application { client_id, api_key, .. } in applications {
        if !ids.insert(client_id) || !keys.insert(api_key) {
            let why = format!(
                "the application {client_id:?} has the same client id or API key as another one"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicate_client_id_or_key_is_rejected() {
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
