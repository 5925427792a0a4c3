use std::fmt;
use std::time::Duration;

use http::StatusCode;

use super::failure::{TransportErrorKind, WaitReason};
use crate::data_transfer::Status;
use crate::endpoint::Replay;
use crate::error::{BuildError, EndpointKind, ResponseError, ResponseErrorKind};
use crate::verification::Status as VerificationStatus;

/// The reason a call failed: its last error, and why it gave up.
#[derive(Clone, Debug)]
pub struct CallError {
    endpoint: EndpointKind,
    kind: CallErrorKind,
    gave_up: GaveUp,
    replay: Replay,
    attempts: u32,
    retry_after: Option<Duration>,
}

/// The kinds of [`CallError`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CallErrorKind {
    /// The request could not be built; nothing was sent.
    Build(BuildError),
    /// The service sent an error, or a response that could not be read.
    Response(ResponseError),
    /// The exchange failed below HTTP; the adapter's error has the details.
    Transport(TransportErrorKind),
    /// The time ran out during a wait, before anything failed.
    Waiting(WaitReason),
    /// The session still had this status, which is not final, when the time ran out.
    Undecided(Status),
    /// The verification session still had this status, which is not
    /// [settled](VerificationStatus::is_settled), when the time ran out.
    UndecidedVerification(VerificationStatus),
    /// The operation had already finished.
    Finished,
}

/// The reason a call gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GaveUp {
    /// A retry would fail in the same way, or the request may have been carried out.
    NotRetryable,
    /// All attempts that the policy allows have failed.
    AttemptsExhausted,
    /// The time ran out, or the next attempt could not have started in time.
    DeadlineExceeded,
}

impl CallError {
    /// Creates an error, for tests of your own code. By default it is that of a request that was sent
    /// once, is not retried, and may be sent again: of the response's endpoint, or else a request for
    /// a decision.
    ///
    /// ```
    /// use didit_core::{CallError, CallErrorKind, EndpointKind, Replay, ResponseError, TransportErrorKind};
    ///
    /// let lost = CallErrorKind::Transport(TransportErrorKind::ConnectionLost);
    /// let error = CallError::new(lost)
    ///     .with_endpoint(EndpointKind::CreateSession)
    ///     .with_replay(Replay::OnlyIfUnsent);
    /// assert!(error.may_have_taken_effect());
    ///
    /// let response = http::Response::builder().status(404).body(r#"{"detail": "Not found."}"#)?;
    /// let missing = ResponseError::from_response(EndpointKind::RetrieveDecision, &response);
    /// let error = CallError::new(CallErrorKind::Response(missing));
    /// assert_eq!(error.status(), Some(http::StatusCode::NOT_FOUND));
    /// # Ok::<(), http::Error>(())
    /// ```
    pub fn new(kind: CallErrorKind) -> Self {
        let endpoint = match &kind {
            CallErrorKind::Response(error) => error.endpoint(),
            CallErrorKind::UndecidedVerification(_) => EndpointKind::RetrieveVerificationDecision,
            _ => EndpointKind::RetrieveDecision,
        };
        let (gave_up, replay) = (GaveUp::NotRetryable, Replay::Safe);
        Self { endpoint, kind, gave_up, replay, attempts: 1, retry_after: None }
    }

    /// Sets the endpoint that failed.
    #[must_use]
    pub fn with_endpoint(self, endpoint: EndpointKind) -> Self {
        Self { endpoint, ..self }
    }

    /// Sets whether the request may be sent again.
    #[must_use]
    pub fn with_replay(self, replay: Replay) -> Self {
        Self { replay, ..self }
    }

    /// Sets why the call was not retried further.
    #[must_use]
    pub fn with_gave_up(self, gave_up: GaveUp) -> Self {
        Self { gave_up, ..self }
    }

    /// Sets the number of requests sent for the call.
    #[must_use]
    pub fn with_attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// Sets how long to wait before the next call.
    #[must_use]
    pub fn with_retry_after(self, time: Duration) -> Self {
        Self { retry_after: Some(time), ..self }
    }

    /// Returns the endpoint that failed: the call's own, or that of the token it needed.
    pub fn endpoint(&self) -> EndpointKind {
        self.endpoint
    }

