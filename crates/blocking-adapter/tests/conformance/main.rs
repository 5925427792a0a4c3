//! Runs the test cases that all adapters share.

// Tests fail by panicking.
#![allow(clippy::unwrap_used)]

mod adapter;

use self::adapter::Blocking;

didit_conformance::cases!(Blocking);
