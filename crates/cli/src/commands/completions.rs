//! `didit completions SHELL`

use clap::{Args, Command};
use clap_complete::Shell;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  didit completions bash
  didit completions fish";

/// Print a completion script for a shell
///
/// For bash, add `source <(didit completions bash)` to ~/.bashrc. For fish, save it as
/// ~/.config/fish/completions/didit.fish; for zsh, as _didit in a folder of fpath.
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct Completions {
    /// Name of the shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, mut program: Command) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut program, "didit", &mut script);
        output::print(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Done)
    }
}
