//! One caller, which checks the guarantees of its call at each step.

use std::time::Duration;

use didit_core::{
    CallError, CallErrorKind, Engine, GaveUp, Moment, Policy, Step, Ticket, WaitForDecision,
    WaitReason,
};
use http::{Request, StatusCode};

use super::work::{Job, Output, Reply, Task, Work};

pub(crate) struct Caller {
    pub(crate) job: Job,
    session: String,
    work: Work,
    /// True if a refused token can be renewed.
    renews: bool,
    max_attempts: u32,
    deadline: Moment,
    /// The timeout of a queued call, and the part of it that has been used.
    queued: Option<(Duration, Duration)>,
    /// The time since which a queued call has been outside the queue.
    counting_since: Option<Moment>,
    pub(crate) done: Option<Result<Output, CallError>>,
    pub(crate) dropped: bool,
    pub(crate) in_flight: Option<Flight>,
    sent: u32,
    pub(crate) tries: Tries,
    /// The time before which a `WaitForDecision` must not poll.
    no_poll_before: Moment,
}

/// A request in flight.
pub(crate) struct Flight {
    pub(crate) id: u32,
    ticket: Ticket,
    pub(crate) token: bool,
    pub(crate) lost_at: Moment,
}

/// The attempts of a call, or of one poll of a `WaitForDecision`, without those for tokens.
#[derive(Default)]
pub(crate) struct Tries {
    attempts: u32,
    unauthorized: u32,
    /// True if the service may have carried out one of them.
    pub(crate) may_have_arrived: bool,
    /// The status of a response that must not be retried.
    final_status: Option<StatusCode>,
}

/// The next step of a caller.
pub(crate) enum Next {
    Send(Box<Request<Vec<u8>>>),
    WakeAt(Moment),
    Nothing,
}

const FAR: Moment = Moment::new(Duration::MAX);

