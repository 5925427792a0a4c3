//! Retrieves the decisions of many sessions at once, each on its own thread.
//!
//! A thread ends with its request or with the process: threads whose outcome is no longer needed
//! are not awaited.

use std::collections::BTreeMap;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use didit_blocking_adapter::core::data_transfer::{Decision, RetrieveDecision};
use didit_blocking_adapter::core::{
    Call, Endpoint, Engine, Moment, Operation, RawJson, SessionId, Step, Ticket, TransportError,
    WaitReason, verification,
};
use didit_blocking_adapter::{Client, Error};
use http::Response;

use crate::connection::{Api, Connection};
use crate::logging::Exchanges;
use crate::observed::Observed;
use crate::table::Table;
use crate::{decision_table, verification_table};

/// The maximum time until a waiting call notices that it is to stop.
const STOP_CHECK_INTERVAL: Duration = Duration::from_millis(200);

pub(crate) struct Outcome {
    /// The index of the session in starting order, from 0.
    pub(crate) index: u64,
    pub(crate) session_id: SessionId,
    /// `None` if it was canceled.
    pub(crate) result: Option<Result<AnyDecision, Error>>,
}

/// A decision of either API.
pub(crate) enum AnyDecision {
    Transfer(Box<Decision>),
    Verification(Box<verification::Decision>),
}

impl AnyDecision {
    /// Returns the service's object.
    pub(crate) fn json(&self) -> &RawJson {
        match self {
            Self::Transfer(decision) => decision.json(),
            Self::Verification(decision) => decision.json(),
        }
    }

    /// Returns true if the decision names its session.
    pub(crate) fn has_session_id(&self) -> bool {
        match self {
            Self::Transfer(_) => true,
            Self::Verification(decision) => decision.session_id().is_some(),
        }
    }

    pub(crate) fn table(&self) -> Table {
        match self {
            Self::Transfer(decision) => decision_table::of(decision),
            Self::Verification(decision) => verification_table::of(decision),
        }
    }
}

/// The state that the running calls share with the main thread.
#[derive(Default)]
pub(crate) struct Activity {
    stopping: AtomicBool,
    /// The end and reason of each call's wait by index; `None` for a call that is not waiting.
    waits: Mutex<BTreeMap<u64, Option<(Instant, WaitReason)>>>,
}

impl Activity {
    /// Cancels the waiting calls; requests in flight are completed, but not retried.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Returns the reason and remaining time of the shortest wait, if all calls are waiting.
    pub(crate) fn waiting(&self) -> Option<(WaitReason, Duration)> {
        let waits = self.waits();
        let waits = waits.values().copied().collect::<Option<Vec<_>>>()?;
        let (until, reason) = waits.into_iter().min_by_key(|(until, _)| *until)?;
        Some((reason, until.saturating_duration_since(Instant::now())))
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    fn waits(&self) -> MutexGuard<'_, BTreeMap<u64, Option<(Instant, WaitReason)>>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Workers {
    retriever: Retriever,
    started: u64,
    running: usize,
    done: Sender<thread::Result<Outcome>>,
    outcomes: Receiver<thread::Result<Outcome>>,
}

impl Workers {
    pub(crate) fn new(connection: &Connection, activity: &Arc<Activity>, queued: bool) -> Self {
        let (done, outcomes) = mpsc::channel();
        let (client, api) = (connection.client.clone(), connection.api);
        let retriever = Retriever { client, api, activity: Arc::clone(activity), queued };
        Self { retriever, started: 0, running: 0, done, outcomes }
    }

    /// Returns the number of sessions being retrieved.
    pub(crate) fn running(&self) -> usize {
        self.running
    }

    /// Starts retrieving a decision.
    ///
    /// # Errors
    /// The system cannot create another thread.
    pub(crate) fn start(&mut self, session_id: &SessionId) -> io::Result<()> {
        let (index, done) = (self.started, self.done.clone());
        let (retriever, session_id) = (self.retriever.clone(), session_id.clone());
        let work = move || {
            let retrieve = || retriever.retrieve(&session_id, index);
            let result = panic::catch_unwind(AssertUnwindSafe(retrieve));
            // Fails if the workers are dropped: then the outcome is not needed.
            let _ = done.send(result.map(|result| Outcome { index, session_id, result }));
        };
        thread::Builder::new().name(format!("session {index}")).spawn(work)?;
        self.started += 1;
        self.running += 1;
        Ok(())
    }

