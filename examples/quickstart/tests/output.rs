//! Runs the example, and checks that the README shows its output.

use std::io;
use std::process::Command;

#[test]
fn prints_what_the_readme_shows() -> io::Result<()> {
    let output = Command::new(env!("CARGO_BIN_EXE_didit-example-quickstart")).output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let command = "$ cargo run -p didit-example-quickstart\n";
    let shown = include_str!("../../../README.md").split_once(command).map(|(_, rest)| rest);
    assert!(shown.is_some_and(|shown| shown.starts_with(&*printed)), "{output:?}");
    Ok(())
}
