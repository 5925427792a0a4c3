//! The file of JSON lines that keeps sessions and tokens across restarts.
//!
//! Each line is one record, such as a session after a change or a token that was issued. Of several
//! lines about the same session the last one counts.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use fs4::{FileExt, TryLockError};
use serde::{Deserialize, Serialize};

use crate::sessions::Session;
use crate::tokens::Token;
use crate::verification::session::Session as Verification;

/// The first bytes of every `SQLite` database, which earlier versions used.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// The maximum number of a session or a token that was saved. The id of a session has twelve digits.
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

/// A place where records are saved.
pub(crate) trait Persist: Send {
    fn save(&mut self, record: &Record) -> io::Result<()>;
}

/// A shared handle to where records are saved; by default they are discarded.
#[derive(Clone, Default)]
pub(crate) struct Store(Option<Arc<Mutex<dyn Persist>>>);

impl Store {
    pub(crate) fn new(inner: impl Persist + 'static) -> Self {
        Self(Some(Arc::new(Mutex::new(inner))))
    }

    pub(crate) fn save(&self, record: &Record) -> io::Result<()> {
        match &self.0 {
            Some(inner) => inner.lock().unwrap_or_else(PoisonError::into_inner).save(record),
            None => Ok(()),
        }
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
    /// Fails if the file cannot be opened, is used by another sandbox, is not a regular file, is an
    /// `SQLite` database, or has a line that is not a record. In all cases the file is unchanged.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Vec<Record>)> {
        let about = |problem: &str| {
            io::Error::other(format!("the state file {} {problem}", path.display()))
        };
        let unusable =
            |error: io::Error| about(&format!("cannot be opened: {error}; choose another file"));
        let mut file = open_private(path).map_err(unusable)?;
        if !file.metadata().map_err(unusable)?.is_file() {
            return Err(about("is not a regular file; choose another file"));
        }
        match FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(about("is used by another sandbox; choose another file"));
            }
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(unusable)?;
        if content.starts_with(SQLITE) {
            return Err(about(
                "is an SQLite database, as earlier versions wrote them; choose another file",
            ));
        }
        let records = read(&content).map_err(|number| {
            about(&format!(
                "has no session or token of a sandbox in line {number}; correct or remove that \
                 line, or choose another file"
            ))
        })?;
        let unfinished = content.last().is_some_and(|&byte| byte != b'\n');
        Ok((Self { path: path.to_owned(), file, unfinished }, records))
    }
}

impl Drop for StateFile {
    fn drop(&mut self) {
        // Closing the file does not always release the lock: a child process that another thread is
        // starting holds a copy of the descriptor until it executes its program.
        let _ = FileExt::unlock(&self.file);
    }
}

impl Persist for StateFile {
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
}

/// Opens the file for reading and writing; a new file is accessible only to its owner.
fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Parses all lines; fails with the number of the first one that is not a record. Empty lines are
/// skipped.
fn read(content: &[u8]) -> Result<Vec<Record>, usize> {
    let lines = content.split(|&byte| byte == b'\n').enumerate();
    let records = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    let parse = |line| serde_json::from_slice(line).ok().filter(Record::has_valid_number);
    records.map(|(index, line)| parse(line).ok_or(index + 1)).collect()
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
            let records = read(line.as_bytes()).expect(line);
            assert_eq!(serde_json::to_string(&records[0]).expect("JSON"), line);
        }
    }

    #[test]
    fn invalid_line_is_reported_by_number() {
        assert_eq!(read(b"").map(|records| records.len()), Ok(0));
        assert_eq!(read(format!("{LINE}\n\r\n{LINE}\n").as_bytes()).map(|all| all.len()), Ok(2));
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
            assert_eq!(read(format!("{LINE}\n{broken}\n").as_bytes()), Err(2), "{broken}");
        }
        assert_eq!(read(b"\xff\n"), Err(1));
        let token =
            r#"{"kind":"token","number":18446744073709551615,"application":"a","expires_at":1}"#;
        assert_eq!(read(token.as_bytes()), Err(1));
    }
}
