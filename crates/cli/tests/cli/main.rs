//! Runs the program against a sandbox in the test process, as a script would.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test helpers, which clippy does not recognize as tests"
)]

mod completions;
mod config;
mod configuration;
mod doctor;
mod exit_codes;
mod help;
#[cfg(target_os = "linux")]
mod interrupt;
mod looks;
mod panic_guard;
mod pipes;
#[path = "../support/program.rs"]
mod program;
mod results;
mod sandbox_command;
mod secrecy;
mod session;
mod shortage;
mod support;
mod tls;
mod usage;
mod verification;
mod wait;
mod webhook;
