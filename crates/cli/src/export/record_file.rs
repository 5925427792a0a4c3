//! A file that only grows, by whole records, and that one process works on at a time.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use fs4::{FileExt, TryLockError};

use super::RESUME_HINT;
use super::format::ExportFormat;
use crate::failure::Failure;

pub(super) struct RecordFile {
    path: PathBuf,
    file: File,
    length: u64,
    unsynced: bool,
}

impl RecordFile {
    /// Opens the file, or makes it, and locks it until the process ends.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let problem = |error: io::Error| {
            Failure::usage(format!("could not open {} to write: {error}", path.display()))
        };
        let mut options = OpenOptions::new();
        let file = private(options.create(true).read(true).append(true)).open(path);
        let file = file.map_err(problem)?;
        let metadata = file.metadata().map_err(problem)?;
        if !metadata.is_file() {
            return Err(Failure::other(format!(
                "could not write to {}: it is not a regular file",
                path.display()
            )));
        }
        match FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::usage(format!(
                    "another export is writing to {}; wait for its end, or choose another file",
                    path.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(problem(error)),
        }
        if metadata.len() == 0 {
            make_private(&file).map_err(problem)?;
        }
        Ok(Self { path: path.to_owned(), file, length: metadata.len(), unsynced: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(super) fn clear(&mut self) -> Result<(), Failure> {
        self.cut(0).map_err(|error| self.problem("empty", &error))?;
        make_private(&self.file).map_err(|error| self.problem("empty", &error))
    }

    /// Hands every record to `read`, which tells whether it is one, and tells up to where they are
    /// whole: all of them but the last must be.
    pub(super) fn check(
        &mut self,
        shape: ExportFormat,
        mut read: impl FnMut(&str) -> Result<bool, Failure>,
    ) -> Result<u64, Failure> {
        self.file.seek(SeekFrom::Start(0)).map_err(|error| self.problem("read", &error))?;
        let mut reader = BufReader::with_capacity(1 << 16, &self.file);
        let (mut whole, mut record, mut number, mut torn) = (0, Vec::new(), 0_u64, false);
        loop {
            shape.read(&mut reader, &mut record).map_err(|error| self.problem("read", &error))?;
            if record.is_empty() {
                break;
            }
            if torn {
                return Err(Failure::other(format!(
                    "record {number} of {} is broken, and not by an interrupted export; mend the \
                     file, or begin anew with --restart",
                    self.path.display()
                )));
            }
            number += 1;
            let text = record.strip_suffix(b"\n").and_then(|text| std::str::from_utf8(text).ok());
            torn = match text {
                Some(text) => !read(text)?,
                None => true,
            };
            if !torn {
                whole += record.len() as u64;
            }
        }
        Ok(whole)
    }

    /// Cuts off what is torn behind so many bytes.
    pub(super) fn mend(&mut self, whole: u64) -> Result<(), Failure> {
        if whole == self.length {
            return Ok(());
        }
        self.cut(whole).map_err(|error| self.problem("cut the torn end of", &error))
    }

    /// Adds a record in one piece, or nothing.
    pub(super) fn append(&mut self, record: &str) -> Result<(), Failure> {
        if let Err(error) = self.file.write_all(record.as_bytes()) {
            // What was written of it is cut off again; if that fails, the next start does it.
            let _ = self.cut(self.length);
            return Err(self.problem("write to", &error));
        }
        self.length += record.len() as u64;
        self.unsynced = true;
        Ok(())
    }

    /// Waits until all of it would survive a loss of power.
    pub(super) fn sync(&mut self) -> Result<(), Failure> {
        if self.unsynced {
            self.file.sync_data().map_err(|error| self.problem("sync", &error))?;
            self.unsynced = false;
        }
        Ok(())
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.length = length;
        self.unsynced = true;
        Ok(())
    }

    fn problem(&self, attempt: &str, error: &io::Error) -> Failure {
        Failure::other(format!(
            "could not {attempt} {}: {error}; once that is mended, {RESUME_HINT}",
            self.path.display()
        ))
    }
}

/// Files that are made with these options are their owner's alone.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// The same for a file that was there before.
fn make_private(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What is left of such a JSON Lines file, and how often `read` was asked.
    fn recovered(name: &str, content: &str) -> Result<(String, usize), String> {
        let path = std::env::temp_dir().join(format!("didit-{name}-{}", std::process::id()));
        fs::write(&path, content).unwrap();
        let mut asked = 0;
        let mut journal = RecordFile::open(&path).unwrap();
        let whole = journal.check(ExportFormat::Jsonl, |record| {
            asked += 1;
            Ok(record.starts_with('{') && record.ends_with('}'))
        });
        let recovered = whole.and_then(|whole| journal.mend(whole));
        let left = fs::read_to_string(&path).unwrap();
        fs::remove_file(&path).unwrap();
        recovered.map(|()| (left, asked)).map_err(|failure| failure.line().to_owned())
    }

    #[test]
    fn a_torn_end_is_cut_off_and_nothing_else() {
        for (content, left, asked) in [
            ("", "", 0),
            ("{1}\n{2}\n", "{1}\n{2}\n", 2),
            ("{1}\n{2", "{1}\n", 1),
            ("{1}\n{2}", "{1}\n", 1),
            ("{1}\n\0\0\0\n", "{1}\n", 2),
            ("{", "", 0),
        ] {
            assert_eq!(recovered("torn", content), Ok((left.to_owned(), asked)), "{content:?}");
        }
        let broken = recovered("broken", "{1}\n{2\n{3}\n").unwrap_err();
        assert!(broken.starts_with("record 2 of "), "{broken}");
    }

    #[test]
    fn it_is_opened_once_at_a_time() {
        let path = std::env::temp_dir().join(format!("didit-lock-{}", std::process::id()));
        let journal = RecordFile::open(&path).unwrap();
        let refused = RecordFile::open(&path).err().unwrap();
        assert!(refused.line().contains("another export is writing to"), "{}", refused.line());
        drop(journal);
        RecordFile::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
    }
}
