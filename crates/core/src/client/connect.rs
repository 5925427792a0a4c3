use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;

use super::config_error::ConfigError;
use super::transport::{Hooks, HttpClients, Route, Transport};
use crate::base_url::BaseUrl;
use crate::engine::{Engine, SharedStore};
use crate::proxy::{HttpProxy, ProxySettings};

/// A client that a [`ClientBuilder`](crate::ClientBuilder) builds.
///
/// It gives the builder access to what this crate does not touch (the environment, files,
/// randomness) and makes connections.
pub trait Connect: Sized {
    /// The client of the HTTP library. Clones share their connections.
    type HttpClient: Clone;

    /// Returns a number that differs from process to process.
    fn seed() -> u64;

    /// Returns a variable of the process's environment.
    fn variable(name: &str) -> Option<OsString>;

    /// Opens a file for reading.
    ///
    /// # Errors
    /// The file cannot be opened.
    fn open(path: &Path) -> io::Result<impl Read + use<Self>>;

    /// Sets up the HTTP library: without redirects and retries, and with no proxy except the given
    /// one.
    ///
    /// # Errors
    /// A certificate is unusable, there is none to trust, or the library refuses its settings.
    fn http_clients(
        settings: &HttpSettings<'_>,
    ) -> Result<HttpClients<Self::HttpClient>, ConfigError>;

    /// Creates the client. Its calls share the engine; if there is a shared store, a thread
    /// [serves](super::serve_store) it.
    ///
    /// # Errors
    /// [`ConfigError::Library`] if that thread cannot be started.
    fn connect(
        engine: Engine,
        transport: Transport<Self::HttpClient>,
        store: Option<Box<dyn SharedStore>>,
    ) -> Result<Self, ConfigError>;
}

/// The settings of an HTTP library.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct HttpSettings<'a> {
    /// False if no host is reached over TLS, so that no trusted certificates are needed.
    pub tls: bool,
    /// PEM texts of certificates to trust in addition to the platform's. They must be checked even
    /// without TLS.
    pub root_certificates: &'a [Vec<u8>],
    /// The proxy for all requests.
    pub proxy: Option<&'a HttpProxy>,
}

impl<'a> HttpSettings<'a> {
    /// Creates the settings for requests to one host.
    pub fn new(
        base: &BaseUrl,
        root_certificates: &'a [Vec<u8>],
        proxy: Option<&'a HttpProxy>,
    ) -> Self {
        Self { tls: !base.is_plain_http(), root_certificates, proxy }
    }
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

/// Reads a file of at most `limit` bytes; a longer one, such as an endless device, is an error. The
/// buffer is never reallocated, so no copies of a secret are left behind.
///
/// # Errors
/// [`FileTooLarge`](io::ErrorKind::FileTooLarge), or reading failed.
pub fn read_limited(file: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut content = Vec::with_capacity(limit + 1);
    file.take(limit as u64 + 1).read_to_end(&mut content)?;
    if content.len() > limit {
        let problem = format!("it has more than {} KiB", limit / 1024);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_may_be_as_long_as_the_limit() {
        assert_eq!(read_limited(&[7; 1024][..], 1024).unwrap(), [7; 1024]);
        let error = read_limited(&[7; 1025][..], 1024).unwrap_err();
        assert_eq!(error.to_string(), "it has more than 1 KiB");
    }

    #[test]
    fn endless_file_is_refused() {
        let error = read_limited(io::repeat(0), 1 << 16).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
