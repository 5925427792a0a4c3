//! An export writes many decisions to a file, and can be interrupted and resumed at any time.
//!
//! # Files on disk
//!
//! | file | contents |
//! |---|---|
//! | the output | one decision per line; as CSV a header first, then records that may span lines |
//! | the failures (`OUTPUT.failures`) | one JSON object per line; removed at the end if empty |
//! | the list of a retry (`OUTPUT.retry`) | the failures that are being retried; removed at the end |
//! | the state (`OUTPUT.state`) | the arguments the export was started with, its name among several machines, then the exit code of each failure and the fingerprint of each retry's list |
//!
//! The output, the failures and the state are opened and locked, or refused, before anything is
//! sent. A file that no export wrote is refused and left unchanged, whatever its name; so is
//! anything but a regular file. Only the output may be named by a symbolic link, which is followed.
//! All files are readable by their owner only.
//!
//! Only the output and the failures determine which ids are done. Each result is appended to one of
//! them in a single write as soon as it arrives, in no particular order, so a kill at any moment
//! loses only the requests in flight. When an export is started again, the files are read once, and
//! a record torn by an interruption is cut off: its id counts as not done. Any other invalid
//! record, or a second record of a session, was not written by this program: it is refused, and the
//! files are left unchanged.
//!
//! A power loss may leave any part of the unsynced data as zeros, followed by whole records. The
//! files are synced every five seconds and at the end. No record contains a zero byte, so the first
//! one marks the beginning of the torn end. Everything after it is retrieved again.
//!
//! The ids in the files, and then every id of the input in turn, go into a set in memory (40 MB for
//! a million). An id that is already in the set is done or a repetition, and is not requested. The
//! input is read twice: first to check all of it, so that a bad id is refused before anything is
//! sent, then to process it. A part of it that has changed in between is not used, but ends the
//! export with an error. An input that cannot be read twice (a pipe) is copied to an unnamed file.
//!
//! A shortage of descriptors, disk space or the like, or a refusal by the token route, is not a
//! failure of a session: it stops the export, which can be resumed.
//!
//! A retry of an export's own failures moves the failures file to `OUTPUT.retry`, and starts a new
//! one; the moved sessions are its input. A session that succeeds goes to the output, and one that
//! fails again to the new failures file, so that each stays in exactly one of the two. After an
//! interruption, the next retry continues with the list unless all of its sessions are settled. If
//! there are failures that are not in the list, the export was run in between: they are moved to it,
//! behind the sessions that are left. `--restart` removes the list.
//!
//! Several machines may [divide] an input. Then each machine's files contain only its own results,
//! and Redis records which machine each id belongs to.
//!
//! [divide]: division

mod checked_file;
mod csv;
mod division;
mod files;
mod format;
mod id_set;
mod input;
mod ledger;
mod paths;
mod progress;
mod record_file;
mod retry_list;
mod run;
mod state;
mod stop;

#[cfg(test)]
mod power_loss;

use std::path::{Path, PathBuf};
use std::{fs, io};

use didit_blocking_adapter::core::data_transfer::Decision;
use didit_blocking_adapter::core::{BaseUrl, SessionId};

pub(crate) use self::division::Division;
use self::files::Files;
pub(crate) use self::format::ExportFormat;
use self::id_set::IdSet;
use self::input::Input;
pub(crate) use self::input::Source;
use self::ledger::Ledger;
pub(crate) use self::paths::{Named, Paths};
pub(crate) use self::progress::Progress;
pub(crate) use self::run::run;
use self::state::{Arguments, Job, Share, Start};
use crate::connection::Api;
use crate::failure::Failure;
use crate::workers::AnyDecision;

/// The input of an export, the ids that are done, and the files that it writes.
pub(crate) struct ExportJob {
    input: Input,
    ids: IdSet,
    files: Files,
    division: Option<Division>,
    /// The list of a retry, to be removed when it is done.
    retried: Option<PathBuf>,
}

impl ExportJob {
    fn new(input: Input, mut ids: IdSet, files: Files, retried: Option<PathBuf>) -> Self {
        ids.reserve(input.ids);
        Self { input, ids, files, division: None, retried }
    }

    /// Returns this machine's share of the input, if several machines divide it.
    pub(crate) fn share(&self) -> Option<&Share> {
        self.files.share()
    }

    /// Divides the input with other machines, and returns the number of ids in this machine's files
    /// that others have too.
    pub(crate) fn divide(&mut self, mut division: Division) -> Result<u64, Failure> {
        let duplicates = division.confirm_files(&mut self.input, &self.ids)?;
        self.division = Some(division);
        Ok(duplicates)
    }
}

/// The settings of an export in addition to its files.
pub(crate) struct Terms<'a> {
    pub(crate) format: ExportFormat,
    pub(crate) base_url: &'a BaseUrl,
    pub(crate) restart: bool,
    /// The flag or variable with which other machines export from the same list.
    pub(crate) shared: Option<&'static str>,
    /// The name that these machines share, if it is not the fingerprint of the list.
    pub(crate) job: Option<String>,
}

