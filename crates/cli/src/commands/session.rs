//! `didit session`

mod create;
mod status;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Create a session or check its status
#[derive(Args)]
pub(crate) struct Session {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Create(create::Create),
    Status(status::Status),
}

impl Session {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            Command::Create(command) => command.run(context),
            Command::Status(command) => command.run(context),
        }
    }
}
