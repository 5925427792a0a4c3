//! The subcommands, one file each.
#![allow(clippy::doc_markdown, reason = "many comments in these modules are help text")]

mod completions;
mod config;
mod decision;
mod doctor;
mod export;
mod man;
mod sandbox;
mod session;
mod token;
mod verification;
mod wait;
mod webhook;

use clap::Subcommand;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Command {
    Decision(decision::Decision),
    Wait(wait::Wait),
    Session(session::Session),
    Export(export::Export),
    Token(token::Token),
    Verification(verification::Verification),
    Webhook(webhook::Webhook),
    Sandbox(sandbox::Sandbox),
    Config(config::Config),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    /// Runs the command; `program` describes the whole command line.
    pub(crate) fn run(self, context: &Context, program: clap::Command) -> Result<Exit, Failure> {
        match self {
            Self::Decision(command) => command.run(context),
            Self::Wait(command) => command.run(context),
            Self::Session(command) => command.run(context),
            Self::Export(command) => command.run(context),
            Self::Verification(command) => command.run(context),
            Self::Token(command) => command.run(context),
            Self::Webhook(command) => command.run(context),
            Self::Sandbox(command) => command.run(context),
            Self::Config(command) => command.run(context),
            Self::Doctor(command) => command.run(context),
            Self::Completions(command) => command.run(program),
            Self::Man(command) => command.run(&program),
        }
    }
}
