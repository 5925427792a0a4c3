//! Comparisons with databases of governments and other authorities.

use super::parts::Warning;
use super::shape::{debug_only, list, objects};
use crate::json::RawJson;
use crate::verification::Status;
use serde::{Deserialize, Serialize};

/// A report that compares the person's data with databases.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct DatabaseValidation {
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// The status of the report.
    pub status: Option<Status>,
    /// The country of the databases, as an ISO 3166-1 alpha-3 code.
    pub issuing_state: Option<String>,
    /// `one_by_one`, `two_by_two` or `not_enabled`.
    pub validation_type: Option<String>,
    /// `no_match`, `partial_match` or `full_match`.
    pub match_type: Option<String>,
    /// The compared values; the members depend on the country.
    pub screened_data: Option<RawJson>,
    /// The response of each database.
    #[serde(deserialize_with = "objects")]
    pub validations: Vec<Validation>,
    /// The errors of the databases.
    #[serde(deserialize_with = "list")]
    pub errors: Vec<RawJson>,
    /// The warnings.
    #[serde(deserialize_with = "objects")]
    pub warnings: Vec<Warning>,
}

debug_only!(DatabaseValidation: node_id, status, match_type, warnings);

/// The response of one database.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Validation {
    /// The code of the database.
    pub service_id: Option<String>,
    /// The name of the database.
    pub service_name: Option<String>,
    /// The code of the outcome.
    pub outcome_code: Option<String>,
    /// The outcome in words.
    pub outcome_detail: Option<String>,
    /// The result for each value.
    pub validation: Option<RawJson>,
    /// The data in the database.
    pub source_data: Option<RawJson>,
}

debug_only!(Validation: service_id, outcome_code);
