//! The main loop: requests the pending ids, and writes each result to one of the files.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use didit_blocking_adapter::Error;
use didit_blocking_adapter::core::SessionId;

use super::ExportJob;
use super::division::{Division, Supply};
use super::files::Files;
use super::ledger::Ledger;
use super::progress::{Numbers, Progress};
use super::state::FailureLine;
use super::stop::{self, RESUME_HINT};
use crate::connection::Connection;
use crate::duration::clock;
use crate::exit::Exit;
use crate::failure::{Failure, local_shortage};
use crate::interrupt::Interrupt;
use crate::workers::{Activity, Outcome, Workers};

/// The interval for redrawing the progress and checking for signals while no results arrive.
const TICK: Duration = Duration::from_millis(100);

/// The number of consecutive failures of the service, the network or the credentials that stops the
/// export, since they affect more than single sessions.
const MAX_CONSECUTIVE_FAILURES: u64 = 1000;

/// The state of a run of an export.
struct Run {
    files: Files,
    ledger: Ledger,
    /// The list of a retry, to be removed when it is done.
    retried: Option<PathBuf>,
    /// Set if other machines export from the same list.
    division: Option<Division>,
    /// The id to start next, for which there was no thread.
    unstarted: Option<SessionId>,
    exported: u64,
    failed: u64,
    consecutive_failures: u64,
    /// The failure that stops the export early; it can be resumed.
    stopped: Option<Failure>,
    /// The failure that every remaining session would have as well.
    untrusted: Option<Error>,
}

/// Runs an export until every id is settled, something stops it, or a signal arrives; returns the
/// exit code of the first failed session.
pub(crate) fn run(
    connection: &Connection,
    ExportJob { input, ids, files, division, retried }: ExportJob,
    concurrency: usize,
    mut progress: Progress,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    interrupt.defer();
    let total = input.ids;
    let started = Instant::now();
    progress.start();
    let activity = Arc::<Activity>::default();
    let mut workers = Workers::new(connection, &activity, true);
    let mut run = Run {
        files,
        ledger: Ledger::new(input, ids),
        retried,
        division,
        unstarted: None,
        exported: 0,
        failed: 0,
        consecutive_failures: 0,
        stopped: None,
        untrusted: None,
    };
    while interrupt.received().is_none() {
        let supply = run.start_sessions(&mut workers, concurrency);
        if workers.running() == 0 && run.is_over(&supply) {
            break;
        }
        let timeout = if matches!(supply, Supply::More) { Duration::ZERO } else { TICK };
        run.settle_arrived(&mut workers, timeout)?;
        if run.is_stopping() {
            activity.stop();
        }
        run.files.sync_if_due()?;
        if progress.is_due() {
            progress.show(&Numbers {
                total,
                settled: run.ledger.settled(),
                answered: run.exported + run.failed + run.ledger.elsewhere,
                failed: run.all_failed(),
                waiting: activity.waiting(),
                note: run.note(workers.running()),
            });
        }
    }
    // After an interruption, results that have arrived are kept; the others are not awaited.
    run.settle_arrived(&mut workers, Duration::ZERO)?;
    drop(workers);
    if let Some(error) = run.untrusted.take().filter(|_| interrupt.received().is_none()) {
        run.fail_the_rest(&error)?;
        run.untrusted = Some(error);
    }
    run.files.sync()?;
    if let Some(division) = &mut run.division {
        division.release();
    }
    conclude(run, progress, started.elapsed(), interrupt.received())
}

