use std::time::Duration;

use http::{Request, Response};

use super::Engine;
use super::call_error::CallError;
use super::failure::{TransportError, WaitReason};
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
/// Poll again at the moment that a `Wait` names, or as soon as [`Engine::take_wake`] says so after
/// another operation of the same engine was given a response.
///
/// The trait is not object-safe: responses of any body type are worth more than `dyn Operation`.
/// Wrap an operation with a generic struct to add headers to its requests or to count its steps.
pub trait Operation {
    /// The result of the operation.
    type Output;

    /// Returns what to do now.
    fn poll(&mut self, engine: &mut Engine, now: Moment) -> Step<Self::Output>;

    /// Takes the response to a request, of any status. Of a body beyond
    /// [`max_body_bytes`](crate::EndpointKind::max_body_bytes) one byte more is enough.
    fn handle_response<B: AsRef<[u8]>>(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        response: &Response<B>,
    );

    /// Takes the news that a request got no complete response.
    fn handle_failure(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        error: TransportError,
    );

    /// Gives up: what it held (the right to fetch the token, a place in the queue) goes to others.
    ///
    /// An operation that is dropped without this holds the others up until its leases end.
    fn cancel(&mut self, engine: &mut Engine, now: Moment);
}

/// An [`Operation`]'s instruction to its caller.
#[must_use]
#[derive(Debug)]
// A step lives on the stack for a moment; boxing the request would cost more.
#[allow(clippy::large_enum_variant)]
pub enum Step<T> {
    /// Send this, and give the response or the failure back with the ticket.
    Send {
        /// The request, with its [`EndpointKind`](crate::EndpointKind) among the extensions.
        /// Redirects must not be followed, and nothing may be retried below.
        request: Request<Vec<u8>>,
        /// Stands for this one attempt; a request is answered at most once.
        ticket: Ticket,
        /// The time for sending, waiting and reading together.
        timeout: Duration,
    },
    /// There is nothing to do before then.
    Wait {
        /// The latest time to poll again.
        until: Moment,
        /// The reason.
        reason: WaitReason,
    },
    /// The operation is over; polling it again returns an error.
    Done(Result<T, CallError>),
}

/// Stands for one request that was sent. It can be used once.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket(pub(super) u64);
