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
    /// The endpoint of the call, also for events about the token that it fetches.
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
        /// The longest wait.
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
    /// the first call that does so.
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

#[cfg(feature = "tracing")]
impl Event {
    /// Emits the event through `tracing`, under the target `didit`: as `INFO` if it is notable, as
    /// `DEBUG` otherwise.
    ///
    /// The fields are `event`, `endpoint` (that of the request, if there is one), `session_id`, and,
    /// depending on the kind, `attempt`, `method`, `url`, `status`, `request_id`, `error`, `reason`,
    /// `milliseconds`, `limit` and `remaining`.
    pub fn trace(&self) {
        let session_id = self.session_id.as_ref().map(SessionId::as_str);
        let Fields {
            event,
            endpoint,
            attempt,
            method,
            url,
            status,
            request_id,
            error,
            reason,
            time,
            limit,
            remaining,
        } = Fields::of(self);
        let endpoint = endpoint.unwrap_or(self.endpoint);
        let milliseconds = time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let [attempt, limit, remaining] = [attempt, limit, remaining].map(|it| it.map(u64::from));
        let status = status.map(u64::from);
        if self.kind.is_notable() {
            tracing::info!(
                target: "didit", event, ?endpoint, session_id, attempt, method, url, status,
                request_id, error, reason, milliseconds, limit, remaining
            );
        } else {
            tracing::debug!(
                target: "didit", event, ?endpoint, session_id, attempt, method, url, status,
                request_id, error, reason, milliseconds, limit, remaining
            );
        }
    }
}

/// The fields of an event; `tracing` leaves out those that are `None`.
#[cfg(feature = "tracing")]
#[derive(Default)]
struct Fields<'a> {
    event: &'static str,
    /// That of the request, if there is one.
    endpoint: Option<EndpointKind>,
    attempt: Option<u32>,
    method: Option<&'a str>,
    url: Option<String>,
    status: Option<u16>,
    request_id: Option<&'a str>,
    error: Option<String>,
    reason: Option<String>,
    time: Option<Duration>,
    limit: Option<u32>,
    remaining: Option<u32>,
}

#[cfg(feature = "tracing")]
impl<'a> Fields<'a> {
    fn of(event: &'a Event) -> Self {
        match &event.kind {
            &EventKind::Sent { endpoint, ref method, ref uri, attempt } => Self {
                event: "sent",
                endpoint: Some(endpoint),
                method: Some(method.as_str()),
                url: Some(uri.to_string()),
                attempt: Some(attempt),
                ..Self::default()
            },
            &EventKind::Answered { endpoint, status, ref request_id, elapsed } => Self {
                event: "answered",
                endpoint: Some(endpoint),
                status: Some(status.as_u16()),
                request_id: request_id.as_deref(),
                time: Some(elapsed),
                ..Self::default()
            },
            &EventKind::Failed { endpoint, error, elapsed } => Self {
                event: "failed",
                endpoint: Some(endpoint),
                error: Some(error.to_string()),
                time: Some(elapsed),
                ..Self::default()
            },
            EventKind::TokenFetched { lifetime } => {
                Self { event: "token fetched", time: *lifetime, ..Self::default() }
            }
            EventKind::TokenRefused => Self { event: "token refused", ..Self::default() },
            EventKind::Waiting { duration, reason } => Self {
                event: "waiting",
                reason: Some(reason.to_string()),
                time: Some(*duration),
                ..Self::default()
            },
            &EventKind::RateLimit { limit, remaining } => Self {
                event: "rate limit",
                limit: Some(limit),
                remaining: Some(remaining),
                ..Self::default()
            },
            EventKind::StoreLost { error } => {
                Self { event: "store lost", error: Some(error.to_string()), ..Self::default() }
            }
            EventKind::StoreJoined => Self { event: "store joined", ..Self::default() },
            &EventKind::Finished { succeeded, attempts, elapsed } => Self {
                event: if succeeded { "succeeded" } else { "gave up" },
                attempt: Some(attempts),
                time: Some(elapsed),
                ..Self::default()
            },
        }
    }
}
