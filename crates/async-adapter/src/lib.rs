//! [how_to]: how_to
//! [errors]: didit_core::guide::errors
//! [deploying]: didit_core::guide::deploying
//! [which]: didit_core::guide::which_crate
#![doc = include_str!("../README.md")]

mod builder;
mod decisions;
mod error;
mod verification;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::ops::DerefMut;
use std::pin::Pin;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

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
use futures_util::{Stream, stream};
use http::Request;
use tokio::sync::Notify;
use tokio::time::Instant;
pub use {http, reqwest};

pub use self::builder::{ClientBuilder, http_client_builder};
pub use self::decisions::Decisions;
pub use self::error::Error;
pub use self::verification::Verification;

/// [metrics]: how_to::metrics
/// [testing]: how_to::testing
/// [webhooks]: how_to::webhooks
/// [verification]: how_to::verification
/// [layers]: didit_core::guide::layers
#[doc = include_str!("../docs/how_to.md")]
pub mod how_to {
    #[doc = include_str!("../docs/metrics.md")]
    pub mod metrics {}

    #[doc = include_str!("../docs/testing.md")]
    pub mod testing {}

    /// [webhooks]: super::how_to::webhooks
    #[doc = include_str!("../docs/verification.md")]
    pub mod verification {}

    #[doc = include_str!("../docs/webhooks.md")]
    pub mod webhooks {}
}

/// A client of the API. Clones are cheap and share the token, the rate limits and the connections.
/// A failed call returns the error of its last attempt, after the retries that the policy allows.
///
/// Its futures run on tokio and may be dropped at any point. Use one client per runtime: a pooled
/// connection belongs to the runtime that opened it, and a call on another runtime stalls for a
/// whole attempt if that runtime is idle. A future that is neither polled nor dropped keeps what it
/// holds, such as the right to fetch the token, until the time of its request has run out: see
/// [`attempt_timeout`](didit_core::Policy::attempt_timeout).
///
#[doc = include_str!("../docs/client.md")]
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    transport: Arc<Transport<reqwest::Client>>,
    engine: Mutex<Engine>,
    /// Notified when waiting operations may continue before their wait ends.
    woken: Notify,
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
        transport: Arc<Transport<reqwest::Client>>,
        store_waker: SyncSender<()>,
    ) -> Self {
        let (engine, woken, origin) = (Mutex::new(engine), Notify::new(), Instant::now());
        let shared = Shared { transport, engine, woken, origin, store_waker };
        Self { shared: Arc::new(shared) }
    }

    /// Creates a session that asks a person for the scopes. Its decision will contain
    /// `vendor_data`.
    ///
    /// # Errors
    /// The request is not repeated once the service may have acted on it, so the session may exist
    /// even if the call fails.
    pub async fn create_session(
        &self,
        scopes: Scopes,
        vendor_data: Option<&str>,
    ) -> Result<Session, Error> {
        self.run(Call::new(CreateSession::new(scopes).with_vendor_data(vendor_data))).await
    }

    /// Reads the status of a session with the session token that its creation returned. No other
    /// credentials are needed.
    pub async fn session_status(
        &self,
        session_id: &SessionId,
        session_token: impl Into<Secret>,
    ) -> Result<SessionStatus, Error> {
        self.run(Call::new(ReadStatus::new(session_id.clone(), session_token))).await
    }

    /// Retrieves the decision of a session.
    pub async fn decision(&self, session_id: &SessionId) -> Result<Decision, Error> {
        self.run(Call::new(RetrieveDecision::new(session_id.clone()))).await
    }

    /// Retrieves the decisions of many sessions and yields each with its session id as it arrives:
    /// see the [program](how_to#retrieve-many).
    pub fn decisions<'a, I>(&self, session_ids: I) -> Decisions<'a, SessionId>
    where
        I: IntoIterator<Item = SessionId, IntoIter: Send + 'a>,
    {
        self.decisions_with(stream::iter(session_ids), |session_id| session_id)
    }

    /// Retrieves the decisions of items that arrive over time, such as the messages of a queue, and
    /// yields each item back with its result. Pass a collection, such as the rows of a table, as
    /// [`stream::iter`].
    ///
    /// ```no_run
    /// # use didit_async_adapter::{Client, core::SessionId};
    /// # use futures_util::{Stream, StreamExt as _};
    /// # async fn example(client: Client, jobs: impl Stream<Item = (u64, SessionId)> + Send) {
    /// let mut decisions = client.decisions_with(jobs, |(_, session_id)| session_id);
    /// while let Some(((delivery, _), result)) = decisions.next().await {
    ///     println!("{delivery}: {}", result.is_ok());
    /// }
    /// # }
    /// ```
    pub fn decisions_with<'a, S, F>(&self, items: S, id_of: F) -> Decisions<'a, S::Item>
    where
        S: Stream<Item: Send> + Send + 'a,
        F: Fn(&S::Item) -> &SessionId + Send + 'a,
    {
        Decisions::new(self.clone(), items, id_of)
    }

    /// Polls the decision of a session until its status is final, by default every 2 s for at most
    /// 10 minutes. At the end of that time it fails with the error of the last poll, if that failed,
    /// or else with [`Undecided`](didit_core::CallErrorKind::Undecided). An error that is not
    /// retryable, or whose `Retry-After` ends after that time, ends it at once.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use didit_async_adapter::{Client, Error, core::SessionId};
    /// # async fn example(client: Client, id: SessionId) -> Result<(), Error> {
    /// let wait = client.wait_for_decision(&id).every(Duration::from_secs(5));
    /// let decision = wait.at_most(Duration::from_secs(60)).await?;
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
    pub async fn run<O: Operation>(&self, operation: O) -> Result<O::Output, Error> {
        let shared = &*self.shared;
        let mut run = Run::new(shared, operation);
        let mut outcome = None;
        loop {
            // Registered before polling the engine, so that no wake-up is missed.
            let woken = shared.woken.notified();
            match run.poll(outcome.take()) {
                Step::Send { request, ticket, timeout } => {
                    outcome = Some((ticket, shared.exchange(request, timeout).await));
                }
                Step::Wait { until, .. } => {
                    let _ = tokio::time::timeout(until.since(shared.now()), woken).await;
                }
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

/// A wait for a decision, which starts when it is awaited.
#[derive(Debug)]
#[must_use = "nothing is sent until it is awaited"]
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
}

impl<'a, E> IntoFuture for Wait<'a, E>
where
    E: DecisionEndpoint<Output: Send> + Send + 'a,
{
    type Output = Result<E::Output, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.client.run(self.wait))
    }
}

