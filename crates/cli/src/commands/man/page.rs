//! Renders manual pages in the format of `man(7)`.

use std::io::{self, Write};

use clap::Command;
use clap_mangen::Man;

const EXIT_STATUS: [(&str, &str); 11] = [
    ("0", "done"),
    ("1", "any other failure"),
    ("2", "invalid usage or configuration; nothing was sent"),
    ("3", "credentials refused"),
    ("4", "no such session"),
    ("5", "rate-limited until the time ran out"),
    ("6", "network, TLS or service failure"),
    ("7", "unexpected response"),
    ("8", "timed out"),
    ("130", "ended by Ctrl-C (SIGINT)"),
    ("143", "ended by SIGTERM"),
];

const ENVIRONMENT: [(&str, &str); 18] = [
    ("DIDIT_CLIENT_ID, DIDIT_CLIENT_SECRET", "Client credentials."),
    ("DIDIT_CLIENT_SECRET_FILE", "A file with the client secret."),
    ("DIDIT_ACCESS_TOKEN", "A bearer token, instead of client credentials."),
    ("DIDIT_API_KEY", "An API key, instead of client credentials."),
    ("DIDIT_BASE_URL", "Base URL of both APIs."),
    ("DIDIT_VERIFICATION_BASE_URL", "Base URL of the verification API, if it has another."),
    ("DIDIT_TIMEOUT", "Time limit, like 30s."),
    ("DIDIT_CA_FILE", "A PEM file of certificates to trust as well."),
    ("DIDIT_SESSION_TOKEN", "A session's token, like --session-token."),
    ("DIDIT_WEBHOOK_SECRET", "The secret of webhooks."),
    ("DIDIT_WEBHOOK_SECRET_FILE", "A file with the secret of webhooks."),
    ("DIDIT_WEBHOOK_OLD_SECRET", "The previous secret of webhooks, also accepted."),
    ("DIDIT_FORMAT", "Output format, table or json."),
    ("DIDIT_PROFILE", "Name of the profile to use."),
    ("DIDIT_SHARED", "The Redis or Valkey of export and doctor, like --shared."),
    ("HTTPS_PROXY, ALL_PROXY, NO_PROXY", "Proxies, and the hosts that need none."),
    ("NO_COLOR, CLICOLOR_FORCE", "No colors, or colors everywhere."),
    ("RUST_LOG", "What is logged, like didit=debug; -v and --quiet override it."),
];

/// The files of `didit export`.
const FILES: [(&str, &str); 3] = [
    ("OUTPUT.failures", "Sessions that failed, as JSON Lines."),
    ("OUTPUT.state", "The arguments of the export, for the next run to resume."),
    ("OUTPUT.retry", "Failures that are being retried."),
];

/// Returns the subcommands that have a page.
pub(super) fn subcommands(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|command| command.get_name() != "help")
}

/// Renders the page of a command; `words` are its full name, such as `didit session create`.
pub(super) fn of(command: &Command, words: &[&str]) -> io::Result<String> {
    let (name, is_program) = (words.join("-"), words.len() == 1);
    let shown = command.clone().name(name.clone()).display_name(name.clone());
    // Global options are only on the page of the program.
    let shown = shown.mut_args(|arg| {
        let hidden = !is_program && arg.is_hide_long_help_set();
        // A short text is rendered only if the short help shows it.
        if hidden { arg.hide(true) } else { arg.hide_short_help(false) }
    });
    let man = Man::new(shown);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    section(&mut page, "SYNOPSIS")?;
    let usage = command.clone().bin_name(words.join(" ")).render_usage().to_string();
    verbatim(&mut page, usage.trim_start_matches("Usage: "))?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if !is_program {
        section(&mut page, "GLOBAL OPTIONS")?;
        writeln!(page, "See didit(1).")?;
    }
    if subcommands(command).next().is_some() {
        section(&mut page, "COMMANDS")?;
        for subcommand in subcommands(command) {
            let about = subcommand.get_about().map(ToString::to_string).unwrap_or_default();
            item(&mut page, &format!("{name}-{}(1)", subcommand.get_name()), &about)?;
        }
    }
    if let Some(examples) = command.get_before_long_help() {
        section(&mut page, "EXAMPLES")?;
        let examples = examples.to_string();
        let lines: Vec<_> = examples.lines().skip(1).map(str::trim_start).collect();
        verbatim(&mut page, &lines.join("\n"))?;
    }
    if let Some(more) = command.get_after_long_help().filter(|_| !is_program) {
        section(&mut page, "NOTES")?;
        let more = more.to_string();
        verbatim(&mut page, more.split("\n\n").next().unwrap_or_default())?;
    }
    items(&mut page, "EXIT STATUS", &EXIT_STATUS)?;
    items(&mut page, "ENVIRONMENT", &ENVIRONMENT)?;
    if name == "didit-export" {
        items(&mut page, "FILES", &FILES)?;
    }
    section(&mut page, "SEE ALSO")?;
    writeln!(page, "{}", escaped(&related(command, words)))?;
    String::from_utf8(page).map_err(io::Error::other)
}

/// Returns the names of the pages of the parent and the subcommands.
fn related(command: &Command, words: &[&str]) -> String {
    let parent = words.split_last().map(|(_, parent)| parent.join("-"));
    let parent = parent.filter(|parent| !parent.is_empty());
    let name = words.join("-");
    let children = subcommands(command).map(|sub| format!("{name}-{}", sub.get_name()));
    let pages = parent.into_iter().chain(children).map(|name| format!("{name}(1)"));
    pages.collect::<Vec<_>>().join(", ")
}

fn section(page: &mut impl Write, heading: &str) -> io::Result<()> {
    writeln!(page, ".SH {heading:?}")
}

fn items(page: &mut impl Write, heading: &str, items: &[(&str, &str)]) -> io::Result<()> {
    section(page, heading)?;
    items.iter().try_for_each(|(name, text)| item(page, name, text))
}

fn item(page: &mut impl Write, name: &str, text: &str) -> io::Result<()> {
    writeln!(page, ".TP\n\\fB{}\\fR\n{}", escaped(name), escaped(text))
}

/// Adds lines that are neither filled nor hyphenated, so that they can be copied.
fn verbatim(page: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(page, ".nf\n{}\n.fi", escaped(text))
}

/// Escapes what `man` would interpret as a request, an escape, or a typographic hyphen.
fn escaped(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
        if line.starts_with('.') { format!("\\&{line}") } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use didit_blocking_adapter::core::client::Environment;

    use super::*;

    #[test]
    fn environment_lists_the_variables_of_the_settings() {
        for variable in Environment::VARIABLES {
            let named = |(names, _): &(&str, &str)| names.split(", ").any(|name| name == variable);
            assert!(ENVIRONMENT.iter().any(named), "{variable}");
        }
    }

    #[test]
    fn requests_hyphens_and_backslashes_are_escaped() {
        assert_eq!(escaped(".x\n'y --z\\"), "\\&.x\n\\(aqy \\-\\-z\\e");
    }
}
