//! The command line: the global options and the subcommand.
#![allow(clippy::doc_markdown, reason = "these comments are the help text")]

use clap::{Args as _, CommandFactory as _, Parser};

use crate::commands::Command;
use crate::context::Options;

/// Use Didit's APIs from the command line
///
/// Retrieves what people shared or verified, exports many sessions, and checks webhooks. This is an
/// unofficial program. To look around without an account, use --sandbox.
#[derive(Parser)]
#[command(name = "didit", version = env!("DIDIT_VERSION"), subcommand_value_name = "COMMAND")]
#[command(before_long_help = EXAMPLES, after_help = MORE, after_long_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten, next_help_heading = "Global options")]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  didit --sandbox decision anything
  didit doctor --sandbox";

const MORE: &str = "\
Try it without an account:     didit --sandbox decision anything
Examples, options, exit codes: didit --help, didit COMMAND --help";

const AFTER_HELP: &str = "\
Credentials (one of these; their secrets are never passed as arguments):
  DIDIT_CLIENT_ID and DIDIT_CLIENT_SECRET (or DIDIT_CLIENT_SECRET_FILE, a path)
  DIDIT_ACCESS_TOKEN
  DIDIT_API_KEY (the verification API accepts only this)
  a profile: see `didit config --help`

Exit codes:
  0 done                                5 rate-limited until the time ran out
  1 any other failure                   6 network, TLS or service failure
  2 invalid usage or configuration      7 unexpected response
  3 credentials refused                 8 timed out
  4 no such session                     130 ended by Ctrl-C, 143 by SIGTERM";

/// The layout of every command's help; the long form shows examples before the usage.
const TEMPLATE: &str = "\
{about-with-newline}
{before-help}{usage-heading} {usage}

{all-args}{after-help}";

const GLOBAL_OPTIONS_HINT: &str = "Global options: didit --help";

/// Returns the definition of the command line, used for parsing, help, manual pages and
/// completions.
pub(crate) fn program() -> clap::Command {
    let mut program = Cli::command().help_template(TEMPLATE);
    // Building copies the global options into the subcommands.
    program.build();
    program.mut_subcommands(apply_layout)
}

fn apply_layout(command: clap::Command) -> clap::Command {
    // `didit help COMMAND` works, but duplicates `-h`.
    let is_help = command.get_name() == "help";
    let mut command = command.help_template(TEMPLATE).mut_subcommands(apply_layout).hide(is_help);
    if !command.has_subcommands() && command.get_after_help().is_none() {
        command = command.after_help(GLOBAL_OPTIONS_HINT);
    }
    let options = Options::augment_args(clap::Command::new("options"));
    let global: Vec<_> = options.get_arguments().map(clap::Arg::get_id).collect();
    command.mut_args(|arg| {
        let hidden = global.contains(&arg.get_id());
        if hidden { arg.hide_long_help(true) } else { arg }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn command_definition_is_valid() {
        Cli::command().debug_assert();
        program().debug_assert();
    }

    #[test]
    fn global_options_work_before_and_after_the_command() {
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
