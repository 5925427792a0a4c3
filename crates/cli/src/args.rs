//! The command line: the options that every command takes, and the command.
#![allow(clippy::doc_markdown, reason = "these comments are the help text")]

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser};

use crate::commands::Command;
use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{duration, output, printable};

/// Retrieves what people shared in Didit's data-transfer sessions
#[derive(Parser)]
#[command(name = "didit", version, next_line_help = true, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten, next_help_heading = "Options of every command")]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) command: Command,
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

const AFTER_HELP: &str = "\
Credentials (one of the three ways; a secret never stands on a command line):
  DIDIT_CLIENT_ID and DIDIT_CLIENT_SECRET (or DIDIT_CLIENT_SECRET_FILE, a path)
  DIDIT_ACCESS_TOKEN
  DIDIT_API_KEY

Exit codes:
  0 done                        5 rate-limited
  1 anything else               6 network, TLS or service failure
  2 usage, nothing was sent     7 the answer is no decision
  3 credentials refused         8 out of time
  4 no such session";

/// What a command is given beside its own arguments.
pub(crate) struct Context {
    pub(crate) options: Options,
    pub(crate) environment: Environment,
}

/// Prints what the parser has to say: the help or version that was asked for, or a mistake.
pub(crate) fn explain(error: &clap::Error) -> Result<Exit, Failure> {
    let text = error.render().to_string();
    if !error.use_stderr() {
        output::print(&text)?;
        return Ok(Exit::Done);
    }
    let lines: String = text.lines().map(|line| printable::line(line) + "\n").collect();
    // Nobody is left to be told if this fails.
    let _ = io::stderr().write_all(lines.as_bytes());
    Ok(Exit::Usage)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_stand_before_or_after_the_command() {
        for line in [
            "didit --base-url u --client-id i --sandbox --timeout 1s --ca-file f -vv decision s",
            "didit decision --base-url u --client-id i s --sandbox --timeout 1s --ca-file f -vv",
        ] {
            let options = Cli::try_parse_from(line.split(' ')).unwrap().options;
            assert_eq!(options.base_url.as_deref(), Some("u"));
            assert_eq!(options.client_id.as_deref(), Some("i"));
            assert!(options.sandbox);
            assert_eq!(options.timeout, Some(Duration::from_secs(1)));
            assert_eq!(options.ca_file, Some("f".into()));
            assert_eq!(options.verbose, 2);
        }
    }
}
