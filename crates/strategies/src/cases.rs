use proptest::test_runner::{Config, FileFailurePersistence};

/// A property is tried with so many cases, and first with those that it once failed for: they are
/// kept beside the test, in a file of its name that ends in `.regressions`.
pub fn cases(count: u32) -> Config {
    let persistence = FileFailurePersistence::WithSource("regressions");
    Config { cases: count, failure_persistence: Some(Box::new(persistence)), ..Config::default() }
}
