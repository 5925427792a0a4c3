use std::fmt;
use std::path::PathBuf;

use super::{ACCESS_TOKEN, API_KEY, CLIENT_ID, CLIENT_SECRET, CLIENT_SECRET_FILE};

/// Error reading an [`Environment`](super::Environment). It contains no secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidEnvironment(Problem);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    NoCredentials,
    Several(Vec<&'static str>),
    TwoSecrets,
    NoClientId,
    NoClientSecret,
    NotText(&'static str),
    /// Without the path if it may be a secret.
    Unreadable(&'static str, Option<PathBuf>, String),
    Invalid(&'static str, String),
}

pub(super) fn invalid(name: &'static str, error: &dyn fmt::Display) -> InvalidEnvironment {
    Problem::Invalid(name, error.to_string()).into()
}

impl InvalidEnvironment {
    /// Returns the names of the variables and flags that are to be set, changed or removed.
    pub fn names(&self) -> Vec<&'static str> {
        match &self.0 {
            Problem::NoCredentials => vec![CLIENT_ID, CLIENT_SECRET, ACCESS_TOKEN, API_KEY],
            Problem::Several(names) => names.clone(),
            Problem::TwoSecrets => vec![CLIENT_SECRET, CLIENT_SECRET_FILE],
            Problem::NoClientId => vec![CLIENT_ID],
            Problem::NoClientSecret => vec![CLIENT_SECRET],
            Problem::NotText(name) | Problem::Unreadable(name, ..) | Problem::Invalid(name, _) => {
                vec![name]
            }
        }
    }
}

impl From<Problem> for InvalidEnvironment {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl fmt::Display for InvalidEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Problem::NoCredentials => f.write_str(
                "no credentials are configured; set DIDIT_CLIENT_ID and DIDIT_CLIENT_SECRET (or \
                 DIDIT_CLIENT_SECRET_FILE), or DIDIT_ACCESS_TOKEN, or DIDIT_API_KEY",
            ),
            Problem::Several(names) => {
                let names = names.join(", ");
                write!(f, "several kinds of credentials are configured: {names}; keep one")
            }
            Problem::TwoSecrets => f.write_str(
                "DIDIT_CLIENT_SECRET and DIDIT_CLIENT_SECRET_FILE are both set; keep one",
            ),
            Problem::NoClientId => f.write_str("the client id is missing; set DIDIT_CLIENT_ID"),
            Problem::NoClientSecret => f.write_str(
                "the client secret is missing; set DIDIT_CLIENT_SECRET or DIDIT_CLIENT_SECRET_FILE",
            ),
            Problem::NotText(name) => write!(f, "{name} is not UTF-8; set it to text"),
            Problem::Unreadable(name, Some(path), why) => {
                write!(f, "{name}: could not read {}: {why}", path.display())
            }
            Problem::Unreadable(name, None, why) => {
                write!(f, "{name}: could not read the file: {why}")
            }
            Problem::Invalid(name, why) => write!(f, "{name}: {why}"),
        }
    }
}

impl std::error::Error for InvalidEnvironment {}
