//! A file that is read several times, and must be the same each time.

use std::fs::File;
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{self, Read, Seek as _};

use crate::file::Identity;

/// The maximum length of a block in bytes.
const BLOCK: u64 = 1 << 13;

/// A file whose blocks are hashed when they are read for the first time. Later, a block is passed on
/// only if it has the same hash, and what was appended to the file is not read.
pub(super) struct CheckedFile {
    file: File,
    /// The lengths and hashes of the blocks.
    hashes: Vec<(u64, u64)>,
    /// The number of the next block; `None` while the file is read for the first time.
    next: Option<usize>,
    block: Vec<u8>,
    /// The number of bytes of the block that were passed on.
    passed: usize,
}

impl CheckedFile {
    pub(super) fn new(file: File) -> Self {
        Self { file, hashes: Vec::new(), next: None, block: Vec::new(), passed: 0 }
    }

    /// Hashes a file that was just written.
    pub(super) fn of_copy(mut file: File) -> io::Result<Self> {
        file.rewind()?;
        let mut copy = Self::new(file);
        io::copy(&mut copy, &mut io::sink())?;
        Ok(copy)
    }

    /// Goes back to the beginning. From now on, the file must be what was read so far.
    pub(super) fn rewind(&mut self) -> io::Result<()> {
        self.next = Some(0);
        self.block.clear();
        self.passed = 0;
        self.file.rewind()
    }

    pub(super) fn identity(&self) -> io::Result<Identity> {
        self.file.metadata().map(|file| Identity::of(&file))
    }

    /// Reads the next block, which is empty at the end.
    fn read_block(&mut self) -> io::Result<()> {
        let expected = self.next.map(|next| self.hashes.get(next).copied().unwrap_or_default());
        let limit = expected.map_or(BLOCK, |(length, _)| length);
        self.block.clear();
        self.passed = 0;
        (&self.file).take(limit).read_to_end(&mut self.block)?;
        let mut hash = DefaultHasher::new();
        hash.write(&self.block);
        let found = (self.block.len() as u64, hash.finish());
        match (expected, &mut self.next) {
            (None, _) if self.block.is_empty() => {}
            (None, _) => self.hashes.push(found),
            (Some((0, _)), _) => {}
            (Some(expected), Some(next)) if found == expected => *next += 1,
            _ => {
                self.block.clear();
                return Err(io::Error::other("it has changed since it was checked"));
            }
        }
        Ok(())
    }
}

impl Read for CheckedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.passed == self.block.len() {
            self.read_block()?;
        }
        let read = (&self.block[self.passed..]).read(buffer)?;
        self.passed += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn only_the_bytes_that_were_checked_are_read() {
        let block = usize::try_from(BLOCK).unwrap();
        for length in [0, 1, block - 1, block, block + 1, 3 * block] {
            let content = vec![b'a'; length];
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&content).unwrap();
            let mut checked = CheckedFile::of_copy(file.try_clone().unwrap()).unwrap();
            let mut read = || {
                let mut read = Vec::new();
                checked.rewind().unwrap();
                checked.read_to_end(&mut read).map(|_| read).map_err(|error| error.to_string())
            };
            let all = Ok(content);
            assert_eq!((read(), read()), (all.clone(), all.clone()), "{length}");
            file.write_all(b"appended").unwrap();
            assert_eq!(read(), all, "{length}");
            let changed = Err("it has changed since it was checked".to_owned());
            let Some(shorter) = (length as u64).checked_sub(1) else { continue };
            file.set_len(shorter).unwrap();
            assert_eq!(read(), changed, "{length}");
            file.set_len(length as u64).unwrap();
            assert_eq!(read(), changed, "the last byte of {length} is another one");
        }
    }
}
