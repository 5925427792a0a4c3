//! The configuration of property tests.

use proptest::test_runner::{Config, FileFailurePersistence};

/// Tries a property with that many cases, after those that it once failed for: they are kept beside
/// the test, in a file of its name that ends in `.regressions`.
pub(crate) fn cases(count: u32) -> Config {
    let persistence = FileFailurePersistence::WithSource("regressions");
    Config { cases: count, failure_persistence: Some(Box::new(persistence)), ..Config::default() }
}
