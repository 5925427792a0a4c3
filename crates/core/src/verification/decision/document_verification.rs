//! The documents of a business.

use super::document_ai::UploadedDocument;
use super::parts::Warning;
use super::shape::{debug_only, list, objects};
use crate::json::RawJson;
use crate::verification::Status;
use serde::{Deserialize, Serialize};

/// A report about the documents of a business.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct DocumentVerification {
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// The status of the report.
    pub status: Option<Status>,
    /// The documents.
    #[serde(deserialize_with = "objects")]
    pub items: Vec<UploadedDocument>,
    /// The number of documents by group and status.
    pub groups: Option<RawJson>,
    /// The required groups.
    #[serde(deserialize_with = "list")]
    pub required_groups: Vec<String>,
    /// The warnings.
    #[serde(deserialize_with = "objects")]
    pub warnings: Vec<Warning>,
}

debug_only!(DocumentVerification: node_id, status, warnings);
