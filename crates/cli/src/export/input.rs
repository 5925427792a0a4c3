//! The ids of an export: all are checked first, then read one by one.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use didit_blocking_adapter::core::{SessionId, verification};
use sha2::{Digest as _, Sha256};

use super::checked_file::CheckedFile;
use super::id_set::{IdSet, Mark};
use super::state::{FailureLine, parse_line};
use super::stop::RESUME_HINT;
use crate::connection::Api;
use crate::failure::Failure;
use crate::file::Identity;

pub(crate) enum Source {
    /// A file with one id per line; `-` is standard input.
    Ids(PathBuf),
    /// The failures file of an earlier export.
    Failures(PathBuf),
}

impl Source {
    /// Returns a name of the source that is the same at each start.
    pub(crate) fn name(&self) -> PathBuf {
        let (Self::Ids(path) | Self::Failures(path)) = self;
        match path.canonicalize() {
            Ok(resolved) if !self.is_standard_input() && resolved.is_file() => resolved,
            _ => path.clone(),
        }
    }

    pub(crate) fn is_standard_input(&self) -> bool {
        matches!(self, Self::Ids(path) if path.as_os_str() == "-")
    }

    /// Parses the id on a line for an API; `None` if the line has none.
    fn session_id(&self, line: &[u8], api: Api) -> Result<Option<SessionId>, String> {
        let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())?;
        // Concatenated files may have byte order marks anywhere.
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if text.is_empty() {
            return Ok(None);
        }
        let parsed = match self {
            Self::Ids(_) if text.starts_with('#') => return Ok(None),
            Self::Ids(_) => SessionId::new(text),
            Self::Failures(_) => match parse_line::<FailureLine>(text) {
                Some(line) => SessionId::new(&line.session_id),
                None => return Err("it is not a line of a failures file".to_owned()),
            },
        };
        let parsed = parsed.map_err(|error| error.to_string())?;
        if api == Api::DataTransfer {
            return Ok(Some(parsed));
        }
        let id: verification::SessionId =
            parsed.as_str().parse().map_err(|error| format!("{error}"))?;
        SessionId::new(id.as_str()).map(Some).map_err(|error| error.to_string())
    }

    /// Opens the source, and a file in `folder` for a copy of it if it cannot be read twice.
    fn open(&self, folder: &Path) -> Result<Opened, Failure> {
        let unreadable = |error| self.unreadable(&error);
        let copy = || {
            let copy = tempfile::tempfile_in(folder);
            copy.map(BufWriter::new).map_err(|error| self.not_copied(folder, &error))
        };
        if self.is_standard_input() {
            return Ok(Opened::Once(Box::new(io::stdin().lock()), copy()?));
        }
        let (Self::Ids(path) | Self::Failures(path)) = self;
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.is_file() {
            return Ok(Opened::Twice(BufReader::new(CheckedFile::new(file))));
        }
        Ok(Opened::Once(Box::new(BufReader::new(file)), copy()?))
    }

    /// Returns the displayed name.
    pub(super) fn shown(&self) -> String {
        match self {
            _ if self.is_standard_input() => "standard input".to_owned(),
            Self::Ids(path) | Self::Failures(path) => path.display().to_string(),
        }
    }

    fn unreadable(&self, error: &io::Error) -> Failure {
        let advice = match self {
            Self::Ids(_) => "check --input",
            Self::Failures(_) => "check --retry-failures",
        };
        Failure::of_file(format!("could not read {}", self.shown()), error, advice)
    }

    fn not_copied(&self, folder: &Path, error: &io::Error) -> Failure {
        let (shown, folder) = (self.shown(), folder.display());
        let attempt = format!("could not keep a copy of {shown} in {folder}");
        Failure::of_file(attempt, error, "check the folder, or give --input a file")
    }
}

/// The maximum length of a line in bytes, far longer than any id or failure.
const MAX_LINE: u64 = 1 << 16;

/// An open source.
enum Opened {
    Twice(BufReader<CheckedFile>),
    /// A source that cannot be read twice, and the file for its copy.
    Once(Box<dyn BufRead>, BufWriter<File>),
}

/// An input in which every line has been checked.
pub(crate) struct Input {
    pub(super) source: Source,
    api: Api,
    file: BufReader<CheckedFile>,
    /// The number of lines with an id.
    pub(super) ids: u64,
    line: Vec<u8>,
}

