//! `didit`: the command line of Didit's Data API.
//!
//! The program is all there is to use here; it is a library so that its parts can be fuzzed.
#![forbid(unsafe_code)]

mod args;
mod bounded;
mod commands;
mod connection;
mod context;
mod credentials;
mod decision_table;
mod duration;
mod environment;
mod exit;
mod export;
mod failure;
mod format;
mod interrupt;
mod logging;
mod output;
mod panic_guard;
mod session_ids;
mod table;
mod terminal;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::args::Cli;
use crate::context::Context;
use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupt;

#[doc(hidden)]
pub use crate::export::resume_for_fuzzing;

/// The program.
pub fn main() -> ExitCode {
    panic_guard::guard(|| run().unwrap_or_else(|failure| failure.report())).into()
}

fn run() -> Result<Exit, Failure> {
    let interrupt = Interrupt::handle();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return args::explain(&error),
    };
    let context =
        Context { options: cli.options, environment: Environment::of_process(), interrupt };
    logging::start(context.options.verbose, &context.environment);
    cli.command.run(&context, Cli::command())
}
