//! Reads and replaces whole files.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::Path;

use didit_blocking_adapter::core::Secret;
use didit_blocking_adapter::core::client::read_limited;
use tempfile::NamedTempFile;

/// The maximum length of a secret in bytes.
pub(crate) const MAX_SECRET: usize = 1 << 16;

/// Returns the name of a file; `None` for a path that can only lead to a folder, like `a/` or `a/.`.
pub(crate) fn name_of(path: &Path) -> Option<&OsStr> {
    let ends_with =
        |name: &OsStr| path.as_os_str().as_encoded_bytes().ends_with(name.as_encoded_bytes());
    path.file_name().filter(|name| ends_with(name))
}

/// Reads a file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    read_limited(File::open(path)?, limit)
}

pub(crate) fn read_secret(from: impl Read) -> io::Result<Secret> {
    read_limited(from, MAX_SECRET).and_then(secret)
}

/// Returns a secret without the trailing line end that editors and commands add.
pub(crate) fn secret(bytes: Vec<u8>) -> io::Result<Secret> {
    // Moved into the secret, not copied, so that no copy stays in memory.
    let mut text = String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8"))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() { Err(io::Error::other("it is empty")) } else { Ok(text.into()) }
}

/// Opens a regular file, and refuses anything else without waiting for it. Links are followed.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    let file = options.open(path)?;
    regular(file.metadata()?.file_type())?;
    Ok(file)
}

/// Writes a file, unless its name is taken by anything but a regular file.
pub(crate) fn write_regular(path: &Path, content: &[u8]) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) => regular(found.file_type())?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut options = OpenOptions::new();
    let mut file = unblocked(options.create(true).truncate(false).write(true)).open(path)?;
    regular(file.metadata()?.file_type())?;
    file.set_len(0)?;
    file.write_all(content)
}

/// Refuses anything but a regular file.
pub(crate) fn regular(kind: fs::FileType) -> io::Result<()> {
    if kind.is_file() { Ok(()) } else { Err(io::Error::other(format!("it is {}", kind_of(kind)))) }
}

/// The identity of a file. It is unique as long as the file is open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
}

impl Identity {
    pub(crate) fn of(file: &fs::Metadata) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            Self { device: file.dev(), inode: file.ino() }
        }
        #[cfg(not(unix))]
        {
            let _ = file;
            Self {}
        }
    }

    /// Returns true if a path names this file. Other systems than Unix do not tell files apart.
    pub(crate) fn is_at(self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok_and(|found| Self::of(&found) == self)
    }

    /// Removes this file if the path still names it, and not another one.
    pub(crate) fn remove(self, path: &Path) {
        if self.is_at(path) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Writes a file of mode 0600 atomically, and syncs it. Without `overwrite`, there must be none yet.
pub(crate) fn replace(path: &Path, content: &[u8], overwrite: bool) -> io::Result<Identity> {
    let mut file = temporary(path.parent().unwrap_or(Path::new("/")), ".didit-", "")?;
    file.as_file_mut().write_all(content)?;
    file.as_file().sync_all()?;
    let file = if overwrite { file.persist(path)? } else { file.persist_noclobber(path)? };
    sync_folder(path);
    Ok(Identity::of(&file.metadata()?))
}

/// Creates a file of mode 0600 with a random name, which is removed unless it is persisted. Errors
/// keep the system's code, and do not name the file, which is unknown to the user.
pub(crate) fn temporary(folder: &Path, prefix: &str, suffix: &str) -> io::Result<NamedTempFile> {
    let mut options = OpenOptions::new();
    let options = private(options.create_new(true).read(true).write(true));
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(suffix).make_in(folder, |path| options.open(path))
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
            return "a device";
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
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    unblocked(options)
}

/// Neither follows a link nor waits for a fifo.
fn unblocked(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;

        use rustix::fs::OFlags;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    options
}
