//! Runs the test cases that all adapters share.

mod adapter;

use self::adapter::Async;

didit_conformance::cases!(Async);
