//! What every adapter must do, over real sockets and the sandbox.
//!
//! Each adapter is driven through [`Adapter`], and its tests run every scenario by its name, so that
//! all of them prove the same.

// A scenario is a test: it fails by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)]

mod adapters;
pub mod answers;
pub mod authorization;
pub mod certificates;
pub mod flow;
pub mod judgement;
pub mod logs;
pub mod many;
pub mod proxies;
pub mod transport;

use std::time::Duration;

use didit_core::data_transfer::{Decision, Scopes, Session, SessionStatus};
use didit_core::{CallError, ClientCredentials, Credentials, Policy, ResponseErrorKind, SessionId};
use didit_sandbox::Sandbox;

pub use self::adapters::{Async, Blocking};

/// A client under test.
pub trait Adapter: Send + Sync + Sized {
    /// How many connections more than one its pool may open for calls that follow each other.
    const SPARE_CONNECTIONS: u64;

    /// Makes the client, or says why it cannot be made.
    ///
    /// # Errors
    /// The text of the adapter's own error.
    fn new(settings: Settings) -> Result<Self, String>;

    /// Retrieves one decision.
    ///
    /// # Errors
    /// What stood in the way.
    fn decision(&self, session_id: &SessionId) -> Result<Decision, Failed>;

    /// Waits for a final status.
    ///
    /// # Errors
    /// What stood in the way.
    fn wait(
        &self,
        session_id: &SessionId,
        interval: Duration,
        timeout: Duration,
    ) -> Result<Decision, Failed>;

    /// Creates a session.
    ///
    /// # Errors
    /// What stood in the way.
    fn create(&self, scopes: Scopes, vendor_data: Option<&str>) -> Result<Session, Failed>;

    /// Reads a session's status.
    ///
    /// # Errors
    /// What stood in the way.
    fn status(&self, session_id: &SessionId, session_token: &str) -> Result<SessionStatus, Failed>;
}

/// How a client under test is to be made.
pub struct Settings {
    /// The base URL.
    pub base_url: didit_core::BaseUrl,
    /// The credentials.
    pub credentials: Credentials,
    /// The policy.
    pub policy: Policy,
    /// A PEM certificate to trust.
    pub root_certificate: Option<String>,
}

/// A call that came to nothing.
#[derive(Debug)]
pub struct Failed {
    /// The core's error.
    pub call: CallError,
    /// All that the adapter's error shows: `Display`, `Debug`, and the same of its sources.
    pub shown: String,
}

impl Failed {
    /// From an adapter's error, which holds the core's.
    pub fn new<E: std::error::Error + Into<CallError> + 'static>(error: E) -> Self {
        let first: &(dyn std::error::Error + 'static) = &error;
        let chain = std::iter::successors(Some(first), |error| error.source());
        let shown: Vec<_> = chain.map(|error| format!("{error}\n{error:?}")).collect();
        Self { shown: shown.join("\n"), call: error.into() }
    }

    /// The kind of answer that stood in the way.
    ///
    /// # Panics
    /// It was no answer.
    pub fn kind(&self) -> &ResponseErrorKind {
        self.call.response().expect("an answer stood in the way").kind()
    }
}

/// Settings for a sandbox, with the client id and secret it expects.
pub fn settings(sandbox: &Sandbox) -> Settings {
    let client = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret());
    Settings {
        base_url: sandbox.url().parse().expect("a loopback URL"),
        credentials: client.expect("documented credentials").into(),
        policy: Policy::default(),
        root_certificate: None,
    }
}

fn sandbox() -> Sandbox {
    Sandbox::start().expect("a loopback port")
}

/// Calls that followed each other went over one connection, but for what the pool may open.
#[track_caller]
fn assert_one_connection<A: Adapter>(sandbox: &Sandbox) {
    let spare = sandbox.connections() - 1;
    assert!(spare <= A::SPARE_CONNECTIONS, "{spare} connections more than one");
}

fn client<A: Adapter>(sandbox: &Sandbox) -> A {
    A::new(settings(sandbox)).expect("a client")
}

fn id(text: &str) -> SessionId {
    text.parse().expect("a session id")
}
