use std::time::Duration;

use http::Response;

use super::Engine;
use super::call::Call;
use super::call_error::{CallError, CallErrorKind, GaveUp};
use super::failure::{TransportError, WaitReason};
use super::moment::Moment;
use super::step::{Operation, Step, Ticket};
use crate::data_transfer::{Decision, RetrieveDecision, Status};
use crate::endpoint::Endpoint;
use crate::error::EndpointKind;
use crate::session_id::SessionId;

/// Polls a session's decision until its status is final, or the time runs out.
///
/// A poll that fails in a way that may pass (see [`CallError::is_retryable`]) does not end the
/// wait; any other does. An unknown status is not final.
#[derive(Debug)]
pub struct WaitForDecision {
    endpoint: RetrieveDecision,
    interval: Duration,
    timeout: Duration,
    deadline: Option<Moment>,
    state: State,
    /// The result of the last poll.
    seen: Option<Result<Status, CallError>>,
}

#[derive(Debug)]
enum State {
    Polling(Box<Call<RetrieveDecision>>),
    Pausing { until: Moment },
    Finished,
}

impl WaitForDecision {
    /// The default time of the whole wait: 10 minutes.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);
    /// The default time between two polls: 2 seconds.
    pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(2);

    /// Waits for that session with the default interval and timeout.
    pub fn new(session_id: SessionId) -> Self {
        let endpoint = RetrieveDecision::new(session_id);
        Self {
            interval: Self::DEFAULT_INTERVAL,
            timeout: Self::DEFAULT_TIMEOUT,
            deadline: None,
            state: State::Pausing { until: Moment::default() },
            seen: None,
            endpoint,
        }
    }

    /// Sets the time from the end of one poll to the beginning of the next, at least 10 ms.
    #[must_use]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval.max(Duration::from_millis(10));
        self
    }

    /// Sets the time of the whole wait.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Takes the result of a poll: returns the end of the wait, or pauses before the next poll.
    fn polled(
        &mut self,
        result: Result<Decision, CallError>,
        now: Moment,
    ) -> Option<Result<Decision, CallError>> {
        let cut_off = |error: &CallError| error.gave_up() == GaveUp::DeadlineExceeded;
        match result {
            Ok(decision) if !decision.status().is_final() => {
                self.seen = Some(Ok(decision.status().clone()));
            }
            // A poll that was cut off by the end of the time tells less than the one before.
            Err(error) if cut_off(&error) && self.seen.is_some() => {}
            Err(error) if error.is_retryable() => self.seen = Some(Err(error)),
            end => return Some(end),
        }
        self.state = State::Pausing { until: now.after(self.interval) };
        None
    }

    fn out_of_time(&mut self) -> CallError {
        let cause = match self.seen.take() {
            Some(Err(error)) => return error,
            Some(Ok(status)) => CallErrorKind::Undecided(status),
            None => CallErrorKind::Waiting(WaitReason::Polling),
        };
        CallError::new(EndpointKind::RetrieveDecision, cause, GaveUp::DeadlineExceeded, 0)
    }
}

impl Operation for WaitForDecision {
    type Output = Decision;

    fn poll(&mut self, engine: &mut Engine, now: Moment) -> Step<Decision> {
        let deadline = *self.deadline.get_or_insert(now.after(self.timeout));
        let end = match &mut self.state {
            State::Polling(call) => match call.poll(engine, now) {
                Step::Done(result) => self.polled(result, now),
                step => return step,
            },
            State::Pausing { .. } if now >= deadline => Some(Err(self.out_of_time())),
            State::Pausing { until } if now < *until => {
                let until = deadline.min(*until);
                return Step::Wait { until, reason: WaitReason::Polling };
            }
            State::Pausing { .. } => {
                let call = Call::new(self.endpoint.clone()).with_timeout(deadline.since(now));
                self.state = State::Polling(Box::new(call));
                None
            }
            State::Finished => {
                let action = RetrieveDecision::KIND;
                Some(Err(CallError::new(action, CallErrorKind::Finished, GaveUp::NotRetryable, 0)))
            }
        };
        match end {
            Some(result) => {
                self.state = State::Finished;
                Step::Done(result)
            }
            None => self.poll(engine, now),
        }
    }

    fn handle_response<B: AsRef<[u8]>>(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        response: &Response<B>,
    ) {
        if let State::Polling(call) = &mut self.state {
            call.handle_response(engine, now, ticket, response);
        }
    }

    fn handle_failure(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        error: TransportError,
    ) {
        if let State::Polling(call) = &mut self.state {
            call.handle_failure(engine, now, ticket, error);
        }
    }

    fn cancel(&mut self, engine: &mut Engine, now: Moment) {
        if let State::Polling(mut call) = std::mem::replace(&mut self.state, State::Finished) {
            call.cancel(engine, now);
        }
    }
}
