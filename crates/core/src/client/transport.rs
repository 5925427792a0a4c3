use std::fmt;

use http::Request;

use crate::base_url::BaseUrl;
use crate::endpoint::{EndpointKind, Host, Replay};
use crate::engine::{Event, TransportErrorKind};
use crate::proxy::HttpProxy;

/// The transport of a client's requests: HTTP clients and a route for each [`Host`] of the service,
/// and the caller's hooks.
#[derive(Debug)]
pub struct Transport<H> {
    pub(super) data_transfer: (HttpClients<H>, Route),
    pub(super) verification: (HttpClients<H>, Route),
    pub(super) hooks: Hooks,
}

impl<H> Transport<H> {
    /// Returns the route of an endpoint's requests.
    pub fn route(&self, endpoint: EndpointKind) -> &Route {
        &self.host(endpoint).1
    }

    /// Returns the HTTP client for a request of [`Step::Send`](crate::Step::Send), its route, and
    /// the longest response body that is read, in bytes; see [`EndpointKind::max_body_bytes`].
    pub fn for_request<B>(&self, request: &Request<B>) -> (&H, &Route, usize) {
        // The engine stores the endpoint in the extensions.
        let endpoint = request.extensions().get().copied().unwrap_or(EndpointKind::FetchToken);
        let (clients, route) = self.host(endpoint);
        let client = match request.extensions().get() {
            Some(Replay::OnlyIfUnsent) => &clients.unpooled,
            _ => &clients.pooled,
        };
        (client, route, endpoint.max_body_bytes())
    }

    fn host(&self, endpoint: EndpointKind) -> &(HttpClients<H>, Route) {
        match endpoint.host() {
            Host::DataTransfer => &self.data_transfer,
            Host::Verification => &self.verification,
        }
    }
}

/// The clients of the HTTP library, which differ only in their use of connections.
#[derive(Clone, Debug)]
pub struct HttpClients<H> {
    /// Keeps connections alive.
    pub pooled: H,
    /// Makes a new connection for each request, for requests that must not be repeated: if an idle
    /// connection is closed, it is unknown whether the server has seen the request
    /// ([RFC 9112, section 9.3.1](https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1)).
    pub unpooled: H,
}

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
