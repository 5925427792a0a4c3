//! One caller, and the promises that are kept to it at each step.

use std::time::Duration;

use didit_core::{
    CallError, CallErrorKind, Engine, GaveUp, Moment, Policy, Step, Ticket, WaitForDecision,
    WaitReason,
};
use http::{Request, StatusCode};

use super::work::{Ask, Given, Job, Reply, Work};

pub(crate) struct Caller {
    pub(crate) job: Job,
    session: String,
    work: Work,
    /// True if a token that is refused can be renewed.
    renews: bool,
    most_attempts: u32,
    deadline: Moment,
    /// The time of a queued call, and how much of it is used.
    queued: Option<(Duration, Duration)>,
    /// Since when the call does something other than wait in the queue.
    counting_since: Option<Moment>,
    pub(crate) done: Option<Result<Given, CallError>>,
    pub(crate) dropped: bool,
    pub(crate) in_flight: Option<Flight>,
    sent: u32,
    pub(crate) tries: Tries,
    /// A wait does not look before then.
    quiet_until: Moment,
}

/// A request on its way.
pub(crate) struct Flight {
    pub(crate) id: u32,
    ticket: Ticket,
    pub(crate) token: bool,
    pub(crate) lost_at: Moment,
}

/// The outcomes of a call's own requests, or of those of one poll of a wait.
#[derive(Default)]
pub(crate) struct Tries {
    attempts: u32,
    unauthorized: u32,
    /// True if the service may have carried one out.
    pub(crate) may_have_arrived: bool,
    /// The failed status that the same request would get again.
    over_by: Option<StatusCode>,
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
        begins: Moment,
        queued: bool,
        policy: &Policy,
        renews: bool,
    ) -> Self {
        let timeout = job.timeout.unwrap_or(match job.ask {
            Ask::Wait { .. } => WaitForDecision::DEFAULT_TIMEOUT,
            _ => policy.call_timeout,
        });
        Self {
            work: Work::new(&job, &session, queued),
            job,
            session,
            renews,
            most_attempts: policy.max_attempts,
            deadline: if queued { FAR } else { begins.after(timeout) },
            queued: queued.then_some((timeout, Duration::ZERO)),
            counting_since: None,
            done: None,
            dropped: false,
            in_flight: None,
            sent: 0,
            tries: Tries::default(),
            quiet_until: Moment::default(),
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.dropped || self.done.is_some()
    }

    pub(crate) fn has_sent(&self) -> bool {
        self.sent > 0
    }

    pub(crate) fn poll(&mut self, engine: &mut Engine, now: Moment) -> Next {
        if self.is_over() || self.in_flight.is_some() {
            return Next::Nothing;
        }
        assert!(now <= self.deadline, "it goes on after its deadline: {:?}", self.work);
        let step = self.work.poll(engine, now);
        self.check_queued(&step, now);
        match step {
            Step::Done(result) => {
                self.check_end(&result, now);
                self.done = Some(result);
                let again = self.work.poll(engine, now);
                assert!(matches!(again, Step::Done(Err(_))), "it goes on after its end");
                Next::Nothing
            }
            Step::Wait { until, reason } => {
                assert!(until > now, "it waits for the past");
                assert!(until <= self.deadline, "it waits beyond its deadline");
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

    /// All time of a queued call counts from its first request on, except in the queue.
    fn check_queued(&mut self, step: &Step<Given>, now: Moment) {
        let Some((timeout, used)) = &mut self.queued else { return };
        if let Some(since) = self.counting_since.take() {
            *used += now.since(since);
            assert!(*used <= *timeout, "a queued call goes on after its time: {used:?}");
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
        assert!(self.renews || !token, "a token is fetched beside the one that is held");
        assert!(now >= self.quiet_until, "it looks before its interval is over");
        assert_eq!(self.tries.over_by, None, "it goes on after a final answer");
        if token {
            return;
        }
        assert!(self.tries.attempts < self.most_attempts, "it tries too often");
        self.tries.attempts += 1;
        if let Work::Creation(_) = self.work {
            assert!(!self.tries.may_have_arrived, "it creates a second session");
        }
    }

    /// A wait says that it pauses: either it does so already, or a look is just over.
    fn check_pause(&mut self, now: Moment, until: Moment) {
        let interval = self.job.ask.interval().expect("only a wait pauses");
        if self.quiet_until <= now {
            self.quiet_until = now.after(interval);
        }
        self.tries = Tries::default();
        assert_eq!(until, self.quiet_until.min(self.deadline), "it looks too late, or too early");
    }

    fn check_end(&self, result: &Result<Given, CallError>, now: Moment) {
        match result {
            Ok(Given::Session) => {}
            Ok(Given::Decision(decision)) => {
                assert_eq!(
                    decision.session_id().as_str(),
                    self.session,
                    "another session's decision"
                );
                assert!(decision.status().is_final(), "it gives what is undecided");
            }
            Err(error) => self.check_failure(error, now),
        }
        assert!(result.is_err() || self.tries.over_by.is_none(), "a final answer was overheard");
    }

    fn check_failure(&self, error: &CallError, now: Moment) {
        if let Some(status) = self.tries.over_by {
            let told = error.response().map(|answer| answer.status());
            assert_eq!((told, error.gave_up()), (Some(status), GaveUp::NotRetryable));
        }
        if let Work::Wait(_) = self.work {
            assert!(now == self.deadline || !error.is_retryable(), "it ends too early: {error}");
        } else {
            assert!(!matches!(error.kind(), CallErrorKind::Undecided(_)), "{error}");
            assert_eq!(error.attempts(), self.sent, "{error}");
        }
    }

    /// Hands the reply to the request that is on its way to the engine.
    pub(crate) fn receive(&mut self, reply: &Reply, engine: &mut Engine, now: Moment) {
        // Whoever has gone without a word hears of nothing any more.
        let Some(flight) = self.in_flight.take_if(|_| !self.dropped) else { return };
        if !flight.token {
            self.count(reply, now);
        }
        self.work.as_receiver().receive(engine, now, flight.ticket, reply);
    }

    fn count(&mut self, reply: &Reply, now: Moment) {
        if let Some(interval) = self.job.ask.interval().filter(|_| reply.is_undecided()) {
            self.quiet_until = now.after(interval);
        }
        let Some(status) = reply.status() else { return };
        let tries = &mut self.tries;
        match status.as_u16() {
            401 => {
                tries.unauthorized += 1;
                tries.attempts = 0;
                if !self.renews || tries.unauthorized > 1 {
                    tries.over_by = Some(status);
                }
            }
            429 => tries.attempts -= 1,
            408 | 500.. => {}
            400.. => tries.over_by = Some(status),
            _ => {}
        }
    }

    /// Drops the call, without a word or with one.
    pub(crate) fn drop_call(&mut self, silently: bool, engine: &mut Engine, now: Moment) {
        self.dropped = true;
        if !silently {
            self.in_flight = None;
            self.work.as_receiver().give_up(engine, now);
        }
    }
}
