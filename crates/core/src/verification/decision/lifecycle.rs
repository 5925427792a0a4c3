//! The events of the verification of a phone number or an email address.

use super::date::Timestamp;
use super::number::Number;
use super::shape::debug_only;
use crate::json::RawJson;
use serde::{Deserialize, Serialize};

/// An event of a verification.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LifecycleEvent {
    /// The code of the event, such as `VALID_CODE_ENTERED`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The time of the event.
    pub timestamp: Option<Timestamp>,
    /// Details of the event.
    pub details: Option<RawJson>,
    /// The fee.
    pub fee: Option<Number>,
}

debug_only!(LifecycleEvent: kind, timestamp);
