//! [how_to]: how_to
//! [errors]: didit_core::guide::errors
//! [deploying]: didit_core::guide::deploying
//! [which]: didit_core::guide::which_crate
#![doc = include_str!("../README.md")]

mod builder;
mod error;
mod resolver;
mod verification;

use std::fmt;
use std::io::Read as _;
use std::ops::DerefMut;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

pub use didit_core as core;
pub use didit_core::ConfigError;
use didit_core::client::{Connect as _, Driver, Exchange, Run, Transport, receive_head};
use didit_core::data_transfer::{
    CreateSession, Decision, ReadStatus, RetrieveDecision, Scopes, Session, SessionStatus,
};
use didit_core::oauth::AccessToken;
use didit_core::{
    Call, Credentials, DecisionEndpoint, Engine, Moment, Operation, Secret, SessionId, Step,
    WaitForDecision,
};
use http::{Request, Response};
use ureq::AsSendBody;
pub use {http, ureq};

pub use self::builder::ClientBuilder;
pub use self::error::{Error, failed};
pub use self::verification::Verification;

/// [async-recipes]: https://docs.rs/didit-async-adapter/latest/didit_async_adapter/how_to/
/// [layers]: didit_core::guide::layers
#[doc = include_str!("../docs/how_to.md")]
pub mod how_to {}

/// A client of the API. Clones are cheap and share the token, the rate limits and the connections.
/// A failed call returns the error of its last attempt, after the retries that the policy allows.
///
#[doc = include_str!("../docs/client.md")]
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    transport: Arc<Transport<ureq::Agent>>,
    engine: Mutex<Engine>,
    /// Notified when waiting operations may continue before their wait ends.
    notifier: Notifier,
    origin: Instant,
    /// Wakes the thread that queries the shared store, if there is one.
    store_waker: SyncSender<()>,
}

#[allow(clippy::missing_errors_doc, reason = "the type documents the errors of all calls")]
impl Client {
    /// Creates a client of the live service with the default settings.
    ///
    /// # Errors
    /// See [`ClientBuilder::build`].
    pub fn new(credentials: impl Into<Credentials>) -> Result<Self, ConfigError> {
        Self::builder(credentials).build()
    }

    /// Returns a builder for a client with other settings.
    pub fn builder(credentials: impl Into<Credentials>) -> ClientBuilder {
        ClientBuilder::new(credentials)
    }

    /// Creates a client from [environment variables](didit_core::client::Environment).
    /// [`ClientBuilder::from_env`] takes further settings.
    ///
    /// # Errors
    /// A variable is missing or malformed, or several ways to authorize are set at once; or see
    /// [`ClientBuilder::build`].
    pub fn from_env() -> Result<Self, ConfigError> {
        ClientBuilder::from_env()?.build()
    }

    /// Creates a client for another tenant, with its own credentials, token and rate limits. It
    /// shares the settings, hooks and connections of this client, but no
    /// [shared store](ClientBuilder::shared_store), for which each tenant needs its own builder.
    #[must_use]
    pub fn with_credentials(&self, credentials: impl Into<Credentials>) -> Self {
        let engine = self.shared.lock().with_credentials(credentials, Self::seed());
        Self::from_parts(engine, Arc::clone(&self.shared.transport), mpsc::sync_channel(0).0)
    }

    /// Replaces the credentials of this client and its clones; see [`Engine::set_credentials`].
    pub fn set_credentials(&self, credentials: impl Into<Credentials>) {
        self.shared.lock().set_credentials(credentials);
        self.shared.wake_others();
    }

    /// Returns the fetched token with its remaining lifetime; see [`Engine::access_token`].
    pub fn access_token(&self) -> Option<AccessToken> {
        self.shared.lock().access_token(self.shared.now())
    }

    /// Uses a token that was fetched elsewhere; see [`Engine::set_access_token`].
    pub fn set_access_token(&self, token: &AccessToken) -> bool {
        let used = self.shared.lock().set_access_token(token, self.shared.now());
        self.shared.wake_others();
        used
    }

    fn from_parts(
        engine: Engine,
        transport: Arc<Transport<ureq::Agent>>,
        store_waker: SyncSender<()>,
    ) -> Self {
        let (engine, notifier, origin) = (Mutex::new(engine), Notifier::default(), Instant::now());
        let shared = Shared { transport, engine, notifier, origin, store_waker };
        Self { shared: Arc::new(shared) }
    }

    /// Creates a session that asks a person for the scopes. Its decision will contain
    /// `vendor_data`.
    ///
    /// # Errors
    /// The request is not repeated once the service may have acted on it, so the session may exist
    /// even if the call fails.
    pub fn create_session(
        &self,
        scopes: Scopes,
        vendor_data: Option<&str>,
    ) -> Result<Session, Error> {
        self.run(Call::new(CreateSession::new(scopes).with_vendor_data(vendor_data)))
    }

    /// Reads the status of a session with the session token that its creation returned. No other
    /// credentials are needed.
    pub fn session_status(
        &self,
        session_id: &SessionId,
        session_token: impl Into<Secret>,
    ) -> Result<SessionStatus, Error> {
        self.run(Call::new(ReadStatus::new(session_id.clone(), session_token)))
    }

    /// Retrieves the decision of a session.
    pub fn decision(&self, session_id: &SessionId) -> Result<Decision, Error> {
        self.run(Call::new(RetrieveDecision::new(session_id.clone())))
    }