    /// Returns what went wrong.
    pub fn kind(&self) -> &CallErrorKind {
        &self.kind
    }

    /// Returns why the call was not retried further.
    pub fn gave_up(&self) -> GaveUp {
        self.gave_up
    }

    /// Returns the number of requests sent for the call, including those for tokens.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns the error of the response, if the failure was a response.
    pub fn response(&self) -> Option<&ResponseError> {
        match &self.kind {
            CallErrorKind::Response(error) => Some(error),
            _ => None,
        }
    }

    /// Returns the HTTP status of that response.
    pub fn status(&self) -> Option<StatusCode> {
        self.response().map(ResponseError::status)
    }

    /// Returns the service's identifier of the failed request.
    pub fn request_id(&self) -> Option<&str> {
        self.response().and_then(ResponseError::request_id)
    }

    /// Returns how long to wait before the next call, if known: from the service's `Retry-After`,
    /// or from the client's own rate limiter.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after.or_else(|| self.response().and_then(ResponseError::retry_after))
    }

    /// Returns whether the time ran out.
    pub fn is_timeout(&self) -> bool {
        self.gave_up == GaveUp::DeadlineExceeded
            || matches!(self.kind, CallErrorKind::Transport(TransportErrorKind::Timeout))
    }

    /// Returns whether repeating the call later may succeed and is harmless even if this one took
    /// effect. The call has already retried as often as the policy allows.
    pub fn is_retryable(&self) -> bool {
        self.kind.is_retryable(self.replay)
    }

    /// Returns whether the request may have taken effect although the call failed.
    pub fn may_have_taken_effect(&self) -> bool {
        let unclear = match &self.kind {
            // A success status counts even if the body could not be read.
            CallErrorKind::Response(error) => {
                let status = error.status();
                let failed = status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED;
                failed || error.is_retryable() || status.is_success()
            }
            CallErrorKind::Transport(kind) => !kind.is_unsent(),
            _ => false,
        };
        unclear && self.replay == Replay::OnlyIfUnsent && !self.is_retryable()
    }

    /// Returns short advice on how to resolve the error.
    pub fn advice(&self) -> &'static str {
        if self.may_have_taken_effect() {
            return match self.endpoint {
                EndpointKind::CreateSession => {
                    "the session may have been created; trying again creates another"
                }
                EndpointKind::CreateVerificationSession => {
                    "the session may have been created; look for it in the list before trying again"
                }
                _ => "the request may have been carried out; check before trying again",
            };
        }
        match &self.kind {
            CallErrorKind::Build(_) => "fix the input",
            CallErrorKind::Response(error) => error.advice(),
            CallErrorKind::Transport(kind) => kind.advice(),
            CallErrorKind::Waiting(_) => TransportErrorKind::Timeout.advice(),
            CallErrorKind::Undecided(_) | CallErrorKind::UndecidedVerification(_) => "wait longer",
            CallErrorKind::Finished => "start a new call",
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, kind, gave_up, attempts, .. } = self;
        match kind {
            CallErrorKind::Build(error) => write!(f, "could not {endpoint}: {error}")?,
            CallErrorKind::Response(error) => write!(f, "{error}")?,
            CallErrorKind::Transport(kind) => write!(f, "could not {endpoint}: {kind}")?,
            CallErrorKind::Waiting(reason) => {
                return write!(f, "could not {endpoint}: timed out waiting for {reason}");
            }
            CallErrorKind::Undecided(status) => return undecided(f, *endpoint, status.as_str()),
            CallErrorKind::UndecidedVerification(status) => {
                return undecided(f, *endpoint, status.as_str());
            }
            CallErrorKind::Finished => {
                return write!(f, "could not {endpoint}: the call has already ended");
            }
        }
        match (gave_up, attempts) {
            (GaveUp::NotRetryable, _) | (GaveUp::AttemptsExhausted, 1) => Ok(()),
            (GaveUp::AttemptsExhausted, _) => write!(f, ", after {attempts} requests"),
            (GaveUp::DeadlineExceeded, _) => {
                write!(f, ", and the time ran out{}", asked_wait(self.response()))
            }
        }
    }
}

