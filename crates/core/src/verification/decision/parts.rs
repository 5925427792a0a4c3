//! The parts of a decision that belong to no single report: the steps of the workflow, reviews, and
//! warnings, matches and events of reports.

use std::fmt;

use super::date::Timestamp;
use super::number::Number;
use super::shape::debug_only;
use crate::json::RawJson;
use crate::verification::Status;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A step of a workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Feature {
    /// The code of the kind of step, such as `ID_VERIFICATION`.
    pub feature: String,
    /// The identifier of the step, if events were requested.
    pub node_id: Option<String>,
}

impl<'de> Deserialize<'de> for Feature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrObject;

        impl<'de> Visitor<'de> for NameOrObject {
            type Value = Feature;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a feature")
            }

            fn visit_str<E>(self, feature: &str) -> Result<Feature, E> {
                Ok(Feature { feature: feature.to_owned(), node_id: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Feature, A::Error> {
                #[derive(Deserialize)]
                struct Members {
                    feature: String,
                    node_id: Option<String>,
                }

                let Members { feature, node_id } =
                    Members::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Feature { feature, node_id })
            }
        }

        deserializer.deserialize_any(NameOrObject)
    }
}

/// A status that was set by a person or by the API.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Review {
    /// The author: an email address, `API Client` or `Unknown`.
    pub user: Option<String>,
    /// The new status.
    pub new_status: Option<Status>,
    /// The reason.
    pub comment: Option<String>,
    /// The time of the review.
    pub created_at: Option<Timestamp>,
}

debug_only!(Review: new_status, created_at);

/// A warning in a report. Decide by the code in [`risk`](Self::risk).
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Warning {
    /// The kind of report, such as `ID_VERIFICATION`, `FACEMATCH` or `LOCATION`.
    pub feature: Option<String>,
    /// The code, such as `LOW_LIVENESS_SCORE`.
    pub risk: Option<String>,
    /// `information`, `warning` or `error`.
    pub log_type: Option<String>,
    /// A short description for people.
    pub short_description: Option<String>,
    /// A long description for people.
    pub long_description: Option<String>,
    /// Additional data.
    pub additional_data: Option<RawJson>,
    /// The step of the workflow.
    pub node_id: Option<String>,
}

debug_only!(Warning: feature, risk, log_type, node_id);

/// Another session or an entry of a list that shares a value with the report: a face, a document, a
/// number or a device.
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

/// An event of the verification of a phone number or an email address.
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
