//! The state file: the arguments an export was started with, the exit codes of its failures, whose
//! other members are in the failures file, and the fingerprints of the lists of its retries.

use std::collections::hash_map::RandomState;
use std::fmt::Display;
use std::fs::OpenOptions;
use std::hash::BuildHasher as _;
use std::io::{self, Read as _};
use std::path::Path;

use didit_blocking_adapter::Error;
use didit_blocking_adapter::core::{BaseUrl, SessionId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::format::ExportFormat;
use super::paths::{Named, Paths};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::file::{self, Identity};

/// The maximum length of the first line in bytes, far longer than any.
const MAX_FIRST_LINE: u64 = 1 << 16;

/// The service of an export from a local server, which may have a different port each time.
const LOOPBACK: &str = "loopback";

/// The first record: the arguments that must be the same at each start. Concurrency, timeout and
/// credentials may change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    pub(super) input: String,
    pub(super) failures: String,
    pub(super) format: ExportFormat,
    service: String,
    /// Set if the failures file is the export's own, to be removed if it stays empty.
    pub(super) owns_failures: bool,
    /// Set if other machines export from the same list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) share: Option<Share>,
}

/// The way an export starts.
#[derive(Clone, Copy)]
pub(super) enum Start<'a> {
    /// Resumes the export, if anything is done.
    Resume,
    /// Overwrites earlier results.
    Restart,
    /// Resumes with the sessions of a failures file.
    Retry(&'a Path),
}

/// One machine's share of an export that several machines divide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Share {
    pub(super) job: Job,
    /// The name of this share. It stays with the files: the ids committed under it are theirs.
    owner: String,
}

/// The identity of a divided list, common to all its machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Job {
    Named(String),
    /// The fingerprint of the list.
    List(String),
}

impl Share {
    /// Creates a share of a job, with a new name.
    pub(super) fn of(job: Job) -> Self {
        // The keys of a `RandomState` are random, and so are its hashes.
        let [first, second] = [0, 1].map(|n: u8| RandomState::new().hash_one(n));
        Self { job, owner: format!("{first:016x}{second:016x}") }
    }

    /// Returns the names of the job and of this share in Redis.
    pub(crate) fn names(&self) -> (String, &str) {
        let job = match &self.job {
            Job::Named(name) => format!("name {name}"),
            Job::List(fingerprint) => format!("list {fingerprint}"),
        };
        (job, &self.owner)
    }
}

impl Arguments {
    pub(super) fn new(
        input: &Path,
        failures: Option<&Named>,
        format: ExportFormat,
        base_url: &BaseUrl,
        job: Option<Job>,
    ) -> Self {
        let service =
            if base_url.is_plain_http() { LOOPBACK.to_owned() } else { base_url.to_string() };
        let shown = |path: &Path| path.display().to_string();
        let failures = failures.map(|failures| shown(&failures.path)).unwrap_or_default();
        let share = job.map(Share::of);
        Self { input: shown(input), failures, format, service, owns_failures: false, share }
    }

    /// Reads the arguments that an export was started with; `None` if there is no state file.
    ///
    /// # Errors
    /// The file is not a state file, and must not be written to.
    pub(super) fn read(name: &Named) -> Result<Option<Self>, Failure> {
        let unreadable = |error: io::Error| {
            let attempt = format!("could not read {name}, the state of the export");
            Failure::of_file(attempt, &error, "check its permissions, or choose another --output")
        };
        let foreign = |why: &dyn Display| {
            Failure::usage(format!(
                "{name} is needed for the state of the export, but {why}; move it away, or choose \
                 another --output"
            ))
        };
        match std::fs::symlink_metadata(&name.path) {
            Ok(found) => file::regular(found.file_type()).map_err(|error| foreign(&error))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        }
        let read = || -> io::Result<Vec<u8>> {
            let file = file::private(OpenOptions::new().read(true)).open(&name.path)?;
            let mut text = Vec::new();
            file.take(MAX_FIRST_LINE).read_to_end(&mut text)?;
            Ok(text)
        };
        let text = read().map_err(unreadable)?;
        let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let arguments = std::str::from_utf8(line).ok().and_then(parse_line);
        arguments.map(Some).ok_or_else(|| foreign(&"it is not the state file of an export"))
    }

    /// Keeps the share that was started, if it belongs to the same job.
    pub(super) fn keep_owner(&mut self, started: &Self) {
        match (&mut self.share, &started.share) {
            (Some(now), Some(started)) if now.job == started.job => now.clone_from(started),
            _ => {}
        }
    }

