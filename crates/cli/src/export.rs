//! An export: many decisions into a file, however often it is interrupted.
//!
//! # What is on the disk
//!
//! | file | holds |
//! |---|---|
//! | the output | a decision a line; as CSV a header first, and records that may span lines |
//! | the failures (`OUTPUT.failures`) | a JSON object a line; removed at the end if there is none |
//! | the list of a [retry] (`OUTPUT.retry`) | the failures that are tried again; removed at the end |
//! | the state (`OUTPUT.state`) | the arguments the export was started with, then the exit code of each failure |
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
//! What fails for want of descriptors, space or the like, and what the token route refuses, is no
//! failure of a session: it stops the export, which can be resumed.

mod csv;
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
use self::state::Arguments;
use self::workers::Answer;
use crate::connection::Api;
use crate::failure::Failure;

/// What there is to export, what of it is done, and the files it goes to.
pub(crate) type ExportJob = (Input, IdSet, Files);

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
    format: ExportFormat,
    base_url: &BaseUrl,
    restart: bool,
    mut tell: impl FnMut(&str),
) -> Result<ExportJob, Failure> {
    let name = source.name();
    if paths.include(&name) {
        return Err(Failure::usage(format!(
            "{} is both read and written; choose another --output",
            name.display()
        )));
    }
    tell("Checking the input ...");
    let input = Input::check(source, api_of(format), &paths.folder)?;
    let arguments = Arguments::new(&name, paths.failures.as_ref(), format, base_url);
    tell("Reading what is done ...");
    let (files, mut ids) = Files::open(paths, format, &arguments, restart)?;
    ids.reserve(input.ids());
    Ok((input, ids, files))
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
        let (mut input, ids, mut files) =
            begin(source, &paths, format, &BaseUrl::production(), false, |_| ())?;
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
