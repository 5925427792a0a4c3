use std::cmp::Ordering;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::unknown_status::UnknownStatus;

/// The status of a session or of one of its reports. Comparisons ignore case.
///
/// See <https://docs.didit.me/integration/verification-statuses>.
///
/// ```
/// use didit_core::verification::Status;
///
/// assert_eq!(Status::from("KYC Expired"), Status::KycExpired);
///
/// let new = Status::from("On Hold");
/// assert_eq!(new.as_str(), "On Hold");
/// assert!(!new.is_settled());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum Status {
    /// The user has not opened the session.
    NotStarted,
    /// The user is going through the steps.
    InProgress,
    /// The session waits for another user.
    AwaitingUser,
    /// A reviewer has to decide; the status will change.
    InReview,
    /// The user was verified.
    Approved,
    /// The user was not verified.
    Declined,
    /// The user has to repeat some of the steps.
    Resubmitted,
    /// The session was not opened in time.
    Expired,
    /// The session was approved, and the verification is no longer valid.
    KycExpired,
    /// The user started but did not finish in time.
    Abandoned,
    /// Reports only: the step was not completed.
    NotFinished,
    /// Reports only: the step has to be repeated.
    ResubRequested,
    /// A status that this version does not know, as the service wrote it.
    Other(UnknownStatus),
}

static KNOWN: [Status; 12] = [
    Status::NotStarted,
    Status::InProgress,
    Status::AwaitingUser,
    Status::InReview,
    Status::Approved,
    Status::Declined,
    Status::Resubmitted,
    Status::Expired,
    Status::KycExpired,
    Status::Abandoned,
    Status::NotFinished,
    Status::ResubRequested,
];

impl Status {
    /// Returns the name: the documented spelling of a known status, the service's spelling
    /// otherwise.
    pub fn as_str(&self) -> &str {
        match self {
            Self::NotStarted => "Not Started",
            Self::InProgress => "In Progress",
            Self::AwaitingUser => "Awaiting User",
            Self::InReview => "In Review",
            Self::Approved => "Approved",
            Self::Declined => "Declined",
            Self::Resubmitted => "Resubmitted",
            Self::Expired => "Expired",
            Self::KycExpired => "Kyc Expired",
            Self::Abandoned => "Abandoned",
            Self::NotFinished => "Not Finished",
            Self::ResubRequested => "Resub Requested",
            Self::Other(unknown) => unknown.as_str(),
        }
    }

    /// Returns whether polling can stop: Approved, Declined, In Review, Expired, Kyc Expired or
    /// Abandoned.
    ///
    /// No status is final: a review ends, an approval expires, and either can be overturned. A
    /// [webhook](https://docs.didit.me/integration/webhooks) reports such changes.
    pub fn is_settled(&self) -> bool {
        matches!(
            self,
            Self::Approved
                | Self::Declined
                | Self::InReview
                | Self::Expired
                | Self::KycExpired
                | Self::Abandoned
        )
    }
}

impl From<&str> for Status {
    fn from(text: &str) -> Self {
        let known = KNOWN.iter().find(|known| known.as_str().eq_ignore_ascii_case(text));
        known.cloned().unwrap_or_else(|| Self::Other(UnknownStatus::new(text)))
    }
}

impl From<String> for Status {
    fn from(text: String) -> Self {
        Self::from(&*text)
    }
}

impl From<Status> for String {
    fn from(status: Status) -> Self {
        status.as_str().to_owned()
    }
}

impl FromStr for Status {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::from(text))
    }
}

impl AsRef<str> for Status {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl PartialOrd for Status {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Orders alphabetically, ignoring case.
impl Ord for Status {
    fn cmp(&self, other: &Self) -> Ordering {
        let lower = |status: &Self| status.as_str().to_ascii_lowercase();
        lower(self).cmp(&lower(other))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_statuses_parse_in_any_case() {
        for known in &KNOWN {
            for text in [known.as_str().to_owned(), known.as_str().to_uppercase()] {
                assert_eq!(&Status::from(&*text), known);
                assert!(!matches!(Status::from(&*text), Status::Other(_)), "{text}");
            }
        }
    }

    #[test]
    fn is_settled_matches_the_documentation() {
        let settled: Vec<_> =
            KNOWN.iter().filter(|known| known.is_settled()).map(Status::as_str).collect();
        let expected = ["In Review", "Approved", "Declined", "Expired", "Kyc Expired", "Abandoned"];
        assert_eq!(settled, expected);
    }

    #[test]
    fn unknown_statuses_are_kept_and_compare_ignoring_case() {
        assert_eq!(Status::from("On HOLD").to_string(), "On HOLD");
        assert_eq!(Status::from("On HOLD"), Status::from("on hold"));
        assert_ne!(Status::from("On hold"), Status::from("held"));
        assert_ne!(Status::from("approved "), Status::Approved);
    }

    #[test]
    fn statuses_serialize_as_strings_and_sort_ignoring_case() {
        let status: Status = serde_json::from_str(r#""KYC expired""#).unwrap();
        assert_eq!(serde_json::to_string(&status).unwrap(), r#""Kyc Expired""#);
        let status: Status = serde_json::from_str(r#""on hold""#).unwrap();
        assert_eq!(serde_json::to_string(&status).unwrap(), r#""on hold""#);
        assert_eq!("new".parse(), Ok(Status::from("NEW")));
        assert!(Status::from("a") < Status::from("B") && Status::from("B") < Status::from("c"));
        assert_eq!(Status::from("x").cmp(&Status::from("X")), Ordering::Equal);
        assert_eq!(Status::Approved.as_ref(), "Approved");
    }
}
