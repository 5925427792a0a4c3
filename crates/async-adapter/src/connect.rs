use std::collections::hash_map::RandomState;
use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::hash::BuildHasher as _;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::thread;

use didit_core::client::{ClientParts, Connect, HttpSettings, serve_store};
use didit_core::{ConfigError, HttpProxy, SharedStore};
use reqwest::{redirect, retry};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};

use crate::{Client, Shared};

/// The settings of a [`Client`].
///
/// Build an [`http_client`](Self::http_client) of your own with `redirect(Policy::none())` and
/// `retry(never())`.
pub type ClientBuilder = didit_core::ClientBuilder<Client>;

impl Connect for Client {
    type HttpClient = reqwest::Client;

    fn seed() -> u64 {
        RandomState::new().hash_one(0)
    }

    fn variable(name: &str) -> Option<OsString> {
        env::var_os(name)
    }

    fn read_file(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        File::open(path)?.take(limit as u64 + 1).read_to_end(&mut content)?;
        if content.len() > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(content) }
    }

    fn http_client(settings: &HttpSettings<'_>) -> Result<reqwest::Client, ConfigError> {
        let client = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            // Without a number it would keep a copy of each request for a retry that never comes.
            .retry(retry::never().max_retries_per_request(0))
            .referer(false)
            // As many as the HTTP library of the blocking adapter reads.
            .http1_max_headers(128)
            // What the environment says was read with the same rules as in the blocking adapter.
            .no_proxy()
            .tls_backend_preconfigured(tls_config(settings)?);
        let client = match settings.proxy.map(reqwest_proxy).transpose() {
            Ok(Some(proxy)) => client.proxy(proxy).build(),
            Ok(None) => client.build(),
            Err(error) => Err(error),
        };
        client.map_err(|error| ConfigError::Library(error.into()))
    }

    fn connect(parts: ClientParts<reqwest::Client>) -> Result<Self, ConfigError> {
        let (wakes_store, woken) = mpsc::sync_channel(1);
        let wakes_store = parts.store.is_some().then_some(wakes_store);
        let client = Self::of(parts.engine, Arc::new(parts.upstreams), parts.hooks, wakes_store);
        if let Some(store) = parts.store {
            let shared = Arc::downgrade(&client.shared);
            let thread = thread::Builder::new().name("didit-store".to_owned());
            let spawned = thread.spawn(move || ask_store(&shared, store, &woken));
            spawned.map_err(|error| ConfigError::Library(error.into()))?;
        }
        Ok(client)
    }
}

/// Asks the store until the client is dropped.
fn ask_store(client: &Weak<Shared>, mut store: Box<dyn SharedStore>, woken: &Receiver<()>) {
    while let Some(shared) = client.upgrade() {
        let wait = serve_store(&*shared, &mut *store);
        drop(shared);
        if woken.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
}

fn tls_config(settings: &HttpSettings<'_>) -> Result<ClientConfig, ConfigError> {
    let mut roots = RootCertStore::empty();
    for certificate in settings.trusted(|| rustls_native_certs::load_native_certs().certs)? {
        // Some platforms have certificates that cannot be used; those of the caller were checked.
        let _ = roots.add(certificate);
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::Library(error.into()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn reqwest_proxy(proxy: &HttpProxy) -> reqwest::Result<reqwest::Proxy> {
    let scheme = if proxy.is_tls() { "https" } else { "http" };
    let address = reqwest::Proxy::https(format!("{scheme}://{proxy}"))?;
    Ok(match proxy.user() {
        Some((name, password)) => address.basic_auth(name.expose(), password.expose()),
        None => address,
    })
}
