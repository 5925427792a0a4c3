//! The command line as a whole: the options of every command, and the command.
#![allow(clippy::doc_markdown, reason = "these comments are the help text")]

use std::io::{self, Write as _};

use clap::Parser;

use crate::commands::Command;
use crate::context::Options;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{output, terminal};

/// Retrieves what people shared in Didit's data-transfer sessions
#[derive(Parser)]
#[command(name = "didit", version, next_line_help = true, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten, next_help_heading = "Options of every command")]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) command: Command,
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

/// Prints what the parser has to say: the help or version that was asked for, or a mistake.
pub(crate) fn explain(error: &clap::Error) -> Result<Exit, Failure> {
    let text = error.render().to_string();
    if !error.use_stderr() {
        output::print(&text)?;
        return Ok(Exit::Done);
    }
    let lines: String = text.lines().map(|line| terminal::escape(line) + "\n").collect();
    // Nobody is left to be told if this fails.
    let _ = io::stderr().write_all(lines.as_bytes());
    Ok(Exit::Usage)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
