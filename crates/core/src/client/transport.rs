use std::fmt;

use http::Request;

use super::config_error::ConfigError;
use super::connect::{Connect, HttpClients, HttpSettings};
use crate::base_url::BaseUrl;
use crate::endpoint::{EndpointKind, Host, Replay};
use crate::engine::{Engine, Event, TransportErrorKind};
use crate::proxy::{HttpProxy, ProxySettings};

/// The transport of a client's requests: HTTP clients and a route for each [`Host`] of the service,
/// and the caller's hooks.
#[derive(Debug)]
pub struct Transport<H> {
    data_transfer: (HttpClients<H>, Route),
    verification: (HttpClients<H>, Route),
    pub(super) hooks: Hooks,
}

impl<H: Clone> Transport<H> {
    /// Creates a transport that sends all requests with the caller's HTTP client.
    pub(super) fn custom(client: H, engine: &Engine, hooks: Hooks) -> Self {
        let clients = HttpClients { pooled: client.clone(), unpooled: client };
        let route = |base: &BaseUrl| (clients.clone(), Route::new(base, None));
        Self {
            data_transfer: route(engine.base_url()),
            verification: route(engine.verification_base_url()),
            hooks,
        }
    }

    /// Builds the HTTP clients: one for both hosts, or one for each if only one of them is reached
    /// through a proxy.
    pub(super) fn build<C: Connect<HttpClient = H>>(
        engine: &Engine,
        root_certificates: &[Vec<u8>],
        proxies: &ProxySettings,
        hooks: Hooks,
    ) -> Result<Self, ConfigError> {
        let (first, second) = (engine.base_url(), engine.verification_base_url());
        let tls = !first.is_plain_http() || !second.is_plain_http();
        let proxy = [proxies.proxy_for(first)?, proxies.proxy_for(second)?];
        let clients = |proxy: &Option<HttpProxy>| {
            C::http_clients(&HttpSettings { tls, root_certificates, proxy: proxy.as_ref() })
        };
        let data_transfer = clients(&proxy[0])?;
        let same = proxy[0].is_some() == proxy[1].is_some();
        let verification = if same { data_transfer.clone() } else { clients(&proxy[1])? };
        let [first_proxy, second_proxy] = proxy;
        Ok(Self {
            data_transfer: (data_transfer, Route::new(first, first_proxy)),
            verification: (verification, Route::new(second, second_proxy)),
            hooks,
        })
    }
}

impl<H> Transport<H> {
    /// Returns the route of an endpoint's requests.
    pub fn route(&self, endpoint: EndpointKind) -> &Route {
        &self.host(endpoint).1
    }

    /// Returns the HTTP client for a request of [`Step::Send`](crate::Step::Send), and its route.
    pub fn for_request<B>(&self, request: &Request<B>) -> (&H, &Route) {
        let (clients, route) = self.host(endpoint_of(request));
        match request.extensions().get() {
            Some(Replay::OnlyIfUnsent) => (&clients.unpooled, route),
            _ => (&clients.pooled, route),
        }
    }

    /// Returns the longest response body that is read for this request, in bytes; see
    /// [`EndpointKind::max_body_bytes`].
    pub fn max_body_bytes<B>(&self, request: &Request<B>) -> usize {
        endpoint_of(request).max_body_bytes()
    }

    fn host(&self, endpoint: EndpointKind) -> &(HttpClients<H>, Route) {
        match endpoint.host() {
            Host::DataTransfer => &self.data_transfer,
            Host::Verification => &self.verification,
        }
    }
}

/// Returns the endpoint that the engine stored in the extensions of a request.
fn endpoint_of<B>(request: &Request<B>) -> EndpointKind {
    request.extensions().get().copied().unwrap_or(EndpointKind::FetchToken)
}

/// The words for a response whose head cannot be parsed, the same in every HTTP library.
pub const NOT_HTTP: &str = "the response is not valid HTTP";

/// The route of a client's requests, for error messages.
#[derive(Clone, Debug)]
pub struct Route {
    base: BaseUrl,
    proxy: Option<HttpProxy>,
}

impl Route {
    /// Creates the route to a host, through a proxy if one is given.
    pub fn new(base: &BaseUrl, proxy: Option<HttpProxy>) -> Self {
        Self { base: base.clone(), proxy }
    }

    /// Returns advice on this failure, if the route allows for more specific advice than its kind.
    pub(super) fn advice(&self, kind: TransportErrorKind) -> Option<&'static str> {
        // Plain http is only accepted for this machine.
        let to_this_machine = self.base.is_plain_http() && self.proxy.is_none();
        match kind {
            TransportErrorKind::Connect if to_this_machine => {
                Some("check that the server runs there, and the port of the base URL")
            }
            TransportErrorKind::ConnectionLost if to_this_machine => {
                Some("try again later, or with https if the server speaks TLS on this port")
            }
            _ => None,
        }
    }

    /// Returns the proxy, if there is one.
    pub fn proxy(&self) -> Option<&HttpProxy> {
        self.proxy.as_ref()
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.base.host(), self.base.port())?;
        match &self.proxy {
            Some(proxy) => write!(f, " through the proxy {proxy}"),
            None => Ok(()),
        }
    }
}

type Listener = dyn Fn(&Event) + Send + Sync;
type RequestHook = dyn Fn(EndpointKind, &mut Request<Vec<u8>>) + Send + Sync;

/// The caller's functions that run between the steps of calls.
#[derive(Default)]
pub(super) struct Hooks {
    pub(super) on_event: Option<Box<Listener>>,
    pub(super) before_send: Option<Box<RequestHook>>,
}

impl Hooks {
    /// Returns whether events are to be recorded.
    pub(super) fn want_events(&self) -> bool {
        self.on_event.is_some() || Event::is_traced()
    }

    /// Passes events to the listener and to `tracing`.
    pub(super) fn emit(&self, events: &[Event]) {
        for event in events {
            if let Some(listener) = &self.on_event {
                listener(event);
            }
            #[cfg(feature = "tracing")]
            event.trace();
        }
    }

    pub(super) fn before_send(&self, request: &mut Request<Vec<u8>>) {
        let endpoint = request.extensions().get().copied();
        if let (Some(hook), Some(endpoint)) = (&self.before_send, endpoint) {
            hook(endpoint, request);
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("on_event", &self.on_event.is_some())
            .field("before_send", &self.before_send.is_some())
            .finish()
    }
}
