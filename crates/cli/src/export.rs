//! An export: many decisions into a file, however often it is interrupted.
//!
//! # What is on the disk
//!
//! | file | holds |
//! |---|---|
//! | the output | a decision a line; as CSV a header first, and records that may span lines |
//! | the failures (`OUTPUT.failures`) | a JSON object a line; made with the first failure |
//! | the state (`OUTPUT.state`) | the arguments that the export was begun with |
//! | an index, without a name | which ids are done; gone with the process |
//!
//! The output and the failures are the only truth about what is done. Each result goes to the one
//! or the other in a single append as soon as it is there, in no particular order, so a kill at any
//! moment loses what was on its way and nothing else. When an export is started again, both files
//! are read once, and a last record that is torn (it lacks its end, or does not parse) is cut off:
//! its id is simply not done. A torn record anywhere else, or a second record of a session,
//! was not this program's doing: it is refused, and the files are left as they were.
//!
//! The ids that were read there, and then every id of the input as its turn comes, go into the
//! index: a hash table on the disk, 16 bytes a slot, so that a million ids take no more memory than
//! ten. An id that is found there is done or a repetition, and is not asked for. Ids meet by 120
//! bits of a keyed hash: among a billion of them two are mistaken for each other once in 10¹⁸ runs.
//!
//! The input is read twice: first to check it whole, so that a bad id is refused before anything is
//! sent, then to work it off. What cannot be read twice (a pipe) is copied to a nameless file.
//!
//! Appends are handed to the system one by one, which survives the end of the process. Against the
//! end of the power both files are synced every five seconds and at the end; what is lost with the
//! last seconds is asked for again.
//!
//! The state is written, and synced, before the first result. An export with other arguments on the
//! same files is refused, and so is a second process: the output is locked while one works on it.
//! All files are made readable by their owner alone.

mod csv;
mod failure_line;
mod files;
mod format;
mod index;
mod input;
mod interrupt;
mod ledger;
mod progress;
mod record_file;
mod run;
mod state;

use std::path::Path;

use didit_blocking_adapter::core::{BaseUrl, Decision, SessionId};

use self::files::Files;
pub(crate) use self::files::Paths;
pub(crate) use self::format::ExportFormat;
use self::index::Index;
use self::input::Input;
pub(crate) use self::input::Source;
use self::ledger::{Ledger, PendingIds};
pub(crate) use self::progress::Progress;
pub(crate) use self::run::run;
use self::state::State;
use crate::failure::Failure;

/// What to do about an export that stopped.
const RESUME_HINT: &str = "the same command (less any --restart) goes on where this one stopped";

/// What there is to export, what of it is done, and the files it goes to.
pub(crate) type ExportJob = (Input, Index, Files);

/// Checks the input and the files, and mends what an interruption left behind; `tell` is given what
/// takes its time.
pub(crate) fn begin(
    source: Source,
    paths: Paths,
    format: ExportFormat,
    base_url: &BaseUrl,
    restart: bool,
    mut tell: impl FnMut(&str),
) -> Result<ExportJob, Failure> {
    let name = source.name();
    if paths.include(&name) {
        return Err(Failure::usage(format!(
            "{} cannot be read and written at once; choose another --output",
            name.display()
        )));
    }
    tell("Checking the input ...");
    let input = Input::check(source, &paths.folder)?;
    let state = State::new(&name, &paths.failures, format, base_url);
    let index = Index::new(&paths.folder, input.ids());
    let mut index = index.map_err(|error| index::failed(&error))?;
    let mut files = Files::open(paths, format, &state, restart)?;
    tell("Looking at what is done ...");
    files.recover(&mut index)?;
    Ok((input, index, files))
}

/// Goes on with the export from `ids` to `out` in a folder, with `decide` in place of the service;
/// the number of decisions that took. For fuzzing.
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
        let (mut input, index, mut files) =
            begin(source, paths, format, &BaseUrl::production(), false, |_| ())?;
        let ledger = Ledger::new(index);
        let mut decisions = 0;
        for session_id in PendingIds::new(&mut input, &ledger) {
            files.exported(&decide(&session_id))?;
            decisions += 1;
        }
        let broken = ledger.borrow_mut().broken.take();
        broken.map_or(Ok(decisions), Err)
    };
    settle().map_err(|failure| failure.line().to_owned())
}
