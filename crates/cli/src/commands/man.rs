//! `didit man`

mod page;

use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::builder::PossibleValue;
use clap::{Args, Command, Subcommand as _, ValueHint};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::values::Offering;
use crate::{file, output, values};

const EXAMPLES: &str = "\
Examples:
  didit man > didit.1
  didit man session create > didit-session-create.1
  didit man --output man1";

/// Print a manual page, or write all of them into a folder
///
/// To read one now: `didit man export | man -l -`
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct Man {
    /// The command [default: didit itself]
    #[arg(value_name = "COMMAND", value_parser = Offering(commands), hide_possible_values = true)]
    command: Vec<String>,
    /// Folder for the pages of all commands, created if missing
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    #[arg(conflicts_with = "command")]
    output: Option<PathBuf>,
}

fn commands() -> Vec<PossibleValue> {
    let program = super::Command::augment_subcommands(Command::new("didit"));
    let names = program.get_subcommands().map(|command| command.get_name().to_owned());
    names.map(PossibleValue::new).collect()
}

impl Man {
    pub(crate) fn run(self, program: &Command) -> Result<Exit, Failure> {
        if let Some(folder) = self.output {
            if folder.exists() && !folder.is_dir() {
                let folder = folder.display();
                return Err(Failure::usage(format!("--output: {folder} is a file; give a folder")));
            }
            fs::create_dir_all(&folder).map_err(|error| not_written(&folder, &error))?;
            write_all(program, &[program.get_name()], &folder)?;
            return Ok(Exit::Done);
        }
        let (mut command, mut words) = (program, vec![program.get_name()]);
        for word in &self.command {
            let found = command.find_subcommand(word).filter(|found| found.get_name() != "help");
            command = found.ok_or_else(|| {
                let names: Vec<_> = page::subcommands(command).map(Command::get_name).collect();
                if names.is_empty() {
                    let name = words.join(" ");
                    return Failure::usage(format!("`{name}` has no subcommands"));
                }
                let given = [&words[1..], &[word]].concat().join(" ");
                let known = match values::most_similar(word, &names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the commands are {}", names.join(", ")),
                };
                Failure::usage(format!("there is no command {given:?}; {known}"))
            })?;
            words.push(command.get_name());
        }
        let page = page::of(command, &words).map_err(Failure::other)?;
        output::print(&page)?;
        Ok(Exit::Done)
    }
}

fn not_written(path: &Path, error: &io::Error) -> Failure {
    let attempt = format!("could not write {}", path.display());
    Failure::of_file(attempt, error, "choose another --output")
}

fn write_all(command: &Command, words: &[&str], folder: &Path) -> Result<(), Failure> {
    let path = folder.join(format!("{}.1", words.join("-")));
    let page = page::of(command, words).map_err(Failure::other)?;
    file::write_regular(&path, page.as_bytes()).map_err(|error| not_written(&path, &error))?;
    for subcommand in page::subcommands(command) {
        let words: Vec<_> = words.iter().copied().chain([subcommand.get_name()]).collect();
        write_all(subcommand, &words, folder)?;
    }
    Ok(())
}
