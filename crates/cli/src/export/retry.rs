//! Retries the failures of an export into the same output.
//!
//! The failures file is moved to `OUTPUT.retry`, and a new one is started; the moved sessions are
//! the input of this run. A session that succeeds goes to the output, and one that fails again to
//! the new failures file, so that each stays in exactly one of the two. After an interruption, the
//! next run continues with the list unless all of its sessions are settled.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::files::Files;
use super::format::ExportFormat;
use super::id_set::IdSet;
use super::input::{Input, Source};
use super::paths::Paths;
use super::state::{Arguments, Job, Start};
use super::{ExportJob, JobOf, Terms, api_of};
use crate::failure::Failure;

/// The job of a retry, and the list to remove when it is done.
pub(crate) struct Retry {
    pub(crate) job: ExportJob,
    pub(crate) list: PathBuf,
}

impl Retry {
    /// Starts or resumes a retry; `None` if the failures are not those of this output.
    pub(crate) fn begin(
        failures: &Path,
        paths: &Paths,
        terms: &Terms<'_>,
    ) -> Result<Option<Self>, Failure> {
        let (Some(output), Some(state)) = (&paths.output, &paths.state) else { return Ok(None) };
        if !paths.is_failures(failures) {
            return Ok(None);
        }
        let Some(started) = Arguments::read(state)? else {
            return Err(Failure::usage(format!(
                "there is no export to {output} whose failures could be retried; check --output"
            )));
        };
        let format = terms.format;
        let job = match &terms.job {
            // The original list is not available, so its recorded fingerprint is kept.
            Some(JobOf::List) => Some(started.job().unwrap_or_else(|| Job::List(String::new()))),
            Some(JobOf::Name(name)) => Some(Job::Named(name.clone())),
            None => None,
        };
        let arguments =
            Arguments::new(failures, paths.failures.as_ref(), format, terms.base_url, job);
        let arguments = arguments.with_input_of(&started);
        let open = || Files::open(paths, format, &arguments, Start::Retry(failures));
        let (mut files, ids) = open()?;
        let mut list = output.path.clone().into_os_string();
        list.push(".retry");
        let list = PathBuf::from(list);
        if !Self::is_under_way(&list, format, paths, &ids)? {
            files.move_failures(&list)?;
        }
        drop(files);
        let (files, ids) = open()?;
        let input = Input::check(Source::Failures(list.clone()), api_of(format), &paths.folder)?;
        Ok(Some(Self { job: ExportJob::new(input, ids, files), list }))
    }

    /// Returns true if an interruption left sessions of a list unsettled.
    fn is_under_way(
        list: &Path,
        format: ExportFormat,
        paths: &Paths,
        ids: &IdSet,
    ) -> Result<bool, Failure> {
        match fs::symlink_metadata(list) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Ok(found) if found.is_file() => {}
            _ => {
                let shown = list.display();
                return Err(Failure::usage(format!("{shown} is not a regular file; move it away")));
            }
        }
        let input = Input::check(Source::Failures(list.to_owned()), api_of(format), &paths.folder)?;
        for id in input {
            if !ids.is_settled(id?.as_str()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
