#![doc = include_str!("../README.md")]

mod connect;
mod decisions;
mod error;
mod verification;
mod wait;

use std::fmt;
use std::ops::DerefMut;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

pub use didit_core as core;
pub use didit_core::ConfigError;
use didit_core::client::{Connect as _, Driver, Hooks, Run, Upstreams};
use didit_core::data_transfer::{
    CreateSession, Decision, ReadStatus, RetrieveDecision, Scopes, Session, SessionStatus,
};
use didit_core::oauth::AccessToken;
use didit_core::{
    Call, Credentials, Engine, MAX_BODY_BYTES, MAX_HEAD_BYTES, Moment, Operation, RateLimit,
    Secret, SessionId, Step, TransportError, TransportErrorKind, WaitForDecision,
};
use futures_util::{Stream, stream};
pub use http;
use http::{HeaderName, HeaderValue, Request, Response};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

pub use self::connect::ClientBuilder;
pub use self::decisions::Decisions;
pub use self::error::Error;
pub use self::verification::Verification;
pub use self::wait::Wait;

/// [metrics]: how_to::metrics
/// [testing]: how_to::testing
/// [webhooks]: how_to::webhooks
/// [verification]: how_to::verification
#[doc = include_str!("../docs/how_to.md")]
pub mod how_to {
    #[doc = include_str!("../docs/metrics.md")]
    pub mod metrics {}

    #[doc = include_str!("../docs/testing.md")]
    pub mod testing {}

    #[doc = include_str!("../docs/verification.md")]
    pub mod verification {}

    #[doc = include_str!("../docs/webhooks.md")]
    pub mod webhooks {}
}

/// A client of the API. Clones are cheap and share the token, the rate limits and the connections.
///
/// Its futures run on tokio and may be dropped at any point. Use one client per runtime: a pooled
/// connection belongs to the runtime that opened it, and a call on another runtime waits for a
/// whole attempt if that one is idle. A future that is kept but not polled holds what it has, the
/// right to fetch the token included, for up to
/// [`attempt_timeout`](didit_core::Policy::attempt_timeout).
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    upstreams: Arc<Upstreams<reqwest::Client>>,
    engine: Mutex<Engine>,
    /// Signalled when waiting operations may go on earlier than they were told.
    woken: Notify,
    origin: Instant,
    hooks: Hooks,
    /// Wakes the thread that asks the store which processes share.
    wakes_store: Option<SyncSender<()>>,
}

type Exchanged = Result<Response<Vec<u8>>, (TransportError, Option<reqwest::Error>)>;

impl Client {
    /// Creates a client of the live service with the defaults.
    ///
    /// # Errors
    /// See [`ClientBuilder::build`].
    pub fn new(credentials: impl Into<Credentials>) -> Result<Self, ConfigError> {
        Self::builder(credentials).build()
    }

    /// Starts to build a client with other settings.
    pub fn builder(credentials: impl Into<Credentials>) -> ClientBuilder {
        ClientBuilder::new(credentials)
    }

    /// Creates a client from the variables of the [environment](didit_core::client::Environment).
    /// [`ClientBuilder::from_env`] takes further settings.
    ///
    /// # Errors
    /// A variable is missing or malformed, or several ways to authorize are set at once; or see
    /// [`ClientBuilder::build`].
    pub fn from_env() -> Result<Self, ConfigError> {
        ClientBuilder::from_env()?.build()
    }

    /// Creates a client with other credentials for another tenant: with a token and rate limits of its
    /// own, and the settings, hooks and connections of this one.
    #[must_use]
    pub fn with_credentials(&self, credentials: impl Into<Credentials>) -> Self {
        let engine = self.shared.lock().with_credentials(credentials, Self::seed());
        let (upstreams, hooks) = (Arc::clone(&self.shared.upstreams), self.shared.hooks.clone());
        Self::of(engine, upstreams, hooks, None)
    }

    /// Replaces the credentials of this client and its clones; see [`Engine::set_credentials`].
    pub fn set_credentials(&self, credentials: impl Into<Credentials>) {
        self.shared.lock().set_credentials(credentials);
        self.shared.wake_others();
    }

    /// Returns the token that was fetched, with the rest of its lifetime; see
    /// [`Engine::access_token`].
    pub fn access_token(&self) -> Option<AccessToken> {
        self.shared.lock().access_token(self.shared.now())
    }

