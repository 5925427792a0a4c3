//! The body of a webhook ([webhooks](https://docs.didit.me/integration/webhooks)).

use std::time::Duration;

use serde_json::{Value, json};

use super::outbox::Event;
use crate::verification::status;

/// Returns the body of a `status.updated` event that is sent at this time.
pub(crate) fn body(event: &Event, application_id: &str, sent_at: Duration) -> Value {
    let session = &event.session;
    let mut body = json!({
        "event_id": event.id,
        "webhook_type": "status.updated",
        "timestamp": sent_at.as_secs(),
        "created_at": event.happened_at.as_secs(),
        "application_id": application_id,
        "environment": "sandbox",
        "session_id": session.id,
        "session_kind": "user",
        "status": session.status,
        "workflow_id": session.given.workflow_id,
        "workflow_version": 1,
        "vendor_data": session.given.vendor_data,
        "metadata": session.given.metadata,
    });
    if let Some(decision) = &event.decision {
        body["decision"] = decision.clone();
    }
    if session.status == status::RESUBMITTED {
        body["resubmit_info"] = session.resubmit_info();
    }
    body
}
