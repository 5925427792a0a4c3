use std::time::Duration;

use http::{Method, StatusCode, Uri};

use super::failure::{TransportErrorKind, WaitReason};
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
    /// What happened.
    pub kind: EventKind,
}

/// What an [`Event`] tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A request goes out.
    Sent {
        /// The endpoint of the request: the call's own, or the token's.
        endpoint: EndpointKind,
        /// The HTTP method.
        method: Method,
        /// Where to.
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
        /// How it failed.
        error: TransportErrorKind,
        /// The time since the request was sent.
        elapsed: Duration,
    },
    /// A token was fetched.
    TokenFetched {
        /// How long it is valid, if the service said.
        lifetime: Option<Duration>,
    },
    /// The service refused the token, and another one will be used.
    TokenRefused,
    /// The call waits.
    Waiting {
        /// The longest it will.
        duration: Duration,
        /// What for.
        reason: WaitReason,
    },
    /// The service told how much of the rate limit is left.
    RateLimit {
        /// How many requests a window holds.
        limit: u32,
        /// How many of them are left.
        remaining: u32,
    },
    /// The call is over.
    Finished {
        /// Whether it succeeded.
        succeeded: bool,
        /// How many requests were sent for it, those for tokens included.
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