    /// Uses a token that was fetched elsewhere until it has to be renewed; see
    /// [`Engine::set_access_token`].
    pub fn set_access_token(&self, token: &AccessToken) -> bool {
        let used = self.shared.lock().set_access_token(token, self.shared.now());
        self.shared.wake_others();
        used
    }

    fn of(
        engine: Engine,
        upstreams: Arc<Upstreams<reqwest::Client>>,
        hooks: Hooks,
        wakes_store: Option<SyncSender<()>>,
    ) -> Self {
        let (engine, woken, origin) = (Mutex::new(engine), Notify::new(), Instant::now());
        let shared = Shared { upstreams, engine, woken, origin, hooks, wakes_store };
        Self { shared: Arc::new(shared) }
    }

    /// Creates a session that asks a person for those scopes; its decision will repeat
    /// `vendor_data`.
    ///
    /// # Errors
    /// The request is never repeated when the service may have acted on it, so the session may have
    /// been created all the same.
    pub async fn create_session(
        &self,
        scopes: Scopes,
        vendor_data: Option<&str>,
    ) -> Result<Session, Error> {
        self.run(Call::new(CreateSession::new(scopes).with_vendor_data(vendor_data))).await
    }

    /// Reads the status of a session with the token that its creation returned. No other
    /// credentials are needed.
    ///
    /// # Errors
    /// The last failure, after the retries that the policy allows.
    pub async fn session_status(
        &self,
        session_id: &SessionId,
        session_token: impl Into<Secret>,
    ) -> Result<SessionStatus, Error> {
        self.run(Call::new(ReadStatus::new(session_id.clone(), session_token))).await
    }

    /// Retrieves the decision of a session.
    ///
    /// # Errors
    /// The last failure, after the retries that the policy allows.
    pub async fn decision(&self, session_id: &SessionId) -> Result<Decision, Error> {
        self.run(Call::new(RetrieveDecision::new(session_id.clone()))).await
    }

    /// Retrieves the decisions of many sessions and yields each with its session as it arrives.
    ///
    /// The time of a call counts from the moment the rate limiter lets it go.
    ///
    /// ```no_run
    /// # async fn example(client: didit_async_adapter::Client, ids: Vec<didit_core::SessionId>) {
    /// use futures_util::StreamExt as _;
    ///
    /// let mut decisions = client.decisions(ids).concurrency(8);
    /// while let Some((session_id, result)) = decisions.next().await {
    ///     match result {
    ///         Ok(decision) => println!("{session_id}: {}", decision.status()),
    ///         Err(error) => eprintln!("{session_id}: {error}"),
    ///     }
    /// }
    /// # }
    /// ```
    pub fn decisions<I>(&self, session_ids: I) -> Decisions<stream::Iter<I::IntoIter>>
    where
        I: IntoIterator<Item = SessionId>,
    {
        self.decisions_from_stream(stream::iter(session_ids))
    }

    /// Retrieves the decisions of sessions that arrive over time.
    pub fn decisions_from_stream<S>(&self, session_ids: S) -> Decisions<S>
    where
        S: Stream<Item = SessionId>,
    {
        Decisions::new(self.clone(), session_ids, |session_id| session_id)
    }

    /// Retrieves the decisions of items, such as the rows of a table or the messages of a queue, and
    /// yields each item back with its result.
    ///
    /// ```no_run
    /// use futures_util::StreamExt as _;
    ///
    /// struct Job {
    ///     delivery: u64,
    ///     session_id: didit_core::SessionId,
    /// }
    ///
    /// # async fn example(client: didit_async_adapter::Client, jobs: Vec<Job>) {
    /// let mut decisions = client.decisions_with(jobs, |job| &job.session_id);
    /// while let Some((job, result)) = decisions.next().await {
    ///     println!("{}: {}", job.delivery, result.is_ok());
    /// }
    /// # }
    /// ```
    pub fn decisions_with<I, F>(&self, items: I, id_of: F) -> Decisions<stream::Iter<I::IntoIter>>
    where
        I: IntoIterator,
        F: Fn(&I::Item) -> &SessionId + Send + 'static,
    {
        self.decisions_from_stream_with(stream::iter(items), id_of)
    }

    /// Retrieves the decisions of items that arrive over time.
    pub fn decisions_from_stream_with<S, F>(&self, items: S, id_of: F) -> Decisions<S>
    where
        S: Stream,
        F: Fn(&S::Item) -> &SessionId + Send + 'static,
    {
        Decisions::new(self.clone(), items, id_of)
    }

