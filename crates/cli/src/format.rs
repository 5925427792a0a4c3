//! The format in which a command prints its results.
#![allow(clippy::doc_markdown, reason = "these comments are the help text")]

use std::io::{self, IsTerminal as _};

use clap::{Args, ValueEnum};

use crate::environment::Environment;
use crate::failure::Failure;

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
