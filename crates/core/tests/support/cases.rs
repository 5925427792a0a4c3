//! The configuration of property tests.

use proptest::test_runner::{Config, FileFailurePersistence};

/// Returns a configuration with this number of random cases, after the stored cases of past
/// failures, which are in a file named after the test with the extension `.regressions`.
pub(crate) fn cases(count: u32) -> Config {
    let persistence = FileFailurePersistence::WithSource("regressions");
    Config { cases: count, failure_persistence: Some(Box::new(persistence)), ..Config::default() }
}
