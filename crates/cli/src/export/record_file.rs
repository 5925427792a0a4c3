//! An append-only file of whole records, locked by one process at a time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Seek as _, SeekFrom, Write as _};

use fs4::{FileExt, TryLockError};

use super::format::{ExportFormat, MAX_RECORD};
use super::paths::Named;
use super::stop::RESUME_HINT;
use crate::failure::Failure;
use crate::file::{self, Identity};

/// A lower bound of the bytes that a disk writes at once. A power loss leaves zeros for those that
/// were not written.
const SECTOR: usize = 16;

pub(super) struct RecordFile {
    pub(super) name: Named,
    pub(super) identity: Identity,
    file: File,
    length: u64,
    /// The length up to which the file survives a power loss; `None` after it was cut.
    pub(super) synced: Option<u64>,
    /// Set if opening created the file.
    pub(super) created: bool,
}

impl RecordFile {
    /// Opens or creates a regular file, and locks it until it is closed.
    pub(super) fn open(name: &Named) -> Result<Self, Failure> {
        let problem = |error: io::Error| {
            let attempt = format!("could not open {name} to write");
            Failure::of_file(attempt, &error, "check its permissions, or choose another file")
        };
        let created = match fs::symlink_metadata(&name.path) {
            Ok(found) => {
                regular(name, &found)?;
                false
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) => return Err(problem(error)),
        };
        let mut options = OpenOptions::new();
        let options = options.create_new(created).read(true).append(true);
        let file = file::private(options).open(&name.path);
        let file = file.map_err(problem)?;
        let metadata = file.metadata().map_err(problem)?;
        regular(name, &metadata)?;
        match FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::usage(format!(
                    "another export is writing to {name}; wait for its end, or choose another file"
                )));
            }
            Err(TryLockError::Error(error)) => return Err(problem(error)),
        }
        let (identity, length) = (Identity::of(&metadata), metadata.len());
        Ok(Self { name: name.clone(), identity, file, length, synced: Some(length), created })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Sets mode 0600.
    pub(super) fn make_private(&self) -> Result<(), Failure> {
        #[cfg(unix)]
        self.file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600)).map_err(
            |error| {
                let attempt = format!("could not make {} private", self.name);
                Failure::of_file(attempt, &error, "choose another file")
            },
        )?;
        Ok(())
    }

    /// Empties the file, so that its records do not return in a power loss.
    pub(super) fn clear(&mut self) -> Result<(), Failure> {
        self.cut(0).map_err(|error| self.problem("empty", &error))?;
        self.sync()
    }

    /// Passes every record to `read`, which returns false for an invalid one, and returns the
    /// length of the whole records in bytes.
    ///
    /// They may be followed by what a kill or a power loss leaves: a record without its end, or one
    /// that turns to zeros, with anything after it. Any other invalid record is refused.
    pub(super) fn check(
        &mut self,
        format: ExportFormat,
        mut read: impl FnMut(&str) -> Result<bool, Failure>,
    ) -> Result<u64, Failure> {
        self.file.seek(SeekFrom::Start(0)).map_err(|error| self.problem("read", &error))?;
        let mut reader = BufReader::with_capacity(1 << 16, &mut self.file);
        let (mut whole, mut record, mut number) = (0, Vec::new(), 0_u64);
        loop {
            if let Err(error) = format.read(&mut reader, &mut record) {
                return Err(self.problem("read", &error));
            }
            if record.is_empty() {
                return Ok(whole);
            }
            number += 1;
            let zero = record.iter().position(|byte| *byte == 0);
            let text = record.strip_suffix(b"\n").filter(|_| zero.is_none());
            let text = text.and_then(|text| std::str::from_utf8(text).ok());
            if let Some(text) = text
                && read(text)?
            {
                whole += record.len() as u64;
                continue;
            }
            let left = &record[..zero.unwrap_or(record.len())];
            let is_cut_off = record.len() <= MAX_RECORD && !format.is_closed(&record);
            let is_torn = match zero {
                // Somebody else's file may begin with a few zeros.
                Some(at) if number == 1 => {
                    at % SECTOR == 0 && record[at..].iter().take(SECTOR).all(|byte| *byte == 0)
                }
                Some(_) => true,
                None => is_cut_off,
            };
            if is_torn && format.is_beginning(left, number == 1) {
                return Ok(whole);
            }
            // If not even the first record is valid, the file may be somebody else's.
            let advice = if number == 1 { "move it away" } else { "start over with --restart" };
            return Err(Failure::other(format!(
                "record {number} of {} is damaged, and not by an interrupted export; repair the \
                 file, or {advice}",
                self.name
            )));
        }
    }

    /// Cuts off the torn end after `whole` bytes.
    pub(super) fn truncate(&mut self, whole: u64) -> Result<(), Failure> {
        if whole == self.length {
            return Ok(());
        }
        self.cut(whole).map_err(|error| self.problem("cut the torn end of", &error))
    }

    /// Appends a whole record, or nothing.
    pub(super) fn append(&mut self, record: &str) -> Result<(), Failure> {
        if let Err(error) = self.file.write_all(record.as_bytes()) {
            // A partial record is cut off; if that fails, the next start does it.
            let _ = self.cut(self.length);
            return Err(self.problem("write to", &error));
        }
        self.length += record.len() as u64;
        Ok(())
    }

    /// Syncs the file, so that its content survives a power loss.
    pub(super) fn sync(&mut self) -> Result<(), Failure> {
        if self.synced != Some(self.length) {
            self.file.sync_data().map_err(|error| self.problem("sync", &error))?;
            self.synced = Some(self.length);
        }
        Ok(())
    }

    /// Fails if what was written is no longer found under the name.
    pub(super) fn check_name(&self) -> Result<(), Failure> {
        let name = &self.name;
        let why = match name.path.symlink_metadata() {
            Err(_) if self.is_empty() => return Ok(()),
            Ok(found) if Identity::of(&found) == self.identity => {
                if found.len() == self.length {
                    return Ok(());
                }
                "was changed by another program during the export; check it"
            }
            _ => "was moved or replaced during the export; put it back",
        };
        Err(Failure::other(format!("{name} {why}, and {RESUME_HINT}")))
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.length = length;
        self.synced = None;
        Ok(())
    }

    fn problem(&self, attempt: &str, error: &io::Error) -> Failure {
        let name = &self.name;
        Failure::other(format!("could not {attempt} {name}: {error}; fix this and {RESUME_HINT}"))
    }
}

