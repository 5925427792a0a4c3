#[cfg(feature = "tracing")]
mod trace;

use std::time::Duration;

use http::uri::PathAndQuery;
use http::{Method, StatusCode, Uri};

use super::failure::{TransportErrorKind, WaitReason};
use super::shared_store::StoreError;
use crate::endpoint::EndpointKind;
use crate::session_id::SessionId;

/// An event of a call, for metrics and logs. It contains no secrets and no user data.
///
/// See [`Engine::record_events`](crate::Engine::record_events).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The endpoint of the call, even in events about the token that it fetches.
    pub endpoint: EndpointKind,
    /// The session that the call concerns, if it concerns one.
    pub session_id: Option<SessionId>,
    /// The kind of event.
    pub kind: EventKind,
}

/// The kinds of [`Event`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A request is being sent.
    Sent {
        /// The endpoint of the request: the call's own, or that of the token.
        endpoint: EndpointKind,
        /// The HTTP method.
        method: Method,
        /// The URI without its query, which may contain personal data.
        uri: Uri,
        /// The attempt, counted from 1.
        attempt: u32,
    },
    /// A response arrived.
    Answered {
        /// The endpoint of the request.
        endpoint: EndpointKind,
        /// The HTTP status.
        status: StatusCode,
        /// The service's identifier of the request, if it named one.
        request_id: Option<String>,
        /// The time since the request was sent.
        elapsed: Duration,
    },
    /// A request got no complete response.
    Failed {
        /// The endpoint of the request.
        endpoint: EndpointKind,
        /// The failure.
        error: TransportErrorKind,
        /// The time since the request was sent.
        elapsed: Duration,
    },
    /// A token was fetched.
    TokenFetched {
        /// The lifetime of the token, if the service named it.
        lifetime: Option<Duration>,
    },
    /// The service refused the token; the call continues with another.
    TokenRefused,
    /// The call is waiting.
    Waiting {
        /// The maximum duration of the wait. If its end is not known, it is the time, of a second at
        /// most, until the call looks again; further looks are no events.
        duration: Duration,
        /// The reason.
        reason: WaitReason,
    },
    /// The service reported the state of its rate limit.
    RateLimit {
        /// The number of requests allowed per window.
        limit: u32,
        /// The number of requests left in the window.
        remaining: u32,
    },
    /// The shared store does not answer: this process continues with the limit divided by the number
    /// of processes, and for one window with no more requests than it had in the last. Recorded by
    /// the first call that takes a step afterwards.
    StoreLost {
        /// The error.
        error: StoreError,
    },
    /// The shared store, which was lost, answers in time again.
    StoreJoined,
    /// The call has finished.
    Finished {
        /// True if it succeeded.
        succeeded: bool,
        /// The number of requests sent for the call, including those for tokens.
        attempts: u32,
        /// The time since the call was first polled.
        elapsed: Duration,
    },
}

/// Returns a URI without its query.
pub(super) fn without_query(uri: &Uri) -> Uri {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(uri.path()).ok();
    Uri::from_parts(parts).unwrap_or_default()
}

impl EventKind {
    /// Returns whether the event is worth logging at the default level.
    pub fn is_notable(&self) -> bool {
        !matches!(
            self,
            Self::Sent { attempt: 1, .. }
                | Self::Answered { .. }
                | Self::RateLimit { .. }
                | Self::Finished { .. }
        )
    }
}

impl Event {
    /// Returns whether a `tracing` subscriber receives events; always false without that feature.
    pub fn is_traced() -> bool {
        #[cfg(feature = "tracing")]
        return tracing::enabled!(target: "didit", tracing::Level::INFO);
        #[cfg(not(feature = "tracing"))]
        false
    }
}
