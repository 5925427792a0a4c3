//! Reads and replaces whole files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use didit_blocking_adapter::core::client::read_limited;

/// The name of a device's kind.
pub(crate) const DEVICE: &str = "a device";

/// Reads a file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    read_limited(File::open(path)?, limit)
}

/// Writes a file of mode 0600 atomically, and syncs it. Without `overwrite`, there must be none yet.
pub(crate) fn replace(path: &Path, content: &[u8], overwrite: bool) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::Builder::new().prefix(".didit-").tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    if overwrite {
        file.persist(path)?;
    } else {
        file.persist_noclobber(path)?;
    }
    sync_folder(path);
    Ok(())
}

/// Syncs the folder of a file, so that its name survives a power loss. Not every system can.
pub(crate) fn sync_folder(path: &Path) {
    if let Some(Ok(folder)) = path.parent().map(File::open) {
        let _ = folder.sync_all();
    }
}

/// Returns the name of a kind of file that is not regular.
pub(crate) fn kind_of(kind: fs::FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return "a fifo";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return DEVICE;
        }
    }
    if kind.is_dir() {
        "a folder"
    } else if kind.is_symlink() {
        "a symbolic link"
    } else {
        "not a regular file"
    }
}

/// Creates a file with mode 0600, and neither follows a link nor waits for a fifo.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;

        use rustix::fs::OFlags;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits().cast_signed());
    }
    options
}
