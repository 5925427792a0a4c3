//! Runs the example and checks its output.

use std::io;
use std::process::Command;

#[test]
fn prints_the_sample_person() -> io::Result<()> {
    let output = Command::new(env!("CARGO_BIN_EXE_didit-example-smol")).output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(printed, "unique-session-identifier: Confirmed, John Doe\n", "{output:?}");
    Ok(())
}
