//! Prints results to standard output.

use std::io::{self, IsTerminal as _, Write as _};

use didit_blocking_adapter::core::RawJson;

use crate::failure::Failure;
use crate::format::Format;
use crate::terminal;

/// Prints a whole result and flushes it, so that a reader sees it before the next one is ready.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::of_write(&error))
}

/// Prints a result in the given format.
pub(crate) fn print_as(
    format: Format,
    json: &RawJson,
    table: impl FnOnce() -> String,
) -> Result<(), Failure> {
    match format {
        Format::Json => print_json(&json.to_compact()),
        Format::Table => print(&table()),
    }
}

/// Prints a JSON text as one line. On a terminal, control characters are escaped.
pub(crate) fn print_json(text: &str) -> Result<(), Failure> {
    let escaped = io::stdout().is_terminal().then(|| terminal::escape_json(text));
    print(&format!("{}\n", escaped.as_deref().unwrap_or(text)))
}

/// Prints a machine-readable line to standard error. On a terminal, control characters are escaped.
pub(crate) fn eprint(line: &str) {
    let escaped = io::stderr().is_terminal().then(|| terminal::escape_json(line.trim_end()) + "\n");
    terminal::write(escaped.as_deref().unwrap_or(line));
}
