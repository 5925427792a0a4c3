//! The settings that every command takes, and the environment they fall back to.
#![allow(clippy::doc_markdown, reason = "these comments are the help text")]

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::duration;
use crate::environment::Environment;
use crate::interrupt::Interrupt;

/// Holds what a command is given beside its own arguments.
pub(crate) struct Context {
    pub(crate) options: Options,
    pub(crate) environment: Environment,
    pub(crate) interrupt: Interrupt,
}

/// The options that may stand before or after the command.
#[derive(Args)]
pub(crate) struct Options {
    /// Where the service is [env: DIDIT_BASE_URL] [default: the live service]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// The client that asks [env: DIDIT_CLIENT_ID]
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// Start a sandbox in this process and use it, whatever else is configured
    #[arg(long, global = true)]
    pub(crate) sandbox: bool,
    /// The time for one session [env: DIDIT_TIMEOUT] [default: 30s]
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration::parse_positive)]
    pub(crate) timeout: Option<Duration>,
    /// Trust the certificates in this file as well [env: DIDIT_CA_FILE]
    #[arg(long, global = true, value_name = "PEM")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Log retries and waits; -vv: every request [env: RUST_LOG]
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}
