//! `didit config`

use std::io::{self, IsTerminal as _};

use clap::{Args, Subcommand};
use didit_blocking_adapter::core::{BaseUrl, ClientCredentials, Secret};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::profile::{self, DEFAULT, Profiles};
use crate::table::Table;
use crate::{file, output};

const EXAMPLES: &str = "\
Examples:
  didit config set --client-id ID --secret-stdin < secret.txt
  didit config set --profile staging --client-id ID --secret-command 'echo secret'
  didit config list";

/// Keep settings in profiles
///
/// A profile holds a base URL, a client id, and a secret: in a file that only you can read, or
/// printed by a command. Without a client id the secret is an API key. The profile named `default`
/// is used when nothing else is configured, any other with --profile NAME or DIDIT_PROFILE. Flags
/// and environment variables override it; no profile is ever required.
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct Config {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create or change a profile: --profile, --base-url, --client-id, and a secret
    #[command(before_long_help = EXAMPLES)]
    Set(Set),
    /// List the profiles, without secrets
    #[command(before_long_help = "Examples:\n  didit config list")]
    List,
    /// Delete a profile and its secret
    #[command(before_long_help = "Examples:\n  didit config remove --profile staging")]
    Remove,
    /// Print the path of the configuration file
    #[command(before_long_help = "Examples:\n  didit config path")]
    Path,
}

#[derive(Args)]
struct Set {
    /// Read the secret from standard input, and keep it in a file of mode 0600
    #[arg(long)]
    secret_stdin: bool,
    /// Command that prints the secret, run by the shell at each use
    #[arg(long, value_name = "COMMAND", conflicts_with = "secret_stdin", value_parser = command)]
    secret_command: Option<String>,
}

impl Config {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let name = profile::name(context)?.unwrap_or_else(|| DEFAULT.to_owned());
        match self.command {
            Command::Set(set) => set.run(context, &name)?,
            Command::List => list(context)?,
            Command::Remove => remove(context, &name)?,
            Command::Path => {
                output::print(&format!("{}\n", Profiles::of_user(context)?.path().display()))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn list(context: &Context) -> Result<(), Failure> {
    let profiles = Profiles::of_user(context)?;
    if profiles.by_name.is_empty() {
        let path = profiles.path();
        context.note(&format!(
            "there are no profiles in {}; see `didit config set --help`",
            path.display()
        ));
        return Ok(());
    }
    let mut table = Table::default();
    for (name, settings) in &profiles.by_name {
        table.section(name, |table| {
            table.row("Base URL", Some(settings.base_url.as_deref().unwrap_or("live")));
            table.row("Client ID", settings.client_id.as_ref());
            table.row("Secret command", settings.secret_command.as_ref());
            let path = profiles.secret_path(settings);
            let is_key = settings.client_id.is_none();
            let label = if is_key { "API key file" } else { "Secret file" };
            table.row(label, path.map(|path| path.display().to_string()));
        });
    }
    output::print(&table.shown(context.style()))
}

fn remove(context: &Context, name: &str) -> Result<(), Failure> {
    let mut profiles = Profiles::to_change(context)?;
    let Some(settings) = profiles.by_name.get(name) else { return Err(profiles.unknown(name)) };
    let stored = profiles.secret_path(settings).is_some();
    context.interrupt.defer();
    profiles.replace(name, None, None)?;
    let secret = if stored { " and its secret file" } else { "" };
    context.note(&format!("removed the profile {name}{secret}"));
    Ok(())
}

impl Set {
    fn run(self, context: &Context, name: &str) -> Result<(), Failure> {
        let options = &context.options;
        let sets_secret = self.secret_stdin || self.secret_command.is_some();
        if options.base_url.is_none() && options.client_id.is_none() && !sets_secret {
            return Err(Failure::usage(
                "give something to set: --base-url, --client-id, --secret-stdin or --secret-command",
            ));
        }
        if let Some(url) = &options.base_url {
            let parsed: Result<BaseUrl, _> = url.parse();
            parsed.map_err(|error| Failure::usage(format!("--base-url: {error}")))?;
        }
        let secret = self.secret_stdin.then(read_secret).transpose()?;
        // Credentials that could not be sent are not stored.
        let id = options.client_id.as_deref().unwrap_or("unset");
        let given = secret.clone().unwrap_or_else(|| Secret::from("unset"));
        ClientCredentials::new(id, given).map_err(Failure::usage)?;
        let mut profiles = Profiles::to_change(context)?;
        let mut settings = profiles.by_name.get(name).cloned().unwrap_or_default();
        if options.base_url.is_some() {
            settings.base_url.clone_from(&options.base_url);
        }
        if options.client_id.is_some() {
            settings.client_id.clone_from(&options.client_id);
        }
        if self.secret_command.is_some() {
            settings.secret_command = self.secret_command;
        } else if secret.is_some() {
            settings.secret_command = None;
        }
        context.interrupt.defer();
        profiles.replace(name, Some(settings), secret.as_ref())?;
        let has_secret = profiles.by_name.get(name).is_some_and(|settings| {
            settings.secret_command.is_some() || profiles.secret_path(settings).is_some()
        });
        let more = if has_secret {
            ""
        } else {
            ", without a secret; set one with --secret-stdin or --secret-command"
        };
        context.note(&format!("the profile {name} is in {}{more}", profiles.path().display()));
        Ok(())
    }
}

fn command(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err(format!("{text:?} is not a command; give one that prints the secret"));
    }
    Ok(text.to_owned())
}

fn read_secret() -> Result<Secret, Failure> {
    if io::stdin().is_terminal() {
        // A terminal would echo the secret.
        return Err(Failure::usage(
            "--secret-stdin reads a file or a pipe: didit config set --secret-stdin < secret.txt",
        ));
    }
    file::read_secret(io::stdin().lock()).map_err(|error| {
        Failure::usage(format!(
            "could not read the secret on standard input: {error}; give it alone: \
             didit config set --secret-stdin < secret.txt"
        ))
    })
}
