//! The running example.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

mod shutdown;
mod verification;
mod visit;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// Starts the example on any port with no other variables than these; returns it with its address.
fn start(variables: &[(&str, &str)], stderr: Stdio) -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_didit-example-backend"));
    command.env_clear().env("LISTEN", "127.0.0.1:0").envs(variables.iter().copied());
    let mut backend = command.stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
    let mut address = String::new();
    BufReader::new(backend.stdout.take().unwrap()).read_line(&mut address).unwrap();
    (backend, address.trim_end().to_owned())
}
