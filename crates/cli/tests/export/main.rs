//! Runs `didit export` against a sandbox in the test process, with every kind of interruption.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test helpers, which clippy does not recognize as tests"
)]

mod arguments;
mod failures;
mod foreign_files;
mod input;
mod interrupted;
mod interrupted_retry;
mod output;
#[path = "../support/program.rs"]
mod program;
mod replaced_files;
mod shared;
mod shared_terms;
mod support;
