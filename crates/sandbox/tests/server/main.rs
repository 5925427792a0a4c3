//! The sandbox as a raw socket sees it.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

mod applications;
mod faults;
mod limits;
mod network;
mod pages;
mod properties;
mod quota;
mod raw;
mod request_log;
mod routes;
mod state_file;
mod stopping;
mod strictness;
#[cfg(feature = "tls")]
mod tls;
mod verification;
mod webhooks;
