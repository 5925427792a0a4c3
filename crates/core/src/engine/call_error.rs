use std::fmt;
use std::time::Duration;

use http::StatusCode;

use super::failure::{TransportErrorKind, WaitReason};
use crate::data_transfer::Status;
use crate::endpoint::{EndpointKind, Replay};
use crate::error::{BuildError, ResponseError, ResponseErrorKind};
use crate::unknown_status::UnknownStatus;
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
    /// True if the service refuses requests for that time; false if the client's own rate limiter
    /// does.
    refused: bool,
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
    /// Creates an error, for tests of your own code. By default the request was sent once, was not
    /// retried, and may be sent again; its endpoint is that of the response, or else the retrieval
    /// of a decision.
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
        Self { endpoint, kind, gave_up, replay, attempts: 1, retry_after: None, refused: false }
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

    /// Sets how long no request can be sent, and whether the service refuses them for that time.
    pub(super) fn with_closed_for(self, time: Duration, refused: bool) -> Self {
        Self { refused, ..self.with_retry_after(time) }
    }

    /// Forgets how long no request could be sent when the error occurred.
    pub(super) fn without_wait(self) -> Self {
        Self { retry_after: None, ..self }
    }

    /// Returns how long the service refuses requests, if the call gave up because of that.
    pub(super) fn refused_for(&self) -> Option<Duration> {
        match self.retry_after {
            Some(time) => self.refused.then_some(time),
            None => self.kind.retry_after(),
        }
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

    /// Returns whether the request may have taken effect although the call failed, and must not be
    /// repeated without a check. Always false for a request that is harmless to repeat.
    pub fn may_have_taken_effect(&self) -> bool {
        let unclear = match &self.kind {
            // A success status counts even if the body could not be read; 303 refers to the result.
            CallErrorKind::Response(error) => {
                let status = error.status();
                let failed = status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED;
                let done = status.is_success() || status == StatusCode::SEE_OTHER;
                failed || error.is_retryable() || done || error.0.followed
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
            CallErrorKind::Build(BuildError::BrokenLink) => {
                "narrow the list by its dates, and report this to the service"
            }
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
        let Self { endpoint, kind, gave_up, attempts, retry_after, .. } = self;
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
                if !matches!(kind, CallErrorKind::Transport(TransportErrorKind::Timeout)) {
                    f.write_str(", and the time ran out")?;
                }
                match (self.response().and_then(ResponseError::retry_after), *retry_after) {
                    (Some(asked), rest)
                        if rest.is_none_or(|rest| in_words(rest) == in_words(asked)) =>
                    {
                        write!(f, ": the service asks to wait for {}", in_words(asked))
                    }
                    (_, Some(known)) => {
                        write!(f, ": the next request can be sent in {}", in_words(known))
                    }
                    (_, None) => Ok(()),
                }
            }
        }
    }
}

/// Describes a time, rounded up.
fn in_words(time: Duration) -> String {
    let seconds = time.as_millis().div_ceil(1000);
    match seconds {
        0..=7200 => format!("{seconds} s"),
        7201..=172_800 => format!("{} h", seconds.div_ceil(3600)),
        172_801..=31_536_000 => format!("{} days", seconds.div_ceil(86_400)),
        _ => "more than a year".to_owned(),
    }
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
    /// Replaces the status of an undecided session, if it is unknown.
    pub(super) fn map_unknown_status(self, map: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Undecided(Status::Other(text)) => {
                Self::Undecided(Status::Other(UnknownStatus::new(&map(text.as_str()))))
            }
            Self::UndecidedVerification(VerificationStatus::Other(text)) => {
                let text = UnknownStatus::new(&map(text.as_str()));
                Self::UndecidedVerification(VerificationStatus::Other(text))
            }
            other => other,
        }
    }

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

    /// Returns whether the rate limit refused the request, which then does not count as an attempt.
    pub(super) fn is_rate_limited(&self) -> bool {
        matches!(self, Self::Response(error) if *error.kind() == ResponseErrorKind::RateLimited)
    }

    /// Returns whether this response, if the token endpoint sent it, refuses all calls for a time.
    pub(super) fn is_overload(&self) -> bool {
        let status = |error: &ResponseError| error.status().as_u16();
        matches!(self, Self::Response(error) if matches!(status(error), 429 | 503))
            && !self.is_unauthorized()
    }

    pub(super) fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Response(error) if *error.kind() == ResponseErrorKind::Unauthorized)
    }

    /// Returns the time that the service named for the next attempt. "Retry-After: 0" names none:
    /// it would cause retries without a pause.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Response(error) => error.retry_after().filter(|wait| !wait.is_zero()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
