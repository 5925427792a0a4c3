use std::ffi::OsString;
use std::io;
use std::path::Path;

use super::config_error::ConfigError;
use super::transport::Transport;
use crate::engine::{Engine, SharedStore};
use crate::proxy::HttpProxy;

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

    /// Opens a file to read it.
    ///
    /// # Errors
    /// The file cannot be opened.
    fn open(path: &Path) -> io::Result<impl io::Read + use<Self>>;

    /// Sets up the HTTP library: no redirects, no retries, no proxy but the given one.
    ///
    /// # Errors
    /// A certificate is refused, or there is none to trust, or the library refuses its settings.
    fn http_clients(
        settings: &HttpSettings<'_>,
    ) -> Result<HttpClients<Self::HttpClient>, ConfigError>;

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

/// The clients of the HTTP library, which differ in this alone.
#[derive(Clone, Debug)]
pub struct HttpClients<H> {
    /// Keeps connections alive.
    pub pooled: H,
    /// Makes a connection for each request, for those that must not be repeated: on a connection
    /// that was idle, nobody can tell whether the server closed it before or after the request
    /// ([RFC 9112, section 9.3.1](https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1)).
    pub unpooled: H,
}

/// The parts of a client.
#[derive(Debug)]
#[non_exhaustive]
pub struct ClientParts<H> {
    /// The state that its calls share.
    pub engine: Engine,
    /// The HTTP clients, and the functions of the caller.
    pub transport: Transport<H>,
    /// The store that processes share, if they do.
    pub store: Option<Box<dyn SharedStore>>,
}
