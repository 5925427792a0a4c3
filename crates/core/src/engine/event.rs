use std::fmt;
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

impl Event {
    /// Whether it is worth a person's attention without looking for details.
    pub fn is_notable(&self) -> bool {
        !matches!(
            self,
            Self::Sent { attempt: 1, .. } | Self::Answered { .. } | Self::RateLimit { .. }
        )
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent { action, attempt: 1 } => write!(f, "asking to {action}"),
            Self::Sent { action, attempt } => write!(f, "asking to {action}, attempt {attempt}"),
            Self::Answered { action, status } => write!(f, "answer to {action}: HTTP {status}"),
            Self::Failed { action, failure } => write!(f, "could not {action}: {failure}"),
            Self::TokenFetched { lifetime: Some(lifetime) } => {
                write!(f, "got an access token, good for {lifetime:?}")
            }
            Self::TokenFetched { lifetime: None } => {
                f.write_str("got an access token for one request")
            }
            Self::TokenRefused => f.write_str("the access token was refused, fetching a new one"),
            Self::Waiting { duration, reason } => {
                let seconds = duration.as_secs_f64();
                write!(f, "waiting up to {seconds:.1} s for {reason}")
            }
            Self::RateLimit { limit, remaining } => {
                write!(f, "{remaining} of {limit} requests are left in the rate limit")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_speak_in_plain_words() {
        let action = Action::RetrieveDecision;
        let cases = [
            (Event::Sent { action, attempt: 1 }, false, "asking to retrieve the decision"),
            (
                Event::Sent { action, attempt: 2 },
                true,
                "asking to retrieve the decision, attempt 2",
            ),
            (
                Event::Answered { action, status: StatusCode::NOT_FOUND },
                false,
                "answer to retrieve the decision: HTTP 404 Not Found",
            ),
            (
                Event::Failed { action, failure: FailureKind::Timeout },
                true,
                "could not retrieve the decision: no whole answer came in time",
            ),
            (
                Event::Waiting { duration: Duration::from_millis(1500), reason: Reason::Pacing },
                true,
                "waiting up to 1.5 s for the rate limit",
            ),
            (
                Event::TokenFetched { lifetime: Some(Duration::from_secs(60)) },
                true,
                "got an access token, good for 60s",
            ),
            (Event::TokenFetched { lifetime: None }, true, "got an access token for one request"),
            (Event::TokenRefused, true, "the access token was refused, fetching a new one"),
            (
                Event::RateLimit { limit: 100, remaining: 9 },
                false,
                "9 of 100 requests are left in the rate limit",
            ),
        ];
        for (event, notable, words) in cases {
            assert_eq!((event.is_notable(), &*event.to_string()), (notable, words));
        }
    }
}