    /// Returns the next outcome in order of arrival; `None` if none arrives within `timeout`.
    pub(crate) fn next_within(&mut self, timeout: Duration) -> Option<Outcome> {
        if self.running == 0 {
            return None;
        }
        let outcome = self.outcomes.recv_timeout(timeout).ok()?;
        self.running -= 1;
        Some(outcome.unwrap_or_else(|payload| panic::resume_unwind(payload)))
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.retriever.activity.stop();
    }
}

/// The settings of the calls, of which each thread gets a copy.
#[derive(Clone)]
struct Retriever {
    client: Client,
    api: Api,
    activity: Arc<Activity>,
    /// Set if the time in the rate limit's queue does not count against the timeout.
    queued: bool,
}

impl Retriever {
    /// Retrieves a decision; `None` if it was canceled.
    fn retrieve(&self, id: &SessionId, index: u64) -> Option<Result<AnyDecision, Error>> {
        match self.api {
            Api::DataTransfer => {
                let result = self.run(RetrieveDecision::new(id.clone()), index)?;
                Some(result.map(|decision| AnyDecision::Transfer(Box::new(decision))))
            }
            Api::Verification => {
                // The callers have checked that it is valid.
                let id = id.as_str().parse().ok()?;
                let result = self.run(verification::RetrieveDecision::new(id), index)?;
                Some(result.map(|decision| AnyDecision::Verification(Box::new(decision))))
            }
        }
    }

    fn run<E: Endpoint>(&self, endpoint: E, index: u64) -> Option<Result<E::Output, Error>> {
        let call = Call::new(endpoint);
        let call = if self.queued { call.deadline_from_first_send() } else { call };
        let operation = Watched::new(call, index, &self.activity);
        self.client.run(Observed { operation, observer: Exchanges::default() }).transpose()
    }
}

/// Returns the instant after a wait, at most a day from now: it is only displayed.
fn later(wait: Duration) -> Instant {
    Instant::now() + wait.min(Duration::from_secs(24 * 60 * 60))
}

/// A call that reports its waits, and completes with `None` when it is canceled.
struct Watched<'a, E: Endpoint> {
    call: Call<E>,
    index: u64,
    activity: &'a Activity,
}

impl<'a, E: Endpoint> Watched<'a, E> {
    fn new(call: Call<E>, index: u64, activity: &'a Activity) -> Self {
        activity.waits().insert(index, None);
        Self { call, index, activity }
    }
}

impl<E: Endpoint> Drop for Watched<'_, E> {
    fn drop(&mut self) {
        self.activity.waits().remove(&self.index);
    }
}

impl<E: Endpoint> Operation for Watched<'_, E> {
    type Output = Option<E::Output>;

    fn poll(&mut self, engine: &mut Engine, now: Moment) -> Step<Option<E::Output>> {
        let step = self.call.poll(engine, now);
        let wait = match &step {
            Step::Wait { until, reason } => Some((later(until.since(now)), *reason)),
            _ => None,
        };
        self.activity.waits().insert(self.index, wait);
        match step {
            Step::Done(result) => Step::Done(result.map(Some)),
            _ if self.activity.is_stopping() => {
                self.call.cancel(engine, now);
                Step::Done(Ok(None))
            }
            Step::Wait { until, reason } => {
                Step::Wait { until: until.min(now.after(STOP_CHECK_INTERVAL)), reason }
            }
            Step::Send { request, ticket, timeout } => Step::Send { request, ticket, timeout },
        }
    }

    fn handle_response<B: AsRef<[u8]>>(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        response: &Response<B>,
    ) {
        self.call.handle_response(engine, now, ticket, response);
    }

    fn handle_failure(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        error: TransportError,
    ) {
        self.call.handle_failure(engine, now, ticket, error);
    }

    fn cancel(&mut self, engine: &mut Engine, now: Moment) {
        self.call.cancel(engine, now);
    }
}
