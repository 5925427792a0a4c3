//! `didit man`

use std::fs;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man as Page;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  didit man > didit.1
  didit man --output man1";

/// Print a manual page, or write all of them into a folder
///
/// To read one now: `didit man | man -l -`
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct Man {
    /// The folder for the pages of all commands; it is made if need be
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(self, program: Command) -> Result<Exit, Failure> {
        let program = program.disable_help_subcommand(true);
        let Some(folder) = self.output else {
            let mut page = Vec::new();
            Page::new(program).render(&mut page).map_err(Failure::other)?;
            output::print(&String::from_utf8_lossy(&page))?;
            return Ok(Exit::Done);
        };
        let written =
            fs::create_dir_all(&folder).and_then(|()| clap_mangen::generate_to(program, &folder));
        written.map_err(|error| {
            Failure::other(format!("could not write into {}: {error}", folder.display()))
        })?;
        Ok(Exit::Done)
    }
}
