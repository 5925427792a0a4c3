//! Verified email addresses.

use super::date::{Date, Timestamp};
use super::number::Number;
use super::parts::{LifecycleEvent, Match, Warning};
use super::shape::{debug_only, list, objects};
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
    /// True if the address was found in data breaches.
    pub is_breached: Option<bool>,
    /// The data breaches that contain the address.
    #[serde(deserialize_with = "objects")]
    pub breaches: Vec<Breach>,
    /// True if the address is from a disposable-email service.
    pub is_disposable: Option<bool>,
    /// True if email cannot be delivered to the address.
    pub is_undeliverable: Option<bool>,
    /// The number of verification attempts.
    pub verification_attempts: Option<Number>,
    /// The time of verification.
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

debug_only!(EmailVerification: node_id, status, is_breached, warnings);

/// A data breach that exposed an email address.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Breach {
    /// The name of the breach.
    pub name: Option<String>,
    /// The domain that was breached.
    pub domain: Option<String>,
    /// The URL of a logo.
    pub logo_path: Option<String>,
    /// The date of the breach.
    pub breach_date: Option<Date>,
    /// A description, which may be HTML.
    pub description: Option<String>,
    /// True if the breach is verified.
    pub is_verified: Option<bool>,
    /// The kinds of exposed data.
    #[serde(deserialize_with = "list")]
    pub data_classes: Vec<String>,
    /// The number of exposed addresses.
    pub breach_emails_count: Option<Number>,
}

debug_only!(Breach: name);