/// Returns the wait that the service asks for in words, or nothing.
fn asked_wait(error: Option<&ResponseError>) -> String {
    let wait = error.and_then(ResponseError::retry_after);
    let seconds = wait.map(|wait| wait.as_millis().div_ceil(1000));
    let words = seconds.map(|seconds| format!(": the service asks to wait for {seconds} s"));
    words.unwrap_or_default()
}

fn undecided(f: &mut fmt::Formatter<'_>, endpoint: EndpointKind, status: &str) -> fmt::Result {
    let status = status.escape_debug();
    write!(f, "could not {endpoint}: the session was still {status} when the time ran out")
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            CallErrorKind::Build(error) => error.source(),
            _ => None,
        }
    }
}

impl CallErrorKind {
    /// Returns whether a retry may succeed, and is allowed by `replay`.
    pub(super) fn is_retryable(&self, replay: Replay) -> bool {
        let safe = replay == Replay::Safe;
        match self {
            Self::Build(_) | Self::Finished => false,
            Self::Response(error) => error.is_retryable() && (safe || self.is_rate_limited()),
            Self::Transport(kind) => !kind.is_permanent() && (safe || kind.is_unsent()),
            Self::Waiting(_) | Self::Undecided(_) | Self::UndecidedVerification(_) => true,
        }
    }

    /// Returns whether the rate limit refused the request, which then does not count as made.
    pub(super) fn is_rate_limited(&self) -> bool {
        matches!(self, Self::Response(error) if *error.kind() == ResponseErrorKind::RateLimited)
    }

    /// Returns whether the response, if the token endpoint sent it, asks all clients to wait.
    pub(super) fn is_overload(&self) -> bool {
        matches!(self, Self::Response(error) if matches!(error.status().as_u16(), 429 | 503))
    }

