//! Test cases for every adapter, over real sockets and the sandbox.
//!
//! An adapter's tests implement [`Adapter`], [`Bulk`](bulk::Bulk) and
//! [`Verification`](verification::Verification) for its client, and run every case with [`cases!`].

// The cases are tests and fail by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)]

pub mod authorization;
pub mod bulk;
mod cases;
pub mod certificates;
pub mod environment;
pub mod logs;
pub mod pacing_and_retry;
pub mod proxies;
mod raw;
pub mod redis_server;
pub mod responses;
pub mod sessions;
pub mod transport;
pub mod verification;
pub mod waking;

use std::net::SocketAddr;
use std::time::Duration;

use didit_core::data_transfer::{Decision, Scopes, Session, SessionStatus};
use didit_core::oauth::AccessToken;
use didit_core::{CallError, ClientCredentials, Credentials, Policy, ResponseErrorKind, SessionId};
use didit_sandbox::Sandbox;
use socket2::{Domain, Socket, Type};

/// A client under test.
pub trait Adapter: Send + Sync + Sized {
    /// Number of additional connections that the pool may open for sequential calls.
    const SPARE_CONNECTIONS: u64;

    /// The target of log records that contain all bytes of an exchange, if this build has any.
    const WIRE_DUMP: Option<&str> = None;

    /// Builds the client.
    ///
    /// # Errors
    /// The text of the adapter's own error.
    fn new(settings: Settings) -> Result<Self, String>;

    /// Retrieves one decision.
    ///
    /// # Errors
    /// The failure.
    fn decision(&self, session_id: &SessionId) -> Result<Decision, CallFailure>;

    /// Waits for a final status.
    ///
    /// # Errors
    /// The failure.
    fn wait(
        &self,
        session_id: &SessionId,
        interval: Duration,
        timeout: Duration,
    ) -> Result<Decision, CallFailure>;

    /// Creates a session.
    ///
    /// # Errors
    /// The failure.
    fn create(&self, scopes: Scopes, vendor_data: Option<&str>) -> Result<Session, CallFailure>;

    /// Reads a session's status.
    ///
    /// # Errors
    /// The failure.
    fn status(
        &self,
        session_id: &SessionId,
        session_token: &str,
    ) -> Result<SessionStatus, CallFailure>;

    /// Returns the fetched access token.
    fn access_token(&self) -> Option<AccessToken>;

    /// Sets the access token.
    fn set_access_token(&self, token: &AccessToken);

    /// Replaces the credentials.
    fn set_credentials(&self, credentials: Credentials);

    /// Creates a client with other credentials on the same connections.
    #[must_use]
    fn with_credentials(&self, credentials: Credentials) -> Self;
}

/// The settings of a client under test.
pub struct Settings {
    /// The base URL.
    pub base_url: didit_core::BaseUrl,
    /// The base URL of the verification API, if it differs.
    pub verification_base_url: Option<didit_core::BaseUrl>,
    /// The credentials.
    pub credentials: Credentials,
    /// The policy.
    pub policy: Policy,
    /// A PEM certificate to trust.
    pub root_certificate: Option<String>,
    /// The proxy, which replaces that of the environment.
    pub proxy: Option<didit_core::ProxySettings>,
    /// A shared store.
    pub store: Option<waking::Store>,
}

/// A call that failed.
#[derive(Debug)]
pub struct CallFailure {
    /// The core's error.
    pub call: CallError,
    /// The `Display` and `Debug` texts of the adapter's error and of its sources.
    pub shown: String,
}

impl CallFailure {
    /// Wraps an adapter's error, which contains the core's.
    pub fn new<E: std::error::Error + Into<CallError> + 'static>(error: E) -> Self {
        let first: &(dyn std::error::Error + 'static) = &error;
        let chain = std::iter::successors(Some(first), |error| error.source());
        let shown: Vec<_> = chain.map(|error| format!("{error}\n{error:?}\n{error:#?}")).collect();
        Self { shown: shown.join("\n"), call: error.into() }
    }

    /// Returns the kind of the response error.
    ///
    /// # Panics
    /// If the call did not fail with a response.
    pub fn kind(&self) -> &ResponseErrorKind {
        self.call.response().expect("a response").kind()
    }
}

/// Returns settings for a sandbox, with its client id and secret.
pub fn settings(sandbox: &Sandbox) -> Settings {
    let client = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret());
    let credentials = client.expect("documented credentials").into();
    Settings { credentials, ..at(sandbox.url()) }
}

/// Returns settings for the server at this URL, with client credentials.
fn at(url: &str) -> Settings {
    Settings {
        base_url: url.parse().expect("a base URL"),
        verification_base_url: None,
        credentials: ClientCredentials::new("client", "secret").expect("credentials").into(),
        policy: Policy::default(),
        root_certificate: None,
        proxy: None,
        store: None,
    }
}

fn sandbox() -> Sandbox {
    Sandbox::start().expect("a loopback port")
}

/// Asserts that sequential calls used one connection, plus those that the pool may open.
#[track_caller]
fn assert_one_connection<A: Adapter>(sandbox: &Sandbox) {
    let spare = sandbox.connections() - 1;
    assert!(spare <= A::SPARE_CONNECTIONS, "{spare} additional connections");
}

fn client<A: Adapter>(sandbox: &Sandbox) -> A {
    A::new(settings(sandbox)).expect("a client")
}

/// Returns a client with these credentials.
fn with<A: Adapter>(sandbox: &Sandbox, credentials: impl Into<Credentials>) -> A {
    A::new(Settings { credentials: credentials.into(), ..settings(sandbox) }).expect("a client")
}

/// Reserves a port by binding a socket that does not listen; returns both.
fn reserved_port() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

fn id(text: &str) -> SessionId {
    text.parse().expect("a session id")
}

/// Returns the next pseudo-random number of a linear congruential generator.
pub fn next_random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}
