//! Checks that a living person is in front of the camera.

use std::fmt;

use super::matches::Match;
use super::number::Number;
use super::shape::objects;
use super::warning::Warning;
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

impl fmt::Debug for LivenessCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LivenessCheck")
            .field("node_id", &self.node_id)
            .field("status", &self.status)
            .field("method", &self.method)
            .field("score", &self.score)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}
