//! The style of results on standard output: colors, links, and the width of lines.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _};

use clap::ValueEnum;
use didit_blocking_adapter::core::{data_transfer, verification};

use crate::environment::Environment;

/// The value of `--color`: when to color results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal
    #[default]
    Auto,
    /// In pipes and files as well
    Always,
    /// Not at all
    Never,
}

/// The longest URL of a link that terminals support, in bytes
/// ([hyperlinks in terminals](https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda)).
const MAX_ADDRESS: usize = 2083;

/// The look of a piece of text, shown with the SGR codes of ECMA-48.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Bold,
    Good,
    Bad,
    Pending,
}

impl Look {
    /// Returns the color of a status of either API.
    pub(crate) fn of_status(status: &str) -> Self {
        use data_transfer::Status as Transfer;
        use verification::Status as Verified;
        match (Transfer::from(status), Verified::from(status)) {
            (Transfer::Confirmed, _) | (_, Verified::Approved) => Self::Good,
            (Transfer::Declined | Transfer::Cancelled | Transfer::Expired, _)
            | (
                _,
                Verified::Declined | Verified::Expired | Verified::KycExpired | Verified::Abandoned,
            ) => Self::Bad,
            _ => Self::Pending,
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::Bold => 1,
            Self::Bad => 31,
            Self::Good => 32,
            Self::Pending => 33,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) colors: bool,
    pub(crate) links: bool,
    /// The width of the terminal in columns; `None` leaves lines unwrapped.
    pub(crate) width: Option<usize>,
}

impl Style {
    pub(crate) fn of_stdout(choice: ColorChoice, environment: &Environment) -> Self {
        let terminal = io::stdout().is_terminal();
        let width = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0.into());
        Self::new(choice, environment, terminal, width)
    }

    fn new(
        choice: ColorChoice,
        environment: &Environment,
        terminal: bool,
        width: Option<usize>,
    ) -> Self {
        let set = |name| environment.os(name);
        let able = terminal && set("TERM").is_some_and(|term| term != "dumb");
        let colors = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if set("NO_COLOR").is_some() => false,
            ColorChoice::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            ColorChoice::Auto => able && set("CLICOLOR").is_none_or(|value| value != "0"),
        };
        Self { colors, links: colors && able && has_links(environment), width }
    }

    /// Returns the text with a look, if colors are enabled.
    pub(crate) fn paint(self, look: Look, text: &str) -> Cow<'_, str> {
        if self.colors && !text.is_empty() {
            format!("\x1b[{}m{text}\x1b[0m", look.code()).into()
        } else {
            text.into()
        }
    }

    /// Returns the text as a link, if the terminal supports links of that length. The address must
    /// not contain control characters.
    pub(crate) fn link<'a>(self, text: &'a str, address: &str) -> Cow<'a, str> {
        if self.links && address.len() <= MAX_ADDRESS {
            format!("\x1b]8;;{address}\x1b\\{text}\x1b]8;;\x1b\\").into()
        } else {
            text.into()
        }
    }
}

/// Returns true if the terminal is known to support links; others may show the escape sequences.
fn has_links(environment: &Environment) -> bool {
    const PROGRAMS: [&str; 6] = ["iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby"];
    const TERMS: [&str; 4] = ["kitty", "alacritty", "foot", "ghostty"];
    let set = |name| environment.os(name);
    let is_one_of = |name, known: &[&str]| {
        set(name)
            .is_some_and(|value| known.iter().any(|known| value.to_string_lossy().contains(known)))
    };
    let vte = set("VTE_VERSION").and_then(|version| version.to_str()?.parse::<u32>().ok());
    ["WT_SESSION", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "FORCE_HYPERLINK"]
        .into_iter()
        .any(|name| set(name).is_some())
        || vte.is_some_and(|version| version >= 5000)
        || is_one_of("TERM_PROGRAM", &PROGRAMS)
        || is_one_of("TERM", &TERMS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(choice: ColorChoice, terminal: bool, variables: &[(&str, &str)]) -> Style {
        Style::new(choice, &Environment::of(variables), terminal, None)
    }

    #[test]
    fn colors_depend_on_flag_variables_and_terminal() {
        use ColorChoice::{Always, Auto, Never};
        let xterm = ("TERM", "xterm");
        for (choice, terminal, variables, colors) in [
            (Auto, true, &[xterm][..], true),
            (Auto, true, &[], false),
            (Auto, true, &[("TERM", "dumb")], false),
            (Auto, false, &[xterm], false),
            (Auto, true, &[xterm, ("NO_COLOR", "1")], false),
            (Auto, true, &[xterm, ("NO_COLOR", "")], true),
            (Auto, true, &[xterm, ("CLICOLOR", "0")], false),
            (Auto, false, &[("CLICOLOR_FORCE", "1")], true),
            (Auto, false, &[("CLICOLOR_FORCE", "0")], false),
            (Auto, false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
            (Always, false, &[("NO_COLOR", "1")], true),
            (Never, true, &[xterm, ("CLICOLOR_FORCE", "1")], false),
        ] {
            assert_eq!(
                style(choice, terminal, variables).colors,
                colors,
                "{choice:?} {variables:?}"
            );
        }
    }

    #[test]
    fn links_require_a_terminal_known_to_support_them() {
        let links = |terminal, variables: &[_]| style(ColorChoice::Auto, terminal, variables).links;
        assert!(links(true, &[("TERM", "xterm-kitty")]));
        assert!(links(true, &[("TERM", "xterm"), ("VTE_VERSION", "7200")]));
        assert!(!links(true, &[("TERM", "xterm"), ("VTE_VERSION", "4900")]));
        assert!(!links(true, &[("TERM", "xterm")]));
        assert!(!links(false, &[("TERM", "xterm-kitty"), ("CLICOLOR_FORCE", "1")]));
        let linked = Style { links: true, ..Style::default() }.link("a", "https://x/").into_owned();
        assert_eq!(linked, "\x1b]8;;https://x/\x1b\\a\x1b]8;;\x1b\\");
    }

    #[test]
    fn statuses_of_both_apis_have_a_color() {
        for (status, look) in [
            ("confirmed", Look::Good),
            ("APPROVED", Look::Good),
            ("Cancelled", Look::Bad),
            ("Kyc Expired", Look::Bad),
            ("In Review", Look::Pending),
            ("unheard of", Look::Pending),
        ] {
            assert_eq!(Look::of_status(status), look, "{status}");
        }
    }
}