impl Input {
    /// Checks the whole input. If it cannot be read twice, it is copied to a file in `folder`.
    pub(crate) fn check(source: Source, api: Api, folder: &Path) -> Result<Self, Failure> {
        let unreadable = |error| source.unreadable(&error);
        let copied = |error| source.not_copied(folder, &error);
        let mut opened = source.open(folder)?;
        let (mut reader, mut copy): (&mut dyn BufRead, _) = match &mut opened {
            Opened::Twice(file) => (file, None),
            Opened::Once(reader, copy) => (reader, Some(copy)),
        };
        let (mut line, mut number, mut ids) = (Vec::new(), 0_u64, 0_u64);
        while read_line(&mut reader, &mut line).map_err(unreadable)? > 0 {
            number += 1;
            let found = if line.len() as u64 > MAX_LINE {
                Err("it is too long".to_owned())
            } else {
                source.session_id(&line, api)
            };
            match found {
                Ok(found) => ids += u64::from(found.is_some()),
                Err(why) => {
                    let shown = source.shown();
                    return Err(Failure::usage(format!(
                        "line {number} of {shown}: {why}; nothing was sent"
                    )));
                }
            }
            if let Some(copy) = &mut copy {
                copy.write_all(&line).map_err(copied)?;
            }
        }
        let file = match opened {
            Opened::Twice(file) => file,
            Opened::Once(_, copy) => {
                let copy = copy.into_inner().map_err(|error| copied(error.into_error()))?;
                BufReader::new(CheckedFile::of_copy(copy).map_err(copied)?)
            }
        };
        let mut input = Self { source, api, file, ids, line };
        input.rewind()?;
        Ok(input)
    }

    /// Goes back to the first id.
    pub(super) fn rewind(&mut self) -> Result<(), Failure> {
        let buffered = self.file.buffer().len();
        self.file.consume(buffered);
        self.file.get_mut().rewind().map_err(|error| self.changed(&error.to_string()))
    }

    fn changed(&self, why: &str) -> Failure {
        let shown = self.source.shown();
        Failure::other(format!(
            "could not read {shown} again: {why}; leave it unchanged, and {RESUME_HINT}"
        ))
    }

    /// Returns the lines whose ids are not settled, and the number of ids that are failures.
    pub(super) fn unsettled(&mut self, ids: &IdSet) -> Result<(Vec<u8>, u64), Failure> {
        let (mut lines, mut failures) = (Vec::new(), 0);
        while let Some(id) = self.next() {
            match ids.get(id?.as_str()) {
                Some(Mark::Failed(_)) => failures += 1,
                Some(Mark::Exported) => {}
                _ => lines.extend_from_slice(&self.line),
            }
        }
        self.rewind()?;
        Ok((lines, failures))
    }

    /// Returns the fingerprint of the list, which depends on its ids and the API, but not on the
    /// order of the ids or on repetitions.
    pub(super) fn fingerprint(&mut self) -> Result<String, Failure> {
        let api: &[u8] = if self.api == Api::Verification { b"v" } else { b"d" };
        let (mut sum, mut seen) = (0_u128, BTreeSet::new());
        for id in self.by_ref() {
            let hash = Sha256::new().chain_update(api).chain_update(id?.as_str()).finalize();
            let half = u128::from_be_bytes(hash.first_chunk().copied().unwrap_or_default());
            if seen.insert(half) {
                sum = sum.wrapping_add(half);
            }
        }
        self.rewind()?;
        Ok(format!("{sum:032x}"))
    }

    /// Returns the identity of the file from which the ids are read.
    pub(super) fn identity(&self) -> io::Result<Identity> {
        self.file.get_ref().identity()
    }

    /// Returns true if the ids are those of a failures file.
    pub(super) fn is_retry(&self) -> bool {
        matches!(self.source, Source::Failures(_))
    }
}

impl Iterator for Input {
    type Item = Result<SessionId, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match read_line(&mut self.file, &mut self.line) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return Some(Err(self.changed(&error.to_string()))),
            }
            match self.source.session_id(&self.line, self.api) {
                Ok(Some(session_id)) => return Some(Ok(session_id)),
                Ok(None) => {}
                Err(why) => return Some(Err(self.changed(&why))),
            }
        }
    }
}

/// Reads the next line, and returns its length, which is 0 at the end. For a line that is too long,
/// `line` gets one byte more than the maximum; for a comment that is too long, only the `#`.
fn read_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<u64> {
    line.clear();
    let mut length = from.take(MAX_LINE + 1).read_until(b'\n', line)? as u64;
    while line.len() as u64 > MAX_LINE {
        let text = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line).trim_ascii_start();
        if text.is_empty() {
            line.clear();
            length += from.take(MAX_LINE + 1).read_until(b'\n', line)? as u64;
        } else if text.starts_with(b"#") {
            *line = b"#\n".to_vec();
            length += from.skip_until(b'\n')? as u64;
        } else {
            break;
        }
    }
    Ok(length)
}
