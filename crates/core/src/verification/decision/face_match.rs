//! Comparisons of two faces.

use super::number::Number;
use super::parts::Warning;
use super::shape::{debug_only, objects};
use crate::verification::Status;
use serde::{Deserialize, Serialize};

/// A report that compares the person with a portrait.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FaceMatch {
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// The status of the report.
    pub status: Option<Status>,
    /// The similarity of the two faces, from 0 to 100.
    pub score: Option<Number>,
    /// The URL of the portrait.
    pub source_image: Option<String>,
    /// The URL of the person's image.
    pub target_image: Option<String>,
    /// The identifier of the session that the portrait is from, if it is another session.
    pub source_image_session_id: Option<String>,
    /// The warnings.
    #[serde(deserialize_with = "objects")]
    pub warnings: Vec<Warning>,
}

debug_only!(FaceMatch: node_id, status, score, warnings);
