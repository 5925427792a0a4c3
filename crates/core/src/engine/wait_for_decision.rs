use std::time::Duration;

use http::Response;

use super::Engine;
use super::call::Call;
use super::call_error::{CallError, CallErrorKind, GaveUp};
use super::failure::{TransportError, WaitReason};
use super::moment::Moment;
use super::step::{Operation, Step, Ticket};
use crate::data_transfer::RetrieveDecision;
use crate::endpoint::{Endpoint, triage};
use crate::session_id::SessionId;
use crate::verification;

/// An endpoint that retrieves a decision, which may still be pending.
pub trait DecisionEndpoint: Endpoint + Clone {
    /// Returns the status of a pending decision, or `None` if the wait is over.
    fn undecided(decision: &Self::Output) -> Option<CallErrorKind>;
}

impl DecisionEndpoint for RetrieveDecision {
    fn undecided(decision: &Self::Output) -> Option<CallErrorKind> {
        let status = decision.status();
        (!status.is_final()).then(|| CallErrorKind::Undecided(status.clone()))
    }
}

impl DecisionEndpoint for verification::RetrieveDecision {
    fn undecided(decision: &Self::Output) -> Option<CallErrorKind> {
        let status = decision.status();
        (!status.is_settled()).then(|| CallErrorKind::UndecidedVerification(status.clone()))
    }
}

/// Polls a session's decision until it is no longer pending, or the time runs out.
///
/// The wait ends when the status of a data-transfer decision is
/// [final](crate::data_transfer::Status::is_final), or that of a verification decision is
/// [settled](verification::Status::is_settled); an unknown status is neither.
///
/// Polls that fail with a retryable error (see [`CallError::is_retryable`]) do not end the wait,
/// unless the service asks to retry only after its deadline; other errors do.
#[derive(Debug)]
pub struct WaitForDecision<E: DecisionEndpoint = RetrieveDecision> {
    endpoint: E,
    interval: Duration,
    timeout: Duration,
    deadline: Option<Moment>,
    state: State<E>,
    /// The last poll's undecided status, or its failure.
    seen: Option<Result<CallErrorKind, CallError>>,
    /// The number of requests sent so far, including those for tokens.
    sent: u32,
}

#[derive(Debug)]
enum State<E: Endpoint> {
    Polling(Box<Call<E>>),
    Pausing { until: Moment },
    Finished,
}

impl WaitForDecision {
    /// The default timeout of the whole wait: 10 minutes.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);
    /// The default time between two polls: 2 seconds.
    pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(2);

    /// The minimum time between two polls: 10 ms.
    pub const MIN_INTERVAL: Duration = Duration::from_millis(10);

    /// Creates a wait for a session of the data-transfer API, with the default interval and timeout.
    pub fn new(session_id: SessionId) -> Self {
        Self::for_endpoint(RetrieveDecision::new(session_id))
    }
}

impl<E: DecisionEndpoint> WaitForDecision<E> {
    /// Creates a wait for the decision of this endpoint, with the default interval and timeout.
    pub fn for_endpoint(endpoint: E) -> Self {
        Self {
            interval: WaitForDecision::DEFAULT_INTERVAL,
            timeout: WaitForDecision::DEFAULT_TIMEOUT,
            deadline: None,
            state: State::Pausing { until: Moment::default() },
            seen: None,
            sent: 0,
            endpoint,
        }
    }

    /// Sets the time from the end of one poll to the start of the next. The minimum is
    /// [`MIN_INTERVAL`](WaitForDecision::MIN_INTERVAL).
    #[must_use]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval.max(WaitForDecision::MIN_INTERVAL);
        self
    }

    /// Sets the timeout of the whole wait.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Handles the result of a poll: returns the result of the wait, or pauses before the next poll.
    fn polled(
        &mut self,
        result: Result<E::Output, CallError>,
        now: Moment,
        deadline: Moment,
    ) -> Option<Result<E::Output, CallError>> {
        let cut_off = |error: &CallError| error.gave_up() == GaveUp::DeadlineExceeded;
        let outlasts =
            |error: &CallError| error.refused_for().is_some_and(|wait| now.after(wait) >= deadline);
        match result {
            Ok(decision) => match E::undecided(&decision) {
                Some(status) => self.seen = Some(Ok(status)),
                None => return Some(Ok(decision)),
            },
            Err(error) if outlasts(&error) => return Some(Err(error)),
            // A poll that was cut off by the deadline is less informative than the previous one.
            Err(error) if cut_off(&error) && self.seen.is_some() => {}
            Err(error) if error.is_retryable() => self.seen = Some(Err(error.without_wait())),
            Err(error) => return Some(Err(error)),
        }
        self.state = State::Pausing { until: now.after(self.interval) };
        None
    }

    fn out_of_time(&mut self, engine: &Engine) -> CallError {
        let kind = match self.seen.take() {
            Some(Err(error)) => return error.with_gave_up(GaveUp::DeadlineExceeded),
            Some(Ok(undecided)) => undecided
                .map_unknown_status(|status| engine.scrubbed_text(triage::excerpt(status), &[])),
            None => CallErrorKind::Waiting(WaitReason::Polling),
        };
        let error = CallError::new(kind).with_endpoint(E::KIND).with_attempts(self.sent);
        error.with_gave_up(GaveUp::DeadlineExceeded)
    }
}

impl<E: DecisionEndpoint> Operation for WaitForDecision<E> {
    type Output = E::Output;

    fn poll(&mut self, engine: &mut Engine, now: Moment) -> Step<E::Output> {
        let deadline = *self.deadline.get_or_insert(now.after(self.timeout));
        let end = match &mut self.state {
            State::Polling(call) => match call.poll(engine, now) {
                Step::Done(result) => {
                    self.sent += call.sent();
                    self.polled(result, now, deadline)
                }
                step => return step,
            },
            State::Pausing { .. } if now >= deadline => Some(Err(self.out_of_time(engine))),
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
                let error = CallError::new(CallErrorKind::Finished).with_endpoint(E::KIND);
                Some(Err(error.with_attempts(self.sent)))
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
