//! What can be settled before a sandbox starts.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::fault::FaultPlan;
use crate::quota::Window;
use crate::record::Journal;
use crate::server::Server;
use crate::session::Sessions;
use crate::state::{Settings, Shared, State, Tokens};
use crate::{Fault, FaultRule, Quota, Route, Sandbox};

/// Settings for a [`Sandbox`]; made by [`Sandbox::builder`].
#[must_use = "a builder does nothing until it is started"]
pub struct SandboxBuilder {
    port: u16,
    settings: Settings,
    quota: Option<Quota>,
    faults: FaultPlan,
    keep_requests: usize,
}

impl SandboxBuilder {
    pub(crate) fn new() -> Self {
        Self {
            port: 0,
            settings: Settings {
                client_id: "sandbox-client-id".to_owned(),
                client_secret: "sandbox-client-secret".to_owned(),
                api_key: "sandbox-api-key".to_owned(),
                token_lifetime: Duration::from_secs(86_400),
                token_answer: None,
                latency: Duration::ZERO,
                #[cfg(feature = "tls")]
                tls: None,
            },
            quota: None,
            faults: FaultPlan::default(),
            keep_requests: 100_000,
        }
    }

    /// The port to listen on, at 127.0.0.1. By default, and for 0, any free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The client id and secret that get a token. By default `sandbox-client-id` and
    /// `sandbox-client-secret`.
    pub fn credentials(
        mut self,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Self {
        self.settings.client_id = client_id.into();
        self.settings.client_secret = client_secret.into();
        self
    }

    /// How long an access token is valid; by default a day, as documented. The sandbox holds to it:
    /// an expired token is answered with 401. `expires_in` says it in whole seconds, rounded
    /// up.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.token_lifetime = lifetime;
        self
    }

    /// Answers every good token request with this text, in which each `{access_token}` is replaced
    /// with the token.
    pub fn token_answer(mut self, json_text: impl Into<String>) -> Self {
        self.settings.token_answer = Some(json_text.into());
        self
    }

    /// Limits the retrieval of decisions; by default it is not limited.
    pub fn quota(mut self, quota: Quota) -> Self {
        self.quota = Some(quota);
        self
    }

    /// How long to wait before each answer; by default not at all.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.settings.latency = latency;
        self
    }

    /// Has every request on a route meet a fault, as [`Sandbox::always`] does.
    pub fn fault(mut self, route: Route, fault: Fault) -> Self {
        self.faults.always(route, fault);
        self
    }

    /// Follows a rule from the start, as [`Sandbox::apply`] does.
    pub fn rule(mut self, rule: FaultRule) -> Self {
        self.faults.apply(rule);
        self
    }

    /// How many of the latest requests are kept for [`Sandbox::requests`]; by default 100 000.
    pub fn keep_requests(mut self, count: usize) -> Self {
        self.keep_requests = count;
        self
    }

    /// Serves HTTPS, with this configuration and its certificate.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, config: Arc<rustls::ServerConfig>) -> Self {
        self.settings.tls = Some(config);
        self
    }

    /// Starts the sandbox.
    ///
    /// # Errors
    ///
    /// When the port is taken, or the system gives no socket or no thread.
    pub fn start(self) -> io::Result<Sandbox> {
        let shared = Arc::new(Shared {
            settings: self.settings,
            started: Instant::now(),
            stop: crate::stop::Stop::default(),
            state: Mutex::new(State {
                faults: self.faults,
                quota: self.quota.map(Window::new),
                journal: Journal::new(self.keep_requests),
                tokens: Tokens::default(),
                sessions: Sessions::default(),
                connections: 0,
                requests: 0,
            }),
        });
        let server = Server::start(Arc::clone(&shared), self.port)?;
        Ok(Sandbox::new(shared, server))
    }
}

impl fmt::Debug for SandboxBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxBuilder")
            .field("port", &self.port)
            .field("quota", &self.quota)
            .finish_non_exhaustive()
    }
}