    /// Polls the decision of a session until its status is final: every 2 s for at most 10 minutes,
    /// unless the wait is told otherwise. Its error is
    /// [`Undecided`](didit_core::CallErrorKind::Undecided) if the status still was not final when the
    /// time ran out, or a failure that does not pass.
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
        Wait::new(self, WaitForDecision::new(session_id.clone()))
    }

    /// Returns the calls of the verification API, which has a base URL of its own
    /// ([`ClientBuilder::verification_base_url`]) and takes
    /// [application keys](didit_core::Authorization::api_key).
    ///
    /// ```no_run
    /// # use didit_async_adapter::{Client, core::verification::{CreateSession, SessionId}};
    /// # async fn example(client: Client, id: SessionId) -> Result<(), Box<dyn std::error::Error>> {
    /// let session = CreateSession::new("9f9b1234-aaaa-bbbb-cccc-1234567890ab")?;
    /// let session = client.verification().create_session(session).await?;
    /// let decision = client.verification().wait_for_decision(session.session_id()).await?;
    /// println!("{}", decision.status());
    /// # Ok(())
    /// # }
    /// ```
    pub fn verification(&self) -> Verification<'_> {
        Verification(self)
    }

    /// Carries out any operation of the core, like a call with a timeout of its own.
    ///
    /// # Errors
    /// The last failure, after the retries that the policy allows.
    pub async fn run<O: Operation>(&self, operation: O) -> Result<O::Output, Error> {
        let mut run = Run::new(&*self.shared, operation);
        let mut transport = None;
        loop {
            // Registered before the engine is polled, so that no wake-up is missed.
            let woken = self.shared.woken.notified();
            match run.poll() {
                Step::Send { request, ticket, timeout } => {
                    let exchanged = self.shared.exchange(request, Instant::now() + timeout).await;
                    let result = exchanged.map_err(|(error, cause)| {
                        transport = cause;
                        error
                    });
                    run.handle(ticket, result);
                }
                Step::Wait { until, .. } => {
                    let _ = timeout_at(self.shared.instant(until), woken).await;
                }
                Step::Done(result) => {
                    let transport = transport.map(error::detail);
                    return result.map_err(|error| {
                        let (_, route) = self.shared.upstreams.of(error.endpoint());
                        Error::new(error, transport, route)
                    });
                }
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(self.shared.lock().base_url()).finish()
    }
}

/// A wait beyond the range of the clock ends after a year, and is then begun again.
const FAR: Duration = Duration::from_secs(31_536_000);

impl Driver for Shared {
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
        // Full, it is woken already; disconnected, there is no store.
        let _ = self.wakes_store.as_ref().map(|store| store.try_send(()));
    }

    fn hooks(&self) -> &Hooks {
        &self.hooks
    }
}

impl Shared {
    fn instant(&self, moment: Moment) -> Instant {
        self.origin.checked_add(moment.since_origin()).unwrap_or(self.origin + FAR)
    }

    /// Sends a request and reads the response, or up to the first byte that is too many.
    async fn exchange(&self, request: Request<Vec<u8>>, deadline: Instant) -> Exchanged {
        let (http, route) = self.upstreams.of_request(&request);
        let mut head = None;
        let (kind, error) = match timeout_at(deadline, receive(http, request, &mut head)).await {
            Ok(Ok(response)) if head_bytes(&response) > MAX_HEAD_BYTES => {
                (TransportErrorKind::HeadTooLarge, None)
            }
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(error)) => (error::kind(&error, route), Some(error)),
            Err(_) => (TransportErrorKind::Timeout, None),
        };
        let failure = match head {
            Some(head) => TransportError::in_body(kind, head),
            None => TransportError::new(kind),
        };
        Err((failure, error))
    }
}

/// Returns how long the headers of a response were.
fn head_bytes<T>(response: &Response<T>) -> usize {
    let line = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
    response.headers().iter().map(line).sum()
}

/// Sends a request and reads the response. Its head is kept in `head` while its body arrives.
async fn receive(
    http: &reqwest::Client,
    request: Request<Vec<u8>>,
    head: &mut Option<Response<()>>,
) -> Result<Response<Vec<u8>>, reqwest::Error> {
    let mut response = http.execute(reqwest::Request::try_from(request)?).await?;
    let head = head.insert(Response::default());
    *head.status_mut() = response.status();
    *head.headers_mut() = std::mem::take(response.headers_mut());
    RateLimit::stamp_arrival(head.headers_mut(), SystemTime::now());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_BODY_BYTES {
            break;
        }
    }
    Ok(std::mem::take(head).map(|()| body))
}
