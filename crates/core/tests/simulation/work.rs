//! The requests of callers, and the replies.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use didit_core::data_transfer::{CreateSession, Decision, RetrieveDecision};
use didit_core::{
    Call, Engine, Moment, Operation, Step, Ticket, TransportError, TransportErrorKind,
    WaitForDecision,
};
use http::{HeaderMap, Response, StatusCode};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Task {
    Decision,
    Creation,
    /// A wait for a decision, which is made `decided_after` the start.
    Wait {
        interval: Duration,
        decided_after: Duration,
    },
}

impl Task {
    /// Returns the pause between two polls of a wait.
    pub(crate) fn interval(self) -> Option<Duration> {
        match self {
            Self::Wait { interval, .. } => Some(interval),
            _ => None,
        }
    }
}

/// The consecutive calls of a caller.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) task: Task,
    pub(crate) timeout: Option<Duration>,
    /// The number of calls left after the first, for this caller or for all that share the counter.
    pub(crate) remaining: Rc<Cell<usize>>,
    /// The maximum pause between the end of a call and the start of the next.
    pub(crate) think: Duration,
    /// The client that makes the calls.
    pub(crate) client: usize,
}

impl Job {
    pub(crate) fn once(task: Task) -> Self {
        Self::many(task, 0, Duration::ZERO)
    }

    pub(crate) fn many(task: Task, remaining: usize, think: Duration) -> Self {
        Self { task, timeout: None, remaining: Rc::new(Cell::new(remaining)), think, client: 0 }
    }

    /// Takes the next of the remaining calls.
    pub(crate) fn next(&self) -> Option<Self> {
        self.remaining.set(self.remaining.get().checked_sub(1)?);
        Some(self.clone())
    }
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant)]
pub(crate) enum Work {
    Decision(Call<RetrieveDecision>),
    Creation(Call<CreateSession>),
    Wait(WaitForDecision),
}

impl Work {
    pub(crate) fn new(job: &Job, session: &str, queued: bool) -> Self {
        let id = session.parse().unwrap();
        match job.task {
            Task::Decision => {
                let call = Call::new(RetrieveDecision::new(id));
                let call = job.timeout.into_iter().fold(call, Call::with_timeout);
                Self::Decision(if queued { call.deadline_from_first_send() } else { call })
            }
            Task::Creation => {
                let call = Call::new(CreateSession::new("names".parse().unwrap()));
                Self::Creation(job.timeout.into_iter().fold(call, Call::with_timeout))
            }
            Task::Wait { interval, .. } => {
                let wait = WaitForDecision::new(id).with_interval(interval);
                Self::Wait(job.timeout.into_iter().fold(wait, WaitForDecision::with_timeout))
            }
        }
    }

    pub(crate) fn poll(&mut self, engine: &mut Engine, now: Moment) -> Step<Output> {
        match self {
            Self::Decision(call) => map(call.poll(engine, now), Output::Decision),
            Self::Creation(call) => map(call.poll(engine, now), |_| Output::Session),
            Self::Wait(wait) => map(wait.poll(engine, now), Output::Decision),
        }
    }

    pub(crate) fn as_receiver(&mut self) -> &mut dyn Receiver {
        match self {
            Self::Decision(call) => call,
            Self::Creation(call) => call,
            Self::Wait(wait) => wait,
        }
    }
}

/// The outcome of a call.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)]
pub(crate) enum Output {
    Decision(Decision),
    Session,
}

fn map<T, U>(step: Step<T>, map: impl FnOnce(T) -> U) -> Step<U> {
    match step {
        Step::Send { request, ticket, timeout } => Step::Send { request, ticket, timeout },
        Step::Wait { until, reason } => Step::Wait { until, reason },
        Step::Done(result) => Step::Done(result.map(map)),
    }
}

/// The part of an operation that does not depend on its output.
pub(crate) trait Receiver {
    fn receive(&mut self, engine: &mut Engine, now: Moment, ticket: Ticket, reply: &Reply);
    fn give_up(&mut self, engine: &mut Engine, now: Moment);
}

impl<O: Operation> Receiver for O {
    fn receive(&mut self, engine: &mut Engine, now: Moment, ticket: Ticket, reply: &Reply) {
        let failure = match reply {
            Reply::Whole(answer) => {
                let response = answer.head().map(|()| &*answer.body);
                return self.handle_response(engine, now, ticket, &response);
            }
            Reply::CutOff(kind, answer) => {
                TransportError::new(*kind).with_partial(answer.cut_off())
            }
            Reply::Failed(kind) => TransportError::new(*kind),
        };
        self.handle_failure(engine, now, ticket, failure);
    }

    fn give_up(&mut self, engine: &mut Engine, now: Moment) {
        self.cancel(engine, now);
    }
}

/// The reply to a request.
pub(crate) enum Reply {
    Whole(Answer),
    /// The head of this response and half of its body.
    CutOff(TransportErrorKind, Answer),
    Failed(TransportErrorKind),
}

impl Reply {
    /// Returns the equivalent without a cut-off body: a response if the status is an error, a
    /// transport error otherwise.
    pub(crate) fn normalized(self) -> Self {
        match self {
            Self::CutOff(_, answer) if !answer.status.is_success() => {
                Self::Whole(Answer { body: Vec::new(), ..answer })
            }
            Self::CutOff(TransportErrorKind::Timeout, _) => {
                Self::Failed(TransportErrorKind::Timeout)
            }
            Self::CutOff(..) => Self::Failed(TransportErrorKind::ConnectionLost),
            other => other,
        }
    }

    /// Returns the status that the engine must respect.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Whole(answer) => Some(answer.status),
            Self::CutOff(_, answer) => Some(answer.status).filter(|status| !status.is_success()),
            Self::Failed(_) => None,
        }
    }

    pub(crate) fn is_undecided(&self) -> bool {
        matches!(self, Self::Whole(Answer { undecided: true, .. }))
    }
}

/// A response of the service.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// True for a decision that is still pending.
    pub(crate) undecided: bool,
}

impl Answer {
    fn head(&self) -> Response<()> {
        let mut head = Response::new(());
        *head.status_mut() = self.status;
        *head.headers_mut() = self.headers.clone();
        head
    }

    fn cut_off(&self) -> Response<Vec<u8>> {
        self.head().map(|()| self.body[..self.body.len() / 2].to_vec())
    }
}
