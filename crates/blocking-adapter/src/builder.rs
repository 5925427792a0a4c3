use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use didit_core::{BaseUrl, Credentials, Engine, Policy};

use crate::connector::LeanConnector;
use crate::error::ConfigError;
use crate::resolver::CachingResolver;
use crate::{Client, Shared, proxy, tls};

/// The settings of a [`Client`] that is about to be made.
pub struct ClientBuilder {
    credentials: Credentials,
    base_url: BaseUrl,
    policy: Policy,
    user_agent: Option<String>,
    roots: Vec<tls::Root>,
    agent: Option<ureq::Agent>,
}

/// As many connections stay open between calls; more threads than that reconnect.
const MAX_IDLE_CONNECTIONS: usize = 256;

impl ClientBuilder {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            base_url: BaseUrl::production(),
            policy: Policy::default(),
            user_agent: None,
            roots: Vec::new(),
            agent: None,
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

    /// Uses an agent of the caller's for all I/O, with its proxy, TLS and pool; root certificates
    /// given here are then not used. Timeouts, redirects and statuses stay this library's concern.
    #[must_use]
    pub fn agent(mut self, agent: ureq::Agent) -> Self {
        self.agent = Some(agent);
        self
    }

    /// Makes the client. Nothing is sent before the first call.
    ///
    /// # Errors
    /// A setting is refused, there are no root certificates to trust, the environment names a proxy
    /// that cannot be used, or the base URL needs TLS and there is none in this build.
    pub fn build(self) -> Result<Client, ConfigError> {
        // Nearly all requests may take the time of a whole attempt.
        let timeout = self.policy.attempt_timeout;
        let (agent, agent_timeout) = match self.agent {
            Some(agent) => (agent, None),
            None => (default_agent(&self.base_url, &self.roots, timeout)?, Some(timeout)),
        };
        let mut engine = Engine::with_policy(self.base_url, self.credentials, self.policy);
        if let Some(name) = self.user_agent {
            engine.set_user_agent(&name)?;
        }
        engine.set_seed(RandomState::new().hash_one(0));
        let shared = Shared {
            agent,
            agent_timeout,
            engine: Mutex::new(engine),
            woken: Condvar::new(),
            origin: Instant::now(),
        };
        Ok(Client { shared: Arc::new(shared) })
    }
}

fn default_agent(
    base_url: &BaseUrl,
    roots: &[tls::Root],
    timeout: Duration,
) -> Result<ureq::Agent, ConfigError> {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(MAX_IDLE_CONNECTIONS)
        .max_idle_connections_per_host(MAX_IDLE_CONNECTIONS);
    // What goes to this machine in plain text must not take the way over a proxy.
    let config = if base_url.is_plain_http() {
        config.proxy(None)
    } else {
        tls::trusting(config.proxy(proxy::from_environment()?), roots)?
    };
    let resolver = CachingResolver::default();
    Ok(ureq::Agent::with_parts(config.build(), LeanConnector::default(), resolver))
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("base_url", &self.base_url)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
