//! `didit export` as scripts see it: run for real, interrupted in every way, against a sandbox in
//! the test.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, which clippy does not take for tests"
)]

mod arguments;
mod failures;
mod foreign_files;
mod input;
mod interrupted;
mod output;
mod shared;
mod shared_terms;
mod support;
