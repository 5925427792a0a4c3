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
    #[cold]
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
            Cause::Transport(FailureKind::Connect) => {
                "check the network, the base URL and the proxy, if there is one"
            }
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

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    const CREATED: &str = "the session may have been created; trying again creates another";
    const LATER: &str = "try again later";
    const TIME: &str = "try again, or allow more time";

    fn answer(action: Action, status: u16, kind: ResponseErrorKind) -> Cause {
        Cause::Response(ResponseError::new(action, StatusCode::from_u16(status).unwrap(), kind))
    }

    #[test]
    fn whether_to_try_again_depends_on_what_may_have_happened() {
        use Action::{CreateSession, RetrieveDecision};
        use FailureKind::{Broken, Certificate, Connect, Timeout};
        use ResponseErrorKind::{NotFound, RateLimited, Unavailable};
        let failed = Cause::Transport;
        let cases = [
            (RetrieveDecision, Cause::Build(BuildError::UserAgent), false, "mend the input"),
            (RetrieveDecision, Cause::Finished, false, "start a new call"),
            (
                RetrieveDecision,
                failed(Connect),
                true,
                "check the network, the base URL and the proxy, if there is one",
            ),
            (
                CreateSession,
                failed(Connect),
                true,
                "check the network, the base URL and the proxy, if there is one",
            ),
            (
                RetrieveDecision,
                failed(Certificate),
                false,
                "check the base URL and the trusted certificates",
            ),
            (RetrieveDecision, failed(Timeout), true, TIME),
            (CreateSession, failed(Timeout), false, CREATED),
            (RetrieveDecision, failed(Broken), true, LATER),
            (CreateSession, failed(Broken), false, CREATED),
            (RetrieveDecision, Cause::Waiting(Reason::Pacing), true, TIME),
            (CreateSession, Cause::Waiting(Reason::Token), true, TIME),
            (RetrieveDecision, Cause::Undecided(Status::Retrieved), true, "wait for longer"),
            (RetrieveDecision, answer(RetrieveDecision, 503, Unavailable), true, LATER),
            (CreateSession, answer(CreateSession, 503, Unavailable), false, CREATED),
            (CreateSession, answer(CreateSession, 501, Unavailable), false, LATER),
            (
                CreateSession,
                answer(CreateSession, 429, RateLimited),
                true,
                "ask less often, or allow more time",
            ),
            (CreateSession, answer(CreateSession, 404, NotFound), false, "check the base URL"),
        ];
        for (action, cause, retryable, advice) in cases {
            let error = CallError::new(action, cause, Stopped::Final, 1);
            assert_eq!((error.is_retryable(), error.advice()), (retryable, advice), "{error:?}");
        }
    }

    #[test]
    fn errors_say_what_and_why_and_what_was_tried() {
        let say = |cause, stopped, attempts| {
            CallError::new(Action::RetrieveDecision, cause, stopped, attempts).to_string()
        };
        let broken = || Cause::Transport(FailureKind::Broken);
        let what = "could not retrieve the decision: ";
        let why = "the connection broke before a whole answer came";
        assert_eq!(say(broken(), Stopped::Final, 3), format!("{what}{why}"));
        assert_eq!(say(broken(), Stopped::Attempts, 1), format!("{what}{why}"));
        assert_eq!(say(broken(), Stopped::Attempts, 4), format!("{what}{why}, after 4 requests"));
        assert_eq!(
            say(broken(), Stopped::Deadline, 4),
            format!("{what}{why}, and the time ran out")
        );
        let undecided = Cause::Undecided(Status::from("a\nb"));
        assert_eq!(
            say(undecided, Stopped::Deadline, 4),
            format!("{what}the session was still a\\nb when the time ran out")
        );
        for (reason, words) in [
            (Reason::Pacing, "the rate limit"),
            (Reason::RetryAfter, "the time the service named for the next try"),
            (Reason::Backoff, "the next try"),
            (Reason::Polling, "the session to be decided"),
            (Reason::Token, "the token that another call fetches"),
            (Reason::Response, "the answer"),
        ] {
            let waited = format!("{what}the time ran out waiting for {words}");
            assert_eq!(say(Cause::Waiting(reason), Stopped::Deadline, 1), waited);
        }
        assert_eq!(
            say(Cause::Finished, Stopped::Final, 1),
            format!("{what}the call was over already")
        );
    }

    #[test]
    fn what_the_service_asked_to_wait_is_handed_on() {
        let error = ResponseError::new(
            Action::RetrieveDecision,
            StatusCode::TOO_MANY_REQUESTS,
            ResponseErrorKind::RateLimited,
        );
        let seconds = Some(Duration::from_secs(7));
        let cause = Cause::Response(error.with_retry_after(seconds));
        let error = CallError::new(Action::RetrieveDecision, cause, Stopped::Deadline, 1);
        assert_eq!(error.retry_after(), seconds);
        let http = http::Request::builder().uri("http://a b").body(()).unwrap_err();
        let cause = Cause::Build(BuildError::from(http));
        let error = CallError::new(Action::RetrieveDecision, cause, Stopped::Final, 0);
        let source = std::error::Error::source(&error).expect("a source");
        assert_eq!(
            (source.to_string(), error.retry_after()),
            ("invalid uri character".into(), None)
        );
    }
}
