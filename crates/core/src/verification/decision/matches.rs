//! Other sessions and list entries with the same face, document, number or device.

use super::date::Timestamp;
use super::number::Number;
use super::shape::debug_only;
use crate::json::RawJson;
use crate::verification::Status;
use serde::{Deserialize, Serialize};

/// Another session or an entry of a list that shares a value with the report.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Match {
    /// The origin: `session`, `imported`, `list_entry` or `retained_template`.
    pub source: Option<String>,
    /// The identifier of the other session.
    pub session_id: Option<String>,
    /// The number of the other session.
    pub session_number: Option<Number>,
    /// The `vendor_data` of the other session.
    pub vendor_data: Option<String>,
    /// The time of the other session's creation.
    pub verification_date: Option<Timestamp>,
    /// The status of the other session.
    pub status: Option<Status>,
    /// True if the shared value is on a blocklist.
    pub is_blocklisted: Option<bool>,
    /// True if the shared value is on an allowlist.
    pub is_allowlisted: Option<bool>,
    /// The standalone API that the match comes from.
    pub api_service: Option<String>,
    /// The similarity of the faces, from 0 to 100.
    pub similarity_percentage: Option<Number>,
    /// The kind of shared value: `ip_address` or `device_fingerprint`.
    pub match_type: Option<String>,
    /// The shared value.
    pub matched_value: Option<String>,
    /// The confidence in the match, from 0 to 1.
    pub confidence: Option<Number>,
    /// The identity of the user in the other session.
    pub user_details: Option<RawJson>,
}

debug_only!(Match: source, status, is_blocklisted);
