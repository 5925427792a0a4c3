use std::fmt;
use std::time::Duration;

use super::step::{FailureKind, Reason};
use crate::decision::Status;
use crate::error::{Action, BuildError, ResponseError, ResponseErrorKind};

/// Why a call came to nothing: what stood in the way last, and why it was not tried further.
#[derive(Debug)]
pub struct CallError {
    action: Action,
    cause: Cause,
    stopped: Stopped,
    attempts: u32,
}

/// What stood in the way of a call.
#[derive(Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The request could not be built; nothing was sent.
    Build(BuildError),
    /// The service answered something else than what was asked for.
    Response(ResponseError),
    /// The exchange failed below HTTP; the adapter's error has the details.
    Transport(FailureKind),
    /// The time ran out in a wait, before there was anything to fail.
    Waiting(Reason),
    /// The session had this status, which is not final, when the time ran out.
    Undecided(Status),
    /// The operation was over already.
    Finished,
}

/// Why a call was not tried further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stopped {
    /// The same would happen again, or the request may have been carried out.
    Final,
    /// It was tried as often as the policy allows.
    Attempts,
    /// The time ran out, or the next try could not have begun in time.
    Deadline,
}

impl CallError {
    pub(super) fn new(action: Action, cause: Cause, stopped: Stopped, attempts: u32) -> Self {
        Self { action, cause, stopped, attempts }
    }

    /// What was attempted last: the call's own request, or the token's on its way.
    pub fn action(&self) -> Action {
        self.action
    }

    /// What stood in the way.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// Why it was not tried further.
    pub fn stopped(&self) -> Stopped {
        self.stopped
    }

    /// How many requests were sent for the call, the token's included.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The answer that stood in the way, if it was one.
    pub fn response(&self) -> Option<&ResponseError> {
        match &self.cause {
            Cause::Response(error) => Some(error),
            _ => None,
        }
    }

    /// How long the service asked to wait, if the answer said so.
    pub fn retry_after(&self) -> Option<Duration> {
        self.response().and_then(ResponseError::retry_after)
    }

    /// Whether the same call may succeed later, and does no harm if the first one had an effect
    /// after all. The call itself has retried what it could.
    pub fn is_retryable(&self) -> bool {
        let once = self.action == Action::CreateSession;
        match &self.cause {
            Cause::Build(_) | Cause::Finished | Cause::Transport(FailureKind::Certificate) => false,
            Cause::Response(error) if *error.kind() == ResponseErrorKind::RateLimited => true,
            Cause::Response(error) => error.is_retryable() && !once,
            Cause::Transport(kind) => kind.is_unsent() || !once,
            Cause::Waiting(_) | Cause::Undecided(_) => true,
        }
    }

    /// What a person can do about it, in a few words.
    pub fn advice(&self) -> &'static str {
        let may_be_created = match &self.cause {
            Cause::Response(error) => error.is_retryable() && !self.is_retryable(),
            Cause::Transport(_) => !self.is_retryable(),
            _ => false,
        };
        if may_be_created && self.action == Action::CreateSession {
            return "the session may have been created; trying again creates another";
        }
        match &self.cause {
            Cause::Build(_) => "mend the input",
            Cause::Response(error) => error.advice(),
            Cause::Transport(FailureKind::Connect) => "check the network and the base URL",
            Cause::Transport(FailureKind::Certificate) => {
                "check the base URL and the trusted certificates"
            }
            Cause::Transport(FailureKind::Timeout) | Cause::Waiting(_) => {
                "try again, or allow more time"
            }
            Cause::Transport(FailureKind::Broken) => "try again later",
            Cause::Undecided(_) => "wait for longer",
            Cause::Finished => "start a new call",
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, cause, stopped, attempts } = self;
        match cause {
            Cause::Build(error) => write!(f, "could not {action}: {error}")?,
            Cause::Response(error) => write!(f, "{error}")?,
            Cause::Transport(kind) => write!(f, "could not {action}: {kind}")?,
            Cause::Waiting(reason) => {
                return write!(f, "could not {action}: the time ran out waiting for {reason}");
            }
            Cause::Undecided(status) => {
                let status = status.as_str().escape_debug();
                return write!(
                    f,
                    "could not {action}: the session was still {status} when the time ran out"
                );
            }
            Cause::Finished => return write!(f, "could not {action}: the call was over already"),
        }
        match (stopped, attempts) {
            (Stopped::Final, _) | (Stopped::Attempts, 1) => Ok(()),
            (Stopped::Attempts, _) => write!(f, ", after {attempts} requests"),
            (Stopped::Deadline, _) => f.write_str(", and the time ran out"),
        }
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Build(error) => error.source(),
            _ => None,
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "no connection could be made",
            Self::Certificate => "the server's certificate was refused",
            Self::Timeout => "no whole answer came in time",
            Self::Broken => "the connection broke before a whole answer came",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pacing => "the rate limit",
            Self::RetryAfter => "the time the service named for the next try",
            Self::Backoff => "the next try",
            Self::Polling => "the session to be decided",
            Self::Token => "the token that another call fetches",
            Self::Response => "the answer",
        })
    }
}

/// What went wrong with one request, in a form that calls can share.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    Response(ResponseError),
    Failure(FailureKind),
}

impl Trouble {
    pub(super) fn is_retryable(&self) -> bool {
        match self {
            Self::Response(error) => error.is_retryable(),
            Self::Failure(kind) => *kind != FailureKind::Certificate,
        }
    }

    /// Whether the rate limit refused the request, which then counts as never made.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Response(error) if *error.kind() == ResponseErrorKind::RateLimited)
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Response(error) => error.retry_after(),
            Self::Failure(_) => None,
        }
    }
}

impl From<Trouble> for Cause {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Response(error) => Self::Response(error),
            Trouble::Failure(kind) => Self::Transport(kind),
        }
    }
}
