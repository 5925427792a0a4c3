use std::ffi::OsString;
use std::io;
use std::path::Path;

use http::Request;

use super::config_error::ConfigError;
use super::hooks::Hooks;
use super::route::Route;
use crate::base_url::BaseUrl;
use crate::endpoint::Host;
use crate::engine::{Engine, SharedStore};
use crate::error::EndpointKind;
use crate::proxy::{HttpProxy, ProxySettings};

/// A client that a [`ClientBuilder`](crate::ClientBuilder) builds.
///
/// It lends the builder what this crate does not touch (the environment, files, randomness), makes
/// connections, and decides nothing.
pub trait Connect: Sized {
    /// The client of the HTTP library. Clones share their connections.
    type HttpClient: Clone;

    /// Returns a number that differs from process to process.
    fn seed() -> u64;

    /// Returns a variable of the process's environment.
    fn variable(name: &str) -> Option<OsString>;

    /// Reads a file whole.
    ///
    /// # Errors
    /// The file cannot be read, or has more than `limit` bytes.
    fn read_file(path: &Path, limit: usize) -> io::Result<Vec<u8>>;

    /// Sets up the HTTP library: no redirects, no retries, no proxy but the given one.
    ///
    /// # Errors
    /// A certificate is refused, or there is none to trust, or the library refuses its settings.
    fn http_client(settings: &HttpSettings<'_>) -> Result<Self::HttpClient, ConfigError>;

    /// Puts the client together.
    ///
    /// # Errors
    /// [`ConfigError::Library`] if the thread that asks the store cannot be started.
    fn connect(parts: ClientParts<Self::HttpClient>) -> Result<Self, ConfigError>;
}

/// The settings of an HTTP library.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct HttpSettings<'a> {
    /// `false` if no host is reached by TLS: then no trusted certificates are needed.
    pub tls: bool,
    /// PEM texts of certificates to trust beside the platform's, which are to be checked in any
    /// case.
    pub root_certificates: &'a [Vec<u8>],
    /// The proxy for all requests.
    pub proxy: Option<&'a HttpProxy>,
}

/// The parts of a client.
#[derive(Debug)]
#[non_exhaustive]
pub struct ClientParts<H> {
    /// The state that its calls share.
    pub engine: Engine,
    /// The functions of the caller.
    pub hooks: Hooks,
    /// The HTTP clients.
    pub upstreams: Upstreams<H>,
    /// The store that processes share, if they do.
    pub store: Option<Box<dyn SharedStore>>,
}

/// The HTTP client and the route for each [`Host`] of the service.
#[derive(Clone, Debug)]
pub struct Upstreams<H> {
    data_transfer: (H, Route),
    verification: (H, Route),
}

impl<H: Clone> Upstreams<H> {
    /// Sends all requests with one client of the caller's.
    pub(super) fn own(client: H, engine: &Engine) -> Self {
        let route = |base: &BaseUrl| (client.clone(), Route::new(base, None));
        Self {
            data_transfer: route(engine.base_url()),
            verification: route(engine.verification_base_url()),
        }
    }

    /// Builds one client, or two if only one of the hosts is reached through the proxy.
    pub(super) fn build<C: Connect<HttpClient = H>>(
        engine: &Engine,
        root_certificates: &[Vec<u8>],
        proxies: &ProxySettings,
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
        })
    }
}

impl<H> Upstreams<H> {
    /// Returns the HTTP client for the requests of an endpoint, and where they go.
    pub fn of(&self, endpoint: EndpointKind) -> (&H, &Route) {
        let (client, route) = match endpoint.host() {
            Host::DataTransfer => &self.data_transfer,
            Host::Verification => &self.verification,
        };
        (client, route)
    }

    /// Returns the same for a request, of which [`Step::Send`](crate::Step::Send) tells the endpoint.
    pub fn of_request<B>(&self, request: &Request<B>) -> (&H, &Route) {
        let endpoint = request.extensions().get().copied();
        self.of(endpoint.unwrap_or(EndpointKind::FetchToken))
    }
}
