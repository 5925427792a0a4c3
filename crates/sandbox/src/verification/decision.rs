//! `GET /v3/session/{session_id}/decision/`, as in the [OpenAPI document](https://docs.didit.me/openapi-25.json):
//! the published sample, with the values from the session's creation.

use serde_json::{Value, json};

use super::session::Session;
use super::{Call, Target, status};
use crate::answer::Answer;
use crate::state::State;
use crate::{clock, fixtures};

/// The blocks of reports, in the order of the published decision, each with the name of its feature in
/// `nodes_to_resubmit`.
const BLOCKS: [(&str, &str); 12] = [
    ("id_verifications", "ID_VERIFICATION"),
    ("nfc_verifications", "NFC"),
    ("liveness_checks", "LIVENESS"),
    ("face_matches", "FACE_MATCH"),
    ("phone_verifications", "PHONE"),
    ("email_verifications", "EMAIL"),
    ("poa_verifications", "POA"),
    ("document_ai_documents", "DOCUMENT_AI"),
    ("questionnaire_responses", "QUESTIONNAIRE"),
    ("aml_screenings", "AML"),
    ("ip_analyses", "IP_ANALYSIS"),
    ("database_validations", "DATABASE_VALIDATION"),
];

pub(super) fn answer(call: &Call<'_>, state: &State, id: &str, target: &Target) -> Answer {
    if let Some(text) = state.verification.decisions.get(id) {
        return Answer::new(200, text.clone());
    }
    let mut decision = match target {
        Target::Session(session) => of_session(session, call.shared.reach.pages()),
        Target::Sample(status) => sample(id, status.as_deref()),
    };
    if includes_events(&call.request.path) {
        add_events(&mut decision);
    }
    Answer::new(200, decision.to_string())
}

fn includes_events(target: &str) -> bool {
    let query = target.split_once('?').map(|(_, query)| query).unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).any(|(name, value)| {
        name == "include" && value.split(',').any(|word| word.trim() == "events")
    })
}

/// Returns the decision of a session that was created, with URLs below `base`.
pub(crate) fn of_session(session: &Session, base: &str) -> Value {
    let given = &session.given;
    let mut decision = with_status(&session.status);
    decision["session_id"] = json!(session.id);
    decision["session_number"] = json!(session.number);
    decision["session_url"] = json!(session.url(base));
    decision["environment"] = json!("sandbox");
    decision["workflow_id"] = json!(given.workflow_id);
    decision["vendor_data"] = json!(given.vendor_data);
    decision["metadata"] = given.metadata.clone();
    decision["expected_details"] = json!(given.expected_details);
    decision["contact_details"] = json!(given.contact_details);
    decision["callback"] = json!(given.callback);
    decision["reviews"] = json!(session.reviews);
    decision["created_at"] = json!(clock::rfc3339(session.created_at));
    decision["expires_at"] = json!(clock::rfc3339(session.expires_at));
    if session.status == status::RESUBMITTED {
        decision["resubmit_info"] = session.resubmit_info();
    }
    decision
}

/// Returns the decision of a session that was never created: the published sample with this id, and
/// with this status if there is one.
fn sample(id: &str, status: Option<&str>) -> Value {
    let mut decision = status.map_or_else(|| read(fixtures::verification::DECISION), with_status);
    decision["session_id"] = json!(id);
    decision
}

/// Returns the ids of the steps whose reports do not have this status, each with its feature.
pub(crate) fn nodes_without_status(session: &Session, status: &str) -> Vec<(String, String)> {
    let decision = of_session(session, "");
    let mut nodes = Vec::new();
    for (block, feature) in BLOCKS {
        for report in decision[block].as_array().into_iter().flatten() {
            let text = |name: &str| report[name].as_str();
            if let Some(node) = text("node_id").filter(|_| text("status") != Some(status)) {
                nodes.push((node.to_owned(), feature.to_owned()));
            }
        }
    }
    nodes
}

/// Converts a decision to the form with `include=events`.
fn add_events(decision: &mut Value) {
    // The published response with events has no session_kind.
    if let Some(members) = decision.as_object_mut() {
        members.shift_remove("session_kind");
    }
    let names = decision["features"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let features: Vec<Value> =
        names.map(|name| json!({ "feature": name, "node_id": node_of(name) })).collect();
    let created_at = &decision["created_at"];
    let events = json!([{ "event_type": "SESSION_CREATED", "created_at": created_at }]);
    decision["features"] = features.into();
    decision["events"] = events;
    decision["activity_reviews"] = json!([]);
    decision["blocklisted"] = json!(false);
    decision["cost_breakdown"] = Value::Null;
    decision["workflow_type"] = json!("graph");
    decision["workflow_version"] = json!(1);
    decision["workflow_version_id"] = Value::Null;
    decision["workflow_terminal_node_id"] = Value::Null;
    decision["api_service"] = Value::Null;
    decision["session_type"] = json!("API");
    decision["has_device_nfc_support"] = Value::Null;
}

fn with_status(status: &str) -> Value {
    let mut decision = if status::has_reports(status) {
        read(fixtures::verification::DECISION)
    } else {
        read(fixtures::verification::DECISION_NOT_STARTED)
    };
    decision["status"] = json!(status);
    // In the published sample some reports are in review and one is declined.
    let settled = matches!(
        status,
        status::APPROVED | status::KYC_EXPIRED | status::DECLINED | status::RESUBMITTED
    );
    if !settled {
        return decision;
    }
    let mut declined = matches!(status, status::DECLINED | status::RESUBMITTED);
    for (block, _) in BLOCKS {
        let reports = decision.get_mut(block).and_then(Value::as_array_mut);
        for report in reports.into_iter().flatten().filter(|report| report.is_object()) {
            // Only the first report, that of the document, is declined.
            let status = if declined { status::DECLINED } else { status::APPROVED };
            declined = false;
            report["status"] = json!(status);
            report["warnings"] = json!([]);
        }
    }
    decision
}

/// Parses a fixture, which is an object.
fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
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
