//! Results, on standard output.

use std::io::{self, Write as _};

use crate::failure::Failure;

/// Prints a whole result at once: a reader sees it before the next one is worked on.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::of_write(&error))
}
