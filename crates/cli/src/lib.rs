//! `didit`: the command line of Didit's APIs.
//!
//! The only public item is the program itself; it is a library so that its parts can be fuzzed.
#![forbid(unsafe_code)]

mod args;
mod browser;
mod commands;
mod connection;
mod context;
mod decision_table;
mod decisions;
mod duration;
mod environment;
mod exit;
mod export;
mod failure;
mod file;
mod interrupt;
mod live_line;
mod logging;
mod observed;
mod output;
mod profile;
mod qr_code;
mod scopes;
mod shared;
mod style;
mod table;
mod terminal;
mod usage_error;
mod values;
mod verification_table;
mod words;
mod workers;

use std::panic::{self, Location, UnwindSafe};
use std::process::ExitCode;
#[cfg(unix)]
use std::sync::Arc;

use clap::FromArgMatches as _;

use crate::args::Cli;
use crate::context::Context;
use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupt;

#[doc(hidden)]
pub use crate::export::resume_for_fuzzing;

/// Runs the program.
pub fn main() -> ExitCode {
    guard(|| run().unwrap_or_else(|failure| failure.report())).into()
}

fn run() -> Result<Exit, Failure> {
    let interrupt = Interrupt::handle();
    let (mut program, arguments) = (args::program(), std::env::args_os().collect::<Vec<_>>());
    let matches = program.try_get_matches_from_mut(&arguments);
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return usage_error::explain(&error, &program, &arguments),
    };
    let context =
        Context { options: cli.options, environment: Environment::of_process(), interrupt };
    logging::start(&context.options, &context.environment);
    cli.command.run(&context, program)
}

/// Runs the program without core dumps and panic messages: a core dump would contain every secret,
/// and a panic message may quote any value.
fn guard(run: impl FnOnce() -> Exit + UnwindSafe) -> Exit {
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
        let _ = Failure::other(panic_line(panicked.location())).report();
    }));
    panic::catch_unwind(run).unwrap_or(Exit::Other)
}

fn panic_line(location: Option<&Location<'_>>) -> String {
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
        let line = panic_line(Some(Location::caller()));
        assert!(line.starts_with("internal error at crates/cli/src/lib.rs:"));
    }
}
