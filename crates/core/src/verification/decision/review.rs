//! Decisions by people and by the API.

use std::fmt;

use super::date::Timestamp;
use crate::verification::Status;
use serde::{Deserialize, Serialize};

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

impl fmt::Debug for Review {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Review")
            .field("new_status", &self.new_status)
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}
