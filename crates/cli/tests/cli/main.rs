//! The program as scripts see it: run for real, against a sandbox in the test.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, which clippy does not take for tests"
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
mod results;
mod sandbox_command;
mod secrecy;
mod session;
mod support;
mod tls;
mod usage;
mod verification;
mod wait;
mod webhook;
