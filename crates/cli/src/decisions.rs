//! Retrieves several decisions in order, or waits for one, for the commands of both APIs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use didit_blocking_adapter::core::{DecisionEndpoint, SessionId, WaitForDecision};

use crate::connection::{Api, Connection, Requirements};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::live_line;
use crate::observed::Observed;
use crate::output::{self, Format};
use crate::workers::{Outcome, Workers};

/// Prints the decisions of sessions in the given order. A failed session does not stop the others;
/// the first failure determines the exit code.
pub(crate) fn print(
    session_ids: &[SessionId],
    connection: &Connection,
    format: Format,
    context: &Context,
) -> Result<Exit, Failure> {
    let style = context.style();
    let mut workers = Workers::new(connection, &Arc::default(), session_ids.len() > 1);
    let (mut printed, mut first_failure) = (false, None);
    in_order(&mut workers, session_ids, |outcome| match &outcome.result {
        None => Ok(()),
        Some(Ok(decision)) => {
            if std::mem::replace(&mut printed, true) && format == Format::Table {
                output::print("\n")?;
            }
            output::print_as(format, decision.json(), || decision.table().shown(style))
        }
        Some(Err(error)) => {
            let failure = Failure::of_call(Some(outcome.session_id.as_str()), error);
            first_failure.get_or_insert(failure.report());
            Ok(())
        }
    })?;
    Ok(first_failure.unwrap_or(Exit::Done))
}

/// The maximum number of decisions that are retrieved at once.
const MAX_CONCURRENCY: usize = 16;

/// The size of the outcomes that wait for an earlier one, in bytes, from which on no more decisions
/// are requested.
const MAX_EARLY_BYTES: usize = 64 * 1024 * 1024;

/// The outcomes that arrived before that of an earlier id.
#[derive(Default)]
struct Early {
    outcomes: BTreeMap<u64, Outcome>,
    bytes: usize,
}

impl Early {
    fn insert(&mut self, outcome: Outcome) {
        self.bytes += size(&outcome);
        self.outcomes.insert(outcome.index, outcome);
    }

    fn remove(&mut self, index: u64) -> Option<Outcome> {
        let outcome = self.outcomes.remove(&index)?;
        self.bytes -= size(&outcome);
        Some(outcome)
    }
}

/// Returns the approximate size of an outcome, in bytes.
fn size(outcome: &Outcome) -> usize {
    let decision = outcome.result.as_ref().and_then(|result| result.as_ref().ok());
    size_of::<Outcome>() + decision.map_or(0, |decision| decision.json().as_str().len())
}

/// Retrieves several decisions at once, and passes the outcomes to `handle` in the order of the
/// ids.
fn in_order(
    workers: &mut Workers,
    session_ids: &[SessionId],
    mut handle: impl FnMut(Outcome) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut pending = session_ids.iter().peekable();
    let mut early = Early::default();
    let mut next = 0;
    loop {
        // Early outcomes do not stop the loop: the call that they wait for is running.
        while workers.running() < MAX_CONCURRENCY
            && early.bytes < MAX_EARLY_BYTES
            && let Some(session_id) = pending.peek()
        {
            match workers.start(session_id) {
                Ok(()) => drop(pending.next()),
                Err(error) if workers.running() == 0 => {
                    return Err(Failure::other(format!(
                        "could not start a thread: {error}; raise the limit of processes, or try \
                         again later"
                    )));
                }
                Err(_) => break,
            }
        }
        if workers.running() == 0 {
            return Ok(());
        }
        if let Some(outcome) = workers.next_within(Duration::MAX) {
            early.insert(outcome);
        }
        while let Some(outcome) = early.remove(next) {
            next += 1;
            handle(outcome)?;
        }
    }
}

/// Waits for the final decision of a session while showing its current status.
pub(crate) fn wait<E: DecisionEndpoint>(
    api: Api,
    session_id: &str,
    endpoint: E,
    poll: Option<Duration>,
    context: &Context,
) -> Result<E::Output, Failure> {
    let timeout = WaitForDecision::DEFAULT_TIMEOUT;
    let connection = Requirements { timeout, ..Requirements::new(api) }.connect(context)?;
    let timeout = connection.timeout;
    let operation = WaitForDecision::for_endpoint(endpoint)
        .with_interval(poll.unwrap_or(WaitForDecision::DEFAULT_INTERVAL))
        .with_timeout(timeout);
    live_line::during(context, timeout, |observer| connection.run(Observed { operation, observer }))
        .map_err(|error| Failure::of_wait(session_id, &error, timeout))
}