    /// Refuses to resume an export that was started with other arguments.
    pub(super) fn check(&self, now: &Self, paths: &Paths, start: Start<'_>) -> Result<(), Failure> {
        let Some(output) = &paths.output else { return Ok(()) };
        if let (Start::Retry(list), true) = (start, self.input != now.input) {
            let failures = match &paths.failures {
                Some(named) if self.failures == now.failures => named.to_string(),
                _ => self.failures.clone(),
            };
            return Err(Failure::usage(format!(
                "{} does not hold the failures of {output}; give {failures}, or another --output",
                list.display()
            )));
        }
        let difference = if self.input != now.input {
            format!("with --input {}", self.input)
        } else if self.format != now.format {
            self.format.difference(now.format)
        } else if self.failures != now.failures {
            format!("with --failures {}", self.failures)
        } else if self.service != now.service {
            match &*self.service {
                LOOPBACK => "with a server on this machine".to_owned(),
                service => format!("with --base-url {service}"),
            }
        } else {
            match (&self.share, &now.share) {
                (None, Some(_)) => "without --shared".to_owned(),
                (Some(_), None) => "with --shared".to_owned(),
                (Some(started), Some(now)) if started.job != now.job => match &started.job {
                    Job::Named(name) => format!("with --job {name}"),
                    Job::List(_) => "with different ids and no --job".to_owned(),
                },
                _ => return Ok(()),
            }
        };
        let advice = if now.may_restart(start) {
            "use the same arguments to resume, another --output, or --restart to start over"
        } else {
            "use the same arguments to resume, or another --output"
        };
        Err(Failure::usage(format!("the export to {output} was started {difference}; {advice}")))
    }

    /// Returns true if the same command may have `--restart`.
    pub(super) fn may_restart(&self, start: Start<'_>) -> bool {
        self.share.is_none() && !matches!(start, Start::Retry(_))
    }

    /// Writes and syncs the state file; `overwrite` replaces that of an earlier export.
    pub(super) fn write(&self, name: &Named, overwrite: bool) -> Result<Identity, Failure> {
        let line = json_line(self)?;
        file::replace(&name.path, line.as_bytes(), overwrite).map_err(|error| {
            let attempt = format!("could not write {name}");
            Failure::of_file(attempt, &error, "check its permissions, or choose another --output")
        })
    }
}

/// A later record of the state file: the exit code of a failure.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExitRecord {
    pub(super) session_id: String,
    exit: u8,
}

impl ExitRecord {
    pub(super) fn new(session_id: &str, exit: Exit) -> Self {
        Self { session_id: session_id.to_owned(), exit: exit as u8 }
    }

    pub(super) fn parse(line: &str) -> Option<(String, Exit)> {
        let record: Self = parse_line(line)?;
        Some((record.session_id, Exit::of_failure(record.exit)?))
    }
}

/// A line of the failures file.
#[derive(Serialize, Deserialize)]
pub(super) struct FailureLine {
    pub(super) session_id: String,
    error: String,
    /// The HTTP status, if a response failed the session.
    status: Option<u16>,
}

impl FailureLine {
    pub(super) fn new(session_id: &SessionId, error: &Error) -> Self {
        Self {
            session_id: session_id.to_string(),
            error: Failure::of_call(None, error).line().to_owned(),
            status: error.call().response().map(|response| response.status().as_u16()),
        }
    }

    /// Returns the failure of a session whose decision does not name it, so that an export could
    /// not find it again.
    pub(super) fn without_session_id(session_id: &SessionId) -> Self {
        let error = "could not retrieve the decision: HTTP 200 OK, but the response has no session_id; \
                     check the base URL; if it is right, report this to the service";
        Self { session_id: session_id.to_string(), error: error.to_owned(), status: Some(200) }
    }

    /// Returns the exit code that matches the status, for a line whose recorded code was lost with
    /// the end of the state file.
    pub(super) fn exit_of_status(&self) -> Exit {
        match self.status {
            Some(401 | 403) => Exit::CredentialsRefused,
            Some(404) => Exit::NoSuchSession,
            Some(429) => Exit::RateLimited,
            Some(400..500) => Exit::Other,
            Some(500..600) | None => Exit::Unreachable,
            Some(_) => Exit::NotADecision,
        }
    }
}

/// Parses a record; `None` if the line is not a record of this type.
pub(super) fn parse_line<T: DeserializeOwned>(line: &str) -> Option<T> {
    serde_json::from_str(line).ok()
}

pub(super) fn json_line(record: &impl Serialize) -> Result<String, Failure> {
    let line = serde_json::to_string(record).map_err(Failure::other)?;
    Ok(line + "\n")
}
