//! The file of JSON lines that keeps sessions and tokens across restarts.
//!
//! Each line is one record, such as a session after a change or a token that was issued. Of several
//! lines about the same session the last one counts. A last line that a kill left unfinished is cut
//! off.

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

/// The beginning of each record.
const BEGINNING: &[u8] = br#"{"kind":""#;

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
    end: End,
}

/// The end of a file of lines.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Terminated,
    /// The last line has no line terminator.
    Unterminated,
    /// After this number of bytes there is only a part of a record, which is to be cut off.
    Torn(u64),
}

impl StateFile {
    /// Opens the file and reads its records; creates it if it does not exist. If a kill has left a
    /// part of a record at its end, that part is cut off.
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
        let (records, end) = read(BufReader::new(&file)).map_err(|error| {
            about(&format!("cannot be used: {error}; correct the file, or choose another one"))
        })?;
        let mut state_file = Self { path: path.to_owned(), file, end };
        state_file.cut_torn_end()?;
        Ok((state_file, records))
    }

    /// Appends the record. If it cannot be written completely, the file is truncated again.
    fn save(&mut self, record: &Record) -> io::Result<()> {
        let mut line = serde_json::to_vec(record).map_err(io::Error::other)?;
        line.push(b'\n');
        self.cut_torn_end()?;
        if self.end == End::Unterminated {
            line.insert(0, b'\n');
        }
        let length = self.file.seek(SeekFrom::End(0))?;
        if let Err(error) = self.file.write_all(&line) {
            if self.file.set_len(length).is_err() {
                // The next record must not follow a part of this one.
                self.end = End::Torn(length);
            }
            return Err(self.not_written(&error));
        }
        self.end = End::Terminated;
        Ok(())
    }

    fn cut_torn_end(&mut self) -> io::Result<()> {
        if let End::Torn(length) = self.end {
            self.file.set_len(length).map_err(|error| self.not_written(&error))?;
            self.end = End::Terminated;
        }
        Ok(())
    }

    fn not_written(&self, error: &io::Error) -> io::Error {
        let path = self.path.display();
        let message = format!("the state file {path} cannot be written: {error}");
        io::Error::new(error.kind(), message)
    }

    /// Opens a file for reading only.
    #[cfg(test)]
    pub(crate) fn read_only(path: &str) -> io::Result<Self> {
        Ok(Self { path: path.into(), file: File::open(path)?, end: End::Terminated })
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

/// Parses all lines but empty ones, and returns how the last one ends.
fn read(mut from: impl BufRead) -> io::Result<(Vec<Record>, End)> {
    let (mut records, mut line, mut number) = (Vec::new(), Vec::new(), 0);
    let (mut length, mut end) = (0, End::Terminated);
    loop {
        line.clear();
        if from.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok((records, end));
        }
        number += 1;
        end = if line.ends_with(b"\n") { End::Terminated } else { End::Unterminated };
        if !line.trim_ascii().is_empty() {
            match serde_json::from_slice::<Record>(&line) {
                Ok(record) if record.has_valid_number() => records.push(record),
                Err(error) if error.is_eof() && is_torn(&line) => end = End::Torn(length),
                _ => {
                    let problem = format!("line {number} is not a record of a sandbox");
                    return Err(io::Error::other(problem));
                }
            }
        }
        length += line.len() as u64;
    }
}

/// Returns true if an incomplete line may be what a kill has left of a record.
fn is_torn(line: &[u8]) -> bool {
    let is_cut_off = !line.ends_with(b"\n") && (line.len() as u64) < MAX_LINE;
    is_cut_off && (line.starts_with(BEGINNING) || BEGINNING.starts_with(line))
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
            let (records, end) = read(line.as_bytes()).expect(line);
            assert_eq!(serde_json::to_string(&records[0]).expect("JSON"), line);
            assert_eq!(end, End::Unterminated);
        }
    }

    /// As if a record could be neither written completely nor cut off.
    #[test]
    fn torn_end_is_cut_off_before_the_next_record() {
        let path = std::env::temp_dir().join(format!("didit-{}-cut", std::process::id()));
        std::fs::write(&path, format!("{LINE}\n{{\"kind\":\"tok")).unwrap();
        let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let end = End::Torn(LINE.len() as u64 + 1);
        let mut file = StateFile { path: path.clone(), file, end };
        file.save(&Record::TokensRevoked).unwrap();
        file.save(&Record::TokensRevoked).unwrap();
        let content = std::fs::read_to_string(&path).unwrap();
        let revoked = r#"{"kind":"tokens-revoked"}"#;
        assert_eq!(content, format!("{LINE}\n{revoked}\n{revoked}\n"));

        // A file that is open for reading only can be neither written nor cut.
        let mut file = StateFile::read_only(path.to_str().unwrap()).unwrap();
        for _ in 0..2 {
            let error = file.save(&Record::TokensRevoked).unwrap_err().to_string();
            assert!(error.contains("cannot be written"), "{error}");
            assert_eq!(file.end, End::Torn(content.len() as u64));
        }
        std::fs::remove_file(&path).unwrap();
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
