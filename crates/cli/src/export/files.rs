//! The files of an export, and what becomes of a result in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use didit_blocking_adapter::Error;
use didit_blocking_adapter::core::{Decision, SessionId};

use super::failure_line::FailureLine;
use super::format::ExportFormat;
use super::index::{self, Index, Mark};
use super::record_file::RecordFile;
use super::state::State;
use crate::failure::Failure;

/// How much work a loss of power may cost.
const SYNC_INTERVAL: Duration = Duration::from_secs(5);

/// Where the files of an export are, whatever the way that leads there is called.
pub(crate) struct Paths {
    pub(crate) output: PathBuf,
    pub(crate) failures: PathBuf,
    state: PathBuf,
    /// Where the output is: there is room for what else must be kept.
    pub(crate) folder: PathBuf,
}

impl Paths {
    pub(crate) fn new(output: &Path, failures: Option<&Path>) -> Result<Self, Failure> {
        let output = resolve(output)?;
        let with = |suffix: &str| {
            let mut name = output.clone().into_os_string();
            name.push(suffix);
            PathBuf::from(name)
        };
        let failures = failures.map_or_else(|| Ok(with(".failures")), resolve)?;
        let folder = output.parent().unwrap_or(Path::new("/")).to_owned();
        let paths = Self { state: with(".state"), output, failures, folder };
        if paths.failures == paths.output || paths.failures == paths.state {
            return Err(Failure::usage("the output and the failures need files of their own"));
        }
        Ok(paths)
    }

    pub(crate) fn include(&self, input: &Path) -> bool {
        [&self.output, &self.failures, &self.state].into_iter().any(|path| path == input)
    }
}

/// The one name of a file that may not be there yet.
fn resolve(path: &Path) -> Result<PathBuf, Failure> {
    if let Ok(path) = path.canonicalize() {
        return Ok(path);
    }
    let problem = |why: &str| Failure::usage(format!("could not open {}: {why}", path.display()));
    let name = path.file_name().ok_or_else(|| problem("it names no file"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize();
    Ok(folder.map_err(|error| problem(&error.to_string()))?.join(name))
}

pub(crate) struct Files {
    format: ExportFormat,
    output: RecordFile,
    failures_path: PathBuf,
    /// Made with the first failure.
    failures: Option<RecordFile>,
    synced: Instant,
}

impl Files {
    /// Opens and locks them, and makes sure that they are this export's or nobody's.
    pub(crate) fn open(
        paths: Paths,
        format: ExportFormat,
        state: &State,
        restart: bool,
    ) -> Result<Self, Failure> {
        let mut output = RecordFile::open(&paths.output)?;
        let mut failures = None;
        if paths.failures.exists() {
            failures = Some(RecordFile::open(&paths.failures)?);
        }
        if restart {
            output.clear()?;
            if let Some(failures) = failures.take() {
                fs::remove_file(failures.path()).map_err(|error| {
                    let path = failures.path().display();
                    Failure::other(format!("could not remove {path}: {error}"))
                })?;
            }
        }
        if output.is_empty() && failures.as_ref().is_none_or(RecordFile::is_empty) {
            state.write(&paths.state)?;
        } else {
            state.check(&paths.state, &paths.output)?;
        }
        Ok(Self { format, output, failures_path: paths.failures, failures, synced: Instant::now() })
    }

    /// Reads what is done into the index, and mends what an interruption left behind once all of it
    /// is known to be good.
    pub(crate) fn recover(&mut self, index: &mut Index) -> Result<(), Failure> {
        let mut mark = |path: &Path, id: &str, mark| match index
            .mark(id, mark)
            .map_err(|error| index::failed(&error))?
        {
            None => Ok(()),
            Some(_) => Err(Failure::other(format!(
                "{} repeats the session {id}, which no export does; mend it, or begin anew \
                     with --restart",
                path.display()
            ))),
        };
        let format = self.format;
        let mut header = format.header().strip_suffix('\n');
        let path = self.output.path().to_owned();
        let whole = self.output.check(format, |record| {
            if let Some(header) = header.take() {
                return Ok(record == header);
            }
            let Some(id) = format.session_id(record) else { return Ok(false) };
            mark(&path, &id, Mark::Exported)?;
            Ok(true)
        })?;
        if let Some(failures) = &mut self.failures {
            let path = &self.failures_path;
            let whole = failures.check(ExportFormat::Jsonl, |record| {
                let Some(line) = FailureLine::parse(record) else { return Ok(false) };
                mark(path, &line.session_id, Mark::Failed(line.exit()))?;
                Ok(true)
            })?;
            failures.mend(whole)?;
        }
        self.output.mend(whole)?;
        if self.output.is_empty() && !format.header().is_empty() {
            self.output.append(format.header())?;
        }
        Ok(())
    }

    pub(super) fn exported(&mut self, decision: &Decision) -> Result<(), Failure> {
        self.output.append(&self.format.record(decision))
    }

    pub(super) fn failed(&mut self, session_id: &SessionId, error: &Error) -> Result<(), Failure> {
        let failures = match &mut self.failures {
            Some(failures) => failures,
            none => none.insert(RecordFile::open(&self.failures_path)?),
        };
        failures.append(&FailureLine::new(session_id, error).to_line()?)
    }

    pub(super) fn failures_path(&self) -> &Path {
        &self.failures_path
    }

    pub(super) fn sync_now_and_then(&mut self) -> Result<(), Failure> {
        if self.synced.elapsed() < SYNC_INTERVAL { Ok(()) } else { self.sync() }
    }

    pub(super) fn sync(&mut self) -> Result<(), Failure> {
        self.output.sync()?;
        if let Some(failures) = &mut self.failures {
            failures.sync()?;
        }
        self.synced = Instant::now();
        Ok(())
    }
}
