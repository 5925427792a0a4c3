//! Verified email addresses.

use std::fmt;

use super::date::{Date, Timestamp};
use super::lifecycle::LifecycleEvent;
use super::matches::Match;
use super::number::Number;
use super::shape::{list, objects};
use super::warning::Warning;
use crate::verification::Status;
use serde::{Deserialize, Serialize};

/// A report about an email address.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EmailVerification {
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// The status of the report.
    pub status: Option<Status>,
    /// The address.
    pub email: Option<String>,
    /// Whether it was found in breaches.
    pub is_breached: Option<bool>,
    /// The breaches it was found in.
    #[serde(deserialize_with = "objects")]
    pub breaches: Vec<Breach>,
    /// Whether it is from a disposable service.
    pub is_disposable: Option<bool>,
    /// Whether nothing can be delivered to it.
    pub is_undeliverable: Option<bool>,
    /// How many attempts it took.
    pub verification_attempts: Option<Number>,
    /// When it was verified.
    pub verified_at: Option<Timestamp>,
    /// The events, oldest first.
    #[serde(deserialize_with = "objects")]
    pub lifecycle: Vec<LifecycleEvent>,
    /// Sessions and list entries with the same address.
    #[serde(deserialize_with = "objects")]
    pub matches: Vec<Match>,
    /// The warnings.
    #[serde(deserialize_with = "objects")]
    pub warnings: Vec<Warning>,
}

impl fmt::Debug for EmailVerification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmailVerification")
            .field("node_id", &self.node_id)
            .field("status", &self.status)
            .field("is_breached", &self.is_breached)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

/// A breach that made an email address known.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Breach {
    /// Its name.
    pub name: Option<String>,
    /// The domain that it was of.
    pub domain: Option<String>,
    /// The URL of a picture.
    pub logo_path: Option<String>,
    /// The time of the event.
    pub breach_date: Option<Date>,
    /// A description, which may be HTML.
    pub description: Option<String>,
    /// Whether it is verified.
    pub is_verified: Option<bool>,
    /// The kinds of data that became known.
    #[serde(deserialize_with = "list")]
    pub data_classes: Vec<String>,
    /// How many addresses became known.
    pub breach_emails_count: Option<Number>,
}

impl fmt::Debug for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breach").field("name", &self.name).finish_non_exhaustive()
    }
}
