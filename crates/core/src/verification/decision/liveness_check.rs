//! Checks that a living person is in front of the camera.

use super::number::Number;
use super::parts::{Match, Warning};
use super::shape::{debug_only, objects};
use crate::verification::Status;
use serde::{Deserialize, Serialize};

/// A report about the liveness of the person.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LivenessCheck {
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// The status of the report.
    pub status: Option<Status>,
    /// The method, such as `ACTIVE_3D`, `FLASHING` or `PASSIVE`.
    pub method: Option<String>,
    /// The confidence, from 0 to 100.
    pub score: Option<Number>,
    /// The estimated age in years.
    pub age_estimation: Option<Number>,
    /// The URL of the image.
    pub reference_image: Option<String>,
    /// The URL of the video.
    pub video_url: Option<String>,
    /// The quality of the face, from 0 to 100; `PASSIVE` only.
    pub face_quality: Option<Number>,
    /// The brightness of the face, from 0 to 100; `PASSIVE` only.
    pub face_luminance: Option<Number>,
    /// Sessions and list entries with the same face.
    #[serde(deserialize_with = "objects")]
    pub matches: Vec<Match>,
    /// The warnings.
    #[serde(deserialize_with = "objects")]
    pub warnings: Vec<Warning>,
}

debug_only!(LivenessCheck: node_id, status, method, score, warnings);
