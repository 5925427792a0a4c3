use std::collections::hash_map::RandomState;
use std::env;
use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use didit_core::{
    BaseUrl, ConfigError, Credentials, Engine, EngineBuilder, Event, HttpProxy, Policy,
    ProxySettings, Route,
};

use ureq::unversioned::transport::DefaultConnector;
use ureq::{Proxy, ProxyProtocol};

use crate::resolver::CachingResolver;
use crate::{Client, Listener, Shared, tls};

/// The settings of a [`Client`].
pub struct ClientBuilder {
    engine: EngineBuilder,
    base_url: BaseUrl,
    on_event: Option<Listener>,
    roots: Vec<tls::Root>,
    proxy: Option<ProxySettings>,
    http_client: Option<ureq::Agent>,
}

impl ClientBuilder {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self {
            engine: Engine::builder(credentials),
            base_url: BaseUrl::production(),
            on_event: None,
            roots: Vec::new(),
            proxy: None,
            http_client: None,
        }
    }

    /// Sets where requests go. Default: the live service.
    #[must_use]
    pub fn base_url(mut self, base_url: BaseUrl) -> Self {
        self.engine = self.engine.base_url(base_url.clone());
        self.base_url = base_url;
        self
    }

    /// Sets the time for a whole call: token, waits, retries and bodies. Default: 30 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.engine = self.engine.edit_policy(|policy| policy.call_timeout = timeout);
        self
    }

    /// Sets all timeouts, retries and pacing; replaces a [`timeout`](Self::timeout) set before.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.engine = self.engine.policy(policy);
        self
    }

    /// Sets the name of your application, which precedes this library's in `User-Agent`.
    #[must_use]
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.engine = self.engine.user_agent(name);
        self
    }

    /// Sets a listener for what calls do, for metrics. It is called between the steps of a call and
    /// must return soon.
    #[must_use]
    pub fn on_event(mut self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.on_event = Some(Box::new(listener));
        self
    }

    /// Trusts the certificates of a PEM text, beside the platform's.
    ///
    /// # Errors
    /// [`ConfigError::Certificate`] if the text contains no certificate, or one that cannot be used.
    pub fn root_certificate(mut self, pem: &[u8]) -> Result<Self, ConfigError> {
        self.roots.extend(tls::parse_pem(pem)?);
        Ok(self)
    }

    /// Sets the proxy, instead of the environment's `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    #[must_use]
    pub fn proxy(mut self, settings: ProxySettings) -> Self {
        self.proxy = Some(settings);
        self
    }

    /// Sends all requests with your own agent, with its proxy, TLS and connections. Timeouts,
    /// redirects and statuses stay under this library's control.
    #[must_use]
    pub fn http_client(mut self, agent: ureq::Agent) -> Self {
        self.http_client = Some(agent);
        self
    }

    /// Builds the client. Nothing is sent before the first call.
    ///
    /// # Errors
    /// A setting is refused, settings contradict each other, this machine has no root certificates,
    /// or the environment names a proxy that cannot be used.
    pub fn build(self) -> Result<Client, ConfigError> {
        let mut proxy = None;
        let agent = match self.http_client {
            Some(_) if !self.roots.is_empty() => {
                return Err(ConfigError::OwnHttpClient("root_certificate"));
            }
            Some(_) if self.proxy.is_some() => return Err(ConfigError::OwnHttpClient("proxy")),
            Some(agent) => agent,
            None => {
                let proxies = self
                    .proxy
                    .unwrap_or_else(|| ProxySettings::from_variables(|name| env::var_os(name)));
                proxy = proxies.proxy_for(&self.base_url)?;
                default_agent(&self.base_url, &self.roots, proxy.as_ref())?
            }
        };
        let engine = self.engine.seed(RandomState::new().hash_one(0)).build()?;
        let shared = Shared {
            agent,
            engine: Mutex::new(engine),
            woken: Condvar::new(),
            origin: Instant::now(),
            on_event: self.on_event,
            route: Route::new(&self.base_url, proxy),
        };
        Ok(Client { shared: Arc::new(shared) })
    }
}

/// How many connections stay open between calls; more threads than that reconnect.
const MAX_IDLE_CONNECTIONS: usize = 256;

fn default_agent(
    base_url: &BaseUrl,
    roots: &[tls::Root],
    proxy: Option<&HttpProxy>,
) -> Result<ureq::Agent, ConfigError> {
    let config = ureq::Agent::config_builder()
        .max_idle_connections(MAX_IDLE_CONNECTIONS)
        .max_idle_connections_per_host(MAX_IDLE_CONNECTIONS)
        .proxy(proxy.map(ureq_proxy).transpose()?);
    let config = if base_url.is_plain_http() { config } else { tls::configure(config, roots)? };
    let (connector, resolver) = (DefaultConnector::default(), CachingResolver::default());
    Ok(ureq::Agent::with_parts(config.build(), connector, resolver))
}

fn ureq_proxy(proxy: &HttpProxy) -> Result<Proxy, ConfigError> {
    let protocol = if proxy.is_tls() { ProxyProtocol::Https } else { ProxyProtocol::Http };
    let mut builder = Proxy::builder(protocol).host(proxy.host()).port(proxy.port());
    if let Some((name, password)) = proxy.user() {
        builder = builder.username(name.expose()).password(password.expose());
    }
    builder.build().map_err(|error| ConfigError::Library(error.into()))
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("engine", &self.engine).finish_non_exhaustive()
    }
}
