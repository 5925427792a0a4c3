#![doc = include_str!("../README.md")]

mod builder;
mod error;
mod resolver;
mod tls;

use std::fmt;
use std::io::Read as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

pub use didit_core as core;
pub use didit_core::ConfigError;
use didit_core::data_transfer::{
    CreateSession, Decision, ReadStatus, RetrieveDecision, Scopes, Session, SessionStatus,
};
use didit_core::{
    Call, Credentials, Engine, Event, MAX_BODY_BYTES, Moment, Operation, RateLimit, Route, Secret,
    SessionId, Step, Ticket, TransportError, WaitForDecision,
};
pub use http;
use http::{Request, Response};
use ureq::AsSendBody;

pub use self::builder::ClientBuilder;
pub use self::error::Error;

#[doc = include_str!("../docs/how_to.md")]
pub mod how_to {}

/// A client of the API. Clones are cheap and share the token, the rate limits and the connections.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    agent: ureq::Agent,
    engine: Mutex<Engine>,
    /// Signalled when waiting operations may go on earlier than they were told.
    woken: Condvar,
    origin: Instant,
    on_event: Option<Listener>,
    route: Route,
}

type Listener = Box<dyn Fn(&Event) + Send + Sync>;

/// What became of a request.
type Exchanged = Result<Response<Vec<u8>>, (TransportError, ureq::Error)>;

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
        ClientBuilder::new(credentials.into())
    }

    /// Creates a session that asks a person for those scopes; its decision will repeat
    /// `vendor_data`.
    ///
    /// # Errors
    /// The request is never repeated when the service may have acted on it, so the session may have
    /// been created all the same.
    pub fn create_session(
        &self,
        scopes: Scopes,
        vendor_data: Option<&str>,
    ) -> Result<Session, Error> {
        self.run(Call::new(CreateSession::new(scopes).with_vendor_data(vendor_data)))
    }

    /// Reads the status of a session with the token that its creation returned. No other
    /// credentials are needed.
    ///
    /// # Errors
    /// The last failure, after the retries that the policy allows.
    pub fn session_status(
        &self,
        session_id: &SessionId,
        session_token: impl Into<Secret>,
    ) -> Result<SessionStatus, Error> {
        self.run(Call::new(ReadStatus::new(session_id.clone(), session_token)))
    }

    /// Retrieves the decision of a session.
    ///
    /// # Errors
    /// The last failure, after the retries that the policy allows.
    pub fn decision(&self, session_id: &SessionId) -> Result<Decision, Error> {
        self.run(Call::new(RetrieveDecision::new(session_id.clone())))
    }

    /// Polls the decision of a session every `interval` until its status is final, for at most
    /// `timeout`.
    ///
    /// # Errors
    /// [`Undecided`](didit_core::CallErrorKind::Undecided) if the status still was not final when
    /// the time ran out, or a failure that does not pass.
    pub fn wait_for_decision(
        &self,
        session_id: &SessionId,
        interval: Duration,
        timeout: Duration,
    ) -> Result<Decision, Error> {
        let wait = WaitForDecision::new(session_id.clone());
        self.run(wait.with_interval(interval).with_timeout(timeout))
    }

    /// Carries out any operation of the core, like a call with a timeout of its own.
    ///
    /// # Errors
    /// The last failure, after the retries that the policy allows.
    pub fn run<O: Operation>(&self, operation: O) -> Result<O::Output, Error> {
        let mut run = Run { shared: &self.shared, operation, transport: None, over: false };
        loop {
            match run.next() {
                Step::Send { request, ticket, timeout } => {
                    let exchanged = self.shared.exchange(request, timeout);
                    run.handle(ticket, exchanged);
                }
                Step::Wait { .. } => {}
                Step::Done(result) => {
                    let transport = run.transport.take().map(error::detail);
                    let route = &self.shared.route;
                    return result.map_err(|error| Error::new(error, transport, route));
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

/// An operation under way, which is canceled when dropped before its end.
struct Run<'a, O: Operation> {
    shared: &'a Shared,
    operation: O,
    transport: Option<ureq::Error>,
    over: bool,
}

impl<O: Operation> Run<'_, O> {
    /// Polls until there is something else to do than wait.
    fn next(&mut self) -> Step<O::Output> {
        let mut engine = self.shared.lock();
        loop {
            let step = self.operation.poll(&mut engine, self.shared.now());
            self.over = matches!(step, Step::Done(_));
            let events = self.shared.settle(&mut engine);
            match step {
                // The lock is given up by the wait itself, so that no wake-up is missed.
                Step::Wait { until, .. } if events.is_empty() => {
                    engine = self.shared.wait(engine, until);
                }
                Step::Wait { .. } => {
                    drop(engine);
                    self.shared.tell(&events);
                    engine = self.shared.lock();
                }
                step => {
                    drop(engine);
                    self.shared.tell(&events);
                    return step;
                }
            }
        }
    }

    fn handle(&mut self, ticket: Ticket, exchanged: Exchanged) {
        let operation = &mut self.operation;
        self.shared.step(|engine, now| match exchanged {
            Ok(response) => operation.handle_response(engine, now, ticket, &response),
            Err((error, transport)) => {
                self.transport = Some(transport);
                operation.handle_failure(engine, now, ticket, error);
            }
        });
    }
}

impl<O: Operation> Drop for Run<'_, O> {
    fn drop(&mut self) {
        if !self.over {
            self.shared.step(|engine, now| self.operation.cancel(engine, now));
        }
    }
}

/// Waits are begun again after this time, which every system's clock can tell.
const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

impl Shared {
    /// Locks the engine, which is consistent after every step, also after one that panicked.
    fn lock(&self) -> MutexGuard<'_, Engine> {
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        engine.record_events(self.on_event.is_some() || Event::is_traced());
        engine
    }

    fn now(&self) -> Moment {
        Moment::new(self.origin.elapsed())
    }

    /// Takes one step with the engine; then wakes others, and tells what happened.
    fn step(&self, step: impl FnOnce(&mut Engine, Moment)) {
        let mut engine = self.lock();
        step(&mut engine, self.now());
        let events = self.settle(&mut engine);
        drop(engine);
        self.tell(&events);
    }

    /// Wakes others if a step let them go on; returns what happened.
    fn settle(&self, engine: &mut Engine) -> Vec<Event> {
        if engine.take_wake() {
            self.woken.notify_all();
        }
        engine.take_events()
    }

    fn tell(&self, events: &[Event]) {
        for event in events {
            if let Some(listener) = &self.on_event {
                listener(event);
            }
            #[cfg(feature = "tracing")]
            event.trace();
        }
    }

    /// Gives up the lock until the moment has come or another call may have let this one go on.
    fn wait<'a>(&self, engine: MutexGuard<'a, Engine>, until: Moment) -> MutexGuard<'a, Engine> {
        let wait = until.since(self.now()).min(LONGEST_WAIT);
        let waited = self.woken.wait_timeout(engine, wait);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Sends a request and reads the response, or up to the first byte that is too many.
    fn exchange(&self, request: Request<Vec<u8>>, timeout: Duration) -> Exchanged {
        // An empty body would be announced, as one of no bytes.
        let sent = if request.body().is_empty() {
            self.send(request.map(drop), timeout)
        } else {
            self.send(request, timeout)
        };
        let response = sent.map_err(|error| (TransportError::new(error::kind(&error)), error))?;
        let (mut parts, body) = response.into_parts();
        RateLimit::stamp_arrival(&mut parts.headers, SystemTime::now());
        let head = Response::from_parts(parts, ());
        let mut bytes = Vec::new();
        match body.into_reader().take(MAX_BODY_BYTES as u64 + 1).read_to_end(&mut bytes) {
            Ok(_) => Ok(head.map(|()| bytes)),
            Err(error) => {
                let error = ureq::Error::from(error);
                Err((TransportError::in_body(error::kind(&error), head), error))
            }
        }
    }

    fn send(
        &self,
        request: Request<impl AsSendBody>,
        timeout: Duration,
    ) -> Result<Response<ureq::Body>, ureq::Error> {
        let request = self.agent.configure_request(request).timeout_global(Some(timeout));
        let request = request.http_status_as_error(false).max_redirects(0);
        self.agent.run(request.max_redirects_will_error(false).build())
    }
}
