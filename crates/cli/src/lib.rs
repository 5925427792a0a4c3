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
mod panic_guard;
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

use std::process::ExitCode;

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
    panic_guard::guard(|| run().unwrap_or_else(|failure| failure.report())).into()
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
