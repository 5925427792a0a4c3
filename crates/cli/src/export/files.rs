//! The files of an export: opening, recovery, and writing of results.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::format::ExportFormat;
use super::id_set::{IdSet, Mark};
use super::paths::{Named, Paths};
use super::record_file::RecordFile;
use super::retry_list::{RetryRecord, own_list};
use super::state::{Arguments, ExitRecord, FailureLine, Share, Start, json_line, parse_line};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::file::{self, Identity};
use crate::output;
use crate::workers::AnyDecision;

/// The interval between syncs: a power loss costs at most this much work.
const SYNC_INTERVAL: Duration = Duration::from_secs(5);

pub(crate) struct Files {
    arguments: Arguments,
    /// `None` for standard output.
    output: Option<RecordFile>,
    /// `None` for standard error.
    failures: Option<RecordFile>,
    state: Option<RecordFile>,
    /// Set if there is the list of an interrupted retry, and this export wrote it.
    pub(super) has_list: bool,
    /// Set once all files are known to be valid and to belong to this export.
    accepted: bool,
    synced: Instant,
}

impl Files {
    /// Opens and locks the files, checks that they are new or belong to this export, and reads
    /// which ids are done. If any file is refused, all are left unchanged, and new ones are
    /// removed.
    pub(super) fn open(
        paths: &Paths,
        arguments: &Arguments,
        start: Start<'_>,
    ) -> Result<(Self, IdSet), Failure> {
        let (mut created, mut ids) = (Vec::new(), IdSet::default());
        let opened = Self::claim(paths, arguments.clone(), start, &mut created);
        let opened = opened.and_then(|mut files| files.recover(&mut ids).map(|()| (files, ids)));
        if opened.is_err() {
            for (path, identity) in created {
                identity.remove(&path);
            }
        }
        opened
    }

    fn claim(
        paths: &Paths,
        mut arguments: Arguments,
        start: Start<'_>,
        created: &mut Vec<(PathBuf, Identity)>,
    ) -> Result<Self, Failure> {
        let mut output = open_optional(paths.output.as_ref(), created)?;
        let started = paths.state.as_ref().map(Arguments::read).transpose()?.flatten();
        let restart = matches!(start, Start::Restart);
        let had_failures =
            started.as_ref().is_some_and(|started| started.failures == arguments.failures);
        let is_new = paths.failures.as_ref().is_some_and(Named::is_missing);
        arguments.owns_failures =
            is_new || had_failures && started.as_ref().is_some_and(|started| started.owns_failures);
        // The state shows whose the failures file is, so it is written before a new one is created.
        // But nothing is cleared until all files are open.
        let create_last = is_new && !(restart && started.is_some());
        let first = paths.failures.as_ref().filter(|_| !create_last);
        let mut failures = open_optional(first, created)?;
        let list = if started.is_some() { own_list(paths)? } else { None };
        if restart || started.is_none() {
            if let Some(output) = output.as_mut().filter(|file| !file.is_empty()) {
                refuse_foreign_output(output, started.as_ref().map(|started| started.format))?;
            }
            if let Some(failures) = failures.as_mut().filter(|file| !file.is_empty()) {
                let may_restart = arguments.may_restart(start);
                refuse_foreign_failures(failures, restart, may_restart, had_failures)?;
            }
        }
        if restart {
            // Before the rest is cleared, so that no retry continues with the list.
            if let (Some(identity), Some(list)) = (list, &paths.retry) {
                identity.remove(&list.path);
            }
            if let Some(failures) = failures.as_mut().filter(|failures| !failures.is_empty()) {
                failures.clear()?;
                arguments.owns_failures = true;
            }
            output.as_mut().map(RecordFile::clear).transpose()?;
        }
        if let Some(started) = &started {
            arguments.keep_owner(started);
        }
        let has_list = list.is_some() && !restart;
        let has_results =
            has_list || [&output, &failures].into_iter().flatten().any(|file| !file.is_empty());
        match (&started, &paths.state) {
            (_, None) => {}
            (Some(started), Some(_)) if has_results => started.check(&arguments, paths, start)?,
            (_, Some(state)) => {
                let identity = arguments.write(state, started.is_some())?;
                created.extend(started.is_none().then(|| (state.path.clone(), identity)));
            }
        }
        if create_last {
            failures = open_optional(paths.failures.as_ref(), created)?;
        }
        let state = paths.state.as_ref().map(RecordFile::open).transpose()?;
        for file in [&output, &failures].into_iter().flatten() {
            file::sync_folder(&file.name.path);
        }
        let (accepted, synced) = (false, Instant::now());
        Ok(Self { arguments, output, failures, state, has_list, accepted, synced })
    }

