//! `didit`: the command line of Didit's Data API.
//!
//! The program is all there is to use here; it is a library so that its parts can be fuzzed.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod connection;
mod credentials;
mod decision_table;
mod duration;
mod environment;
mod exit;
mod export;
mod failure;
mod format;
mod logging;
mod output;
mod post_mortem;
mod printable;
mod table;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Cli, Context};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::Failure;

#[doc(hidden)]
pub use crate::export::go_on;

/// The program.
pub fn main() -> ExitCode {
    post_mortem::guard(|| run().unwrap_or_else(|failure| failure.report())).into()
}

fn run() -> Result<Exit, Failure> {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return args::explain(&error),
    };
    let context = Context { options: cli.options, environment: Environment::of_process() };
    logging::start(context.options.verbose, &context.environment);
    cli.command.run(&context)
}
