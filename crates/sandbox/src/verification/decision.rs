//! The decision of a session: the published sample, with the values from the session's creation.

use serde_json::{Map, Value, json};

use super::session::Session;
use super::status;
use crate::{clock, fixtures};

/// The blocks of reports, in the order of the published decision.
const BLOCKS: [&str; 12] = [
    "id_verifications",
    "nfc_verifications",
    "liveness_checks",
    "face_matches",
    "phone_verifications",
    "email_verifications",
    "poa_verifications",
    "document_ai_documents",
    "questionnaire_responses",
    "aml_screenings",
    "ip_analyses",
    "database_validations",
];

/// Returns the decision of a session that was created, with URLs below `base`.
pub(crate) fn of_session(session: &Session, base: &str) -> Map<String, Value> {
    let mut decision = with_status(&session.status);
    let mut set = |name: &str, value: Value| decision.insert(name.to_owned(), value);
    set("session_id", session.id.clone().into());
    set("session_number", session.number.into());
    set("session_url", session.url(base).into());
    set("environment", "sandbox".into());
    set("workflow_id", session.given.workflow_id.clone().into());
    set("vendor_data", session.given.vendor_data.clone().into());
    set("metadata", session.given.metadata.clone());
    set("expected_details", json!(session.given.expected_details));
    set("contact_details", json!(session.given.contact_details));
    set("callback", session.given.callback.clone().into());
    set("reviews", json!(session.reviews));
    set("created_at", clock::rfc3339(session.created_at).into());
    set("expires_at", clock::rfc3339(session.expires_at).into());
    if session.status == status::RESUBMITTED {
        set("resubmit_info", session.resubmit_info());
    }
    decision
}

/// Returns the decision of a session that was never created: the published sample with this id, and
/// with this status if there is one.
pub(crate) fn sample(id: &str, status: Option<&str>) -> Map<String, Value> {
    let mut decision = status.map_or_else(|| read(fixtures::verification::DECISION), with_status);
    decision.insert("session_id".to_owned(), id.into());
    decision
}

/// Returns the ids of the steps whose reports do not have this status, each with its feature.
pub(crate) fn nodes_without_status(session: &Session, status: &str) -> Vec<(String, String)> {
    let decision = of_session(session, "");
    let mut nodes = Vec::new();
    for block in BLOCKS {
        for report in decision.get(block).and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| report.get(name).and_then(Value::as_str);
            if let Some(node) = text("node_id").filter(|_| text("status") != Some(status)) {
                nodes.push((node.to_owned(), feature(block).to_owned()));
            }
        }
    }
    nodes
}

/// Converts a decision to the form with `include=events`.
pub(crate) fn with_events(decision: &mut Map<String, Value>, created_at: &Value) {
    // The published response with events has no session_kind.
    decision.shift_remove("session_kind");
    let features = decision.get("features").and_then(Value::as_array).cloned().unwrap_or_default();
    let features: Vec<Value> = features
        .iter()
        .filter_map(Value::as_str)
        .map(|name| json!({ "feature": name, "node_id": node_of(name) }))
        .collect();
    decision.insert("features".to_owned(), features.into());
    let events = json!([{ "event_type": "SESSION_CREATED", "created_at": created_at }]);
    for (name, value) in [
        ("events", events),
        ("activity_reviews", json!([])),
        ("blocklisted", json!(false)),
        ("cost_breakdown", Value::Null),
        ("workflow_type", json!("graph")),
        ("workflow_version", json!(1)),
        ("workflow_version_id", Value::Null),
        ("workflow_terminal_node_id", Value::Null),
        ("api_service", Value::Null),
        ("session_type", json!("API")),
        ("has_device_nfc_support", Value::Null),
    ] {
        decision.insert(name.to_owned(), value);
    }
}

fn with_status(status: &str) -> Map<String, Value> {
    let mut decision = if status::has_reports(status) {
        read(fixtures::verification::DECISION)
    } else {
        read(fixtures::verification::DECISION_NOT_STARTED)
    };
    decision.insert("status".to_owned(), status.into());
    // In the published sample some reports are in review and one is declined.
    let settled = matches!(
        status,
        status::APPROVED | status::KYC_EXPIRED | status::DECLINED | status::RESUBMITTED
    );
    if !settled {
        return decision;
    }
    let mut declined = matches!(status, status::DECLINED | status::RESUBMITTED);
    for block in BLOCKS {
        let reports = decision.get_mut(block).and_then(Value::as_array_mut);
        for report in reports.into_iter().flatten().filter_map(Value::as_object_mut) {
            // Only the first report, that of the document, is declined.
            let status = if declined { status::DECLINED } else { status::APPROVED };
            declined = false;
            report.insert("status".to_owned(), status.into());
            report.insert("warnings".to_owned(), json!([]));
        }
    }
    decision
}

fn read(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

/// Returns the name of a block's feature in `nodes_to_resubmit`.
fn feature(block: &str) -> &'static str {
    match block {
        "id_verifications" => "ID_VERIFICATION",
        "nfc_verifications" => "NFC",
        "liveness_checks" => "LIVENESS",
        "face_matches" => "FACE_MATCH",
        "phone_verifications" => "PHONE",
        "email_verifications" => "EMAIL",
        "poa_verifications" => "POA",
        "questionnaire_responses" => "QUESTIONNAIRE",
        "aml_screenings" => "AML",
        "ip_analyses" => "IP_ANALYSIS",
        "database_validations" => "DATABASE_VALIDATION",
        _ => "DOCUMENT_AI",
    }
}

fn node_of(feature: &str) -> String {
    let step = match feature {
        "ID_VERIFICATION" => "ocr",
        "IP_ANALYSIS" => "ip",
        "DATABASE_VALIDATION" => "db_validation",
        other => return format!("feature_{}_1", other.to_ascii_lowercase()),
    };
    format!("feature_{step}_1")
}
