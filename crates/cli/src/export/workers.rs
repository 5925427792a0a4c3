//! Retrieves the decisions of many sessions at once, each on a thread of its own.
//!
//! The threads end with their requests, or with the process: nobody waits for one whose outcome is
//! not wanted any more.

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
    Call, Endpoint, Engine, Moment, Operation, SessionId, Step, Ticket, TransportError, WaitReason,
    verification,
};
use didit_blocking_adapter::{Client, Error};
use http::Response;

use crate::connection::{Api, Connection};
use crate::failure::Failure;
use crate::logging::Exchanges;
use crate::observed::Observed;

/// The longest time for which a waiting call does not notice that it is to stop.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The outcome of a session.
pub(crate) struct Outcome {
    /// The number of the session in the order of the starts, from 0.
    pub(crate) place: u64,
    pub(crate) session_id: SessionId,
    /// `None` if it was given up.
    pub(crate) result: Option<Result<Answer, Error>>,
}

/// A decision of either API.
pub(crate) enum Answer {
    Transfer(Box<Decision>),
    Verification(Box<verification::Decision>),
}

/// The state that the calls under way share with those who wait for them.
#[derive(Default)]
pub(crate) struct Activity {
    stopping: AtomicBool,
    /// By place, what each call waits for, and until when, if it does.
    waits: Mutex<BTreeMap<u64, Option<(Instant, WaitReason)>>>,
}

impl Activity {
    /// Gives up the calls that wait; those in flight come to their end, and are not retried.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Returns what all calls wait for, and how long until the first of them goes on.
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
    client: Client,
    api: Api,
    activity: Arc<Activity>,
    /// Set if the time in the rate limit's queue does not count against the timeout.
    queued: bool,
    started: u64,
    running: usize,
    done: Sender<thread::Result<Outcome>>,
    outcomes: Receiver<thread::Result<Outcome>>,
}

impl Workers {
    pub(crate) fn new(connection: &Connection, activity: &Arc<Activity>, queued: bool) -> Self {
        let (done, outcomes) = mpsc::channel();
        let (client, api, activity) =
            (connection.client.clone(), connection.api, Arc::clone(activity));
        Self { client, api, activity, queued, started: 0, running: 0, done, outcomes }
    }

    /// Returns how many sessions are under way.
    pub(crate) fn running(&self) -> usize {
        self.running
    }

    /// Starts to retrieve a decision.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub(crate) fn start(&mut self, session_id: &SessionId) -> io::Result<()> {
        let (place, done) = (self.started, self.done.clone());
        let task = Task {
            client: self.client.clone(),
            api: self.api,
            activity: Arc::clone(&self.activity),
            place,
            queued: self.queued,
            session_id: session_id.clone(),
        };
        let work = move || {
            let result = panic::catch_unwind(AssertUnwindSafe(|| retrieve(&task)));
            let outcome = result.map(|result| {
                let Task { session_id, .. } = task;
                Outcome { place, session_id, result }
            });
            // Nobody waits for the outcome once the workers are dropped.
            let _ = done.send(outcome);
        };
        thread::Builder::new().name(format!("session {place}")).spawn(work)?;
        self.started += 1;
        self.running += 1;
        Ok(())
    }

    /// Returns the next outcome, in the order in which they come; `None` if none comes in time.
    pub(crate) fn next_within(&mut self, patience: Duration) -> Option<Outcome> {
        if self.running == 0 {
            return None;
        }
        let outcome = self.outcomes.recv_timeout(patience).ok()?;
        self.running -= 1;
        Some(outcome.unwrap_or_else(|payload| panic::resume_unwind(payload)))
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.activity.stop();
    }
}

/// Retrieves several at once, and hands the outcomes on in the order of the ids.
pub(crate) fn in_order(
    workers: &mut Workers,
    session_ids: &[SessionId],
    mut hand_on: impl FnMut(Outcome) -> Result<(), Failure>,
) -> Result<(), Failure> {
    // A few are over sooner than further connections are made.
    let concurrency = (session_ids.len() / 8).clamp(1, 16);
    let mut pending = session_ids.iter().peekable();
    let mut early = BTreeMap::new();
    let mut next = 0;
    loop {
        // Those that wait for their turn count as well, or they would pile up.
        while workers.running() + early.len() < concurrency
            && let Some(session_id) = pending.peek()
        {
            match workers.start(session_id) {
                Ok(()) => drop(pending.next()),
                Err(error) if workers.running() == 0 => {
                    return Err(Failure::other(format!("could not start a thread: {error}")));
                }
                Err(_) => break,
            }
        }
        if workers.running() == 0 {
            return Ok(());
        }
        if let Some(outcome) = workers.next_within(Duration::MAX) {
            early.insert(outcome.place, outcome);
        }
        while let Some(outcome) = early.remove(&next) {
            next += 1;
            hand_on(outcome)?;
        }
    }
}

/// Retrieves a decision; `None` if it was given up.
fn retrieve(task: &Task) -> Option<Result<Answer, Error>> {
    let id = &task.session_id;
    match task.api {
        Api::DataTransfer => {
            let result = task.run(RetrieveDecision::new(id.clone()))?;
            Some(result.map(|decision| Answer::Transfer(Box::new(decision))))
        }
        Api::Verification => {
            // Whoever asks for it has checked that it is one.
            let id = id.as_str().parse().ok()?;
            let result = task.run(verification::RetrieveDecision::new(id))?;
            Some(result.map(|decision| Answer::Verification(Box::new(decision))))
        }
    }
}

/// One session's work, on its thread.
struct Task {
    client: Client,
    api: Api,
    activity: Arc<Activity>,
    place: u64,
    queued: bool,
    session_id: SessionId,
}

impl Task {
    fn run<E: Endpoint>(&self, endpoint: E) -> Option<Result<E::Output, Error>> {
        let call = Call::new(endpoint);
        let call = if self.queued { call.deadline_from_first_send() } else { call };
        let call = Watched::new(call, self.place, &self.activity);
        self.client.run(Observed::new(call, Exchanges::default())).transpose()
    }
}

/// The instant that much later, or in a day: it is for people.
fn later(wait: Duration) -> Instant {
    Instant::now() + wait.min(Duration::from_secs(24 * 60 * 60))
}

/// A call that tells what it waits for, and comes to `None` when it is given up.
struct Watched<'a, E: Endpoint> {
    call: Call<E>,
    place: u64,
    activity: &'a Activity,
}

impl<'a, E: Endpoint> Watched<'a, E> {
    fn new(call: Call<E>, place: u64, activity: &'a Activity) -> Self {
        activity.waits().insert(place, None);
        Self { call, place, activity }
    }
}

impl<E: Endpoint> Drop for Watched<'_, E> {
    fn drop(&mut self) {
        self.activity.waits().remove(&self.place);
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
        self.activity.waits().insert(self.place, wait);
        match step {
            Step::Done(result) => Step::Done(result.map(Some)),
            _ if self.activity.is_stopping() => {
                self.call.cancel(engine, now);
                Step::Done(Ok(None))
            }
            Step::Wait { until, reason } => {
                Step::Wait { until: until.min(now.after(LOOK_AGAIN)), reason }
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
