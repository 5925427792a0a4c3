//! Runs the examples and checks their output for the sample person.

use std::env;
use std::io;
use std::path::Path;
use std::process::Command;

/// Runs an example, which cargo has built along with this test.
fn prints_the_sample_person(example: &str) -> io::Result<()> {
    let test = env::current_exe()?;
    let profile = test.ancestors().nth(2).unwrap_or(Path::new("."));
    let output = Command::new(profile.join("examples").join(example)).output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && printed.contains("John Doe"), "{output:?}");
    Ok(())
}

#[test]
fn async_client() -> io::Result<()> {
    prints_the_sample_person("async_client")
}

#[test]
fn bring_your_own_client() -> io::Result<()> {
    prints_the_sample_person("bring_your_own_client")
}
