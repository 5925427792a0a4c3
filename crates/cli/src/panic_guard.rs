//! Keeps a process that crashes from leaving anything of its memory: it prints one line.

use std::panic::{self, Location, UnwindSafe};
#[cfg(unix)]
use std::sync::Arc;

use crate::exit::Exit;
use crate::failure::Failure;

/// Runs the program so that no fault of it gives away a secret: a core dump would hold them all,
/// and the words of a panic may quote anything.
pub(crate) fn guard(run: impl FnOnce() -> Exit + UnwindSafe) -> Exit {
    // Where the system has no such limit, there is nothing to be done.
    #[cfg(unix)]
    let _ = rustix::process::setrlimit(
        rustix::process::Resource::Core,
        rustix::process::Rlimit { current: Some(0), maximum: Some(0) },
    );
    // A file that grows beyond the limit of its size is then an error of the write, not the end.
    #[cfg(unix)]
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
    panic::set_hook(Box::new(|panicked| {
        let _ = Failure::other(line(panicked.location())).report();
    }));
    panic::catch_unwind(run).unwrap_or(Exit::Other)
}

fn line(location: Option<&Location<'_>>) -> String {
    let place = location.map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    format!("internal error at {place}; please report this bug")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::panic)]
    fn a_fault_is_a_line_that_quotes_nothing() {
        assert_eq!(guard(|| Exit::NoSuchSession), Exit::NoSuchSession);
        assert_eq!(guard(|| panic!("canary")), Exit::Other);
        let _ = panic::take_hook();
        let line = line(Some(Location::caller()));
        assert!(line.starts_with("internal error at crates/cli/src/panic_guard.rs:"));
    }
}
