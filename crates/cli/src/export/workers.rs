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
    Call, Engine, Moment, Operation, SessionId, Step, Ticket, TransportError, WaitReason,
};
use didit_blocking_adapter::{Client, Error};
use http::Response;

use crate::logging::Logged;

/// How long a waiting call may not notice that it is to stop.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What became of a session.
pub(crate) struct Outcome {
    /// The number of the session in the order of the starts, from 0.
    pub(crate) place: u64,
    pub(crate) session_id: SessionId,
    /// `None` if it was given up.
    pub(crate) result: Option<Result<Decision, Error>>,
}

/// What the calls under way share with those who wait for them.
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
    activity: Arc<Activity>,
    /// Whether the time in the rate limit's queue does not count against the timeout.
    queued: bool,
    started: u64,
    running: usize,
    done: Sender<thread::Result<Outcome>>,
    outcomes: Receiver<thread::Result<Outcome>>,
}

impl Workers {
    pub(crate) fn new(client: &Client, activity: &Arc<Activity>, queued: bool) -> Self {
        let (done, outcomes) = mpsc::channel();
        let (client, activity) = (client.clone(), Arc::clone(activity));
        Self { client, activity, queued, started: 0, running: 0, done, outcomes }
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
        let (client, activity) = (self.client.clone(), Arc::clone(&self.activity));
        let done = self.done.clone();
        let (place, queued, session_id) = (self.started, self.queued, session_id.clone());
        let work = move || {
            let call = Call::new(RetrieveDecision::new(session_id.clone()));
            let call = if queued { call.deadline_from_first_send() } else { call };
            let result = AssertUnwindSafe(|| retrieve(&client, &activity, place, session_id, call));
            // Nobody waits for the outcome once the workers are dropped.
            let _ = done.send(panic::catch_unwind(result));
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

fn retrieve(
    client: &Client,
    activity: &Activity,
    place: u64,
    session_id: SessionId,
    call: Call<RetrieveDecision>,
) -> Outcome {
    let result = client.run(Logged::new(Watched::new(call, place, activity))).transpose();
    Outcome { place, session_id, result }
}

/// The instant that much later, or in a day: it is for people.
fn later(wait: Duration) -> Instant {
    Instant::now() + wait.min(Duration::from_secs(24 * 60 * 60))
}

/// A call that tells what it waits for, and comes to `None` when it is given up.
struct Watched<'a> {
    call: Call<RetrieveDecision>,
    place: u64,
    activity: &'a Activity,
}

impl<'a> Watched<'a> {
    fn new(call: Call<RetrieveDecision>, place: u64, activity: &'a Activity) -> Self {
        activity.waits().insert(place, None);
        Self { call, place, activity }
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.activity.waits().remove(&self.place);
    }
}

impl Operation for Watched<'_> {
    type Output = Option<Decision>;

    fn poll(&mut self, engine: &mut Engine, now: Moment) -> Step<Option<Decision>> {
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
