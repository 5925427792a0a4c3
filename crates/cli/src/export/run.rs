//! The work itself: asks for the pending ids, and settles each in one of the files.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use didit_blocking_adapter::Error;
use didit_blocking_adapter::core::{CallErrorKind, SessionId, TransportErrorKind};

use super::ExportJob;
use super::files::Files;
use super::input::Input;
use super::ledger::{Ledger, PendingIds};
use super::progress::{Numbers, Progress};
use super::stop::{self, RESUME_HINT};
use super::workers::{Activity, Outcome, Workers};
use crate::connection::Connection;
use crate::duration::clock;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::terminal;

/// How long nothing may happen before the progress is drawn and a signal is noticed.
const TICK: Duration = Duration::from_millis(100);

/// So many failures in a row that are the service's, the network's or the credentials' stop the
/// export: they concern more than single sessions.
const MAX_IN_A_ROW: u64 = 1000;

/// What this run has done.
#[derive(Default)]
struct Tally {
    exported: u64,
    failed: u64,
    in_a_row: u64,
    /// Why the export stops before its end; it can be resumed.
    stopped: Option<Failure>,
    /// The failure that every other session would meet as well.
    refused: Option<Error>,
}

pub(crate) fn run(
    connection: &Connection,
    (mut input, ids, mut files): ExportJob,
    concurrency: usize,
    mut progress: Progress,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    interrupt.defer();
    let total = input.ids();
    let ledger = Ledger::new(ids);
    let mut tally = Tally::default();
    let started = Instant::now();
    progress.start();
    let activity = Arc::<Activity>::default();
    let mut pending = PendingIds::new(&mut input, &ledger);
    let mut workers = Workers::new(connection, &activity, true);
    let mut finishing = false;
    while interrupt.noted().is_none() {
        if !finishing {
            finishing = hand_out(&mut workers, &mut pending, concurrency, &mut tally);
        }
        if workers.running() == 0 && finishing {
            break;
        }
        if let Some(outcome) = workers.next_within(TICK) {
            settle(outcome, &mut files, &ledger, &mut tally)?;
        }
        let stops = tally.stopped.is_some() || tally.refused.is_some();
        if stops {
            activity.stop();
            finishing = true;
        }
        files.sync_now_and_then()?;
        if progress.is_due() {
            let ledger = ledger.borrow();
            progress.show(&Numbers {
                total,
                settled: ledger.settled(),
                answered: tally.exported + tally.failed,
                failed: tally.failed + ledger.failed_before,
                waiting: activity.waiting(),
                finishing: stops,
            });
        }
    }
    // After an interruption, what has already arrived is kept; nothing more is waited for.
    while let Some(outcome) = workers.next_within(Duration::ZERO) {
        settle(outcome, &mut files, &ledger, &mut tally)?;
    }
    drop(workers);
    if let Some(error) = tally.refused.take().filter(|_| interrupt.noted().is_none()) {
        fail_the_rest(&error, &mut input, &ledger, &mut files, &mut tally)?;
        tally.refused = Some(error);
    }
    files.sync()?;
    let mut ledger = ledger.into_inner();
    progress.finish(&summary(&tally, &ledger, &files, started.elapsed()));
    if let Some(exit) = interrupt.noted().filter(|_| !ledger.is_complete()) {
        return Err(Failure::of_signal(exit, &format!("interrupted; {RESUME_HINT}")));
    }
    if let Some(failure) = tally.stopped {
        return Err(failure);
    }
    if let Some(error) = tally.refused {
        let rest = "the remaining sessions were marked failed without being requested";
        let _ = Failure::of_call(None, &error).and(rest).report();
    }
    match ledger.broken.take() {
        Some(failure) => Err(failure),
        None if ledger.is_complete() => Ok(ledger.exit()),
        None => Err(Failure::other("the export stopped early").and(RESUME_HINT)),
    }
}

/// Starts as many sessions as there is room for; whether that was the last of them.
fn hand_out(
    workers: &mut Workers,
    pending: &mut PendingIds<'_>,
    concurrency: usize,
    tally: &mut Tally,
) -> bool {
    while workers.running() < concurrency {
        let Some(session_id) = pending.next() else { return true };
        if let Err(error) = workers.start(&session_id) {
            if workers.running() == 0 {
                tally.stopped = Some(stop::out_of(&error));
                return true;
            }
            // There are threads again when others have ended.
            pending.put_back(session_id);
            return false;
        }
    }
    false
}

fn settle(
    outcome: Outcome,
    files: &mut Files,
    ledger: &RefCell<Ledger>,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let Outcome { session_id, result, .. } = outcome;
    match result {
        None => {}
        Some(Ok(decision)) => {
            files.exported(&decision)?;
            ledger.borrow_mut().settle(&session_id, None);
            tally.exported += 1;
            tally.in_a_row = 0;
        }
        Some(Err(error)) => {
            if let Some(failure) = stop::stops(&error) {
                tally.stopped.get_or_insert(failure);
                return Ok(());
            }
            let exit = fail(&session_id, &error, files, ledger, tally)?;
            tally.in_a_row = if may_concern_all(exit) { tally.in_a_row + 1 } else { 0 };
            if tally.in_a_row >= MAX_IN_A_ROW {
                let failure = || Failure::of_call(Some(session_id.as_str()), &error);
                tally.stopped.get_or_insert_with(|| failure().and(RESUME_HINT));
            }
            if matches!(
                error.call().kind(),
                CallErrorKind::Transport(TransportErrorKind::Certificate)
            ) {
                tally.refused.get_or_insert(error);
            }
        }
    }
    Ok(())
}

fn fail(
    session_id: &SessionId,
    error: &Error,
    files: &mut Files,
    ledger: &RefCell<Ledger>,
    tally: &mut Tally,
) -> Result<Exit, Failure> {
    let exit = Exit::of(error.call());
    files.failed(session_id, error, exit)?;
    ledger.borrow_mut().settle(session_id, Some(exit));
    tally.failed += 1;
    Ok(exit)
}

/// Settles the ids that are left by the failure that they would meet.
fn fail_the_rest(
    error: &Error,
    input: &mut Input,
    ledger: &RefCell<Ledger>,
    files: &mut Files,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let given_up = ledger.borrow().under_way();
    for session_id in given_up.into_iter().chain(PendingIds::new(input, ledger)) {
        fail(&session_id, error, files, ledger, tally)?;
        files.sync_now_and_then()?;
    }
    Ok(())
}

fn may_concern_all(exit: Exit) -> bool {
    matches!(
        exit,
        Exit::CredentialsRefused | Exit::RateLimited | Exit::Unreachable | Exit::OutOfTime
    )
}

fn summary(tally: &Tally, ledger: &Ledger, files: &Files, elapsed: Duration) -> String {
    let Tally { exported, failed, .. } = tally;
    let mut parts = vec![format!("{exported} exported and {failed} failed in {}", clock(elapsed))];
    if ledger.exported_before + ledger.failed_before > 0 {
        let (exported, failed) = (ledger.exported_before, ledger.failed_before);
        parts.push(format!("{exported} exported and {failed} failed before"));
    }
    if ledger.repetitions > 0 {
        parts.push(format!("{} repeated in the input", ledger.repetitions));
    }
    let failures = files.failures().filter(|_| tally.failed + ledger.failed_before > 0);
    if let Some(failures) = failures {
        parts.push(format!("the failures are in {}", failures.shown.display()));
    }
    terminal::escape(&parts.join(", "))
}
