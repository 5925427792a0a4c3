//! Tests of the sandbox over raw sockets.

#![expect(clippy::unwrap_used, reason = "clippy does not recognize test helpers as tests")]

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
