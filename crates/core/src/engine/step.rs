use std::fmt;
use std::time::Duration;

use http::{Request, Response};

use super::Engine;
use super::call_error::CallError;
use super::event::without_query;
use super::failure::{TransportError, WaitReason};
use super::moment::Moment;

/// A task that an [`Engine`] carries out step by step, while its caller does the I/O.
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
/// Poll again at the moment that a `Wait` gives, or as soon as [`Engine::take_wake`] returns true
/// after a step of another operation of the same engine.
///
/// The trait is not object-safe: responses of any body type were preferred over `dyn Operation`.
/// Wrap an operation with a generic struct to add headers to its requests or to count its steps.
pub trait Operation {
    /// The result of the operation.
    type Output;

    /// Returns the next step.
    fn poll(&mut self, engine: &mut Engine, now: Moment) -> Step<Self::Output>;

    /// Handles the response to a request, of any status. A body longer than
    /// [`max_body_bytes`](crate::EndpointKind::max_body_bytes) may be cut off one byte after that
    /// limit.
    fn handle_response<B: AsRef<[u8]>>(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        response: &Response<B>,
    );

    /// Handles the failure of a request that got no complete response.
    fn handle_failure(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        error: TransportError,
    );

    /// Gives up, and leaves its token lease and its place in the queue to other operations.
    ///
    /// An operation that is dropped without this delays the others until its lease and its place
    /// expire.
    fn cancel(&mut self, engine: &mut Engine, now: Moment);
}

/// An [`Operation`]'s instruction to its caller.
#[must_use]
// A step lives on the stack for a moment; boxing the request would cost more.
#[allow(clippy::large_enum_variant)]
pub enum Step<T> {
    /// Send this request, and pass the response or the failure back with the ticket.
    Send {
        /// The request, with its [`EndpointKind`](crate::EndpointKind) and
        /// [`Replay`](crate::Replay) among the extensions. The HTTP client must not follow
        /// redirects or retry, nor use an idle connection for `Replay::OnlyIfUnsent`.
        request: Request<Vec<u8>>,
        /// Identifies this attempt; its outcome is reported at most once.
        ticket: Ticket,
        /// The time for sending the request and reading the whole response.
        timeout: Duration,
    },
    /// There is nothing to do yet.
    Wait {
        /// The latest time to poll again.
        until: Moment,
        /// The reason for the wait.
        reason: WaitReason,
    },
    /// The operation has finished; polling it again returns an error.
    Done(Result<T, CallError>),
}

/// Hides the query, the headers and the body of the request, which may contain personal data.
impl<T: fmt::Debug> fmt::Debug for Step<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send { request, ticket, timeout } => f
                .debug_struct("Send")
                .field("method", request.method())
                .field("uri", &without_query(request.uri()))
                .field("ticket", ticket)
                .field("timeout", timeout)
                .finish_non_exhaustive(),
            Self::Wait { until, reason } => {
                f.debug_struct("Wait").field("until", until).field("reason", reason).finish()
            }
            Self::Done(result) => f.debug_tuple("Done").field(result).finish(),
        }
    }
}

/// Identifies one request that was sent. It can be used once.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket(pub(super) u64);
