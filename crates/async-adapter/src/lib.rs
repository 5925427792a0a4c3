#![doc = include_str!("../README.md")]

mod answer;
mod builder;
mod decisions;
mod error;
pub mod how_to;
mod proxy;
#[cfg(feature = "tracing")]
mod report;
#[cfg(not(feature = "tracing"))]
#[path = "report/silent.rs"]
mod report;
mod timers;
mod tls;

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
pub use didit_core as core;
use didit_core::data_transfer::{
    CreateSession, Decision, ReadStatus, RetrieveDecision, Scopes, Session, SessionStatus,
};
use didit_core::{
    Call, Credentials, Engine, Moment, Operation, Secret, SessionId, Step, Ticket, WaitForDecision,
};
use futures_util::{Stream, stream};
use http::{Request, Response};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use self::answer::{Failed, answer};
pub use self::builder::ClientBuilder;
pub use self::decisions::Decisions;
pub use self::error::{ConfigError, Error};
use self::timers::Timers;

/// A client of the API. Clones are cheap and share the token, the rate limit and the connections.
///
/// Its futures run on tokio, and may be dropped at any point.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    client: reqwest::Client,
    /// Parsed once: of a request's address only the path differs.
    base: reqwest::Url,
    engine: Mutex<Engine>,
    /// Signalled when waiting operations may go on earlier than they were told.
    woken: Notify,
    origin: Instant,
    timers: Timers,
}

impl Client {
    /// A client of the live service with the defaults.
    ///
    /// # Errors
    /// See [`ClientBuilder::build`].
    pub fn new(credentials: impl Into<Credentials>) -> Result<Self, ConfigError> {
        Self::builder(credentials).build()
    }

    /// Begins a client with settings of the caller's.
    pub fn builder(credentials: impl Into<Credentials>) -> ClientBuilder {
        ClientBuilder::new(credentials.into())
    }

    /// Creates a session that asks a person for those scopes; its decision will repeat
    /// `vendor_data`.
    ///
    /// # Errors
    /// Tells what stood in the way. The request is never repeated when the service may have acted
    /// on it, so the session may still have been created.
    pub async fn create_session(
        &self,
        scopes: Scopes,
        vendor_data: Option<&str>,
    ) -> Result<Session, Error> {
        self.run(Call::new(CreateSession::new(scopes).with_vendor_data(vendor_data))).await
    }

    /// Reads how far a session has come, with the token it gave when it was created. No other
    /// credentials are needed.
    ///
    /// # Errors
    /// Tells what stood in the way, after the retries that the policy allows.
    pub async fn session_status(
        &self,
        session_id: &SessionId,
        session_token: impl Into<Secret>,
    ) -> Result<SessionStatus, Error> {
        let call = Call::new(ReadStatus::new(session_id.clone(), session_token));
        report::within(session_id, self.run(call)).await
    }

    /// Retrieves the decision of a session.
    ///
    /// # Errors
    /// Tells what stood in the way, after the retries that the policy allows.
    pub async fn decision(&self, session_id: &SessionId) -> Result<Decision, Error> {
        let call = Call::new(RetrieveDecision::new(session_id.clone()));
        report::within(session_id, self.run(call)).await
    }

    /// Retrieves the decisions of many sessions, and yields each with its session as it comes.
    ///
    /// The timeout of a call counts from the moment the rate limit lets it go.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # use didit_async_adapter::{Client, core::{ClientCredentials, SessionId}};
    /// # let client = Client::new(ClientCredentials::new("id", "secret")?)?;
    /// use futures_util::StreamExt as _;
    ///
    /// let ids = (1..=1000).map(|n| format!("s-{n}").parse()).collect::<Result<Vec<SessionId>, _>>()?;
    /// let mut decisions = client.decisions(ids).concurrency(8);
    /// while let Some((session_id, result)) = decisions.next().await {
    ///     match result {
    ///         Ok(decision) => println!("{session_id}: {}", decision.status()),
    ///         Err(error) => eprintln!("{session_id}: {error}"),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn decisions<I>(&self, session_ids: I) -> Decisions<stream::Iter<I::IntoIter>>
    where
        I: IntoIterator<Item = SessionId>,
    {
        self.decisions_from_stream(stream::iter(session_ids))
    }

    /// The same for ids that arrive over time.
    pub fn decisions_from_stream<S>(&self, session_ids: S) -> Decisions<S>
    where
        S: Stream<Item = SessionId>,
    {
        Decisions::new(self.clone(), session_ids)
    }

    /// Asks for the decision of a session every `interval` until its status is final, for as long
    /// as `timeout`.
    ///
    /// # Errors
    /// The time ran out ([`CallErrorKind::Undecided`](didit_core::CallErrorKind::Undecided) if the session still
    /// could not be decided), or something stood in the way that does not pass.
    pub async fn wait_for_decision(
        &self,
        session_id: &SessionId,
        interval: Duration,
        timeout: Duration,
    ) -> Result<Decision, Error> {
        let wait = WaitForDecision::new(session_id.clone());
        let wait = wait.with_interval(interval).with_timeout(timeout);
        report::within(session_id, self.run(wait)).await
    }

