//! `didit verification`

mod create;
mod decision;
mod delete;
mod list;
mod pdf;
mod update_status;
mod wait;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Work with the verification API (KYC and KYB)
///
/// It has its own host and takes an API key, DIDIT_API_KEY. A base URL that is not
/// one of the service, as `didit sandbox` prints it, is used for both APIs, unless
/// DIDIT_VERIFICATION_BASE_URL is set. The flag --base-url overrides both variables.
#[derive(Args)]
pub(crate) struct Verification {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Create(create::Create),
    Decision(decision::Decision),
    Wait(wait::Wait),
    List(list::List),
    UpdateStatus(update_status::UpdateStatus),
    Pdf(pdf::Pdf),
    Delete(delete::Delete),
}

impl Verification {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            Command::Create(command) => command.run(context),
            Command::Decision(command) => command.run(context),
            Command::Wait(command) => command.run(context),
            Command::List(command) => command.run(context),
            Command::UpdateStatus(command) => command.run(context),
            Command::Pdf(command) => command.run(context),
            Command::Delete(command) => command.run(context),
        }
    }
}
