//! Reads configuration and webhook files whole, up to a size limit.

use std::fs::File;
use std::io;
use std::path::Path;

use didit_blocking_adapter::core::client::read_limited;

/// Reads a file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    read_limited(File::open(path)?, limit)
}