/// Prints the summary of an export that is over, and returns its exit code.
fn conclude(
    mut run: Run,
    progress: Progress,
    elapsed: Duration,
    interrupted: Option<Exit>,
) -> Result<Exit, Failure> {
    let summary = run.summary(elapsed);
    let interrupted = interrupted.filter(|_| !run.ledger.is_complete());
    if let (None, Some(failure)) = (interrupted, run.stopped.take()) {
        progress.finish(None, false);
        return Err(failure.with_advice(&summary));
    }
    let has_failures = run.all_failed() > 0;
    let retry = run.files.retry_command().filter(|_| has_failures);
    let Run { ledger, untrusted, retried, .. } = &mut run;
    let hint = match (retry, ledger.input.ids) {
        (_, 0) if ledger.input.is_retry() => "; there are no failures to retry".to_owned(),
        (_, 0) => {
            format!("; {} has no session ids: give one per line", ledger.input.source.shown())
        }
        (Some(command), _) => format!("; retry them with {command}"),
        (None, _) => String::new(),
    };
    progress.finish(Some(&(summary + &hint)), has_failures);
    if let Some(exit) = interrupted {
        return Err(Failure::new(exit, format!("interrupted; {RESUME_HINT}")));
    }
    if let Some(error) = untrusted {
        let rest = "the remaining sessions were marked failed without being requested";
        let _ = Failure::of_call(None, error).with_advice(rest).report();
    }
    match ledger.broken.take() {
        Some(failure) => Err(failure),
        None if ledger.is_complete() => {
            if let (Some(list), Ok(identity)) = (retried, ledger.input.identity()) {
                // If this fails, the next run finds all its sessions settled.
                identity.remove(list);
            }
            Ok(ledger.exit())
        }
        None => Err(Failure::other("the export stopped early").with_advice(RESUME_HINT)),
    }
}

impl Run {
    fn stop(&mut self, failure: Failure) {
        self.stopped.get_or_insert(failure);
    }

    fn is_stopping(&self) -> bool {
        self.stopped.is_some() || self.untrusted.is_some()
    }

    /// Returns the number of failed ids, those of earlier runs included.
    fn all_failed(&self) -> u64 {
        self.failed + self.ledger.failed_before
    }

    /// Starts sessions up to `concurrency`, and returns the state of the supply after that.
    fn start_sessions(&mut self, workers: &mut Workers, concurrency: usize) -> Supply {
        while workers.running() < concurrency && !self.is_stopping() {
            let session_id = match self.next() {
                Supply::Session(session_id) => session_id,
                other => return other,
            };
            if let Err(error) = workers.start(&session_id) {
                if workers.running() == 0 {
                    self.stop(stop::shortage_failure(&error));
                }
                // Threads are available again when others have ended.
                self.unstarted = Some(session_id);
                break;
            }
        }
        Supply::Later
    }

    fn next(&mut self) -> Supply {
        if let Some(session_id) = self.unstarted.take() {
            return Supply::Session(session_id);
        }
        let Some(division) = &mut self.division else {
            return self.ledger.next().map_or(Supply::End, Supply::Session);
        };
        division.next(&mut self.ledger).unwrap_or_else(|failure| {
            self.stop(failure);
            Supply::End
        })
    }

    /// Returns true if no more sessions will start, given that none is running.
    fn is_over(&mut self, supply: &Supply) -> bool {
        let Some(division) = &self.division else {
            return self.is_stopping() || matches!(supply, Supply::End);
        };
        if self.stopped.is_some() {
            return true;
        }
        if !division.is_up_to_date() {
            return false;
        }
        if let Some(failure) = division.unconfirmed() {
            self.stop(failure);
            return true;
        }
        matches!(supply, Supply::End)
    }

    /// Settles the results that arrive within `timeout`.
    fn settle_arrived(&mut self, workers: &mut Workers, timeout: Duration) -> Result<(), Failure> {
        if workers.running() == 0 {
            thread::sleep(timeout);
        }
        let mut arrived: Vec<_> = workers.next_within(timeout).into_iter().collect();
        while let Some(outcome) = workers.next_within(Duration::ZERO) {
            arrived.push(outcome);
        }
        if let Some(division) = &mut self.division {
            arrived = division.commit(arrived).unwrap_or_else(|failure| {
                self.stop(failure);
                Vec::new()
            });
        }
        for outcome in arrived {
            self.settle(outcome)?;
        }
        if let Some(division) = &mut self.division
            && let Err(failure) = division.confirm_and_renew()
        {
            self.stop(failure);
        }
        Ok(())
    }