    /// Reads which ids are done, and cuts off torn records once all files are known to be valid.
    fn recover(&mut self, ids: &mut IdSet) -> Result<(), Failure> {
        let whole = [self.read_state(ids)?, self.read_output(ids)?, self.read_failures(ids)?];
        let files = [&mut self.state, &mut self.output, &mut self.failures];
        for (file, whole) in files.iter().zip(whole) {
            if let Some(file) = file
                && whole == 0
            {
                file.make_private()?;
            }
        }
        for (file, whole) in files.into_iter().zip(whole) {
            file.as_mut().map(|file| file.truncate(whole)).transpose()?;
        }
        self.accepted = true;
        let header = self.arguments.format.header();
        match &mut self.output {
            Some(output) if output.is_empty() => output.append(header),
            Some(_) => Ok(()),
            None => output::print(header),
        }
    }

    /// Reads the state, and returns the length of its whole records in bytes.
    fn read_state(&mut self, ids: &mut IdSet) -> Result<u64, Failure> {
        let Some(state) = &mut self.state else { return Ok(0) };
        let mut first = true;
        state.check(ExportFormat::Jsonl, |line| {
            if std::mem::take(&mut first) {
                return Ok(parse_line::<Arguments>(line).is_some());
            }
            if let Some((id, exit)) = ExitRecord::parse(line) {
                ids.mark(&id, Mark::ExitRecorded(exit));
                return Ok(true);
            }
            Ok(parse_line::<RetryRecord>(line).is_some())
        })
    }

    /// Reads the output, after the state, and returns the length of its whole records in bytes.
    fn read_output(&mut self, ids: &mut IdSet) -> Result<u64, Failure> {
        let Some(output) = &mut self.output else { return Ok(0) };
        let (name, format) = (output.name.clone(), self.arguments.format);
        let mut header = format.header().strip_suffix('\n');
        output.check(format, |record| {
            if let Some(header) = header.take() {
                return Ok(record == header);
            }
            let Some(id) = format.session_id(record) else { return Ok(false) };
            match ids.mark(&id, Mark::Exported) {
                None | Some(Mark::ExitRecorded(_)) => Ok(true),
                Some(_) => Err(repeated(&name, &id)),
            }
        })
    }

    /// Reads the failures, last of all, and returns the length of their whole records in bytes.
    fn read_failures(&mut self, ids: &mut IdSet) -> Result<u64, Failure> {
        let Some(failures) = &mut self.failures else { return Ok(0) };
        let name = failures.name.clone();
        failures.check(ExportFormat::Jsonl, |line| {
            let Some(line) = parse_line::<FailureLine>(line) else { return Ok(false) };
            match ids.mark(&line.session_id, Mark::Failed(line.exit_of_status())) {
                None => {}
                Some(Mark::ExitRecorded(exit)) => {
                    ids.mark(&line.session_id, Mark::Failed(exit));
                }
                Some(_) => return Err(repeated(&name, &line.session_id)),
            }
            Ok(true)
        })
    }

    /// Moves the failures to the list of a retry, behind the lines that are left of an interrupted
    /// one. Its fingerprint is recorded before.
    pub(super) fn move_failures(&mut self, list: &Named, left: Vec<u8>) -> Result<(), Failure> {
        let Some(failures) = &mut self.failures else { return Ok(()) };
        let problem = |error: io::Error| {
            Failure::other(format!("could not write {list}: {error}; nothing was sent"))
        };
        let mut all = left;
        all.extend(fs::read(&failures.name.path).map_err(problem)?);
        if let Some(state) = &mut self.state {
            state.append(&json_line(&RetryRecord::of(&*all).map_err(problem)?)?)?;
            state.sync()?;
        }
        file::replace(&list.path, &all, true).map_err(problem)?;
        failures.clear()
    }

    pub(super) fn exported(&mut self, decision: &AnyDecision) -> Result<(), Failure> {
        let record = self.arguments.format.record(decision);
        match &mut self.output {
            Some(output) => output.append(&record),
            None => self.arguments.format.print(&record),
        }
    }

    /// Writes a failure after its exit code, so that no failure lacks one.
    pub(super) fn failed(&mut self, line: &FailureLine, exit: Exit) -> Result<(), Failure> {
        if let Some(state) = &mut self.state {
            state.append(&json_line(&ExitRecord::new(&line.session_id, exit))?)?;
        }
        let line = json_line(line)?;
        match &mut self.failures {
            Some(failures) => failures.append(&line),
            None => {
                output::eprint(&line);
                Ok(())
            }
        }
    }

    /// Returns this machine's share, if several machines divide the list.
    pub(super) fn share(&self) -> Option<&Share> {
        self.arguments.share.as_ref()
    }

    /// Returns the name of the failures file.
    pub(super) fn failures(&self) -> Option<&Named> {
        self.failures.as_ref().map(|file| &file.name)
    }

