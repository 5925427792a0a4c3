//! Sessions in a file of JSON lines, so that they outlive the sandbox.
//!
//! Each line is one record: a session as it was after a change, or a token that was issued. Of
//! several lines about the same session the last one counts.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use fs4::{FileExt, TryLockError};

use crate::store::{Keep, Record};

/// The first bytes of every `SQLite` database. Earlier versions kept their sessions in one.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// An open state file, locked for as long as this value lives.
pub(crate) struct StateFile {
    path: PathBuf,
    file: File,
    /// Set if the last line lacks its line end.
    unfinished: bool,
}

impl StateFile {
    /// Opens the file and reads its records; creates it if it is not there.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be opened, is in use by another sandbox, is no regular file, is an
    /// `SQLite` database, or has a line that is not a record. The file is not changed then.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Vec<Record>)> {
        let about = |problem: &str| {
            io::Error::other(format!("the state file {} {problem}", path.display()))
        };
        let unusable = |error: io::Error| about(&format!("cannot be opened: {error}"));
        let mut file = open_private(path).map_err(unusable)?;
        if !file.metadata().map_err(unusable)?.is_file() {
            return Err(about("is not a regular file"));
        }
        match FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(about("is used by another sandbox")),
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
        // A child that another thread starts shares the lock until it runs its program.
        let _ = FileExt::unlock(&self.file);
    }
}

impl Keep for StateFile {
    /// Appends the record. A line that cannot be written whole is taken back.
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

/// Opens the file for reading and writing; creates it so that only its owner can read it.
fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Reads all lines, or returns the number of the first one that is not a record. Empty lines are
/// skipped.
fn read(content: &[u8]) -> Result<Vec<Record>, usize> {
    let lines = content.split(|&byte| byte == b'\n').enumerate();
    let records = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    records.map(|(index, line)| serde_json::from_slice(line).map_err(|_| index + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"kind":"session","number":1,"application":"a","id":"i","token":"t","form_token":"f","scope":"names","vendor_data":null,"created_at":1722508200000,"expires_at":1722508260000,"status":"confirmed","user_data":{"sub":"u"}}"#;

    #[test]
    fn a_line_is_written_as_it_was_read() {
        const TOKEN: &str =
            r#"{"kind":"token","number":7,"application":"a","expires_at":1722508260000}"#;
        for line in [LINE, TOKEN, r#"{"kind":"tokens-revoked"}"#] {
            let records = read(line.as_bytes()).expect(line);
            assert_eq!(serde_json::to_string(&records[0]).expect("JSON"), line);
        }
    }

    #[test]
    fn a_broken_line_is_named() {
        assert_eq!(read(b"").map(|records| records.len()), Ok(0));
        assert_eq!(read(format!("{LINE}\n\r\n{LINE}\n").as_bytes()).map(|all| all.len()), Ok(2));
        for (from, to) in [
            (r#"{"sub":"u"}"#, r#""sub""#),
            (r#"{"sub":"u"}"#, r#"{"sub":}"#),
            (r#""status":"confirmed","#, ""),
            (r#""session""#, r#""other""#),
            ("1722508200000", "-1"),
            ("}}", "}"),
        ] {
            let broken = LINE.replace(from, to);
            assert_ne!(broken, LINE);
            assert_eq!(read(format!("{LINE}\n{broken}\n").as_bytes()), Err(2), "{broken}");
        }
        assert_eq!(read(b"\xff\n"), Err(1));
    }
}