/// Refuses anything but a regular file.
fn regular(name: &Named, found: &fs::Metadata) -> Result<(), Failure> {
    file::regular(found.file_type()).map_err(|error| {
        Failure::usage(format!("could not open {name} to write: {error}; name another file"))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn named(path: &Path) -> Named {
        Named { path: path.to_owned(), shown: path.to_owned() }
    }

    /// Returns the content of a file after recovery, and the number of calls of `read`.
    fn recovered(content: &str) -> Result<(String, usize), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, content).unwrap();
        let mut calls = 0;
        let mut file = RecordFile::open(&named(&path)).unwrap();
        let whole = file.check(ExportFormat::Jsonl, |record| {
            calls += 1;
            Ok(record.starts_with("{\"session_id\":") && record.ends_with('}'))
        });
        let recovered = whole.and_then(|whole| file.truncate(whole));
        let left = fs::read_to_string(&path).unwrap();
        recovered.map(|()| (left, calls)).map_err(|failure| failure.line().to_owned())
    }

    #[test]
    fn only_a_torn_end_is_cut_off() {
        let a = "{\"session_id\":1}\n";
        let two = format!("{a}{a}");
        for (content, left, calls) in [
            (String::new(), "", 0),
            (two.clone(), &*two, 2),
            (format!("{a}{{\"sess"), a, 1),
            (format!("{a}{{\"session_id\":1}}"), a, 1),
            (format!("{a}\0\0\0\n"), a, 1),
            (format!("{a}{{\"session\0\0\0}}\n{two}"), a, 1),
            (format!("{a}\0\0\0{two}"), a, 1),
            ("{".to_owned(), "", 0),
            ("\0".repeat(9), "", 0),
            (format!("{}{two}", "\0".repeat(SECTOR)), "", 0),
        ] {
            assert_eq!(recovered(&content), Ok((left.to_owned(), calls)), "{content:?}");
        }
        for (foreign, number) in [
            (format!("{a}{{\"sess\n{a}"), 2),
            (format!("{a}note\n"), 2),
            (format!("{a}note"), 2),
            (format!("{a}{{\"note\":1}}"), 2),
            (format!("{a}1"), 2),
            (format!("{a}ELF\0\0"), 2),
            ("\0\0\0\u{18}ftypmp42".to_owned(), 1),
            ("\0n\0o\0t\0e\0\n".to_owned(), 1),
            ("{\0\0\0".to_owned(), 1),
        ] {
            let broken = recovered(&foreign).unwrap_err();
            assert!(broken.starts_with(&format!("record {number} of ")), "{foreign:?}: {broken}");
        }
    }

    #[test]
    fn open_file_is_locked() {
        let folder = tempfile::tempdir().unwrap();
        let name = named(&folder.path().join("f"));
        let file = RecordFile::open(&name).unwrap();
        let refused = RecordFile::open(&name).err().unwrap();
        assert!(refused.line().contains("another export is writing to"), "{}", refused.line());
        drop(file);
        RecordFile::open(&name).unwrap();
    }
}