    /// Polls the decision of a session until its status is final, by default every 2 s for at most
    /// 10 minutes. At the end of that time it fails with the error of the last poll, if that failed,
    /// or else with [`Undecided`](didit_core::CallErrorKind::Undecided). An error that is not
    /// retryable, or whose `Retry-After` ends after that time, ends it at once.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use didit_blocking_adapter::{Client, Error, core::SessionId};
    /// # fn example(client: Client, id: SessionId) -> Result<(), Error> {
    /// let wait = client.wait_for_decision(&id).every(Duration::from_secs(5));
    /// let decision = wait.at_most(Duration::from_secs(60)).wait()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait_for_decision(&self, session_id: &SessionId) -> Wait<'_, RetrieveDecision> {
        Wait { client: self, wait: WaitForDecision::new(session_id.clone()) }
    }

    /// Returns the calls of the verification API, which has its own base URL
    /// ([`ClientBuilder::verification_base_url`]) and takes
    /// [API keys](didit_core::Authorization::api_key).
    pub fn verification(&self) -> Verification<'_> {
        Verification(self)
    }

    /// Runs any operation of the core, such as a call with its own timeout.
    pub fn run<O: Operation>(&self, operation: O) -> Result<O::Output, Error> {
        let shared = &*self.shared;
        let mut run = Run::new(shared, operation);
        let mut outcome = None;
        loop {
            // Read before polling the engine, so that no wake-up is missed.
            let seen = shared.notifier.generation();
            match run.poll(outcome.take()) {
                Step::Send { request, ticket, timeout } => {
                    outcome = Some((ticket, shared.exchange(request, timeout)));
                }
                Step::Wait { until, .. } => shared.notifier.wait(seen, until.since(shared.now())),
                Step::Done(result) => return result.map_err(|error| run.error(error)),
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(self.shared.lock().base_url()).finish()
    }
}

/// A wait for a decision, which starts with [`wait`](Self::wait).
#[derive(Debug)]
#[must_use = "nothing is sent until `wait` is called"]
pub struct Wait<'a, E: DecisionEndpoint> {
    client: &'a Client,
    wait: WaitForDecision<E>,
}

impl<E: DecisionEndpoint> Wait<'_, E> {
    /// Sets the pause between the end of one poll and the start of the next, at least 10 ms.
    /// Default: 2 s.
    pub fn every(mut self, interval: Duration) -> Self {
        self.wait = self.wait.with_interval(interval);
        self
    }

    /// Sets the timeout of the whole wait. Default: 10 minutes.
    pub fn at_most(mut self, timeout: Duration) -> Self {
        self.wait = self.wait.with_timeout(timeout);
        self
    }

    /// Waits for the decision and returns it.
    ///
    /// # Errors
    /// See [`Client::wait_for_decision`].
    pub fn wait(self) -> Result<E::Output, Error> {
        self.client.run(self.wait)
    }
}

impl Driver for Shared {
    type HttpClient = ureq::Agent;
    type HttpError = ureq::Error;

    fn lock(&self) -> impl DerefMut<Target = Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Moment {
        Moment::new(self.origin.elapsed())
    }

    fn wake_others(&self) {
        self.notifier.notify();
    }

    fn wake_store(&self) {
        // A full channel has a wake-up pending; a disconnected one has no store.
        let _ = self.store_waker.try_send(());
    }

    fn transport(&self) -> &Transport<ureq::Agent> {
        &self.transport
    }
}

impl Shared {
    /// Sends a request and reads the response, up to the first byte beyond the size limit.
    fn exchange(&self, request: Request<Vec<u8>>, timeout: Duration) -> Exchange<ureq::Error> {
        let (agent, _, limit) = self.transport.for_request(&request);
        // For an empty body, ureq would send `content-length: 0`.
        let sent = if request.body().is_empty() {
            send(agent, request.map(drop), timeout)
        } else {
            send(agent, request, timeout)
        };
        let response = sent.map_err(error::failed)?;
        let (parts, body) = response.into_parts();
        let head = receive_head(parts.status, parts.headers, SystemTime::now())?;
        let length = body.content_length().and_then(|length| usize::try_from(length).ok());
        let mut bytes = Vec::with_capacity(length.unwrap_or_default().min(limit));
        match body.into_reader().take(limit as u64 + 1).read_to_end(&mut bytes) {
            Ok(_) => Ok(head.map(|()| bytes)),
            Err(error) => {
                let (failure, detail) = error::failed(error.into());
                Err((failure.with_partial(head.map(|()| bytes)), detail))
            }
        }
    }
}

fn send(
    agent: &ureq::Agent,
    request: Request<impl AsSendBody>,
    timeout: Duration,
) -> Result<Response<ureq::Body>, ureq::Error> {
    let request = agent.configure_request(request).timeout_global(Some(timeout));
    let request = request.http_status_as_error(false).max_redirects(0);
    agent.run(request.max_redirects_will_error(false).build())
}

/// Limit of a single wait, which every system's clock can represent. The caller waits again.
const MAX_WAIT: Duration = Duration::from_secs(86_400);

/// Wakes waiting threads. It counts notifications, so that none is missed before a wait starts.
#[derive(Default)]
struct Notifier {
    generation: Mutex<u64>,
    changed: Condvar,
}

impl Notifier {
    fn generation(&self) -> u64 {
        *self.lock()
    }

    fn notify(&self) {
        *self.lock() += 1;
        self.changed.notify_all();
    }

    /// Waits for `time`, or until the generation is no longer `seen`.
    fn wait(&self, seen: u64, time: Duration) {
        let unchanged = |generation: &mut u64| *generation == seen;
        let waited = self.changed.wait_timeout_while(self.lock(), time.min(MAX_WAIT), unchanged);
        drop(waited);
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.generation.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
