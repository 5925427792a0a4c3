use std::time::Duration;

use http::Response;

use super::Engine;
use super::call::Call;
use super::call_error::{CallError, Cause, Stopped};
use super::event::Event;
use super::moment::Moment;
use super::step::{Failure, Operation, Reason, Step, Ticket};
use crate::decision::{Decision, Status};
use crate::endpoint::{Endpoint, RetrieveDecision};
use crate::error::Action;
use crate::session_id::SessionId;

/// Asks for a session's decision until its status is final, or the time runs out.
///
/// A look that fails in a way that may pass (see [`CallError::is_retryable`]) does not end the
/// waiting; any other does. A status that nobody knows is not final.
#[derive(Debug)]
pub struct WaitForDecision {
    endpoint: RetrieveDecision,
    interval: Duration,
    timeout: Duration,
    deadline: Option<Moment>,
    state: State,
    /// What the last look saw.
    seen: Option<Result<Status, CallError>>,
    events: Vec<Event>,
}

#[derive(Debug)]
enum State {
    Looking(Box<Call<RetrieveDecision>>),
    Pausing { until: Moment },
    Over,
}

impl WaitForDecision {
    /// For how long is waited, if nothing else is said: 10 minutes.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);
    /// The time between two looks, if nothing else is said: 2 seconds.
    pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(2);

    /// Waits for that session, with the default interval and timeout.
    pub fn new(session_id: SessionId) -> Self {
        let endpoint = RetrieveDecision::new(session_id);
        Self {
            interval: Self::DEFAULT_INTERVAL,
            timeout: Self::DEFAULT_TIMEOUT,
            deadline: None,
            state: State::Pausing { until: Moment::default() },
            seen: None,
            events: Vec::new(),
            endpoint,
        }
    }

    /// The time from the end of one look to the beginning of the next; at least 10 ms.
    #[must_use]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval.max(Duration::from_millis(10));
        self
    }

    /// The budget of the whole wait.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// What a look came to: an end, or a pause before the next one.
    fn looked(
        &mut self,
        result: Result<Decision, CallError>,
        now: Moment,
    ) -> Option<Result<Decision, CallError>> {
        let cut_off = |error: &CallError| error.stopped() == Stopped::Deadline;
        match result {
            Ok(decision) if !decision.status().is_final() => {
                self.seen = Some(Ok(decision.status().clone()));
            }
            // A look that the end of the time cut off tells less than the one before.
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
            Some(Ok(status)) => Cause::Undecided(status),
            None => Cause::Waiting(Reason::Polling),
        };
        CallError::new(Action::RetrieveDecision, cause, Stopped::Deadline, 0)
    }
}

impl Operation for WaitForDecision {
    type Output = Decision;

    fn poll(&mut self, engine: &mut Engine, now: Moment) -> Step<Decision> {
        let deadline = *self.deadline.get_or_insert(now.after(self.timeout));
        let end = match &mut self.state {
            State::Looking(call) => match call.poll(engine, now) {
                Step::Done(result) => {
                    self.events.append(&mut call.take_events());
                    self.looked(result, now)
                }
                step => return step,
            },
            State::Pausing { .. } if now >= deadline => Some(Err(self.out_of_time())),
            State::Pausing { until } if now < *until => {
                let until = deadline.min(*until);
                return Step::Wait { until, reason: Reason::Polling };
            }
            State::Pausing { .. } => {
                let call = Call::new(self.endpoint.clone()).with_timeout(deadline.since(now));
                self.state = State::Looking(Box::new(call));
                None
            }
            State::Over => {
                let action = RetrieveDecision::ACTION;
                Some(Err(CallError::new(action, Cause::Finished, Stopped::Final, 0)))
            }
        };
        match end {
            Some(result) => {
                self.state = State::Over;
                Step::Done(result)
            }
            None => self.poll(engine, now),
        }
    }

    fn read_ahead(&mut self, ticket: &Ticket, response: &Response<&[u8]>) {
        if let State::Looking(call) = &mut self.state {
            call.read_ahead(ticket, response);
        }
    }

    fn handle_response(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        response: Response<&[u8]>,
    ) {
        if let State::Looking(call) = &mut self.state {
            call.handle_response(engine, now, ticket, response);
        }
    }

    fn handle_failure(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        failure: Failure,
    ) {
        if let State::Looking(call) = &mut self.state {
            call.handle_failure(engine, now, ticket, failure);
        }
    }

    fn cancel(&mut self, engine: &mut Engine, now: Moment) {
        if let State::Looking(mut call) = std::mem::replace(&mut self.state, State::Over) {
            call.cancel(engine, now);
        }
    }

    fn take_events(&mut self) -> Vec<Event> {
        let mut events = std::mem::take(&mut self.events);
        if let State::Looking(call) = &mut self.state {
            events.append(&mut call.take_events());
        }
        events
    }
}