    fn settle(&mut self, outcome: Outcome) -> Result<(), Failure> {
        let Outcome { session_id, result, .. } = outcome;
        match result {
            None => {}
            Some(Ok(decision)) if !decision.has_session_id() => {
                let exit = Exit::NotADecision;
                self.fail_with(&session_id, &FailureLine::without_session_id(&session_id), exit)?;
                self.consecutive_failures = 0;
            }
            Some(Ok(decision)) => {
                self.files.exported(&decision)?;
                self.settled(&session_id, None);
                self.exported += 1;
                self.consecutive_failures = 0;
            }
            Some(Err(error)) => {
                if let Some(failure) = self.stops(&error) {
                    if local_shortage(&error).is_some() {
                        // It also failed the calls that waited for the same token.
                        self.stopped = None;
                    }
                    self.stop(failure);
                    return Ok(());
                }
                let exit = self.fail(&session_id, &error)?;
                self.consecutive_failures =
                    if may_concern_all(exit) { self.consecutive_failures + 1 } else { 0 };
                if self.consecutive_failures >= MAX_CONSECUTIVE_FAILURES {
                    let failure = Failure::of_call(Some(session_id.as_str()), &error);
                    self.stop(failure.with_advice(RESUME_HINT));
                }
                if stop::is_about_tls(&error) {
                    self.untrusted.get_or_insert(error);
                }
            }
        }
        Ok(())
    }

    /// Returns the failure that stops the export, unless the error concerns only its session.
    fn stops(&self, error: &Error) -> Option<Failure> {
        if self.division.is_some() { stop::stops_share(error) } else { stop::stops(error) }
    }

    fn fail(&mut self, session_id: &SessionId, error: &Error) -> Result<Exit, Failure> {
        let exit = Exit::of(error.call());
        self.fail_with(session_id, &FailureLine::new(session_id, error), exit)?;
        Ok(exit)
    }

    fn fail_with(
        &mut self,
        session_id: &SessionId,
        line: &FailureLine,
        exit: Exit,
    ) -> Result<(), Failure> {
        self.files.failed(line, exit)?;
        self.settled(session_id, Some(exit));
        self.failed += 1;
        Ok(())
    }

    /// Records that a session is in one of the files.
    fn settled(&mut self, session_id: &SessionId, failed: Option<Exit>) {
        self.ledger.settle(session_id, failed);
        if let Some(division) = &mut self.division {
            division.wrote(session_id);
        }
    }

    /// Fails the remaining ids with the error that they would get.
    fn fail_the_rest(&mut self, error: &Error) -> Result<(), Failure> {
        let mut given_up = self.ledger.under_way().into_iter();
        while let Some(session_id) = given_up.next().or_else(|| self.ledger.next()) {
            self.fail(&session_id, error)?;
            self.files.sync_if_due()?;
        }
        Ok(())
    }

    /// Returns the activity of the export while it requests no sessions.
    fn note(&self, running: usize) -> Option<&'static str> {
        if self.is_stopping() {
            return Some("finishing requests in flight");
        }
        let division = self.division.as_ref()?;
        if division.is_silent() {
            return Some("Redis does not respond");
        }
        (running == 0).then_some("waiting for other machines")
    }

    fn summary(&self, elapsed: Duration) -> String {
        let Self { exported, failed, ledger, .. } = self;
        let mut parts =
            vec![format!("{exported} exported and {failed} failed in {}", clock(elapsed))];
        if ledger.exported_before + ledger.failed_before > 0 {
            let (exported, failed) = (ledger.exported_before, ledger.failed_before);
            parts.push(format!("{exported} exported and {failed} failed before"));
        }
        if ledger.elsewhere > 0 {
            parts.push(format!("{} by other machines", ledger.elsewhere));
        }
        if ledger.repetitions > 0 {
            parts.push(format!("{} repeated in the input", ledger.repetitions));
        }
        if let Some(failures) = self.files.failures().filter(|_| self.all_failed() > 0) {
            parts.push(format!("the failures are in {failures}"));
        }
        parts.join(", ")
    }
}

fn may_concern_all(exit: Exit) -> bool {
    matches!(
        exit,
        Exit::CredentialsRefused | Exit::RateLimited | Exit::Unreachable | Exit::OutOfTime
    )
}
