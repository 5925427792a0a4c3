use std::time::Duration;

use http::{Method, StatusCode, Uri};

use super::failure::{TransportErrorKind, WaitReason};
use super::shared_store::StoreError;
use crate::error::EndpointKind;
use crate::session_id::SessionId;

/// Something a call did, as a value without secrets and user data, for metrics and logs.
///
/// See [`EngineBuilder::record_events`](crate::EngineBuilder::record_events).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The endpoint that the call is of; the token it needs is fetched by the same call.
    pub endpoint: EndpointKind,
    /// The session that the call is about, if it is about one.
    pub session_id: Option<SessionId>,
    /// Its kind.
    pub kind: EventKind,
}

/// The kinds of [`Event`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A request goes out.
    Sent {
        /// The endpoint of the request: the call's own, or the token's.
        endpoint: EndpointKind,
        /// The HTTP method.
        method: Method,
        /// The URI.
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
        /// Its lifetime, if the service named it.
        lifetime: Option<Duration>,
    },
    /// The service refused the token, and another one will be used.
    TokenRefused,
    /// The call waits.
    Waiting {
        /// The longest wait.
        duration: Duration,
        /// The reason.
        reason: WaitReason,
    },
    /// The service told how much of the rate limit is left.
    RateLimit {
        /// The requests allowed per window.
        limit: u32,
        /// The requests left in it.
        remaining: u32,
    },
    /// The store that processes share does not answer: this process goes on with the part of the
    /// quota that it is certain of. The call is the first to do so.
    StoreLost {
        /// The error.
        error: StoreError,
    },
    /// The store that processes share answers again.
    StoreJoined,
    /// The call is over.
    Finished {
        /// True if it succeeded.
        succeeded: bool,
        /// The requests sent for it, including those for tokens.
        attempts: u32,
        /// The time since the call was first polled.
        elapsed: Duration,
    },
}

impl EventKind {
    /// Returns whether it is worth a person's attention without looking for details.
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
    /// Returns whether anybody listens to events through `tracing`; never without that feature.
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
    /// Its fields are `event`, `endpoint` (of the request, where there is one), `session_id`, and what
    /// the kind has of `attempt`, `method`, `url`, `status`, `request_id`, `error`, `reason` and
    /// `milliseconds`.
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
        } = Fields::of(self);
        let milliseconds = time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let (attempt, status) = (attempt.map(u64::from), status.map(u64::from));
        if self.kind.is_notable() {
            tracing::info!(
                target: "didit", event, ?endpoint, session_id, attempt, method, url, status,
                request_id, error, reason, milliseconds
            );
        } else {
            tracing::debug!(
                target: "didit", event, ?endpoint, session_id, attempt, method, url, status,
                request_id, error, reason, milliseconds
            );
        }
    }
}

/// The fields of an event; `tracing` leaves out those that are `None`.
#[cfg(feature = "tracing")]
struct Fields<'a> {
    event: &'static str,
    endpoint: EndpointKind,
    attempt: Option<u32>,
    method: Option<&'a str>,
    url: Option<String>,
    status: Option<u16>,
    request_id: Option<&'a str>,
    error: Option<String>,
    reason: Option<String>,
    time: Option<Duration>,
}

#[cfg(feature = "tracing")]
impl<'a> Fields<'a> {
    fn of(event: &'a Event) -> Self {
        let none = Self {
            event: "",
            endpoint: event.endpoint,
            attempt: None,
            method: None,
            url: None,
            status: None,
            request_id: None,
            error: None,
            reason: None,
            time: None,
        };
        match &event.kind {
            &EventKind::Sent { endpoint, ref method, ref uri, attempt } => Self {
                event: "sent",
                endpoint,
                method: Some(method.as_str()),
                url: Some(uri.to_string()),
                attempt: Some(attempt),
                ..none
            },
            &EventKind::Answered { endpoint, status, ref request_id, elapsed } => Self {
                event: "answered",
                endpoint,
                status: Some(status.as_u16()),
                request_id: request_id.as_deref(),
                time: Some(elapsed),
                ..none
            },
            &EventKind::Failed { endpoint, error, elapsed } => Self {
                event: "failed",
                endpoint,
                error: Some(error.to_string()),
                time: Some(elapsed),
                ..none
            },
            EventKind::TokenFetched { lifetime } => {
                Self { event: "token fetched", time: *lifetime, ..none }
            }
            EventKind::TokenRefused => Self { event: "token refused", ..none },
            EventKind::Waiting { duration, reason } => Self {
                event: "waiting",
                reason: Some(reason.to_string()),
                time: Some(*duration),
                ..none
            },
            EventKind::RateLimit { .. } => Self { event: "rate limit", ..none },
            EventKind::StoreLost { error } => {
                Self { event: "store lost", error: Some(error.to_string()), ..none }
            }
            EventKind::StoreJoined => Self { event: "store joined", ..none },
            &EventKind::Finished { succeeded, attempts, elapsed } => Self {
                event: if succeeded { "succeeded" } else { "gave up" },
                attempt: Some(attempts),
                time: Some(elapsed),
                ..none
            },
        }
    }
}
