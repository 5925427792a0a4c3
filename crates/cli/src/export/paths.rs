//! The names of an export's files.

use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::failure::Failure;
use crate::file;

/// The maximum number of symbolic links to follow, as on Linux.
const MAX_LINKS: usize = 40;

/// The resolved absolute path of a file, and the name that the user gave it.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) path: PathBuf,
    pub(crate) shown: PathBuf,
}

impl Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown.display().fmt(f)
    }
}

impl Named {
    /// Returns true if there is no file of this name.
    pub(super) fn is_missing(&self) -> bool {
        let found = fs::symlink_metadata(&self.path);
        found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }
}

/// The files of an export.
pub(crate) struct Paths {
    /// `None` for standard output.
    pub(super) output: Option<Named>,
    /// `None` for standard error.
    pub(super) failures: Option<Named>,
    /// `None` if the export cannot be resumed.
    pub(super) state: Option<Named>,
    /// The list of a retry; `None` if the export cannot be resumed.
    pub(super) retry: Option<Named>,
    /// The folder for a copy of the input.
    pub(super) folder: PathBuf,
}

impl Paths {
    pub(crate) fn new(output: &Path, failures: Option<&Path>) -> Result<Self, Failure> {
        if failures.is_some_and(|failures| failures.as_os_str() == "-") {
            return Err(Failure::usage(
                "--failures takes the name of a file; with --output - and without --failures, \
                 failures go to standard error",
            ));
        }
        let failures = failures.map(absolute).transpose()?;
        if output.as_os_str() == "-" {
            let folder = std::env::temp_dir();
            return Ok(Self { output: None, failures, state: None, retry: None, folder });
        }
        let output = Named { shown: output.to_owned(), ..absolute(&follow_links(output)?)? };
        let with_suffix = |suffix: &str| {
            let [path, shown] = [&output.path, &output.shown].map(|name| {
                let mut name = name.clone().into_os_string();
                name.push(suffix);
                PathBuf::from(name)
            });
            Named { path, shown }
        };
        let failures = failures.unwrap_or_else(|| with_suffix(".failures"));
        let (state, retry) = (with_suffix(".state"), with_suffix(".retry"));
        let purpose = match &failures.path {
            path if *path == output.path => "the --output",
            path if *path == state.path => "where the export keeps its state",
            path if *path == retry.path => "where a retry keeps its list",
            _ => "",
        };
        if !purpose.is_empty() {
            return Err(Failure::usage(format!(
                "{failures} is {purpose}; choose another --failures"
            )));
        }
        let folder = output.path.parent().unwrap_or(Path::new("/")).to_owned();
        let [output, failures, state, retry] = [output, failures, state, retry].map(Some);
        Ok(Self { output, failures, state, retry, folder })
    }

    /// Returns true if a name is that of the failures file, which may be missing.
    pub(super) fn is_failures(&self, name: &Path) -> bool {
        let named = absolute(name).ok();
        self.failures.as_ref().zip(named).is_some_and(|(file, named)| file.path == named.path)
    }

    /// Returns the flag whose file is also the input, if any.
    pub(super) fn flag_of(&self, input: &Path) -> Option<&'static str> {
        let files =
            [(&self.output, "--output"), (&self.state, "--output"), (&self.failures, "--failures")];
        let is_input = |file: &Option<Named>| file.as_ref().is_some_and(|file| file.path == input);
        files.into_iter().find(|(file, _)| is_input(file)).map(|(_, flag)| flag)
    }
}

/// Follows a chain of symbolic links to its end, a file that may not exist yet.
fn follow_links(path: &Path) -> Result<PathBuf, Failure> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = fs::read_link(&path) else { return Ok(path) };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    Err(refused(&path, "it is a loop of symbolic links"))
}

/// Resolves the folder of a file that may not exist yet; the file itself may be a link.
fn absolute(path: &Path) -> Result<Named, Failure> {
    let name = file::name_of(path).ok_or_else(|| refused(path, "it names no file"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let shown = folder.unwrap_or(Path::new("."));
    let folder = shown.canonicalize().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            refused(path, &format!("the folder {} does not exist; create it", shown.display()))
        }
        _ => refused(path, &error.to_string()),
    })?;
    Ok(Named { path: folder.join(name), shown: path.to_owned() })
}

fn refused(path: &Path, why: &str) -> Failure {
    Failure::usage(format!("could not open {}: {why}", path.display()))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn output_link_may_lead_to_a_missing_file() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        symlink("b", root.join("a")).unwrap();
        symlink(root.join("missing"), root.join("b")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let output = Paths::new(&root.join("a"), None).unwrap().output.unwrap();
        assert_eq!((output.path, output.shown), (root.join("missing"), root.join("a")));
        let failure = Paths::new(&root.join("loop"), None).err().unwrap();
        assert!(failure.line().ends_with("it is a loop of symbolic links"), "{}", failure.line());
        assert!(Paths::new(&root.join(".."), None).is_err());
    }
}
