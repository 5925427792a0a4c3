//! The commands: one file each.

mod completions;
mod decision;
mod doctor;
mod export;
mod man;
mod sandbox;
mod session;
mod token;
mod wait;

use std::time::Duration;

use clap::Subcommand;
use didit_blocking_adapter::core::SessionId;
use didit_blocking_adapter::core::data_transfer::Decision;

use crate::args::Context;
use crate::decision_table;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::format::Format;

/// The budget of one session's call, where the configuration gives none.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Subcommand)]
pub(crate) enum Command {
    Decision(decision::Decision),
    Wait(wait::Wait),
    Session(session::Session),
    Export(export::Export),
    Token(token::Token),
    Sandbox(sandbox::Sandbox),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Decision(command) => command.run(context),
            Self::Wait(command) => command.run(context),
            Self::Session(command) => command.run(context),
            Self::Export(command) => command.run(context),
            Self::Token(command) => command.run(context),
            Self::Sandbox(command) => command.run(),
            Self::Doctor(command) => command.run(context),
            Self::Completions(command) => command.run(),
            Self::Man(command) => command.run(),
        }
    }
}

fn parse_id(text: &str) -> Result<SessionId, Failure> {
    text.parse().map_err(|error| Failure::usage(format!("{text:?}: {error}")))
}

fn shown(decision: &Decision, format: Format) -> String {
    match format {
        Format::Json => decision.json().to_compact() + "\n",
        Format::Table => decision_table::of(decision).to_string(),
    }
}
