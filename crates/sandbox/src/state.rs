//! The state that the connections of a sandbox share.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::application::Application;
use crate::clock::Clock;
use crate::fault::FaultPlan;
use crate::listen::Reach;
use crate::quota::Windows;
use crate::record::Journal;
use crate::sessions::Sessions;
use crate::state_file::Record;
use crate::tokens::Tokens;
use crate::verification::sessions::Sessions as Verifications;
use crate::{Quota, RecordedRequest, VerificationLimits};

pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) reach: Reach,
    /// The secret that the forms of the front page must contain.
    pub(crate) form_token: String,
    pub(crate) clock: Clock,
    pub(crate) started: Instant,
    pub(crate) stop: Stop,
    pub(crate) state: Mutex<State>,
}

/// A function that is called with each request after it was handled.
pub(crate) type Observer = Arc<dyn Fn(&RecordedRequest) + Send + Sync>;

/// A function that is called with each line of the log.
pub(crate) type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// The settings that do not change after the start.
pub(crate) struct Settings {
    pub(crate) application: Application,
    pub(crate) more_applications: Vec<Application>,
    pub(crate) token_lifetime: Duration,
    pub(crate) token_answer: Option<String>,
    pub(crate) quota: Option<Quota>,
    pub(crate) verification_limits: VerificationLimits,
    pub(crate) latency: Duration,
    pub(crate) observer: Option<Observer>,
    pub(crate) log: Option<Log>,
    pub(crate) idle_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) max_connections: usize,
    /// Set if ids that were never created are answered with 404.
    pub(crate) strict: bool,
    /// The factor for the pauses between the attempts to deliver a webhook.
    pub(crate) webhook_time_scale: f64,
    pub(crate) webhook_timeout: Duration,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
}

/// The state that requests change.
pub(crate) struct State {
    pub(crate) faults: FaultPlan,
    pub(crate) windows: Windows,
    pub(crate) journal: Journal,
    pub(crate) tokens: Tokens,
    pub(crate) sessions: Sessions,
    pub(crate) verification: Verifications,
    pub(crate) connections: u64,
    pub(crate) requests: u64,
}

/// The signal that ends every wait when the sandbox stops.
#[derive(Default)]
pub(crate) struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Settings {
    /// Returns all applications, the default one first.
    pub(crate) fn applications(&self) -> impl Iterator<Item = &Application> {
        std::iter::once(&self.application).chain(&self.more_applications)
    }

    pub(crate) fn by_key(&self, api_key: &str) -> Option<&Application> {
        self.applications().find(|application| application.api_key == api_key)
    }

    /// Returns the scheme of the sandbox's URLs.
    #[cfg_attr(
        not(feature = "tls"),
        allow(clippy::unused_self, reason = "always http without TLS")
    )]
    pub(crate) fn scheme(&self) -> &'static str {
        #[cfg(feature = "tls")]
        if self.tls.is_some() {
            return "https";
        }
        "http"
    }
}

impl Shared {
    /// Writes a line to the log, if a log is set.
    pub(crate) fn log(&self, line: impl FnOnce() -> String) {
        if let Some(log) = &self.settings.log {
            survive(|| log(&line()));
        }
    }

    /// Passes a request to the observer, if there is one.
    pub(crate) fn observe(&self, request: &RecordedRequest) {
        if let Some(observer) = &self.settings.observer {
            survive(|| observer(request));
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Returns the `application_id` of an application in webhooks.
    pub(crate) fn application_id(&self, client_id: &str) -> String {
        let index = self.settings.applications().position(|known| known.client_id == client_id);
        format!("00000000-0000-4000-8000-{:012}", index.map_or(0, |index| index + 1))
    }

    /// Ends the verification sessions whose time is up, and returns the time and the state.
    pub(crate) fn current(&self) -> io::Result<(Duration, MutexGuard<'_, State>)> {
        let now = self.now();
        let mut state = self.state();
        state.verification.expire(now)?;
        Ok((now, state))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stop {
    pub(crate) fn set(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_set(&self) -> bool {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for this time, or until the sandbox stops; returns whether it has stopped.
    pub(crate) fn wait(&self, duration: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(stopped, duration, |stopped| !*stopped);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Calls a function of the user. A panic in it does not end the sandbox's thread.
fn survive(call: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(call));
}

impl State {
    /// Applies the records of a store, oldest first.
    pub(crate) fn restore(&mut self, records: Vec<Record>) {
        for record in records {
            match record {
                Record::Session(session) => self.sessions.restore(*session),
                Record::Verification(session) => self.verification.restore(*session),
                Record::VerificationDeleted { id } => self.verification.forget(&id),
                Record::Token(token) => self.tokens.restore(token),
                Record::TokensRevoked => self.tokens.forget(),
            }
        }
    }
}
