//! Runs the cases that all adapters share.

mod adapter;

use self::adapter::Blocking;

didit_conformance::cases!(Blocking);
