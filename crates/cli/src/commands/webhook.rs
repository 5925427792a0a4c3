//! `didit webhook`

mod send;
mod verify;

use std::fs::File;
use std::path::Path;

use clap::{Args, Subcommand};
use didit_blocking_adapter::core::client::path_may_be_secret;
use didit_blocking_adapter::core::{Secret, webhook};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::file;

const SECRET: &str = "DIDIT_WEBHOOK_SECRET";
const SECRET_FILE: &str = "DIDIT_WEBHOOK_SECRET_FILE";
const OLD_SECRET: &str = "DIDIT_WEBHOOK_OLD_SECRET";

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

/// Returns the webhook verifier and signer for the configured secrets.
fn configured(context: &Context) -> Result<webhook::Webhook, Failure> {
    let Some((secret, webhook)) = current(context)? else {
        return Err(Failure::usage(format!(
            "the webhook secret is missing; set {SECRET} or {SECRET_FILE} to the destination's \
             secret_shared_key"
        )));
    };
    match context.environment.text(OLD_SECRET)? {
        Some(old) => of(OLD_SECRET, vec![secret, Secret::from(old)]),
        None => Ok(webhook),
    }
}

/// Returns the configured secret, if there is one, and what verifies and signs with it.
pub(super) fn current(context: &Context) -> Result<Option<(Secret, webhook::Webhook)>, Failure> {
    let environment = &context.environment;
    let (name, secret) = match (environment.text(SECRET)?, environment.os(SECRET_FILE)) {
        (Some(_), Some(_)) => {
            return Err(Failure::usage(format!(
                "{SECRET} and {SECRET_FILE} are both set; keep one"
            )));
        }
        (Some(secret), None) => (SECRET, Secret::from(secret)),
        (None, Some(path)) => (SECRET_FILE, read_secret(path.as_ref())?),
        (None, None) => return Ok(None),
    };
    let webhook = of(name, vec![secret.clone()])?;
    Ok(Some((secret, webhook)))
}

fn of(name: &str, secrets: Vec<Secret>) -> Result<webhook::Webhook, Failure> {
    let webhook = webhook::Webhook::new(secrets);
    webhook.map_err(|error| Failure::usage(format!("{error}; check {name}")))
}

fn read_secret(path: &Path) -> Result<Secret, Failure> {
    File::open(path).and_then(file::read_secret).map_err(|error| {
        let hidden = path_may_be_secret(path, &error);
        let shown = if hidden { Path::new("the file") } else { path };
        Failure::usage(format!("{SECRET_FILE}: could not read {}: {error}", shown.display()))
    })
}
