use std::collections::hash_map::RandomState;
use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::hash::BuildHasher as _;
use std::io;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use didit_core::client::{Connect, HttpClients, HttpSettings, Transport, serve_store};
use didit_core::{ConfigError, Engine, HttpProxy, MAX_HEAD_BYTES, SharedStore};
use rustls::crypto::ring;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::transport::{
    ConnectionDetails, Connector, DefaultConnector, Transport as Io,
};
use ureq::{Proxy, ProxyProtocol};

use crate::Client;
use crate::error::is_timeout;
use crate::resolver::CachingResolver;

/// Settings of a [`Client`].
///
/// This library controls timeouts, redirects and statuses even with a custom
/// [`http_client`](Self::http_client).
pub type ClientBuilder = didit_core::ClientBuilder<Client>;

/// Maximum number of idle connections; with more concurrent threads, some reconnect.
const MAX_IDLE_CONNECTIONS: usize = 256;

impl Connect for Client {
    type HttpClient = ureq::Agent;

    fn seed() -> u64 {
        RandomState::new().hash_one(0)
    }

    fn variable(name: &str) -> Option<OsString> {
        env::var_os(name)
    }

    fn open(path: &Path) -> io::Result<impl io::Read + use<>> {
        File::open(path)
    }

    fn http_clients(settings: &HttpSettings<'_>) -> Result<HttpClients<ureq::Agent>, ConfigError> {
        let proxy = settings.proxy.map(ureq_proxy).transpose()?;
        let tls = tls_config(settings)?;
        let agent = |max_idle| {
            let config = ureq::Agent::config_builder()
                .max_response_header_size(MAX_HEAD_BYTES)
                .max_idle_connections(max_idle)
                .max_idle_connections_per_host(max_idle)
                .proxy(proxy.clone())
                .tls_config(tls.clone());
            let (connector, resolver) =
                (UnsentErrorConnector::default(), CachingResolver::default());
            ureq::Agent::with_parts(config.build(), connector, resolver)
        };
        Ok(HttpClients { pooled: agent(MAX_IDLE_CONNECTIONS), unpooled: agent(0) })
    }

    fn connect(
        engine: Engine,
        transport: Transport<ureq::Agent>,
        store: Option<Box<dyn SharedStore>>,
    ) -> Result<Self, ConfigError> {
        let (store_waker, wakeups) = mpsc::sync_channel(1);
        let client = Self::from_parts(engine, transport.into(), store_waker);
        if let Some(mut store) = store {
            let shared = Arc::downgrade(&client.shared);
            let wait = move |time| _ = wakeups.recv_timeout(time);
            let thread = thread::Builder::new().name("didit-store".to_owned());
            let spawned = thread.spawn(move || serve_store(&shared, &mut *store, wait));
            spawned.map_err(|error| ConfigError::Library(error.into()))?;
        }
        Ok(client)
    }
}

fn tls_config(settings: &HttpSettings<'_>) -> Result<TlsConfig, ConfigError> {
    let roots = settings.trusted_roots(|| rustls_native_certs::load_native_certs().certs)?;
    let roots = roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
    let config = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()));
    Ok(config.build())
}

fn ureq_proxy(proxy: &HttpProxy) -> Result<Proxy, ConfigError> {
    let protocol = if proxy.is_tls() { ProxyProtocol::Https } else { ProxyProtocol::Http };
    let mut builder = Proxy::builder(protocol).host(proxy.host()).port(proxy.port());
    if let Some((name, password)) = proxy.user() {
        builder = builder.username(name.expose()).password(password.expose());
    }
    builder.build().map_err(|error| ConfigError::Library(error.into()))
}

/// Connects as ureq does, but its errors do not pass for those of a connection that may have carried
/// a request.
#[derive(Debug, Default)]
struct UnsentErrorConnector(DefaultConnector);

impl Connector for UnsentErrorConnector {
    type Out = Box<dyn Io>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let started = Instant::now();
        self.0.connect(details, chained).map_err(|error| match error {
            ureq::Error::Protocol(error) => ureq::Error::ConnectProxyFailed(error.to_string()),
            ureq::Error::Io(error) if !is_timeout(&error) => ureq::Error::Other(Box::new(error)),
            // The system's own timeout, which ends earlier than that of the request.
            ureq::Error::Timeout(ureq::Timeout::Connect)
                if started.elapsed() + Duration::from_millis(100) < *details.timeout.after =>
            {
                ureq::Error::Other(Box::new(io::Error::from(io::ErrorKind::TimedOut)))
            }
            error => error,
        })
    }
}
