use std::time::Duration;

use super::{CallError, CallErrorKind, GaveUp};
use crate::endpoint::Replay;
use crate::error::EndpointKind;

/// A builder of [`CallError`]s, for tests.
#[derive(Clone, Debug)]
#[must_use]
pub struct CallErrorBuilder(CallError);

impl CallError {
    /// Starts to build an error, for tests of your own code. By default it is that of a request for
    /// a decision, sent once and not retryable.
    ///
    /// ```
    /// use didit_core::{CallError, CallErrorKind, EndpointKind, Replay, ResponseError, TransportErrorKind};
    ///
    /// let lost = CallErrorKind::Transport(TransportErrorKind::ConnectionLost);
    /// let error = CallError::builder(lost)
    ///     .endpoint(EndpointKind::CreateSession)
    ///     .replay(Replay::OnlyIfUnsent)
    ///     .build();
    /// assert!(error.may_have_taken_effect());
    ///
    /// let response = http::Response::builder().status(404).body(r#"{"detail": "Not found."}"#)?;
    /// let missing = ResponseError::from_response(EndpointKind::RetrieveDecision, &response);
    /// let error = CallError::builder(CallErrorKind::Response(missing)).build();
    /// assert_eq!(error.status(), Some(http::StatusCode::NOT_FOUND));
    /// # Ok::<(), http::Error>(())
    /// ```
    pub fn builder(kind: CallErrorKind) -> CallErrorBuilder {
        let endpoint = match &kind {
            CallErrorKind::Response(error) => error.endpoint(),
            CallErrorKind::UndecidedVerification(_) => EndpointKind::RetrieveVerificationDecision,
            _ => EndpointKind::RetrieveDecision,
        };
        CallErrorBuilder(Self::new(endpoint, kind, GaveUp::NotRetryable, 1))
    }
}

impl CallErrorBuilder {
    /// Sets the endpoint that failed.
    pub fn endpoint(mut self, endpoint: EndpointKind) -> Self {
        self.0.endpoint = endpoint;
        self
    }

    /// Sets whether the request may be sent again. Default: [`Replay::Safe`].
    pub fn replay(mut self, replay: Replay) -> Self {
        self.0.replay = replay;
        self
    }

    /// Sets why the call was not retried further.
    pub fn gave_up(mut self, gave_up: GaveUp) -> Self {
        self.0.gave_up = gave_up;
        self
    }

    /// Sets the number of requests sent for the call.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Sets how long to wait before the next call.
    pub fn retry_after(mut self, time: Duration) -> Self {
        self.0.retry_after = Some(time);
        self
    }

    /// Builds the error.
    pub fn build(self) -> CallError {
        self.0
    }
}
