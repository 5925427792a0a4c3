//! The warnings of a report.

use super::shape::debug_only;
use crate::json::RawJson;
use serde::{Deserialize, Serialize};

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
