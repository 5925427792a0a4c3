use std::cmp::Ordering;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::unknown_status::UnknownStatus;

/// The status of a session. The service varies its case, so comparisons ignore case.
///
/// ```
/// use didit_core::data_transfer::Status;
///
/// assert_eq!(Status::from("confirmed"), Status::Confirmed);
/// assert_eq!(Status::from("Confirmed").as_str(), "Confirmed");
///
/// let new = Status::from("In Review");
/// assert_eq!(new.as_str(), "In Review");
/// assert!(!new.is_final());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum Status {
    /// The session was created, and the person has not opened it.
    Initialized,
    /// The person has opened the session.
    Retrieved,
    /// The person approved, and the data is available.
    Confirmed,
    /// The person refused.
    Declined,
    /// The session was canceled.
    Cancelled,
    /// The person did not decide in time.
    Expired,
    /// A status that this version does not know, as the service wrote it.
    Other(UnknownStatus),
}

static KNOWN: [Status; 6] = [
    Status::Confirmed,
    Status::Initialized,
    Status::Retrieved,
    Status::Declined,
    Status::Cancelled,
    Status::Expired,
];

impl Status {
    /// Returns the name: the documented spelling of a known status, the service's spelling
    /// otherwise.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Initialized => "Initialized",
            Self::Retrieved => "Retrieved",
            Self::Confirmed => "Confirmed",
            Self::Declined => "Declined",
            Self::Cancelled => "Cancelled",
            Self::Expired => "Expired",
            Self::Other(unknown) => unknown.as_str(),
        }
    }

    /// Returns whether the status is final, that is, will not change again. An unknown status is
    /// not.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Confirmed | Self::Declined | Self::Cancelled | Self::Expired)
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
        for (text, is_final) in [
            ("initialized", false),
            ("retrieved", false),
            ("confirmed", true),
            ("declined", true),
            ("cancelled", true),
            ("expired", true),
        ] {
            for text in [text.to_owned(), text.to_uppercase()] {
                let status = Status::from(&*text);
                assert!(!matches!(status, Status::Other(_)), "{text}");
                assert_eq!(status.is_final(), is_final, "{text}");
            }
        }
    }

    #[test]
    fn statuses_serialize_as_strings_and_sort_ignoring_case() {
        let status: Status = serde_json::from_str("\"CONFIRMED\"").unwrap();
        assert_eq!(serde_json::to_string(&status).unwrap(), "\"Confirmed\"");
        assert_eq!("new".parse(), Ok(Status::from("NEW")));
        assert!(Status::from("a") < Status::from("B") && Status::from("B") < Status::from("c"));
        assert_eq!(Status::from("x").cmp(&Status::from("X")), Ordering::Equal);
        assert_eq!(Status::Confirmed.as_ref(), "Confirmed");
    }

    #[test]
    fn unknown_statuses_are_kept_and_compare_ignoring_case() {
        assert_eq!(Status::from("kyc PENDING").to_string(), "kyc PENDING");
        assert_eq!(Status::from("kyc PENDING"), Status::from("KYC pending"));
        assert_ne!(Status::from("confirmed "), Status::Confirmed);
        assert_ne!(Status::from("kyc pending"), Status::from("kyc done"));
        assert_eq!(Status::from(""), Status::from(""));
    }
}
