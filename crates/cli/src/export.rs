//! An export: many decisions into a file, however often it is interrupted.
//!
//! # What is on the disk
//!
//! | file | holds |
//! |---|---|
//! | the output | a decision a line; as CSV a header first, and records that may span lines |
//! | the failures (`OUTPUT.failures`) | a JSON object a line; removed at the end if there is none |
//! | the list of a [retry] (`OUTPUT.retry`) | the failures that are tried again; removed at the end |
//! | the state (`OUTPUT.state`) | the arguments the export was started with, its name among several machines, then the exit code of each failure |
//!
//! All three are opened and locked, or refused, before anything is sent. A file that is not an
//! export's is refused and left as it is, whatever its name; so is anything but a regular file. Only
//! the output may be named by a link, which is followed. All files are their owner's alone.
//!
//! The output and the failures are the only truth about what is done. Each result goes to the one
//! or the other in a single append as soon as it is there, in no particular order, so a kill at any
//! moment loses what was on its way and nothing else. When an export is started again, the files
//! are read once, and what an interruption tore is cut off: its id is simply not done. Anything else
//! that is no record, or a second record of a session, was not this program's doing: it is refused,
//! and the files are left as they were.
//!
//! A power loss may leave any part of what was not synced as zeros, with whole records behind. The
//! files are synced every five seconds and at the end, and no record holds a zero byte: the first one
//! is where the torn end begins. What was behind it is retrieved again.
//!
//! The ids that were read there, and then every id of the input as its turn comes, go into a set in
//! memory (40 MB for a million). An id that is found there is done or a repetition, and is not asked
//! for. The input is read twice: first to check it whole, so that a bad id is refused before
//! anything is sent, then to work it off. What cannot be read twice (a pipe) is copied to a nameless
//! file.
//!
//! A lack of descriptors, space or the like, or a refusal by the token route, is no
//! failure of a session: it stops the export, which can be resumed.
//!
//! Several machines may [divide] an input. Then the truth about what is done is spread over the files of
//! all of them, and Redis says whose each id is.
//!
//! [divide]: division

mod csv;
mod division;
mod failure_line;
mod files;
mod format;
mod id_set;
mod input;
mod ledger;
mod paths;
mod progress;
mod record_file;
mod retry;
mod run;
mod state;
mod stop;
pub(crate) mod workers;

#[cfg(test)]
mod power_loss;

use std::path::Path;

use didit_blocking_adapter::core::data_transfer::Decision;
use didit_blocking_adapter::core::{BaseUrl, SessionId};

pub(crate) use self::division::Division;
use self::files::Files;
pub(crate) use self::format::ExportFormat;
use self::id_set::IdSet;
use self::input::Input;
pub(crate) use self::input::Source;
use self::ledger::{Ledger, PendingIds};
pub(crate) use self::paths::Paths;
pub(crate) use self::progress::Progress;
pub(crate) use self::retry::Retry;
pub(crate) use self::run::run;
use self::state::{Arguments, Job, Share, Start};
use self::workers::Answer;
use crate::connection::Api;
use crate::failure::Failure;

/// The input of an export, the ids that are done, and the files that it writes.
pub(crate) struct ExportJob {
    input: Input,
    ids: IdSet,
    files: Files,
    division: Option<Division>,
}

impl ExportJob {
    fn new(input: Input, ids: IdSet, files: Files) -> Self {
        Self { input, ids, files, division: None }
    }

    /// Returns the part of the input that is this machine's, if others have the rest.
    pub(crate) fn share(&self) -> Option<&Share> {
        self.files.share()
    }

    /// Divides the input with other machines, and returns how many ids of this one's files they have
    /// as well.
    pub(crate) fn divide(&mut self, mut division: Division) -> Result<u64, Failure> {
        let twice = division.confirm_files(&mut self.input, &self.ids)?;
        self.division = Some(division);
        Ok(twice)
    }
}

/// The settings of an export beside its files.
pub(crate) struct Terms<'a> {
    pub(crate) format: ExportFormat,
    pub(crate) base_url: &'a BaseUrl,
    pub(crate) restart: bool,
    /// Set if other machines export from the same list.
    pub(crate) job: Option<JobOf>,
}

/// The machines that divide a list.
pub(crate) enum JobOf {
    /// Those that were given the same name.
    Name(String),
    /// Those that have the same ids.
    List,
}

/// Returns the API whose decisions are written in that format.
fn api_of(format: ExportFormat) -> Api {
    match format {
        ExportFormat::VerificationJsonl => Api::Verification,
        _ => Api::DataTransfer,
    }
}

/// Checks the input and the files, and repairs what an interruption left; `tell` is given what takes
/// its time.
pub(crate) fn begin(
    source: Source,
    paths: &Paths,
    terms: Terms<'_>,
    mut tell: impl FnMut(&str),
) -> Result<ExportJob, Failure> {
    let name = source.name();
    if let Some(flag) = paths.flag_of(&name) {
        return Err(Failure::usage(format!(
            "{} is both read and written; choose another {flag}",
            name.display()
        )));
    }
    tell("Checking the input ...");
    let Terms { format, base_url, restart, job } = terms;
    let mut input = Input::check(source, api_of(format), &paths.folder)?;
    let job = match job {
        Some(JobOf::Name(name)) => Some(Job::Named(name)),
        Some(JobOf::List) => Some(Job::List(input.fingerprint()?)),
        None => None,
    };
    let arguments = Arguments::new(&name, paths.failures.as_ref(), format, base_url, job);
    let start = match input.source() {
        _ if restart => Start::Anew,
        Source::Ids(_) => Start::Resume,
        Source::Failures(list) => Start::Retry(list),
    };
    tell("Reading what is done ...");
    let (files, mut ids) = Files::open(paths, format, &arguments, start)?;
    ids.reserve(input.ids());
    Ok(ExportJob::new(input, ids, files))
}

/// Resumes the export from `ids` to `out` in a folder, with `decide` in place of the service, and
/// returns the number of decisions that took.
///
/// # Errors
/// The line that a person would read.
pub fn resume_for_fuzzing(
    folder: &Path,
    csv: bool,
    mut decide: impl FnMut(&SessionId) -> Decision,
) -> Result<u64, String> {
    let mut settle = || -> Result<u64, Failure> {
        let paths = Paths::new(&folder.join("out"), None)?;
        let source = Source::Ids(folder.join("ids"));
        let format = if csv { ExportFormat::Csv } else { ExportFormat::Jsonl };
        let base_url = &BaseUrl::production();
        let terms = Terms { format, base_url, restart: false, job: None };
        let ExportJob { mut input, ids, mut files, .. } = begin(source, &paths, terms, |_| ())?;
        let ledger = Ledger::new(ids);
        let mut decisions = 0;
        for session_id in PendingIds::new(&mut input, &ledger) {
            files.exported(&Answer::Transfer(Box::new(decide(&session_id))))?;
            decisions += 1;
        }
        let broken = ledger.borrow_mut().broken.take();
        broken.map_or(Ok(decisions), Err)
    };
    settle().map_err(|failure| failure.line().to_owned())
}