/// Returns the API whose decisions are written in a format.
fn api_of(format: ExportFormat) -> Api {
    match format {
        ExportFormat::VerificationJsonl => Api::Verification,
        _ => Api::DataTransfer,
    }
}

/// Checks the input and the files, and repairs files that an interruption tore. `on_stage` is
/// called before each stage that may take long.
pub(crate) fn begin(
    source: Source,
    paths: &Paths,
    terms: Terms<'_>,
    mut on_stage: impl FnMut(&str),
) -> Result<ExportJob, Failure> {
    if let Source::Failures(failures) = &source {
        if let (Some(output), Some(state), Some(list)) = (&paths.output, &paths.state, &paths.retry)
            && paths.is_failures(failures)
        {
            on_stage("Reading what is done ...");
            return begin_retry(failures, [output, state, list], paths, terms);
        }
        if let Some(named_by) = terms.shared {
            return Err(Failure::usage(format!(
                "with {named_by}, sessions are retried into the output that they failed for; check \
                 --output and --failures"
            )));
        }
    }
    let name = source.name();
    if let Some(flag) = paths.flag_of(&name) {
        return Err(Failure::usage(format!(
            "{} is both read and written; choose another {flag}",
            name.display()
        )));
    }
    on_stage("Checking the input ...");
    let Terms { format, base_url, restart, shared, job } = terms;
    let mut input = Input::check(source, api_of(format), &paths.folder)?;
    let job = match (shared, job) {
        (None, _) => None,
        (Some(_), Some(name)) => Some(Job::Named(name)),
        (Some(_), None) => Some(Job::List(input.fingerprint()?)),
    };
    let arguments = Arguments::new(&name, paths.failures.as_ref(), format, base_url, job);
    let start = match &input.source {
        _ if restart => Start::Restart,
        Source::Ids(_) => Start::Resume,
        Source::Failures(list) => Start::Retry(list),
    };
    on_stage("Reading what is done ...");
    let (files, ids) = Files::open(paths, &arguments, start)?;
    Ok(ExportJob::new(input, ids, files, None))
}

/// Starts or resumes a retry of the failures of `output` into the same output.
fn begin_retry(
    failures: &Path,
    [output, state, list]: [&Named; 3],
    paths: &Paths,
    terms: Terms<'_>,
) -> Result<ExportJob, Failure> {
    let Some(started) = Arguments::read(state)? else {
        return Err(Failure::usage(format!(
            "there is no export to {output} whose failures could be retried; check --output"
        )));
    };
    let Terms { format, base_url, shared, job, .. } = terms;
    let job = match (shared, job) {
        (None, _) => None,
        (Some(_), Some(name)) => Some(Job::Named(name)),
        // The original list is not available, so its recorded fingerprint is kept.
        (Some(_), None) => {
            Some(started.share.map_or_else(|| Job::List(String::new()), |it| it.job))
        }
    };
    let mut arguments = Arguments::new(failures, paths.failures.as_ref(), format, base_url, job);
    arguments.input = started.input;
    let (mut files, mut ids) = Files::open(paths, &arguments, Start::Retry(failures))?;
    let read = || Input::check(Source::Failures(list.path.clone()), api_of(format), &paths.folder);
    let mut left = Vec::new();
    match fs::symlink_metadata(&list.path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Ok(found) if found.is_file() => {
            if !files.has_list {
                return Err(Failure::usage(format!(
                    "{list} is where a retry keeps its list, but this export did not write it; move it \
                     away"
                )));
            }
            let mut interrupted = read()?;
            let failed_again;
            (left, failed_again) = interrupted.unsettled(&ids)?;
            if !left.is_empty() && failed_again == ids.failures() {
                return Ok(ExportJob::new(interrupted, ids, files, Some(list.path.clone())));
            }
        }
        _ => return Err(Failure::usage(format!("{list} is not a regular file; move it away"))),
    }
    files.move_failures(list, left)?;
    ids.forget_failures();
    Ok(ExportJob::new(read()?, ids, files, Some(list.path.clone())))
}

/// Resumes the export from `ids` to `out` in a folder, with `decide` in place of the service, and
/// returns the number of calls of `decide`.
///
/// # Errors
/// Returns the error message that the user would see.
pub fn resume_for_fuzzing(
    folder: &Path,
    csv: bool,
    mut decide: impl FnMut(&SessionId) -> Decision,
) -> Result<u64, String> {
    let mut resume = || -> Result<u64, Failure> {
        let paths = Paths::new(&folder.join("out"), None)?;
        let source = Source::Ids(folder.join("ids"));
        let format = if csv { ExportFormat::Csv } else { ExportFormat::Jsonl };
        let base_url = &BaseUrl::production();
        let terms = Terms { format, base_url, restart: false, shared: None, job: None };
        let ExportJob { input, ids, mut files, .. } = begin(source, &paths, terms, |_| ())?;
        let mut ledger = Ledger::new(input, ids);
        let mut decisions = 0;
        for session_id in ledger.by_ref() {
            files.exported(&AnyDecision::Transfer(Box::new(decide(&session_id))))?;
            decisions += 1;
        }
        ledger.broken.map_or(Ok(decisions), Err)
    };
    resume().map_err(|failure| failure.line().to_owned())
}
