//! The warnings of a report.

use std::fmt;

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

impl fmt::Debug for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warning")
            .field("feature", &self.feature)
            .field("risk", &self.risk)
            .field("log_type", &self.log_type)
            .field("node_id", &self.node_id)
            .finish_non_exhaustive()
    }
}
