use std::time::Duration;

use http::StatusCode;

use super::step::{FailureKind, Reason};
use crate::error::Action;

/// Something an operation did, as a plain value without secrets, identifiers or user data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A request goes out.
    Sent {
        /// Which one.
        action: Action,
        /// The how-manieth try it is, from 1.
        attempt: u32,
    },
    /// An answer came.
    Answered {
        /// To which request.
        action: Action,
        /// With which status.
        status: StatusCode,
    },
    /// A request got no whole answer.
    Failed {
        /// Which one.
        action: Action,
        /// How.
        failure: FailureKind,
    },
    /// A new token is there.
    TokenFetched {
        /// For how long, if the service said.
        lifetime: Option<Duration>,
    },
    /// The service refused the token, and a new one will be fetched.
    TokenRefused,
    /// Nothing happens for a while.
    Waiting {
        /// For how long at the most.
        duration: Duration,
        /// What for.
        reason: Reason,
    },
    /// The service told how much of the rate limit is left.
    RateLimit {
        /// How many requests a window holds.
        limit: u32,
        /// How many of them are left.
        remaining: u32,
    },
}
