//! The file of JSON lines that keeps sessions and tokens across restarts.
//!
//! Each line is one record, such as a session after a change or a token that was issued. Of several
//! lines about the same session the last one counts.

use std::error::Error;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use fs4::{FileExt, TryLockError};
use serde::{Deserialize, Serialize};

use crate::sessions::Session;
use crate::tokens::Token;
use crate::verification::session::Session as Verification;

/// The maximum length of a line in bytes: a session with many comments of the size of a request, 4 MiB.
const MAX_LINE: u64 = 1 << 26;

/// The highest number that a saved session or token may have. Session ids have room for twelve
/// digits.
const MAX_NUMBER: u64 = 500_000_000_000;

/// A change to be saved. Of several records about the same session the last one counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Record {
    Session(Box<Session>),
    Verification(Box<Verification>),
    VerificationDeleted {
        id: String,
    },
    Token(Token),
    /// The revocation of all tokens before this record.
    TokensRevoked,
}

/// A shared handle to where records are saved; by default they are discarded.
#[derive(Clone, Default)]
pub(crate) struct Store(Option<Arc<Mutex<StateFile>>>);

impl Store {
    pub(crate) fn new(file: StateFile) -> Self {
        Self(Some(Arc::new(Mutex::new(file))))
    }

    pub(crate) fn save(&self, record: &Record) -> io::Result<()> {
        match &self.0 {
            Some(file) => file.lock().unwrap_or_else(PoisonError::into_inner).save(record),
            None => Ok(()),
        }
    }
}

/// An error of the state file. Its source is the system's error.
#[derive(Debug)]
struct Unusable {
    message: String,
    cause: io::Error,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

impl Error for Unusable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

/// An open state file, locked until it is dropped.
pub(crate) struct StateFile {
    path: PathBuf,
    file: File,
    /// Set if the last line has no line terminator.
    unfinished: bool,
}

impl StateFile {
    /// Opens the file and reads its records; creates it if it does not exist.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be opened, is used by another sandbox, is not a regular file, or has a
    /// line that is not a record. In all cases the file is unchanged.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Vec<Record>)> {
        let about = |problem: &str| {
            io::Error::other(format!("the state file {} {problem}", path.display()))
        };
        let unusable = |cause: io::Error| {
            let path = path.display();
            let message =
                format!("the state file {path} cannot be opened: {cause}; choose another file");
            io::Error::other(Unusable { message, cause })
        };
        let file = open_private(path).map_err(unusable)?;
        if !file.metadata().map_err(unusable)?.is_file() {
            return Err(about("is not a regular file; choose another file"));
        }
        match lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(about("is used by another sandbox; choose another file"));
            }
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        let (records, unfinished) = read(BufReader::new(&file)).map_err(|error| {
            about(&format!("cannot be used: {error}; correct the file, or choose another one"))
        })?;
        Ok((Self { path: path.to_owned(), file, unfinished }, records))
    }

    /// Appends the record. If it cannot be written completely, the file is truncated again.
    fn save(&mut self, record: &Record) -> io::Result<()> {
        let mut line = serde_json::to_vec(record).map_err(io::Error::other)?;
        line.push(b'\n');
        if self.unfinished {
            line.insert(0, b'\n');
        }
        let end = self.file.seek(SeekFrom::End(0))?;
        let written = self.file.write_all(&line);
        if let Err(error) = written {
            let _ = self.file.set_len(end);
            let path = self.path.display();
            return Err(io::Error::new(
                error.kind(),
                format!("the state file {path} cannot be written: {error}"),
            ));
        }
        self.unfinished = false;
        Ok(())
    }

    /// Opens a file for reading only.
    #[cfg(test)]
    pub(crate) fn read_only(path: &str) -> io::Result<Self> {
        Ok(Self { path: path.into(), file: File::open(path)?, unfinished: false })
    }
}

impl Drop for StateFile {
    fn drop(&mut self) {
        // Closing the file does not always release the lock: a child process that another thread is
        // starting holds a copy of the descriptor until it executes its program.
        let _ = FileExt::unlock(&self.file);
    }
}

/// Locks the file. For up to a second it tries again: a child process that another thread is starting
/// holds a copy of an earlier sandbox's lock until it executes its program.
fn lock(file: &File) -> Result<(), TryLockError> {
    for _ in 0..50 {
        match FileExt::try_lock(file) {
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(20)),
            result => return result,
        }
    }
    Err(TryLockError::WouldBlock)
}

/// Opens the file for reading and writing; a new file is accessible only to its owner.
fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Parses all lines but empty ones, and returns true if the last one has no line terminator.
fn read(mut from: impl BufRead) -> io::Result<(Vec<Record>, bool)> {
    let (mut records, mut line, mut number, mut unfinished) = (Vec::new(), Vec::new(), 0, false);
    loop {
        line.clear();
        if from.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok((records, unfinished));
        }
        number += 1;
        unfinished = !line.ends_with(b"\n");
        if line.trim_ascii().is_empty() {
            continue;
        }
        let record = serde_json::from_slice(&line).ok().filter(Record::has_valid_number);
        records.push(record.ok_or_else(|| {
            io::Error::other(format!("line {number} is not a record of a sandbox"))
        })?);
    }
}

impl Record {
    /// Returns false if the number is too high for others to follow.
    fn has_valid_number(&self) -> bool {
        let number = match self {
            Self::Session(session) => session.number,
            Self::Verification(session) => session.number,
            Self::Token(token) => token.number,
            Self::VerificationDeleted { .. } | Self::TokensRevoked => 0,
        };
        number <= MAX_NUMBER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"kind":"session","number":1,"application":"a","id":"i","token":"t","form_token":"f","scope":"names","vendor_data":null,"created_at":1722508200000,"expires_at":1722508260000,"status":"confirmed","user_data":{"sub":"u"}}"#;

    #[test]
    fn records_round_trip() {
        const TOKEN: &str =
            r#"{"kind":"token","number":7,"application":"a","expires_at":1722508260000}"#;
        for line in [LINE, TOKEN, r#"{"kind":"tokens-revoked"}"#] {
            let (records, unfinished) = read(line.as_bytes()).expect(line);
            assert_eq!(serde_json::to_string(&records[0]).expect("JSON"), line);
            assert!(unfinished);
        }
    }

    #[test]
    fn invalid_line_is_reported_by_number() {
        let read = |content: &[u8]| match read(content) {
            Ok((records, _)) => records.len().to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(read(b""), "0");
        assert_eq!(read(format!("{LINE}\n\r\n{LINE}\n").as_bytes()), "2");
        for (from, to) in [
            (r#"{"sub":"u"}"#, r#""sub""#),
            (r#"{"sub":"u"}"#, r#"{"sub":}"#),
            (r#""status":"confirmed","#, ""),
            (r#""session""#, r#""other""#),
            ("1722508200000", "-1"),
            (r#""number":1"#, r#""number":18446744073709551615"#),
            (r#""number":1"#, r#""number":500000000001"#),
            ("}}", "}"),
        ] {
            let broken = LINE.replace(from, to);
            assert_ne!(broken, LINE);
            let refused = read(format!("{LINE}\n{broken}\n").as_bytes());
            assert_eq!(refused, "line 2 is not a record of a sandbox", "{broken}");
        }
        let first = "line 1 is not a record of a sandbox";
        assert_eq!(read(b"\xff\n"), first);
        let token =
            r#"{"kind":"token","number":18446744073709551615,"application":"a","expires_at":1}"#;
        assert_eq!(read(token.as_bytes()), first);
    }
}
