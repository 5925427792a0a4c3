//! `didit verification pdf SESSION_ID --output FILE`

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueHint};
use didit_blocking_adapter::core::Call;
use didit_blocking_adapter::core::verification::{GeneratePdf, SessionId};
use tempfile::NamedTempFile;

use crate::connection::{Api, Requirements};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, is_shortage};
use crate::{file, values};

/// The service may take a minute for one report.
const TIMEOUT: Duration = Duration::from_secs(120);

const EXAMPLES: &str = "\
Examples:
  didit verification pdf 11111111-2222-3333-4444-555555555555 --output report.pdf";

/// Save the report of a verification session as a PDF
///
/// It may take a minute; the time limit is 2m by default, and 1m for each attempt. The session must
/// be Approved, Declined, In Review or, for a person, Kyc Expired. The file appears only once the
/// report is complete, and only its owner can read it.
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct Pdf {
    /// The id of the session, a UUID
    #[arg(value_parser = values::verification_id)]
    session_id: SessionId,
    /// File for the report, or - for stdout
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: PathBuf,
    /// Overwrite the file if there is one
    #[arg(long)]
    force: bool,
}

impl Pdf {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let to_stdout = self.output.as_os_str() == "-";
        if to_stdout && io::stdout().is_terminal() {
            return Err(Failure::usage(
                "refusing to write a PDF to a terminal; give --output FILE, or redirect with > FILE",
            ));
        }
        if !to_stdout {
            // A file that cannot be written is refused before anything is sent.
            self.check_output()?;
            drop(self.open().map_err(|error| {
                let (shown, folder) = (self.output.display(), self.folder().display());
                let attempt = format!("--output: could not write {shown}");
                if error.kind() == io::ErrorKind::NotFound {
                    let why = format!("the folder {folder} does not exist; create it");
                    return Failure::usage(format!("{attempt}: {why}"));
                }
                let advice = format!("check the permissions of the folder {folder}");
                Failure::of_file(attempt, &error, &advice)
            })?);
        }
        let requirements =
            Requirements { timeout: TIMEOUT, ..Requirements::new(Api::Verification) };
        let connection = requirements.connect(context)?;
        let call =
            Call::new(GeneratePdf::new(self.session_id.clone())).with_timeout(connection.timeout);
        let pdf = connection
            .run(call)
            .map_err(|error| Failure::of_call(Some(self.session_id.as_str()), &error))?;
        if to_stdout {
            let written = pdf.write_to(io::stdout().lock());
            return written.map(|()| Exit::Done).map_err(|error| Failure::of_write(&error));
        }
        // From here on, a signal must not leave a partial file behind.
        context.interrupt.defer();
        let shown = self.output.display();
        let failed = |error: io::Error| {
            let advice = if is_shortage(&error) {
                "make room or raise the limit, and run the same command again"
            } else {
                "choose another --output"
            };
            Failure::other(format!("could not write {shown}: {error}; {advice}"))
        };
        self.check_output().map_err(Failure::after_sending)?;
        let mut file = self.open().map_err(failed)?;
        pdf.write_to(file.as_file_mut())
            .and_then(|()| file.as_file().sync_all())
            .map_err(failed)?;
        if let Some(exit) = context.interrupt.received() {
            return Ok(exit);
        }
        if self.force {
            file.persist(&self.output).map_err(|error| failed(error.error))?;
        } else {
            file.persist_noclobber(&self.output).map_err(|error| failed(error.error))?;
        }
        Ok(Exit::Done)
    }

    /// Refuses a name under which the report cannot be written.
    fn check_output(&self) -> Result<(), Failure> {
        let shown = self.output.display();
        let refused = |why: &str| Err(Failure::usage(format!("--output: {shown} {why}")));
        if self.output.is_dir() || file::name_of(&self.output).is_none() {
            return refused("is a folder; give a file");
        }
        match self.output.symlink_metadata() {
            // The report replaces the file, which must therefore not be a device.
            Ok(found) if !found.is_file() => {
                refused(&format!("is {}; give a file", file::kind_of(found.file_type())))
            }
            Ok(_) if !self.force => Err(Failure::usage(format!(
                "{shown} exists; choose another --output, or overwrite it with --force"
            ))),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                refused(&format!("cannot be written: {}; give another file", error.kind()))
            }
            _ => Ok(()),
        }
    }

    /// Opens a temporary file next to the output, which is removed when it is dropped.
    fn open(&self) -> io::Result<NamedTempFile> {
        file::temporary(self.folder(), ".didit-", "")
    }

    fn folder(&self) -> &Path {
        let folder = self.output.parent().filter(|folder| !folder.as_os_str().is_empty());
        folder.unwrap_or(Path::new("."))
    }
}
