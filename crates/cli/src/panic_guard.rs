//! Keeps secrets out of crash output: no core dump, and one line instead of the panic message.

use std::panic::{self, Location, UnwindSafe};
#[cfg(unix)]
use std::sync::Arc;

use crate::exit::Exit;
use crate::failure::Failure;

/// Runs the program without core dumps and panic messages: a core dump would contain every secret,
/// and a panic message may quote any value.
pub(crate) fn guard(run: impl FnOnce() -> Exit + UnwindSafe) -> Exit {
    // Best effort: not every system has this limit.
    #[cfg(unix)]
    let _ = rustix::process::setrlimit(
        rustix::process::Resource::Core,
        rustix::process::Rlimit { current: Some(0), maximum: Some(0) },
    );
    // With SIGXFSZ handled, exceeding the file-size limit fails the write, not the process.
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
    fn panic_line_has_the_location_only() {
        assert_eq!(guard(|| Exit::NoSuchSession), Exit::NoSuchSession);
        assert_eq!(guard(|| panic!("canary")), Exit::Other);
        let _ = panic::take_hook();
        let line = line(Some(Location::caller()));
        assert!(line.starts_with("internal error at crates/cli/src/panic_guard.rs:"));
    }
}