    pub(super) fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Response(error) if *error.kind() == ResponseErrorKind::Unauthorized)
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Response(error) => error.retry_after(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    const CREATED: &str = "the session may have been created; trying again creates another";
    const LISTED: &str =
        "the session may have been created; look for it in the list before trying again";
    const NETWORK: &str = "check the network, the base URL and the proxy, if there is one";
    const LATER: &str = "try again later";
    const TIME: &str = "try again, or allow more time";

    fn response(endpoint: EndpointKind, status: u16, kind: ResponseErrorKind) -> CallErrorKind {
        CallErrorKind::Response(ResponseError::new(
            endpoint,
            StatusCode::from_u16(status).unwrap(),
            kind,
        ))
    }

    #[test]
    fn retryability_and_advice_follow_from_the_failure() {
        use EndpointKind::{CreateSession, CreateVerificationSession, RetrieveDecision};
        use ResponseErrorKind::{Empty, NotFound, RateLimited, ServerError};
        use TransportErrorKind::{Certificate, Connect, ConnectionLost, Timeout};
        let failed = CallErrorKind::Transport;
        let cases = [
            (RetrieveDecision, CallErrorKind::Build(BuildError::UserAgent), false, "fix the input"),
            (RetrieveDecision, CallErrorKind::Finished, false, "start a new call"),
            (RetrieveDecision, failed(Connect), true, NETWORK),
            (CreateSession, failed(Connect), true, NETWORK),
            (
                RetrieveDecision,
                failed(Certificate),
                false,
                "check the base URL and the trusted certificates",
            ),
            (
                CreateSession,
                failed(TransportErrorKind::Handshake),
                false,
                "check the base URL; client certificates are not supported",
            ),
            (
                CreateSession,
                failed(TransportErrorKind::Proxy),
                false,
                "check the proxy, and the user name and password for it",
            ),
            (RetrieveDecision, failed(Timeout), true, TIME),
            (CreateSession, failed(Timeout), false, CREATED),
            (RetrieveDecision, failed(ConnectionLost), true, LATER),
            (
                RetrieveDecision,
                failed(TransportErrorKind::HeadTooLarge),
                false,
                "check the base URL; if it is right, report this to the service",
            ),
            (CreateSession, failed(TransportErrorKind::HeadTooLarge), false, CREATED),
            (CreateSession, failed(ConnectionLost), false, CREATED),
            (RetrieveDecision, CallErrorKind::Waiting(WaitReason::Pacing), true, TIME),
            (CreateSession, CallErrorKind::Waiting(WaitReason::Token), true, TIME),
            (RetrieveDecision, CallErrorKind::Undecided(Status::Retrieved), true, "wait longer"),
            (RetrieveDecision, response(RetrieveDecision, 503, ServerError), true, LATER),
            (CreateSession, response(CreateSession, 503, ServerError), false, CREATED),
            (CreateSession, response(CreateSession, 501, ServerError), false, LATER),
            (CreateSession, response(CreateSession, 524, ServerError), false, CREATED),
            (CreateSession, response(CreateSession, 200, Empty), false, CREATED),
            (
                CreateVerificationSession,
                response(CreateVerificationSession, 201, Empty),
                false,
                LISTED,
            ),
            (
                CreateSession,
                response(CreateSession, 429, RateLimited),
                true,
                "send fewer requests, or allow more time",
            ),
            (CreateSession, response(CreateSession, 404, NotFound), false, "check the base URL"),
        ];
        for (endpoint, kind, retryable, advice) in cases {
            let replay = match endpoint {
                CreateSession | CreateVerificationSession => Replay::OnlyIfUnsent,
                _ => Replay::Safe,
            };
            let error = CallError::new(kind).with_endpoint(endpoint).with_replay(replay);
            assert_eq!((error.is_retryable(), error.advice()), (retryable, advice), "{error:?}");
        }
    }

    #[test]
    fn messages_name_the_operation_the_cause_and_the_attempts() {
        let message = |kind, gave_up, attempts| {
            CallError::new(kind).with_gave_up(gave_up).with_attempts(attempts).to_string()
        };
        let lost = || CallErrorKind::Transport(TransportErrorKind::ConnectionLost);
        let what = "could not retrieve the decision: ";
        let why = "the connection was lost before a complete response arrived";
        assert_eq!(message(lost(), GaveUp::NotRetryable, 3), format!("{what}{why}"));
        assert_eq!(message(lost(), GaveUp::AttemptsExhausted, 1), format!("{what}{why}"));
        assert_eq!(
            message(lost(), GaveUp::AttemptsExhausted, 4),
            format!("{what}{why}, after 4 requests")
        );
        assert_eq!(
            message(lost(), GaveUp::DeadlineExceeded, 4),
            format!("{what}{why}, and the time ran out")
        );
        let undecided = CallErrorKind::Undecided(Status::from("a\nb"));
        assert_eq!(
            message(undecided, GaveUp::DeadlineExceeded, 4),
            format!("{what}the session was still a\\nb when the time ran out")
        );
        for (reason, words) in [
            (WaitReason::Pacing, "the rate limit"),
            (WaitReason::FirstResponse, "the first response, to learn the rate limit"),
            (WaitReason::RetryAfter, "the Retry-After time set by the service"),
            (WaitReason::Backoff, "the next attempt"),
            (WaitReason::Polling, "a final status"),
            (WaitReason::Token, "the token that another call is fetching"),
            (WaitReason::Response, "the response"),
        ] {
            let waited = format!("{what}timed out waiting for {words}");
            assert_eq!(
                message(CallErrorKind::Waiting(reason), GaveUp::DeadlineExceeded, 1),
                waited
            );
        }
        assert_eq!(
            message(CallErrorKind::Finished, GaveUp::NotRetryable, 1),
            format!("{what}the call has already ended")
        );
    }

    #[test]
    fn retry_after_and_source_are_exposed() {
        let error = ResponseError::new(
            EndpointKind::RetrieveDecision,
            StatusCode::TOO_MANY_REQUESTS,
            ResponseErrorKind::RateLimited,
        );
        let seconds = Some(Duration::from_secs(7));
        let kind = CallErrorKind::Response(error.with_retry_after(seconds));
        let error = CallError::new(kind).with_gave_up(GaveUp::DeadlineExceeded);
        assert_eq!(error.retry_after(), seconds);
        let http = http::Request::builder().uri("http://a b").body(()).unwrap_err();
        let kind = CallErrorKind::Build(BuildError::from(http));
        let error = CallError::new(kind).with_attempts(0);
        let source = std::error::Error::source(&error).expect("a source");
        assert_eq!(
            (source.to_string(), error.retry_after()),
            ("invalid uri character".into(), None)
        );
    }
}
