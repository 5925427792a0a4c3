//! The secrets of a webhook destination.

use std::fs::File;
use std::path::Path;

use didit_blocking_adapter::core::Secret;
use didit_blocking_adapter::core::webhook::Webhook;

use crate::context::Context;
use crate::failure::Failure;
use crate::file;

const SECRET: &str = "DIDIT_WEBHOOK_SECRET";
const SECRET_FILE: &str = "DIDIT_WEBHOOK_SECRET_FILE";
const OLD_SECRET: &str = "DIDIT_WEBHOOK_OLD_SECRET";

/// Returns the webhook verifier and signer for the configured secrets.
pub(super) fn configured(context: &Context) -> Result<Webhook, Failure> {
    let environment = &context.environment;
    let (name, secret) = match (environment.text(SECRET)?, environment.os(SECRET_FILE)) {
        (Some(_), Some(_)) => {
            return Err(Failure::usage(format!(
                "{SECRET} and {SECRET_FILE} are both set; keep one"
            )));
        }
        (Some(secret), None) => (SECRET, Secret::from(secret)),
        (None, Some(path)) => (SECRET_FILE, read(path.as_ref())?),
        (None, None) => {
            return Err(Failure::usage(format!(
                "the webhook secret is missing; set {SECRET} or {SECRET_FILE} to the destination's \
                 secret_shared_key"
            )));
        }
    };
    let of = |name, secrets: Vec<Secret>| {
        let webhook = Webhook::new(secrets);
        webhook.map_err(|error| Failure::usage(format!("{error}; check {name}")))
    };
    let webhook = of(name, vec![secret.clone()])?;
    match environment.text(OLD_SECRET)? {
        Some(old) => of(OLD_SECRET, vec![secret, Secret::from(old)]),
        None => Ok(webhook),
    }
}

fn read(path: &Path) -> Result<Secret, Failure> {
    File::open(path).and_then(file::read_secret).map_err(|error| {
        Failure::usage(format!("{SECRET_FILE}: could not read {}: {error}", path.display()))
    })
}
