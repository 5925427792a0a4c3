use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use didit_core::{BaseUrl, BuildError, Credentials, Engine, InvalidBaseUrl, Policy};
use reqwest::{redirect, retry};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::error::ConfigError;
use crate::timers::Timers;
use crate::{Client, Shared, proxy, tls};

/// The settings of a [`Client`] that is about to be made.
pub struct ClientBuilder {
    credentials: Credentials,
    base_url: BaseUrl,
    policy: Policy,
    user_agent: Option<String>,
    roots: Vec<tls::Root>,
    client: Option<reqwest::Client>,
}

impl ClientBuilder {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            base_url: BaseUrl::production(),
            policy: Policy::default(),
            user_agent: None,
            roots: Vec::new(),
            client: None,
        }
    }

    /// Another host than the live service's.
    #[must_use]
    pub fn base_url(mut self, base_url: BaseUrl) -> Self {
        self.base_url = base_url;
        self
    }

    /// The budget of a whole call: token, waits, retries and bodies. Default: 30 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.policy.call_timeout = timeout;
        self
    }

    /// Everything else that can be set about patience; a timeout set before is replaced.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Says who is calling, in front of this library's own name and version.
    #[must_use]
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = Some(name.into());
        self
    }

    /// Trusts the certificates of a PEM text, beside the platform's.
    ///
    /// # Errors
    /// The text holds no certificate, or there is no TLS in this build.
    pub fn root_certificate(mut self, pem: &[u8]) -> Result<Self, ConfigError> {
        self.roots.extend(tls::parse_pem(pem)?);
        Ok(self)
    }

    /// Uses an HTTP client of the caller's for all I/O, with its proxy, TLS and pool; root
    /// certificates given here are then not used.
    ///
    /// It must be made with `redirect(Policy::none())`, since a redirect that is followed takes the
    /// credentials along, and with `retry(never())`, so that nothing is sent twice.
    #[must_use]
    pub fn client(mut self, client: reqwest::Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Makes the client. Nothing is sent before the first call.
    ///
    /// # Errors
    /// A setting is refused, there are no root certificates to trust, the environment names a proxy
    /// that cannot be used, or the base URL needs TLS and there is none in this build.
    pub fn build(self) -> Result<Client, ConfigError> {
        let client = match self.client {
            Some(client) => client,
            None => default_client(&self.base_url, self.roots)?,
        };
        // A base URL of the core's is one of anybody's.
        let base = self.base_url.to_string().parse().map_err(|_| InvalidBaseUrl::Host);
        let base = base.map_err(BuildError::from)?;
        let mut engine = Engine::with_policy(self.base_url, self.credentials, self.policy);
        if let Some(name) = self.user_agent {
            engine.set_user_agent(&name)?;
        }
        engine.set_seed(RandomState::new().hash_one(0));
        let shared = Shared {
            client,
            base,
            engine: Mutex::new(engine),
            woken: Notify::new(),
            timers: Timers::default(),
            origin: Instant::now(),
        };
        Ok(Client { shared: Arc::new(shared) })
    }
}

fn default_client(
    base_url: &BaseUrl,
    roots: Vec<tls::Root>,
) -> Result<reqwest::Client, ConfigError> {
    let client = reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        // Without a number it would keep a copy of each request for a retry that never comes.
        .retry(retry::never().max_retries_per_request(0))
        .referer(false);
    // What goes to this machine in plain text must not take the way over a proxy.
    let client = if base_url.is_plain_http() {
        tls::plain(client.no_proxy())?
    } else {
        proxy::check()?;
        tls::trusting(client, roots)?
    };
    client.build().map_err(ConfigError::Http)
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("base_url", &self.base_url)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
