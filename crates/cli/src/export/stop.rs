//! Failures that are no single session's: they stop the export, which can be resumed later.

use std::error::Error as StdError;
use std::io;

use didit_blocking_adapter::Error;
use didit_blocking_adapter::core::{CallErrorKind, EndpointKind, TransportErrorKind};

use crate::failure::Failure;

/// The advice for an export that stopped.
pub(super) const RESUME_HINT: &str = "run the same command again (without --restart) to resume";

/// Returns the failure that stops the export, unless the error is the session's own.
pub(super) fn stops(error: &Error) -> Option<Failure> {
    if let Some(shortage) = local_shortage(error) {
        return Some(out_of(shortage));
    }
    let call = error.call();
    let refused = matches!(call.kind(), CallErrorKind::Response(_) | CallErrorKind::Waiting(_));
    let stops = match call.endpoint() {
        EndpointKind::FetchToken => refused,
        _ => matches!(call.kind(), CallErrorKind::Build(_)),
    };
    stops.then(|| Failure::of_call(None, error).after_sending().and(RESUME_HINT))
}

/// The same for a machine that exports a part of a list: what it alone may meet is not the session's.
pub(super) fn stops_part(error: &Error) -> Option<Failure> {
    let alone = || Failure::of_call(None, error).and(RESUME_HINT);
    stops(error).or_else(|| is_about_tls(error).then(alone))
}

/// Tells whether the service's certificate is not trusted, or the service refuses the handshake,
/// which concerns every session.
pub(super) fn is_about_tls(error: &Error) -> bool {
    use TransportErrorKind::{Certificate, Handshake};
    matches!(error.call().kind(), CallErrorKind::Transport(Certificate | Handshake))
}

/// Returns the system's error that failed a call, if the system is short of something.
fn local_shortage(error: &Error) -> Option<&io::Error> {
    match error.source()?.downcast_ref::<ureq::Error>()? {
        ureq::Error::Io(error) => Some(error).filter(|error| is_shortage(error)),
        _ => None,
    }
}

/// Returns the failure of an export on a system that gives it too little.
pub(super) fn out_of(shortage: &io::Error) -> Failure {
    Failure::other(format!(
        "this machine gives the export too little: {shortage}; lower --concurrency or raise the \
         limit, and {RESUME_HINT}"
    ))
}

/// Tells whether the system is out of something that it may have again later.
fn is_shortage(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        let short = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS, Errno::ADDRNOTAVAIL];
        let code = error.raw_os_error();
        short.iter().any(|errno| code == Some(errno.raw_os_error()))
    }
    #[cfg(not(unix))]
    {
        error.kind() == io::ErrorKind::OutOfMemory
    }
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn what_the_network_does_is_no_shortage() {
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS] {
            assert!(is_shortage(&errno.into()), "{errno}");
        }
        for errno in [Errno::CONNREFUSED, Errno::CONNRESET, Errno::HOSTUNREACH, Errno::PIPE] {
            assert!(!is_shortage(&errno.into()), "{errno}");
        }
    }
}
