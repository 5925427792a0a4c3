//! Shortages of this machine, such as of descriptors or disk space, which are not mistakes of the user.

use std::io;

/// Returns true if the system lacks a resource that it may have again later.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        // A thread that cannot be started is EAGAIN.
        let short = [
            Errno::MFILE,
            Errno::NFILE,
            Errno::NOMEM,
            Errno::NOBUFS,
            Errno::ADDRNOTAVAIL,
            Errno::AGAIN,
            Errno::NOSPC,
            Errno::DQUOT,
        ];
        let code = error.raw_os_error();
        short.iter().any(|errno| code == Some(errno.raw_os_error()))
    }
    #[cfg(not(unix))]
    {
        use io::ErrorKind::{OutOfMemory, QuotaExceeded, StorageFull};
        matches!(error.kind(), OutOfMemory | QuotaExceeded | StorageFull)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn network_errors_are_not_shortages() {
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS, Errno::AGAIN] {
            assert!(is_shortage(&errno.into()), "{errno}");
        }
        for errno in [Errno::CONNREFUSED, Errno::CONNRESET, Errno::HOSTUNREACH, Errno::PIPE] {
            assert!(!is_shortage(&errno.into()), "{errno}");
        }
    }
}
