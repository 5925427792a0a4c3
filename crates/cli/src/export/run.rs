//! The work itself: asks for what is wanted, and settles each id in one of the files.

use std::cell::RefCell;
use std::task::Poll;
use std::time::{Duration, Instant};

use didit_blocking_adapter::Error;
use didit_blocking_adapter::core::{Action, Cause, FailureKind};

use super::files::Files;
use super::input::Input;
use super::interrupt::Interrupt;
use super::ledger::{Ledger, PendingIds};
use super::progress::{Numbers, Progress, clock, say};
use super::{ExportJob, RESUME_HINT};
use crate::connection::Connection;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal;

/// How long nothing may happen before the progress and a signal are looked at.
const TICK: Duration = Duration::from_millis(100);

/// So many failures in a row that are the service's, the network's or the credentials' are no
/// matter of single sessions any more.
const MAX_IN_A_ROW: u64 = 1000;

/// What this run has done.
#[derive(Default)]
struct Tally {
    exported: u64,
    failed: u64,
    in_a_row: u64,
}

pub(crate) fn run(
    connection: &Connection,
    (mut input, index, mut files): ExportJob,
    concurrency: usize,
    mut progress: Progress,
) -> Result<Exit, Failure> {
    let interrupt = Interrupt::watch().map_err(Failure::other)?;
    let total = input.ids();
    let ledger = Ledger::new(index);
    let mut decisions =
        connection.client.decisions(PendingIds::new(&mut input, &ledger)).concurrency(concurrency);
    let mut tally = Tally::default();
    let mut stopped = None;
    let mut refused = None;
    let mut finishing = false;
    let started = Instant::now();
    progress.start();
    loop {
        match decisions.next_within(TICK) {
            Poll::Ready(None) => break,
            Poll::Ready(Some((session_id, Ok(decision)))) => {
                files.exported(&decision)?;
                ledger.borrow_mut().settle(&session_id, None);
                tally.exported += 1;
                tally.in_a_row = 0;
            }
            Poll::Ready(Some((session_id, Err(error)))) => {
                let exit = Exit::of(error.call());
                files.failed(&session_id, &error)?;
                ledger.borrow_mut().settle(&session_id, Some(exit));
                tally.failed += 1;
                tally.in_a_row = if may_concern_all(exit) { tally.in_a_row + 1 } else { 0 };
                if tally.in_a_row >= MAX_IN_A_ROW {
                    let about = Some(session_id.as_str());
                    stopped.get_or_insert_with(|| Failure::of_call(about, &error));
                }
                if concerns_all(&error) {
                    refused.get_or_insert(error);
                }
            }
            Poll::Pending => {}
        }
        if !finishing && (interrupt.is_noted() || stopped.is_some() || refused.is_some()) {
            decisions.finish();
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
                waiting: decisions.waiting(),
                finishing,
            });
        }
    }
    drop(decisions);
    if let Some(error) = &refused {
        fail_the_rest(error, &mut input, &ledger, &mut files, &mut tally)?;
    }
    files.sync()?;
    drop(progress);
    let mut ledger = ledger.into_inner();
    say(&summary(&tally, &ledger, &files, started.elapsed()));
    if let Some(error) = refused {
        let rest = "those that were not asked for failed by it as well";
        let _ = Failure::of_call(None, &error).and(rest).report();
    } else if let Some(failure) = stopped {
        return Err(failure.and(RESUME_HINT));
    }
    match ledger.broken.take() {
        Some(failure) => Err(failure),
        None if ledger.is_complete() => Ok(ledger.exit()),
        None => Err(Failure::other("interrupted").and(RESUME_HINT)),
    }
}

/// Whether the failure meets every other session as well, so that asking for them is of no use.
fn concerns_all(error: &Error) -> bool {
    match error.call().cause() {
        Cause::Build(_) | Cause::Transport(FailureKind::Certificate) => true,
        Cause::Response(answer) => answer.action() == Action::FetchToken && !answer.is_retryable(),
        _ => false,
    }
}

/// Settles the ids that are left by the failure that they would meet.
fn fail_the_rest(
    error: &Error,
    input: &mut Input,
    ledger: &RefCell<Ledger>,
    files: &mut Files,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let exit = Exit::of(error.call());
    let given_up = ledger.borrow().under_way();
    for session_id in given_up.into_iter().chain(PendingIds::new(input, ledger)) {
        files.failed(&session_id, error)?;
        ledger.borrow_mut().settle(&session_id, Some(exit));
        tally.failed += 1;
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
    if tally.failed + ledger.failed_before > 0 {
        parts.push(format!("the failures are in {}", files.failures_path().display()));
    }
    terminal::escape(&parts.join(", "))
}
