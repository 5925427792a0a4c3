//! The failure of a command: one line for people, and the exit code for scripts.

use std::error::Error as StdError;
use std::fmt::Display;
use std::io;
use std::time::Duration;

use didit_blocking_adapter::core::CallErrorKind;
use didit_blocking_adapter::{ConfigError, Error};

use crate::duration::precise;
use crate::exit::Exit;
use crate::terminal;

/// The beginning of the error if the system lacks a resource.
pub(crate) const SHORTAGE: &str = "this machine is short of a resource";

#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// `None` ends the program quietly.
    line: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, line: impl Display) -> Self {
        Self { exit, line: Some(line.to_string()) }
    }

    /// Builds a usage error: a mistake of the user, found before anything is sent.
    pub(crate) fn usage(line: impl Display) -> Self {
        Self::new(Exit::Usage, line)
    }

    /// Builds a failure that no other exit code describes.
    pub(crate) fn other(line: impl Display) -> Self {
        Self::new(Exit::Other, line)
    }

    /// Builds the failure of a file that cannot be used, whose cause is a mistake of the user or a
    /// shortage of this machine.
    pub(crate) fn of_file(attempt: impl Display, error: &io::Error, advice: &str) -> Self {
        Self::of_shortage(&attempt, error)
            .unwrap_or_else(|| Self::usage(format!("{attempt}: {error}; {advice}")))
    }

    /// Builds the failure of an attempt before anything was sent, if this machine is short of a
    /// resource.
    pub(crate) fn of_shortage(attempt: impl Display, error: &io::Error) -> Option<Self> {
        is_shortage(error).then(|| {
            Self::other(format!(
                "{SHORTAGE}: {attempt}: {error}; nothing was sent; make room or raise the limit, and \
                 run the same command again"
            ))
        })
    }

    /// Builds the failure of a call; `about` names the session if there are several.
    pub(crate) fn of_call(about: Option<&str>, error: &Error) -> Self {
        let about = about.map(|about| format!("{about}: ")).unwrap_or_default();
        if error.source().and_then(|cause| shortage_of(cause.downcast_ref()?)).is_some() {
            let advice = if error.may_have_taken_effect() {
                error.advice()
            } else {
                "raise the limit, and run the same command again"
            };
            return Self::other(format!("{about}{SHORTAGE}: {error}; {advice}"));
        }
        let line = format!("{about}{error}; {}", error.advice());
        Self::new(Exit::of(error.call()), line)
    }

    /// Builds the usage error for a configuration that no client can be built from.
    pub(crate) fn of_config(error: &ConfigError) -> Self {
        Self::usage(with_causes(error))
    }

    /// Builds the failure of a wait for a final decision, limited to `timeout`.
    pub(crate) fn of_wait(session_id: &str, error: &Error, timeout: Duration) -> Self {
        let status = match error.call().kind() {
            CallErrorKind::Undecided(status) => status.as_str(),
            CallErrorKind::UndecidedVerification(status) => status.as_str(),
            _ => return Self::of_call(Some(session_id), error),
        };
        let timeout = precise(timeout);
        let line = format!(
            "{session_id}: the session was still {status} when the time ran out, after {timeout}; \
             raise --timeout to wait longer"
        );
        Self::new(Exit::OutOfTime, line)
    }

    /// Builds the failure of a write to standard output; a closed pipe counts as success.
    pub(crate) fn of_write(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self { exit: Exit::Done, line: None };
        }
        Self::other(format!("could not write to standard output: {error}; the command stopped"))
    }

    /// Prints the line to standard error, and returns the exit code.
    pub(crate) fn report(&self) -> Exit {
        if let Some(line) = &self.line {
            terminal::say(line);
        }
        self.exit
    }

    /// Turns a usage error into [`Exit::Other`], since exit code 2 means that nothing was sent.
    pub(crate) fn after_sending(mut self) -> Self {
        if self.exit == Exit::Usage {
            self.exit = Exit::Other;
        }
        self
    }

    /// Adds that a session was created, although it could not be printed.
    pub(crate) fn after_creation(self, session_id: impl Display) -> Self {
        self.with_advice(&format!("the session {session_id} was created"))
    }

    /// Appends advice on what to do next.
    pub(crate) fn with_advice(mut self, words: &str) -> Self {
        self.line = self.line.map(|line| format!("{line}; {words}"));
        self
    }

    pub(crate) fn line(&self) -> &str {
        self.line.as_deref().unwrap_or_default()
    }
}

/// Returns the error and its causes, except those whose text is already included.
fn with_causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}

/// Returns the I/O error that failed a call, if the system may lack a resource.
pub(crate) fn local_shortage(error: &Error) -> Option<&io::Error> {
    io_error(error.source()?.downcast_ref()?).filter(|error| is_shortage(error))
}

/// Returns the I/O error that failed a request, if the system lacks a resource. Without IPv6, an
/// address such as `::1` is not available either.
pub(crate) fn shortage_of(error: &ureq::Error) -> Option<&io::Error> {
    let is_address = |error: &io::Error| error.kind() == io::ErrorKind::AddrNotAvailable;
    io_error(error).filter(|error| is_shortage(error) && !is_address(error))
}

fn io_error(error: &ureq::Error) -> Option<&io::Error> {
    match error {
        ureq::Error::Io(error) => Some(error),
        ureq::Error::Other(error) => error.downcast_ref(),
        _ => None,
    }
}

/// Returns true if the system lacks a resource, such as descriptors or disk space, that it may have
/// again later.
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
            Errno::FBIG,
            Errno::DQUOT,
        ];
        let code = error.raw_os_error();
        short.iter().any(|errno| code == Some(errno.raw_os_error()))
    }
    #[cfg(not(unix))]
    {
        use io::ErrorKind::{FileTooLarge, OutOfMemory, QuotaExceeded, StorageFull};
        matches!(error.kind(), FileTooLarge | OutOfMemory | QuotaExceeded | StorageFull)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_pipe_succeeds_and_full_disk_fails() {
        let closed = Failure::of_write(&io::ErrorKind::BrokenPipe.into());
        assert_eq!((closed.exit, closed.line), (Exit::Done, None));
        let full = Failure::of_write(&io::ErrorKind::StorageFull.into());
        assert_eq!(full.exit, Exit::Other);
        assert!(full.line().contains("no storage space"), "{}", full.line());
    }

    #[test]
    fn causes_are_not_repeated() {
        let inner = io::Error::other("deep");
        assert_eq!(with_causes(&io::Error::other(inner)), "deep");
    }

    #[cfg(unix)]
    #[test]
    fn network_errors_are_not_shortages() {
        use rustix::io::Errno;
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS, Errno::AGAIN] {
            assert!(is_shortage(&errno.into()), "{errno}");
        }
        for errno in [Errno::CONNREFUSED, Errno::CONNRESET, Errno::HOSTUNREACH, Errno::PIPE] {
            assert!(!is_shortage(&errno.into()), "{errno}");
        }
    }
}
