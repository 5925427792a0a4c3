use std::time::Duration;

use http::{Request, Response};

use super::Engine;
use super::call_error::CallError;
use super::event::Event;
use super::moment::Moment;

/// Something an [`Engine`] carries out step by step, while its caller does the I/O.
///
/// ```text
///            ┌──────────────────── poll ◄───────────────────┐
///            │                      │                       │
///          Done                   Wait ── until then ───────┤
///                                   │                       │
///                                 Send ── handle_response ──┤
///                                      └─ handle_failure ───┘
/// ```
///
/// Poll again at the moment a `Wait` names, or as soon as another operation of the same engine has
/// handled an answer (it may have brought the token that this one waits for).
pub trait Operation {
    /// What it comes to.
    type Output;

    /// What to do now.
    fn poll(&mut self, engine: &mut Engine, now: Moment) -> Step<Self::Output>;

    /// Reads the answer that [`handle_response`](Operation::handle_response) is given next, without
    /// the engine: where that is behind a lock, it is then held for a moment, and not for as long as
    /// it takes to read a long answer. It may be left out.
    fn read_ahead(&mut self, _ticket: &Ticket, _response: &Response<&[u8]>) {}

    /// Takes the answer to a request, of any status; of a body beyond
    /// [`MAX_BODY_BYTES`](crate::MAX_BODY_BYTES) one byte more is enough.
    fn handle_response(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        response: Response<&[u8]>,
    );

    /// Takes the news that a request got no whole answer.
    fn handle_failure(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        failure: Failure,
    );

    /// Gives up: whatever it held (the right to fetch the token, a place in line) goes to others.
    ///
    /// An operation that is dropped without this holds the others up until its leases end.
    fn cancel(&mut self, engine: &mut Engine, now: Moment);

    /// What has happened since the last time this was asked; see [`Engine::record_events`].
    fn take_events(&mut self) -> Vec<Event>;
}

/// What an [`Operation`] asks its caller to do.
#[must_use]
#[derive(Debug)]
// A step lives on the stack for a moment; boxing the request would cost more.
#[allow(clippy::large_enum_variant)]
pub enum Step<T> {
    /// Send this and hand the answer, or the failure, back with the ticket.
    Send {
        /// The request. Redirects must not be followed, and nothing may be retried below.
        request: Request<Vec<u8>>,
        /// Stands for this one sending; a request is answered at most once.
        ticket: Ticket,
        /// How long sending, waiting and reading may take in all.
        timeout: Duration,
    },
    /// There is nothing to do before then.
    Wait {
        /// When to poll again at the latest.
        until: Moment,
        /// What is waited for.
        reason: Reason,
    },
    /// It is over; polling on gives an error.
    Done(Result<T, CallError>),
}

/// What a [`Step::Wait`] waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The rate limit has room again.
    Pacing,
    /// The service named the time for the next try.
    RetryAfter,
    /// A pause before the next try.
    Backoff,
    /// The next look at an undecided session.
    Polling,
    /// Another call is fetching the token.
    Token,
    /// The answer to a request that was sent.
    Response,
}

/// Stands for one request that was sent. It can be used once.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket(pub(super) u64);

/// Why a request got no whole answer.
#[derive(Debug)]
pub struct Failure {
    pub(super) kind: FailureKind,
    pub(super) head: Option<Box<Response<()>>>,
}

impl Failure {
    /// The exchange failed before the head of an answer arrived.
    pub fn new(kind: FailureKind) -> Self {
        Self { kind, head: None }
    }

    /// The head of an answer arrived, its body did not: a failed status still counts.
    pub fn in_body(kind: FailureKind, head: Response<()>) -> Self {
        Self { kind, head: Some(Box::new(head)) }
    }
}

/// How an exchange failed below HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// No connection was made, so nothing of the request left this machine.
    Connect,
    /// The other side's certificate was refused, so nothing of the request left this machine.
    Certificate,
    /// The time for the request ran out.
    Timeout,
    /// The connection broke, or spoke no HTTP, after the request may have been sent.
    Broken,
}

impl FailureKind {
    /// Whether the service certainly did not see the request.
    pub(super) fn is_unsent(self) -> bool {
        matches!(self, Self::Connect | Self::Certificate)
    }
}
