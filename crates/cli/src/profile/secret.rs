//! The secret of a profile, read from a file or printed by a command.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use didit_blocking_adapter::core::Secret;
use didit_blocking_adapter::core::client::read_limited;

use crate::failure::Failure;
use crate::file;

/// Returns whether a name can be that of a secret file in the folder of the profiles.
pub(super) fn is_file_name(name: &str) -> bool {
    let path = Path::new(name);
    path.file_name() == Some(path.as_os_str()) && path.extension() == Some(OsStr::new("secret"))
}

/// Reads the secret of the profile `name` from a file in the folder of the profiles.
pub(super) fn of_file(name: &str, folder: &Path, file_name: &str) -> Result<Secret, Failure> {
    if !is_file_name(file_name) {
        // It may be the secret itself.
        return Err(Failure::usage(format!(
            "the secret_file of {name} in {} is not the name of a .secret file in the same folder; \
             set the secret again",
            folder.join("config.json").display()
        )));
    }
    let path = folder.join(file_name);
    let shown = path.display();
    let problem = |error: &io::Error| {
        let attempt = format!("could not read the secret of {name} in {shown}");
        Failure::of_file(attempt, error, "fix it, or set another secret")
    };
    let file = file::open_regular(&path).map_err(|error| problem(&error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = file.metadata().map_err(|error| problem(&error))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(Failure::usage(format!(
                "could not read the secret of {name} in {shown}: other users can read it; run \
                 `chmod 600 {shown}`"
            )));
        }
    }
    file::read_secret(file).map_err(|error| problem(&error))
}

/// Runs the command that prints a secret, in the platform's shell.
pub(super) fn of_command(name: &str, command: &str) -> Result<Secret, Failure> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let problem = |why: &dyn std::fmt::Display| {
        Failure::usage(format!("the secret command of the profile {name} failed: {why}"))
    };
    let mut child = Command::new(shell)
        .args([flag, command])
        // Standard input may carry the session ids of an export.
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|error| problem(&error))?;
    let output = child.stdout.take().map(|output| read_limited(output, file::MAX_SECRET));
    let status = child.wait().map_err(|error| problem(&error))?;
    let output = output.unwrap_or_else(|| Ok(Vec::new())).map_err(|error| problem(&error))?;
    if !status.success() {
        return Err(problem(&status));
    }
    file::secret(output).map_err(|error| problem(&error))
}
