use std::fmt;

use http::Request;

use super::config_error::ConfigError;
use super::connect::{Connect, HttpSettings};
use super::hooks::Hooks;
use crate::base_url::BaseUrl;
use crate::endpoint::Host;
use crate::engine::Engine;
use crate::error::EndpointKind;
use crate::proxy::{HttpProxy, ProxySettings};

/// The transport of a client's requests: an HTTP client and a route for each [`Host`] of the service,
/// and the functions of the caller. Clones share them.
#[derive(Clone, Debug)]
pub struct Transport<H> {
    data_transfer: (H, Route),
    verification: (H, Route),
    pub(super) hooks: Hooks,
}

impl<H: Clone> Transport<H> {
    /// Sends all requests with one client of the caller's.
    pub(super) fn own(client: H, engine: &Engine, hooks: Hooks) -> Self {
        let route = |base: &BaseUrl| (client.clone(), Route::new(base, None));
        Self {
            data_transfer: route(engine.base_url()),
            verification: route(engine.verification_base_url()),
            hooks,
        }
    }

    /// Builds one client, or two if only one of the hosts is reached through the proxy.
    pub(super) fn build<C: Connect<HttpClient = H>>(
        engine: &Engine,
        root_certificates: &[Vec<u8>],
        proxies: &ProxySettings,
        hooks: Hooks,
    ) -> Result<Self, ConfigError> {
        let (first, second) = (engine.base_url(), engine.verification_base_url());
        let tls = !first.is_plain_http() || !second.is_plain_http();
        let proxy = [proxies.proxy_for(first)?, proxies.proxy_for(second)?];
        let client = |proxy: &Option<HttpProxy>| {
            C::http_client(&HttpSettings { tls, root_certificates, proxy: proxy.as_ref() })
        };
        let data_transfer = client(&proxy[0])?;
        let same = proxy[0].is_some() == proxy[1].is_some();
        let verification = if same { data_transfer.clone() } else { client(&proxy[1])? };
        let [first_proxy, second_proxy] = proxy;
        Ok(Self {
            data_transfer: (data_transfer, Route::new(first, first_proxy)),
            verification: (verification, Route::new(second, second_proxy)),
            hooks,
        })
    }
}

impl<H> Transport<H> {
    /// Returns the HTTP client for the requests of an endpoint, and where they go.
    pub fn for_endpoint(&self, endpoint: EndpointKind) -> (&H, &Route) {
        let (client, route) = match endpoint.host() {
            Host::DataTransfer => &self.data_transfer,
            Host::Verification => &self.verification,
        };
        (client, route)
    }

    /// Returns the same for a request, of which [`Step::Send`](crate::Step::Send) tells the endpoint.
    pub fn for_request<B>(&self, request: &Request<B>) -> (&H, &Route) {
        let endpoint = request.extensions().get().copied();
        self.for_endpoint(endpoint.unwrap_or(EndpointKind::FetchToken))
    }
}

/// Route of a client's requests, for errors.
#[derive(Clone, Debug)]
pub struct Route {
    host: String,
    port: u16,
    proxy: Option<HttpProxy>,
}

impl Route {
    /// Creates the route to a host, through a proxy if there is one.
    pub fn new(base: &BaseUrl, proxy: Option<HttpProxy>) -> Self {
        Self { host: base.host().to_owned(), port: base.port(), proxy }
    }

    /// Returns the proxy, if there is one.
    pub fn proxy(&self) -> Option<&HttpProxy> {
        self.proxy.as_ref()
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)?;
        match &self.proxy {
            Some(proxy) => write!(f, " through the proxy {proxy}"),
            None => Ok(()),
        }
    }
}