impl Caller {
    pub(crate) fn new(
        job: Job,
        session: String,
        starts_at: Moment,
        queued: bool,
        policy: &Policy,
        renews: bool,
    ) -> Self {
        let timeout = job.timeout.unwrap_or(match job.task {
            Task::Wait { .. } => WaitForDecision::DEFAULT_TIMEOUT,
            _ => policy.call_timeout,
        });
        Self {
            work: Work::new(&job, &session, queued),
            job,
            session,
            renews,
            max_attempts: policy.max_attempts,
            deadline: if queued { FAR } else { starts_at.after(timeout) },
            queued: queued.then_some((timeout, Duration::ZERO)),
            counting_since: None,
            done: None,
            dropped: false,
            in_flight: None,
            sent: 0,
            tries: Tries::default(),
            no_poll_before: Moment::default(),
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.dropped || self.done.is_some()
    }

    pub(crate) fn has_sent(&self) -> bool {
        self.sent > 0
    }

    pub(crate) fn poll(&mut self, engine: &mut Engine, now: Moment) -> Next {
        if self.is_finished() || self.in_flight.is_some() {
            return Next::Nothing;
        }
        assert!(now <= self.deadline, "continues after its deadline: {:?}", self.work);
        let step = self.work.poll(engine, now);
        self.check_queued(&step, now);
        match step {
            Step::Done(result) => {
                self.check_end(&result, now);
                self.done = Some(result);
                let again = self.work.poll(engine, now);
                assert!(matches!(again, Step::Done(Err(_))), "continues after its end");
                Next::Nothing
            }
            Step::Wait { until, reason } => {
                assert!(until > now, "wait ends in the past");
                assert!(until <= self.deadline, "wait ends after the deadline");
                if reason == WaitReason::Polling {
                    self.check_pause(now, until);
                }
                Next::WakeAt(until)
            }
            Step::Send { request, ticket, timeout } => {
                let token = request.uri().path() == "/auth/v2/token/";
                let lost_at = now.after(timeout);
                assert!(!timeout.is_zero() && lost_at <= self.deadline);
                self.sent += 1;
                self.check_request(token, now);
                self.in_flight = Some(Flight { id: self.sent, ticket, token, lost_at });
                Next::Send(Box::new(request))
            }
        }
    }

    /// Checks the time of a queued call, which counts from its first request, except in the queue.
    fn check_queued(&mut self, step: &Step<Output>, now: Moment) {
        let Some((timeout, used)) = &mut self.queued else { return };
        if let Some(since) = self.counting_since.take() {
            *used += now.since(since);
            assert!(*used <= *timeout, "a queued call exceeds its timeout: {used:?}");
        }
        let started = match step {
            Step::Send { request, .. } => request.uri().path() != "/auth/v2/token/",
            Step::Wait { reason: WaitReason::Pacing | WaitReason::FirstResponse, .. }
            | Step::Done(_) => false,
            Step::Wait { .. } => self.tries.attempts > 0,
        };
        self.counting_since = started.then_some(now);
    }

    fn check_request(&mut self, token: bool, now: Moment) {
        assert!(self.renews || !token, "a token is fetched in addition to the given one");
        assert!(now >= self.no_poll_before, "polls before the interval has passed");
        assert_eq!(self.tries.final_status, None, "retries after a final response");
        if token {
            return;
        }
        assert!(self.tries.attempts < self.max_attempts, "too many attempts");
        self.tries.attempts += 1;
        if let Work::Creation(_) = self.work {
            assert!(!self.tries.may_have_arrived, "may create a second session");
        }
    }

    /// Checks the pause between two polls, whether it starts now or has already started.
    fn check_pause(&mut self, now: Moment, until: Moment) {
        let interval = self.job.task.interval().expect("a pause of a `WaitForDecision`");
        if self.no_poll_before <= now {
            self.no_poll_before = now.after(interval);
        }
        self.tries = Tries::default();
        assert_eq!(until, self.no_poll_before.min(self.deadline), "polls too late or too early");
    }

    fn check_end(&self, result: &Result<Output, CallError>, now: Moment) {
        match result {
            Ok(Output::Session) => {}
            Ok(Output::Decision(decision)) => {
                assert_eq!(
                    decision.session_id().as_str(),
                    self.session,
                    "the decision of another session"
                );
                assert!(decision.status().is_final(), "returns a pending decision");
            }
            Err(error) => self.check_failure(error, now),
        }
        assert!(
            result.is_err() || self.tries.final_status.is_none(),
            "a final response was ignored"
        );
    }

    fn check_failure(&self, error: &CallError, now: Moment) {
        if let Some(status) = self.tries.final_status {
            let reported = error.response().map(|response| response.status());
            assert_eq!((reported, error.gave_up()), (Some(status), GaveUp::NotRetryable));
        }
        if let Work::Wait(_) = self.work {
            // The refusal of another call shows only in the text.
            let asked = error.response().and_then(|response| response.retry_after());
            let refused = asked.is_some() || format!("{error:?}").contains("refused: true");
            let retry_after = error.retry_after().filter(|_| refused);
            let outlasted = retry_after.is_some_and(|wait| now.after(wait) >= self.deadline);
            let in_time = now == self.deadline || outlasted || !error.is_retryable();
            assert!(in_time, "ends too early: {error}");
        } else {
            assert!(!matches!(error.kind(), CallErrorKind::Undecided(_)), "{error}");
            assert_eq!(error.attempts(), self.sent, "{error}");
        }
    }

    /// Passes the reply to the request in flight to the engine.
    pub(crate) fn receive(&mut self, reply: &Reply, engine: &mut Engine, now: Moment) {
        // A call that was dropped without `cancel` receives nothing.
        let Some(flight) = self.in_flight.take_if(|_| !self.dropped) else { return };
        if !flight.token {
            self.count(reply, now);
        }
        self.work.as_receiver().receive(engine, now, flight.ticket, reply);
    }

    fn count(&mut self, reply: &Reply, now: Moment) {
        if let Some(interval) = self.job.task.interval().filter(|_| reply.is_undecided()) {
            self.no_poll_before = now.after(interval);
        }
        let Some(status) = reply.status() else { return };
        let tries = &mut self.tries;
        match status.as_u16() {
            401 => {
                tries.unauthorized += 1;
                tries.attempts = 0;
                if !self.renews || tries.unauthorized > 1 {
                    tries.final_status = Some(status);
                }
            }
            429 => tries.attempts -= 1,
            408 | 500.. => {}
            400.. => tries.final_status = Some(status),
            _ => {}
        }
    }

    /// Drops the call, with `cancel` unless `silently`.
    pub(crate) fn drop_call(&mut self, silently: bool, engine: &mut Engine, now: Moment) {
        self.dropped = true;
        if !silently {
            self.in_flight = None;
            self.work.as_receiver().give_up(engine, now);
        }
    }
}
