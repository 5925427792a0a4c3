//! Which ids are done: a hash table in a file without a name.

use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::BuildHasher as _;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use didit_blocking_adapter::core::SessionId;

use super::RESUME_HINT;
use crate::exit::Exit;
use crate::failure::Failure;

/// What the index knows of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// It is in the output.
    Exported,
    /// It is in the failures.
    Failed(Exit),
    /// It has come up in the input.
    Seen,
}

/// 15 bytes of the id's hash, then its mark; an empty slot is all zeros.
type Slot = [u8; SLOT];

const SLOT: usize = 16;

pub(crate) struct Index {
    folder: PathBuf,
    file: File,
    /// A power of two.
    slots: u64,
    used: u64,
    keys: [RandomState; 2],
}

impl Index {
    /// An empty one in that folder, with room for so many ids; it grows when there are more.
    pub(super) fn new(folder: &Path, expected: u64) -> io::Result<Self> {
        // Half empty at least, so that a free slot is never far.
        let slots = expected.saturating_mul(2).clamp(1 << 10, 1 << 40).next_power_of_two();
        let folder = folder.to_owned();
        Ok(Self { file: table(&folder, slots)?, folder, slots, used: 0, keys: Default::default() })
    }

    /// Marks an id, and tells what was known of it before.
    pub(super) fn mark(&mut self, session_id: &str, mark: Mark) -> io::Result<Option<Mark>> {
        if self.used >= self.slots / 2 {
            self.grow()?;
        }
        let mut slot = self.slot_of(session_id);
        slot[SLOT - 1] = mark.byte();
        let before = put(&self.file, self.slots, &slot)?;
        self.used += u64::from(before.is_none());
        Ok(before.and_then(Mark::of_byte))
    }

    /// The same for an id that comes up in the input.
    pub(super) fn see(&mut self, session_id: &SessionId) -> io::Result<Option<Mark>> {
        self.mark(session_id.as_str(), Mark::Seen)
    }

    fn slot_of(&self, session_id: &str) -> Slot {
        let [low, high] = self.keys.each_ref().map(|key| key.hash_one(session_id).to_le_bytes());
        let mut slot = [0; SLOT];
        slot[..8].copy_from_slice(&low);
        slot[8..].copy_from_slice(&high);
        slot
    }

    fn grow(&mut self) -> io::Result<()> {
        let slots = self.slots * 2;
        let larger = table(&self.folder, slots)?;
        self.file.seek(SeekFrom::Start(0))?;
        let mut old = io::BufReader::new(&self.file);
        for _ in 0..self.slots {
            let mut slot = [0; SLOT];
            old.read_exact(&mut slot)?;
            if slot[SLOT - 1] != 0 {
                put(&larger, slots, &slot)?;
            }
        }
        (self.file, self.slots) = (larger, slots);
        Ok(())
    }
}

/// A file of so many empty slots.
fn table(folder: &Path, slots: u64) -> io::Result<File> {
    let file = tempfile::tempfile_in(folder)?;
    file.set_len(slots * SLOT as u64)?;
    Ok(file)
}

/// Writes a slot where its hash belongs, and tells the mark that stood there before.
fn put(mut file: &File, slots: u64, slot: &Slot) -> io::Result<Option<u8>> {
    let mut start = [0; 8];
    start.copy_from_slice(&slot[..8]);
    let mut at = u64::from_le_bytes(start) & (slots - 1);
    loop {
        let mut found = [0; SLOT];
        file.seek(SeekFrom::Start(at * SLOT as u64))?;
        file.read_exact(&mut found)?;
        let empty = found[SLOT - 1] == 0;
        if empty || found[..SLOT - 1] == slot[..SLOT - 1] {
            if found != *slot {
                file.seek(SeekFrom::Start(at * SLOT as u64))?;
                file.write_all(slot)?;
            }
            return Ok((!empty).then_some(found[SLOT - 1]));
        }
        at = (at + 1) & (slots - 1);
    }
}

impl Mark {
    const FAILED: u8 = 0x10;

    fn byte(self) -> u8 {
        match self {
            Self::Exported => 1,
            Self::Seen => 2,
            Self::Failed(exit) => Self::FAILED + exit as u8,
        }
    }

    fn of_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Exported),
            2 => Some(Self::Seen),
            _ => {
                let exits = [
                    Exit::CredentialsRefused,
                    Exit::NoSuchSession,
                    Exit::RateLimited,
                    Exit::Unreachable,
                    Exit::NotADecision,
                    Exit::OutOfTime,
                    Exit::Other,
                ];
                exits.map(Self::Failed).into_iter().find(|mark| mark.byte() == byte)
            }
        }
    }
}

/// The failure that an error of the index is to an export.
pub(super) fn failed(error: &io::Error) -> Failure {
    Failure::other(format!(
        "could not keep track of the ids in the folder of the output: {error}; once that is \
         mended, {RESUME_HINT}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_remembers_what_it_was_told_also_as_it_grows() {
        let mut index = Index::new(&std::env::temp_dir(), 0).unwrap();
        let first = index.slots;
        for n in 0..5000 {
            assert_eq!(index.mark(&format!("s-{n}"), Mark::Exported).unwrap(), None, "{n}");
        }
        assert!(index.slots > first);
        for n in 0..5000 {
            let before = index.mark(&format!("s-{n}"), Mark::Seen).unwrap();
            assert_eq!(before, Some(Mark::Exported), "{n}");
        }
        assert_eq!(index.mark("s-1", Mark::Failed(Exit::Other)).unwrap(), Some(Mark::Seen));
        let id = "s-1".parse().unwrap();
        assert_eq!(index.see(&id).unwrap(), Some(Mark::Failed(Exit::Other)));
        assert_eq!(index.used, 5000);
    }
}
