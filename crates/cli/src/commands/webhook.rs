//! `didit webhook`

mod secret;
mod send;
mod verify;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Verify a webhook, or send a signed test webhook
///
/// Webhooks are signed with the destination's secret_shared_key. It is taken from
/// DIDIT_WEBHOOK_SECRET or the file DIDIT_WEBHOOK_SECRET_FILE; while it is being rotated, the old
/// one from DIDIT_WEBHOOK_OLD_SECRET as well.
#[derive(Args)]
pub(crate) struct Webhook {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Verify(verify::Verify),
    Send(send::Send),
}

impl Webhook {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            Command::Verify(command) => command.run(context),
            Command::Send(command) => command.run(context),
        }
    }
}
