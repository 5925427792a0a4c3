//! Verified phone numbers.

use super::date::Timestamp;
use super::number::Number;
use super::parts::{LifecycleEvent, Match, Warning};
use super::shape::{debug_only, objects};
use crate::json::optional_object;
use crate::verification::Status;
use serde::{Deserialize, Serialize};

/// A report about a phone number.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PhoneVerification {
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// The status of the report.
    pub status: Option<Status>,
    /// The number in E.164 format.
    pub full_number: Option<String>,
    /// The country calling code, such as `+34`.
    pub phone_number_prefix: Option<String>,
    /// The number without the country calling code.
    pub phone_number: Option<String>,
    /// The country, as an ISO 3166-1 alpha-2 code.
    pub country_code: Option<String>,
    /// The name of the country.
    pub country_name: Option<String>,
    /// The carrier.
    #[serde(deserialize_with = "optional_object")]
    pub carrier: Option<Carrier>,
    /// True if the number is from a disposable-number service.
    pub is_disposable: Option<bool>,
    /// True if the number is virtual.
    pub is_virtual: Option<bool>,
    /// The method, such as `sms`.
    pub verification_method: Option<String>,
    /// The number of verification attempts.
    pub verification_attempts: Option<Number>,
    /// The time of verification.
    pub verified_at: Option<Timestamp>,
    /// The events, oldest first.
    #[serde(deserialize_with = "objects")]
    pub lifecycle: Vec<LifecycleEvent>,
    /// Sessions and list entries with the same number.
    #[serde(deserialize_with = "objects")]
    pub matches: Vec<Match>,
    /// The warnings.
    #[serde(deserialize_with = "objects")]
    pub warnings: Vec<Warning>,
}

debug_only!(PhoneVerification: node_id, status, verification_method, warnings);

/// The carrier of a phone number.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Carrier {
    /// The name of the carrier.
    pub name: Option<String>,
    /// The kind of line, such as `mobile`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

debug_only!(Carrier: kind);
