use std::fmt;
use std::time::Duration;

use http::Request;

use super::config_error::ConfigError;
use super::connect::Connect;
use super::environment::Environment;
use super::transport::{Hooks, Transport};
use crate::base_url::BaseUrl;
use crate::credentials::Credentials;
use crate::endpoint::EndpointKind;
use crate::engine::{Engine, EngineBuilder, Event, Policy, SharedStore};
use crate::proxy::ProxySettings;

/// The settings of an adapter's client `C`.
pub struct ClientBuilder<C: Connect> {
    engine: EngineBuilder,
    hooks: Hooks,
    root_certificates: Vec<Vec<u8>>,
    proxy: Option<ProxySettings>,
    http_client: Option<C::HttpClient>,
    store: Option<Box<dyn SharedStore>>,
}

impl<C: Connect> ClientBuilder<C> {
    /// Creates a builder with the default settings.
    pub fn new(credentials: impl Into<Credentials>) -> Self {
        Self {
            engine: Engine::builder(credentials),
            hooks: Hooks::default(),
            root_certificates: Vec::new(),
            proxy: None,
            http_client: None,
            store: None,
        }
    }

    /// Creates a builder with the settings in the process's [`Environment`].
    ///
    /// # Errors
    /// [`ConfigError::Environment`], which names the variables to change.
    pub fn from_env() -> Result<Self, ConfigError> {
        let environment = Environment::new(C::variable, C::open);
        let mut builder = Self::new(environment.credentials()?);
        if let Some(base_url) = environment.base_url()? {
            builder = builder.base_url(base_url);
        }
        if let Some(base_url) = environment.verification_base_url()? {
            builder = builder.verification_base_url(base_url);
        }
        if let Some(timeout) = environment.timeout()? {
            builder = builder.timeout(timeout);
        }
        if let Some(pem) = environment.root_certificate()? {
            builder = builder.root_certificate(pem);
        }
        Ok(builder)
    }

    /// Sets the base URL of token requests and the data-transfer API. Default: the live service.
    #[must_use]
    pub fn base_url(mut self, base_url: BaseUrl) -> Self {
        self.engine = self.engine.base_url(base_url);
        self
    }

    /// Sets the base URL of the verification API; see [`EngineBuilder::verification_base_url`].
    #[must_use]
    pub fn verification_base_url(mut self, base_url: BaseUrl) -> Self {
        self.engine = self.engine.verification_base_url(base_url);
        self
    }

    /// Sets the time for a whole call: token, waits, retries and bodies. Default: 30 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.engine = self.engine.edit_policy(|policy| policy.call_timeout = timeout);
        self
    }

    /// Sets all timeouts, retries and rate limits. Replaces a [`timeout`](Self::timeout) set before.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.engine = self.engine.policy(policy);
        self
    }

    /// Sets the name of your application, which precedes this library's name in `User-Agent`.
    #[must_use]
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.engine = self.engine.user_agent(name);
        self
    }

    /// Sets a listener for the events of calls, for example for metrics. It is called between the
    /// steps of a call and must return quickly.
    #[must_use]
    pub fn on_event(mut self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.hooks.on_event = Some(Box::new(listener));
        self
    }

    /// Sets a function that edits each request before it is sent, including those for tokens: for
    /// example to add a `traceparent` or a signature. It must return quickly.
    ///
    /// The values of headers with secrets are marked
    /// [sensitive](http::HeaderValue::is_sensitive): `Debug` does not show them. It does show the
    /// query and the body of a request, which can contain personal data.
    #[must_use]
    pub fn before_send(
        mut self,
        edit: impl Fn(EndpointKind, &mut Request<Vec<u8>>) + Send + Sync + 'static,
    ) -> Self {
        self.hooks.before_send = Some(Box::new(edit));
        self
    }

    /// Trusts the certificates of a PEM text in addition to the platform's.
    #[must_use]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates.push(pem.into());
        self
    }

    /// Sets the proxy. Default: the environment's `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    #[must_use]
    pub fn proxy(mut self, settings: ProxySettings) -> Self {
        self.proxy = Some(settings);
        self
    }

    /// Sends all requests with your own HTTP client, with its proxy, TLS and connection settings.
    ///
    /// It must not follow redirects, which would send an API key and personal data to another host,
    /// and must not retry, so that no request is sent twice. Requests that must not be repeated also
    /// use its idle connections, and are lost if the server closes one at that moment.
    ///
    /// Unless told otherwise, reqwest and ureq read the proxy variables by their own rules, which also
    /// concern plain HTTP to this machine. ureq reports some failures to connect like a connection that
    /// was lost, after which a request that must not be repeated is not sent again.
    #[must_use]
    pub fn http_client(mut self, client: C::HttpClient) -> Self {
        self.http_client = Some(client);
        self
    }

    /// Shares the rate limits and the token with other processes of the same application through
    /// this store; see [`EngineBuilder::build_shared`]. The store is called on a separate thread.
    #[must_use]
    pub fn shared_store(mut self, store: impl SharedStore + 'static) -> Self {
        self.store = Some(Box::new(store));
        self
    }

    /// Builds the client. Nothing is sent before the first call.
    ///
    /// # Errors
    /// A setting is invalid, settings contradict each other, this machine has no root certificates,
    /// or the proxy in the environment is invalid.
    pub fn build(mut self) -> Result<C, ConfigError> {
        let engine = self.engine.seed(C::seed());
        let engine = match &mut self.store {
            Some(store) => engine.build_shared(store.as_mut())?,
            None => engine.build()?,
        };
        let transport = match self.http_client {
            Some(_) if !self.root_certificates.is_empty() => {
                return Err(ConfigError::OwnHttpClient("root_certificate"));
            }
            Some(_) if self.proxy.is_some() => return Err(ConfigError::OwnHttpClient("proxy")),
            Some(client) => Transport::custom(client, &engine, self.hooks),
            None => {
                let proxies =
                    self.proxy.unwrap_or_else(|| ProxySettings::from_variables(C::variable));
                Transport::build::<C>(&engine, &self.root_certificates, &proxies, self.hooks)?
            }
        };
        C::connect(engine, transport, self.store)
    }
}

impl<C: Connect> fmt::Debug for ClientBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("engine", &self.engine).finish_non_exhaustive()
    }
}
