//! Everything the connections of one sandbox share.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::fault::FaultPlan;
use crate::quota::Window;
use crate::record::Journal;
use crate::sessions::Sessions;
use crate::stop::Stop;

pub(crate) struct Shared {
    pub(crate) settings: Settings,
    /// The base URL, with no slash at its end.
    pub(crate) url: String,
    /// What the form of the first page must send along.
    pub(crate) form_token: String,
    pub(crate) started: Instant,
    pub(crate) stop: Stop,
    pub(crate) state: Mutex<State>,
}

/// What was settled before the start.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) api_key: String,
    pub(crate) token_lifetime: Duration,
    pub(crate) token_answer: Option<String>,
    pub(crate) latency: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) max_connections: usize,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<std::sync::Arc<rustls::ServerConfig>>,
}

/// What changes as requests come.
pub(crate) struct State {
    pub(crate) faults: FaultPlan,
    pub(crate) quota: Option<Window>,
    pub(crate) journal: Journal,
    pub(crate) tokens: Tokens,
    pub(crate) sessions: Sessions,
    pub(crate) connections: u64,
    pub(crate) requests: u64,
}

impl Shared {
    pub(crate) fn scheme(&self) -> &str {
        self.url.split_once(':').map_or("http", |(scheme, _)| scheme)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The access tokens in force, each with the moment it expires.
#[derive(Default)]
pub(crate) struct Tokens {
    valid: HashMap<String, Instant>,
    pub(crate) issued: u64,
}

impl Tokens {
    pub(crate) fn issue(&mut self, now: Instant, lifetime: Duration) -> String {
        self.valid.retain(|_, expires| *expires > now);
        self.issued += 1;
        let token = format!("sandbox-access-token-{}", self.issued);
        // A lifetime beyond what the clock can hold is as good as a year.
        let year = Duration::from_secs(365 * 86_400);
        self.valid.insert(token.clone(), now.checked_add(lifetime).unwrap_or(now + year));
        token
    }

    pub(crate) fn is_valid(&self, token: &str, now: Instant) -> bool {
        self.valid.get(token).is_some_and(|expires| *expires > now)
    }

    pub(crate) fn revoke_all(&mut self) {
        self.valid.clear();
    }
}
