//! Decisions by people and by the API.

use super::date::Timestamp;
use super::shape::debug_only;
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

debug_only!(Review: new_status, created_at);
