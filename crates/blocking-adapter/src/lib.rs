#![doc = include_str!("../README.md")]

mod builder;
mod connector;
mod decisions;
mod error;
pub mod how_to;
mod proxy;
#[cfg(feature = "tracing")]
mod report;
#[cfg(not(feature = "tracing"))]
#[path = "report/silent.rs"]
mod report;
mod resolver;
mod tls;

use std::fmt;
use std::io::Read as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use didit_core as core;
use didit_core::data_transfer::{
    CreateSession, Decision, ReadStatus, RetrieveDecision, Scopes, Session, SessionStatus,
};
use didit_core::{
    Call, Credentials, Engine, MAX_BODY_BYTES, Moment, Operation, Secret, SessionId, Step, Ticket,
    TransportError, WaitForDecision,
};
use http::{Request, Response};
use ureq::AsSendBody;

pub use self::builder::ClientBuilder;
pub use self::decisions::Decisions;
pub use self::error::{ConfigError, Error};

/// A client of the API. Clones are cheap and share the token, the rate limit and the connections.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    agent: ureq::Agent,
    /// The timeout that the agent has of itself; a request with any other has settings of its own,
    /// which take a copy of all of the agent's.
    agent_timeout: Option<Duration>,
    engine: Mutex<Engine>,
    /// Signalled when waiting operations may go on earlier than they were told.
    woken: Condvar,
    origin: Instant,
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
    pub fn create_session(
        &self,
        scopes: Scopes,
        vendor_data: Option<&str>,
    ) -> Result<Session, Error> {
        self.run(Call::new(CreateSession::new(scopes).with_vendor_data(vendor_data)))
    }

    /// Reads how far a session has come, with the token it gave when it was created. No other
    /// credentials are needed.
    ///
    /// # Errors
    /// Tells what stood in the way, after the retries that the policy allows.
    pub fn session_status(
        &self,
        session_id: &SessionId,
        session_token: impl Into<Secret>,
    ) -> Result<SessionStatus, Error> {
        let _span = report::enter(session_id);
        self.run(Call::new(ReadStatus::new(session_id.clone(), session_token)))
    }

    /// Retrieves the decision of a session.
    ///
    /// # Errors
    /// Tells what stood in the way, after the retries that the policy allows.
    pub fn decision(&self, session_id: &SessionId) -> Result<Decision, Error> {
        let _span = report::enter(session_id);
        self.run(Call::new(RetrieveDecision::new(session_id.clone())))
    }

    /// Retrieves the decisions of many sessions, and yields each with its session as it comes.
    ///
    /// The timeout of a call counts from the moment the rate limit lets it go.
    ///
    /// ```no_run
    /// # use didit_blocking_adapter::{Client, core::{ClientCredentials, SessionId}};
    /// # let client = Client::new(ClientCredentials::new("id", "secret")?)?;
    /// let ids = (1..=1000).map(|n| format!("s-{n}").parse()).collect::<Result<Vec<SessionId>, _>>()?;
    /// for (session_id, result) in client.decisions(ids).concurrency(8) {
    ///     match result {
    ///         Ok(decision) => println!("{session_id}: {}", decision.status()),
    ///         Err(error) => eprintln!("{session_id}: {error}"),
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decisions<I>(&self, session_ids: I) -> Decisions<I::IntoIter>
    where
        I: IntoIterator<Item = SessionId>,
    {
        Decisions::new(self.clone(), session_ids.into_iter())
    }

    /// Asks for the decision of a session every `interval` until its status is final, for as long
    /// as `timeout`.
    ///
    /// # Errors
    /// The time ran out ([`CallErrorKind::Undecided`](didit_core::CallErrorKind::Undecided) if the session still
    /// could not be decided), or something stood in the way that does not pass.
    pub fn wait_for_decision(
        &self,
        session_id: &SessionId,
        interval: Duration,
        timeout: Duration,
    ) -> Result<Decision, Error> {
        let _span = report::enter(session_id);
        let wait = WaitForDecision::new(session_id.clone());
        self.run(wait.with_interval(interval).with_timeout(timeout))
    }

    /// Carries out any operation of the core, like a call with a timeout of its own.
    ///
    /// # Errors
    /// Tells what stood in the way, after the retries that the policy allows.
    pub fn run<O: Operation>(&self, operation: O) -> Result<O::Output, Error> {
        let mut run = Run { shared: &self.shared, operation, over: false };
        let (mut answered, mut transport_error) = (None, None);
        loop {
            match run.next(answered.take()) {
                Step::Done(result) => {
                    return result.map_err(|error| Error::new(error, transport_error));
                }
                Step::Wait { .. } => {}
                Step::Send { request, ticket, timeout } => {
                    let answer = self.shared.exchange(request, timeout);
                    let answer = answer.map_err(|(failure, error)| {
                        transport_error = Some(error);
                        failure
                    });
                    answered = Some((ticket, answer));
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

/// An operation under way; given up when dropped before its end.
struct Run<'a, O: Operation> {
    shared: &'a Shared,
    operation: O,
    over: bool,
}

impl<'a, O: Operation> Run<'a, O> {
    /// Hands in what came of a request, if one was sent, and waits until there is something to send,
    /// or a result. The lock is given up by the waiting itself, so that no wake-up is missed in between.
    fn next(
        &mut self,
        answered: Option<(Ticket, Result<Answer, TransportError>)>,
    ) -> Step<O::Output> {
        match answered {
            Some((ticket, Ok((head, body)))) => {
                let response = head.map(|()| &body[..]);
                self.operation.read_ahead(&ticket, &response);
                let (mut engine, now) = self.begin();
                self.operation.handle_response(&mut engine, now, ticket, response);
                self.go_on(engine, now)
            }
            Some((ticket, Err(failure))) => {
                let (mut engine, now) = self.begin();
                self.operation.handle_failure(&mut engine, now, ticket, failure);
                self.go_on(engine, now)
            }
            None => {
                let (engine, now) = self.begin();
                self.go_on(engine, now)
            }
        }
    }

    /// Takes the engine, and says what time it is.
    fn begin(&self) -> (MutexGuard<'a, Engine>, Moment) {
        let mut engine = self.shared.lock();
        report::listen(&mut engine);
        (engine, self.shared.now())
    }

    fn go_on(&mut self, mut engine: MutexGuard<'a, Engine>, mut now: Moment) -> Step<O::Output> {
        loop {
            let step = self.operation.poll(&mut engine, now);
            let events = self.operation.take_events();
            if engine.take_wake() {
                self.shared.woken.notify_all();
            }
            match step {
                Step::Wait { .. } if !events.is_empty() => {
                    drop(engine);
                    report::events(events);
                    engine = self.shared.lock();
                }
                Step::Wait { until, .. } => {
                    let waited = self.shared.woken.wait_timeout(engine, until.since(now));
                    engine = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                step => {
                    self.over = matches!(step, Step::Done(_));
                    drop(engine);
                    report::events(events);
                    return step;
                }
            }
            report::listen(&mut engine);
            now = self.shared.now();
        }
    }

    fn cancel(&mut self) {
        let mut engine = self.shared.lock();
        self.operation.cancel(&mut engine, self.shared.now());
        if engine.take_wake() {
            self.shared.woken.notify_all();
        }
        drop(engine);
        report::events(self.operation.take_events());
    }
}

impl<O: Operation> Drop for Run<'_, O> {
    fn drop(&mut self) {
        if !self.over {
            self.cancel();
        }
    }
}

type Answer = (Response<()>, Vec<u8>);

impl Shared {
    /// The engine is whole after every step, also if one panicked.
    fn lock(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Moment {
        Moment::new(self.origin.elapsed())
    }

    fn send(
        &self,
        request: Request<impl AsSendBody>,
        timeout: Duration,
    ) -> Result<Response<ureq::Body>, ureq::Error> {
        if self.agent_timeout == Some(timeout) {
            return self.agent.run(request);
        }
        let request = self
            .agent
            .configure_request(request)
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build();
        self.agent.run(request)
    }

    fn exchange(
        &self,
        request: Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<Answer, (TransportError, ureq::Error)> {
        // An empty body would still be announced, as one of no bytes.
        let response = if request.body().is_empty() {
            self.send(request.map(drop), timeout)
        } else {
            self.send(request, timeout)
        };
        let response =
            response.map_err(|error| (TransportError::new(error::failure_kind(&error)), error))?;
        let (parts, body) = response.into_parts();
        let head = Response::from_parts(parts, ());
        let mut bytes = Vec::with_capacity(1024);
        match body.into_reader().take(MAX_BODY_BYTES as u64 + 1).read_to_end(&mut bytes) {
            Ok(_) => Ok((head, bytes)),
            Err(error) => {
                let error = ureq::Error::from(error);
                Err((TransportError::in_body(error::failure_kind(&error), head), error))
            }
        }
    }
}