    /// Returns the command that retries the failures into the output; `None` if the list is divided
    /// or a name needs quoting.
    pub(super) fn retry_command(&self) -> Option<String> {
        let (output, failures) = (&self.output.as_ref()?.name, self.failures()?);
        let is_plain = |name: &Named| {
            let plain = |c: char| c.is_alphanumeric() || "/._-+@%,:".contains(c);
            let shown = name.shown.to_str().filter(|shown| !shown.starts_with('-'));
            shown.is_some_and(|shown| shown.chars().all(plain))
        };
        if self.arguments.share.is_some() || !is_plain(output) || !is_plain(failures) {
            return None;
        }
        let mut command =
            vec![format!("didit export --retry-failures {failures} --output {output}")];
        if failures.to_string() != format!("{output}.failures") {
            command.push(format!("--failures {failures}"));
        }
        let format = self.arguments.format;
        if format != ExportFormat::of_name(&output.shown) {
            command.push(format!("--format {}", format.flags()));
        }
        Some(command.join(" "))
    }

    pub(super) fn sync_if_due(&mut self) -> Result<(), Failure> {
        if self.synced.elapsed() < SYNC_INTERVAL { Ok(()) } else { self.sync() }
    }

    pub(super) fn sync(&mut self) -> Result<(), Failure> {
        let files = [&mut self.state, &mut self.output, &mut self.failures];
        for file in files.into_iter().flatten() {
            file.sync()?;
            file.check_name()?;
        }
        self.synced = Instant::now();
        Ok(())
    }
}

#[cfg(test)]
impl Files {
    /// Returns the contents of the output, the failures and the state that a power loss keeps.
    pub(super) fn synced(&self) -> [Vec<u8>; 3] {
        [&self.output, &self.failures, &self.state].map(|file| {
            let file = file.as_ref().unwrap();
            let mut content = fs::read(&file.name.path).unwrap();
            // What an earlier power loss left, and was not cut off since, is on disk.
            content.truncate(file.synced.map_or(usize::MAX, |length| length.try_into().unwrap()));
            content
        })
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let ours = self.accepted && self.arguments.owns_failures;
        if let Some(failures) = self.failures.as_ref().filter(|file| ours && file.is_empty()) {
            failures.identity.remove(&failures.name.path);
        }
    }
}

/// Opens a file, if it has a name, and notes whether that created it.
fn open_optional(
    name: Option<&Named>,
    created: &mut Vec<(PathBuf, Identity)>,
) -> Result<Option<RecordFile>, Failure> {
    let file = name.map(RecordFile::open).transpose()?;
    let new = file.iter().filter(|file| file.created);
    created.extend(new.map(|file| (file.name.path.clone(), file.identity)));
    Ok(file)
}

/// Refuses an output that no export is known to have written: decisions may come from anywhere, so
/// one without a state file is always refused. `started` is the format of the export that
/// `--restart` overwrites.
fn refuse_foreign_output(
    output: &mut RecordFile,
    started: Option<ExportFormat>,
) -> Result<(), Failure> {
    const ADVICE: &str = "move it away, or choose another --output";
    let Some(format) = started else { return Err(not_empty(output, ADVICE)) };
    let mut any = false;
    let checked = output.check(format, |record| {
        let is_header = record == format.header().trim_end() && !record.is_empty();
        let is_record = is_header || format.session_id(record).is_some();
        any |= is_record;
        Ok(is_record)
    });
    // A power loss may have left only zeros, and it may have been damaged since.
    if checked.is_ok() || any {
        return Ok(());
    }
    let name = &output.name;
    Err(Failure::usage(format!("{name} is not the output of an export; {ADVICE}")))
}

/// Refuses failures that no export is known to have written, unless `--restart` overwrites them.
fn refuse_foreign_failures(
    failures: &mut RecordFile,
    restart: bool,
    may_restart: bool,
    has_failures: bool,
) -> Result<(), Failure> {
    let mut any = false;
    let checked = failures.check(ExportFormat::Jsonl, |line| {
        let is_failure = parse_line::<FailureLine>(line).is_some();
        any |= is_failure;
        Ok(is_failure)
    });
    match checked {
        // A power loss may have left only zeros.
        Ok(_) if restart && (any || has_failures) => Ok(()),
        // It has been damaged since.
        Err(_) if restart && any && has_failures => Ok(()),
        Ok(1..) if may_restart => {
            Err(not_empty(failures, "choose another --failures, or overwrite it with --restart"))
        }
        Ok(1..) => Err(not_empty(failures, "choose another --failures")),
        _ => {
            let name = &failures.name;
            Err(Failure::usage(format!(
                "{name} is not a failures file; move it away, or choose another --failures"
            )))
        }
    }
}

fn not_empty(file: &RecordFile, advice: &str) -> Failure {
    let name = &file.name;
    Failure::usage(format!("{name} is not empty, and there is no export to resume; {advice}"))
}

fn repeated(name: &Named, id: &str) -> Failure {
    Failure::other(format!(
        "{name} repeats the session {id}, which no export does; repair the file, or start over with \
         --restart"
    ))
}
