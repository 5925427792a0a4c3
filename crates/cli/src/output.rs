//! Prints results to standard output, in the chosen format.
#![allow(clippy::doc_markdown, reason = "some of these comments are help text")]

use std::io::{self, IsTerminal as _, Write as _};

use clap::{Args, ValueEnum};
use didit_blocking_adapter::core::RawJson;

use crate::environment::Environment;
use crate::failure::Failure;
use crate::terminal;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// JSON Lines, for scripts
    Json,
}

#[derive(Args)]
pub(crate) struct FormatArg {
    /// table or json [env: DIDIT_FORMAT] [default: table on a terminal]
    #[arg(long, value_enum, hide_possible_values = true)]
    format: Option<Format>,
    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl FormatArg {
    pub(crate) fn resolve(&self, environment: &Environment) -> Result<Format, Failure> {
        if let Some(format) = self.format.or(self.json.then_some(Format::Json)) {
            return Ok(format);
        }
        match environment.text("DIDIT_FORMAT")? {
            Some(name) => Format::from_str(&name, false).map_err(|_| {
                Failure::usage(format!("DIDIT_FORMAT is {name:?}; set it to table or json"))
            }),
            None if io::stdout().is_terminal() => Ok(Format::Table),
            None => Ok(Format::Json),
        }
    }
}

/// Prints a whole result and flushes it, so that a reader sees it before the next one is ready.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    if stdout.is_terminal() {
        terminal::erase();
    }
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::of_write(&error))
}

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
    print_line(text, terminal::escape_json)
}

/// Prints a line, which `escape` changes on a terminal.
pub(crate) fn print_line(text: &str, escape: fn(&str) -> String) -> Result<(), Failure> {
    let escaped = io::stdout().is_terminal().then(|| escape(text));
    print(&format!("{}\n", escaped.as_deref().unwrap_or(text)))
}

/// Prints a machine-readable line to standard error. On a terminal, control characters are escaped.
pub(crate) fn eprint(line: &str) {
    let escaped = io::stderr().is_terminal().then(|| terminal::escape_json(line.trim_end()) + "\n");
    terminal::write(escaped.as_deref().unwrap_or(line));
}
