use std::collections::hash_map::RandomState;
use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::hash::BuildHasher as _;
use std::io;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;

use didit_core::client::{Connect, HttpClients, HttpSettings, Transport, serve_store};
use didit_core::{ConfigError, Engine, HttpProxy, SharedStore};
use reqwest::{Certificate, redirect, retry};

use crate::Client;

/// Settings of a [`Client`]. [`http_client_builder`] builds a custom
/// [`http_client`](Self::http_client).
pub type ClientBuilder = didit_core::ClientBuilder<Client>;

impl Connect for Client {
    type HttpClient = reqwest::Client;

    fn seed() -> u64 {
        RandomState::new().hash_one(0)
    }

    fn variable(name: &str) -> Option<OsString> {
        env::var_os(name)
    }

    fn open(path: &Path) -> io::Result<impl io::Read + use<>> {
        File::open(path)
    }

    fn http_clients(
        settings: &HttpSettings<'_>,
    ) -> Result<HttpClients<reqwest::Client>, ConfigError> {
        let library_error = |error: reqwest::Error| ConfigError::Library(error.into());
        let roots = settings.trusted_roots(|| rustls_native_certs::load_native_certs().certs)?;
        let roots = roots.iter().map(|root| Certificate::from_der(root));
        let roots = roots.collect::<Result<Vec<_>, _>>().map_err(library_error)?;
        let proxy = settings.proxy.map(reqwest_proxy).transpose().map_err(library_error)?;
        let client = |max_idle| {
            let client = http_client_builder()
                .pool_max_idle_per_host(max_idle)
                .tls_backend_rustls()
                .tls_certs_only(roots.clone());
            let client = proxy.iter().cloned().fold(client, reqwest::ClientBuilder::proxy);
            client.build().map_err(library_error)
        };
        Ok(HttpClients { pooled: client(usize::MAX)?, unpooled: client(0)? })
    }

    fn connect(
        engine: Engine,
        transport: Transport<reqwest::Client>,
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

/// Returns a builder for a custom [`http_client`](ClientBuilder::http_client) that follows no redirects,
/// does not retry, and uses no proxy unless you add one.
///
#[doc = include_str!("../docs/http_client.md")]
pub fn http_client_builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        // Without the limit, reqwest clones each request for a retry that never happens.
        .retry(retry::never().max_retries_per_request(0))
        .referer(false)
        // By reqwest's own rules the proxy variables also concern plain HTTP to this machine.
        .no_proxy()
        .http1_only()
        // Matches the limit of the blocking adapter's HTTP library.
        .http1_max_headers(128)
}

fn reqwest_proxy(proxy: &HttpProxy) -> reqwest::Result<reqwest::Proxy> {
    let scheme = if proxy.is_tls() { "https" } else { "http" };
    let address = reqwest::Proxy::https(format!("{scheme}://{proxy}"))?;
    Ok(match proxy.user() {
        Some((name, password)) => address.basic_auth(name.expose(), password.expose()),
        None => address,
    })
}
