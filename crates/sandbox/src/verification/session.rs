//! A verification session.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::status;
use crate::clock;

/// The members of a request that creates a session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Creation {
    pub(crate) workflow_id: String,
    pub(crate) vendor_data: Option<String>,
    pub(crate) metadata: Value,
    pub(crate) callback: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) expected_details: Option<Map<String, Value>>,
    pub(crate) contact_details: Option<Map<String, Value>>,
}

/// A session that was created. Times are since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) number: u64,
    /// The client id of the application that created it.
    pub(crate) application: String,
    pub(crate) id: String,
    pub(crate) token: String,
    /// The secret that the forms of its page must contain.
    pub(crate) form_token: String,
    #[serde(flatten)]
    pub(crate) given: Creation,
    pub(crate) status: String,
    #[serde(with = "clock::milliseconds")]
    pub(crate) created_at: Duration,
    #[serde(with = "clock::milliseconds")]
    pub(crate) expires_at: Duration,
    pub(crate) reviews: Vec<Review>,
    /// The steps that the user has to repeat while the session is `Resubmitted`.
    pub(crate) nodes_to_resubmit: Vec<Node>,
}

/// A step of a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Node {
    pub(crate) node_id: String,
    pub(crate) feature: String,
}

/// A change of the status by update-status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Review {
    pub(crate) user: String,
    pub(crate) new_status: String,
    pub(crate) comment: Option<String>,
    pub(crate) created_at: String,
}

impl Session {
    /// Returns the URL of the hosted flow, below this base URL.
    pub(crate) fn url(&self, base: &str) -> String {
        format!("{base}/session/{}", self.token)
    }

    /// Returns the `resubmit_info` of a `Resubmitted` webhook.
    pub(crate) fn resubmit_info(&self) -> Value {
        let nodes = self.nodes_to_resubmit.iter();
        let comment = self.reviews.last().and_then(|review| review.comment.clone());
        let reasons: Map<String, Value> = nodes
            .map(|node| (node.node_id.clone(), comment.clone().unwrap_or_default().into()))
            .collect();
        json!({ "nodes_to_resubmit": self.nodes_to_resubmit, "reasons": reasons })
    }

    /// Returns the status that the session takes because its time is up, if it is.
    pub(crate) fn expired_status(&self, now: Duration) -> Option<&'static str> {
        if now < self.expires_at {
            return None;
        }
        match &*self.status {
            status::NOT_STARTED => Some(status::EXPIRED),
            status::IN_PROGRESS | status::AWAITING_USER | status::RESUBMITTED => {
                Some(status::ABANDONED)
            }
            _ => None,
        }
    }
}