impl Driver for Shared {
    type HttpClient = reqwest::Client;
    type HttpError = reqwest::Error;

    fn lock(&self) -> impl DerefMut<Target = Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Moment {
        Moment::new(self.origin.elapsed())
    }

    fn wake_others(&self) {
        self.woken.notify_waiters();
    }

    fn wake_store(&self) {
        // A full channel has a wake-up pending; a disconnected one has no store.
        let _ = self.store_waker.try_send(());
    }

    fn transport(&self) -> &Transport<reqwest::Client> {
        &self.transport
    }
}

impl Shared {
    /// Sends a request and reads the response, up to the first chunk beyond the size limit.
    async fn exchange(
        &self,
        request: Request<Vec<u8>>,
        timeout: Duration,
    ) -> Exchange<reqwest::Error> {
        let (http, route, limit) = self.transport.for_request(&request);
        let unsent = |error| error::failed(error, route);
        let mut request = reqwest::Request::try_from(request).map_err(unsent)?;
        *request.timeout_mut() = Some(timeout);
        let url = request.url().clone();
        let mut response = http.execute(request).await.map_err(unsent)?;
        if *response.url() != url {
            return Ok(didit_core::client::followed_redirect(response.url().as_str()));
        }
        let headers = std::mem::take(response.headers_mut());
        let head = receive_head(response.status(), headers, SystemTime::now())?;
        let mut body = Vec::new();
        while body.len() <= limit {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => {
                    let (failure, detail) = error::failed(error, route);
                    return Err((failure.with_partial(head.map(|()| body)), detail));
                }
            }
        }
        Ok(head.map(|()| body))
    }
}
