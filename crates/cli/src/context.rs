//! The settings that every command takes, and the environment they fall back to.
#![allow(clippy::doc_markdown, reason = "these comments are the help text")]

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use crate::duration;
use crate::environment::Environment;
use crate::interrupt::Interrupt;
use crate::style::{ColorChoice, Style};
use crate::terminal;

/// The settings of a command in addition to its own arguments.
pub(crate) struct Context {
    pub(crate) options: Options,
    pub(crate) environment: Environment,
    pub(crate) interrupt: Interrupt,
}

impl Context {
    /// Returns the style of results on standard output.
    pub(crate) fn style(&self) -> Style {
        Style::of_stdout(self.options.color, &self.environment)
    }

    /// Prints a note to standard error, unless `--quiet` is set.
    pub(crate) fn note(&self, text: &str) {
        if !self.options.quiet {
            terminal::say(text);
        }
    }

    /// Returns true if standard input is a terminal, and prints a note that it is read.
    pub(crate) fn reads_keyboard(&self, what: &str) -> bool {
        let is_keyboard = io::stdin().is_terminal();
        if is_keyboard {
            self.note(&format!("reading {what}; end with Ctrl-D"));
        }
        is_keyboard
    }

    /// Returns true if a line on standard error may be redrawn: on a terminal, without log lines in
    /// between.
    pub(crate) fn redraws(&self) -> bool {
        let dumb = self.environment.os("TERM").is_some_and(|term| term == "dumb");
        let is_alone = self.options.verbose == 0 && !self.options.quiet;
        io::stderr().is_terminal() && !dumb && is_alone
    }
}

/// The options that are allowed before or after the command.
#[derive(Args)]
pub(crate) struct Options {
    /// Use a temporary built-in sandbox; ignores credentials and --base-url
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) sandbox: bool,
    /// Base URL of both APIs [env: DIDIT_BASE_URL] [default: the live service]
    #[arg(long, global = true, hide_short_help = true, value_name = "URL")]
    #[arg(value_hint = ValueHint::Url)]
    pub(crate) base_url: Option<String>,
    /// OAuth client id [env: DIDIT_CLIENT_ID]
    #[arg(long, global = true, hide_short_help = true, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// Profile to use; see `didit config` [env: DIDIT_PROFILE]
    #[arg(long, global = true, hide_short_help = true, value_name = "NAME")]
    #[arg(value_hint = ValueHint::Other)]
    pub(crate) profile: Option<String>,
    /// Time limit for one call, retries included [env: DIDIT_TIMEOUT] [default: 30s]
    ///
    /// A number and its unit, like 500ms, 30s or 2m. For the commands that wait it limits the whole
    /// wait, with a default of 10m; `didit verification pdf` has a default of 2m, `didit doctor` of
    /// 10s, and `didit webhook send` of 5s.
    #[arg(long, global = true, hide_short_help = true, value_name = "DURATION")]
    #[arg(value_parser = duration::parse_positive, allow_hyphen_values = true)]
    pub(crate) timeout: Option<Duration>,
    /// Also trust the certificates in this PEM file [env: DIDIT_CA_FILE]
    #[arg(long, global = true, hide_short_help = true, value_name = "PEM")]
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) ca_file: Option<PathBuf>,
    /// Colors and links in results [env: NO_COLOR, CLICOLOR_FORCE]
    #[arg(long, global = true, hide_short_help = true, value_name = "WHEN", value_enum)]
    #[arg(default_value_t)]
    pub(crate) color: ColorChoice,
    /// Print results and errors only: no progress, notes or warnings
    #[arg(short, long, global = true, hide_short_help = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Log retries and waits; -vv: every request; -vvv: headers as well [env: RUST_LOG]
    #[arg(short, long, global = true, hide_short_help = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}
