//! The arguments that an export was begun with, kept beside its output.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use didit_blocking_adapter::core::BaseUrl;
use serde::{Deserialize, Serialize};

use super::format::ExportFormat;
use super::record_file::private;
use crate::failure::Failure;

/// What must not change from one start to the next. How many are asked at once, the timeout and the
/// credentials may.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    input: String,
    failures: String,
    format: ExportFormat,
    service: String,
}

impl State {
    pub(crate) fn new(
        input: &Path,
        failures: &Path,
        format: ExportFormat,
        base_url: &BaseUrl,
    ) -> Self {
        // A server on this machine may have another port each time.
        let service =
            if base_url.is_plain_http() { "this machine".to_owned() } else { base_url.to_string() };
        let shown = |path: &Path| path.display().to_string();
        Self { input: shown(input), failures: shown(failures), format, service }
    }

    /// Refuses to go on with what was begun with other arguments.
    pub(super) fn check(&self, path: &Path, output: &Path) -> Result<(), Failure> {
        let begun = fs::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let Some(begun): Option<Self> = begun else {
            return Err(Failure::usage(format!(
                "{} or its failures file is not empty, and there is no export to go on with: {} is \
                 missing or unreadable; choose another --output, or overwrite both with --restart",
                output.display(),
                path.display()
            )));
        };
        let Some(difference) = begun.difference(self) else { return Ok(()) };
        Err(Failure::usage(format!(
            "the export to {} was begun with {difference}; give the same arguments to go on, \
             another --output, or --restart to begin anew",
            output.display()
        )))
    }

    fn difference(&self, now: &Self) -> Option<String> {
        if self.input != now.input {
            return Some(format!("the input {}", self.input));
        }
        if self.format != now.format {
            return Some(format!("--format {}", format!("{:?}", self.format).to_lowercase()));
        }
        if self.failures != now.failures {
            return Some(format!("--failures {}", self.failures));
        }
        (self.service != now.service).then(|| format!("the service at {}", self.service))
    }

    /// Writes it down for good, before anything that depends on it.
    pub(super) fn write(&self, path: &Path) -> Result<(), Failure> {
        let written = || -> io::Result<()> {
            let mut file =
                private(OpenOptions::new().create(true).write(true).truncate(true)).open(path)?;
            file.write_all(&serde_json::to_vec(self)?)?;
            file.sync_all()?;
            // The new names in the folder, too; not every system lets a folder be synced.
            if let Some(Ok(folder)) = path.parent().map(File::open) {
                let _ = folder.sync_all();
            }
            Ok(())
        };
        written().map_err(|error| {
            Failure::other(format!("could not write {}: {error}; nothing was sent", path.display()))
        })
    }
}
