//! `didit`: the command line of Didit's APIs.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    didit_cli::main()
}
