//! The shape in which a command prints its results.
#![allow(clippy::doc_markdown, reason = "these comments are the help text")]

use std::io::{self, IsTerminal as _};

use clap::{Args, ValueEnum};

use crate::environment::Environment;
use crate::failure::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// For programs: one JSON text a line
    Json,
}

#[derive(Args)]
pub(crate) struct FormatArg {
    /// The shape of the results [env: DIDIT_FORMAT] [default: table on a terminal]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

impl FormatArg {
    pub(crate) fn resolve(&self, environment: &Environment) -> Result<Format, Failure> {
        if let Some(format) = self.format {
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