    /// Carries out any operation of the core, like a call with a timeout of its own.
    ///
    /// # Errors
    /// Tells what stood in the way, after the retries that the policy allows.
    pub fn run<O: Operation>(
        &self,
        operation: O,
    ) -> impl Future<Output = Result<O::Output, Error>> + use<'_, O> {
        let mut run = Run::new(&self.shared, operation);
        // In a box, since it is large, and whoever holds a future moves it about.
        Box::pin(async move {
            let mut answered = None;
            loop {
                // From before the engine is asked, so that no wake-up is missed in between.
                let woken = run.shared.woken.notified();
                // What lives across no await takes no room in the box.
                let sent = match run.next(answered) {
                    Step::Send { request, ticket, timeout } => {
                        let deadline = run.shared.instant(run.now.after(timeout));
                        Ok((run.shared.execute(request), ticket, deadline))
                    }
                    Step::Wait { until, .. } => Err((run.shared.instant(until), woken)),
                    Step::Done(result) => {
                        let transport_error = run.transport_error.take();
                        return result.map_err(|error| Error::new(error, transport_error));
                    }
                };
                answered = match sent {
                    Ok((pending, ticket, deadline)) => {
                        let (pending, timers) = (pin!(pending), &run.shared.timers);
                        Some((ticket, answer(pending, deadline, timers).await))
                    }
                    Err((until, woken)) => {
                        let _ = timeout_at(until, woken).await;
                        None
                    }
                };
            }
        })
    }
}

/// A wait that is longer than the clock can tell ends after a year, and is begun again.
const FAR: Duration = Duration::from_secs(31_536_000);

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(self.shared.lock().base_url()).finish()
    }
}

/// An operation under way; given up when dropped before its end.
struct Run<'a, O: Operation> {
    shared: &'a Shared,
    operation: O,
    transport_error: Option<reqwest::Error>,
    /// When the engine was asked last.
    now: Moment,
    over: bool,
}

impl<'a, O: Operation> Run<'a, O> {
    fn new(shared: &'a Shared, operation: O) -> Self {
        let now = Moment::default();
        Self { shared, operation, transport_error: None, now, over: false }
    }

    /// Hands in what came of a request, if one was sent, and asks for what follows.
    fn next(
        &mut self,
        answered: Option<(Ticket, Result<Response<Bytes>, Failed>)>,
    ) -> Step<O::Output> {
        match answered {
            Some((ticket, Ok(answer))) => {
                let (head, body) = answer.into_parts();
                let response = Response::from_parts(head, &body[..]);
                self.operation.read_ahead(&ticket, &response);
                let mut engine = self.begin();
                self.operation.handle_response(&mut engine, self.now, ticket, response);
                self.go_on(engine)
            }
            Some((ticket, Err((failure, error)))) => {
                self.transport_error = error;
                let mut engine = self.begin();
                self.operation.handle_failure(&mut engine, self.now, ticket, failure);
                self.go_on(engine)
            }
            None => {
                let engine = self.begin();
                self.go_on(engine)
            }
        }
    }

    /// Takes the engine, and looks at the clock.
    fn begin(&mut self) -> MutexGuard<'a, Engine> {
        let mut engine = self.shared.lock();
        report::listen(&mut engine);
        self.now = self.shared.now();
        engine
    }

    fn go_on(&mut self, mut engine: MutexGuard<'_, Engine>) -> Step<O::Output> {
        let step = self.operation.poll(&mut engine, self.now);
        self.over = matches!(step, Step::Done(_));
        self.release(engine);
        step
    }

    /// Lets others at the engine, and tells what happened.
    fn release(&mut self, mut engine: MutexGuard<'_, Engine>) {
        if engine.take_wake() {
            self.shared.woken.notify_waiters();
        }
        drop(engine);
        report::events(self.operation.take_events());
    }
}

impl<O: Operation> Drop for Run<'_, O> {
    fn drop(&mut self) {
        if !self.over {
            let mut engine = self.shared.lock();
            self.operation.cancel(&mut engine, self.shared.now());
            self.release(engine);
        }
    }
}

impl Shared {
    /// The engine is whole after every step, also if one panicked.
    fn lock(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Moment {
        Moment::new(self.origin.elapsed())
    }

    fn instant(&self, moment: Moment) -> Instant {
        self.origin.checked_add(moment.since_origin()).unwrap_or(self.origin + FAR)
    }

    /// Sends a request.
    fn execute(
        &self,
        request: Request<Vec<u8>>,
    ) -> impl Future<Output = Result<reqwest::Response, reqwest::Error>> + use<> {
        let (parts, body) = request.into_parts();
        let mut url = self.base.clone();
        url.set_path(parts.uri.path());
        let mut request = reqwest::Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        if !body.is_empty() {
            *request.body_mut() = Some(body.into());
        }
        self.client.execute(request)
    }
}

#[cfg(test)]
mod tests {
    use didit_core::{Authorization, BaseUrl};

    use super::*;

    #[test]
    fn the_last_moment_can_be_waited_for() {
        let builder = Client::builder(Authorization::none());
        let local: BaseUrl = "http://127.0.0.1:1".parse().unwrap();
        let shared = builder.base_url(local).build().unwrap().shared;
        let last = shared.instant(Moment::new(Duration::MAX));
        assert!(last > Instant::now() + FAR / 2);
    }
}
