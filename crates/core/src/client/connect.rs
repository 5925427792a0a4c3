use std::ffi::OsString;
use std::io;
use std::path::Path;

use super::config_error::ConfigError;
use super::transport::Transport;
use crate::base_url::BaseUrl;
use crate::engine::{Engine, SharedStore};
use crate::proxy::HttpProxy;

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
    fn open(path: &Path) -> io::Result<impl io::Read + use<Self>>;

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
