//! `PATCH /v3/session/{session_id}/update-status/`, as in the [OpenAPI document](https://docs.didit.me/openapi-25.json)

use serde_json::{Map, Value, json};

use super::session::{Node, Review, Session};
use super::{Call, decision, read_object, status, text_member, wrong};
use crate::answer::Answer;
use crate::clock;
use crate::state::State;

/// The valid features of `nodes_to_resubmit`.
const FEATURES: &str = "OCR, OCR_BACK, NFC, AML, FACE, LIVENESS, FACE_MATCH, IP_ANALYSIS, \
    AGE_ESTIMATION, PROOF_OF_ADDRESS, PHONE_VERIFICATION, EMAIL_VERIFICATION, FACE_SEARCH, \
    DATABASE_VALIDATION, QUESTIONNAIRE, KYB_REGISTRY, KYB_DOCUMENTS, KYB_KEY_PEOPLE, \
    ID_VERIFICATION, POA, PHONE, EMAIL, KYB";

/// The valid features that cannot be resubmitted: their status follows from other sessions.
const PARENTS: [&str; 3] = ["KYB_REGISTRY", "KYB_KEY_PEOPLE", "KYB"];

pub(super) fn answer(
    call: &Call<'_>,
    state: &mut State,
    mut session: Session,
) -> Result<Answer, Answer> {
    // As in the service, this precedes the checks of the body.
    if !status::can_be_updated(&session.status) {
        let why = format!(
            "Only sessions with status Approved, Declined, In Review, Kyc Expired, Abandoned, \
             Resubmitted can be updated. Current status: {}",
            session.status
        );
        return Err(Answer::detail(400, &why));
    }
    let members = read_object(call.request)?;
    let new_status = new_status(&members)?;
    let given = given_nodes(&members)?;
    let send_email = members.get("send_email").and_then(Value::as_bool).unwrap_or(false);
    if send_email && text_member(&members, "email_address")?.is_none() {
        let why = "Email address is required when send_email is true.";
        return Err(wrong("email_address", json!([why])));
    }
    if session.status == new_status {
        let why = json!(["The new status is the same as the current status."]);
        return Err(Answer::new(400, why.to_string()));
    }
    session.nodes_to_resubmit = if new_status == status::RESUBMITTED {
        nodes_to_resubmit(given, &session)?
    } else {
        Vec::new()
    };
    session.reviews.push(Review {
        user: "API Client".to_owned(),
        new_status: new_status.clone(),
        comment: text_member(&members, "comment")?,
        created_at: clock::rfc3339(call.now),
    });
    session.status = new_status;
    let body = json!({ "session_id": session.id });
    state.verification.change(session, call.now)?;
    Ok(Answer::new(200, body.to_string()))
}

fn new_status(members: &Map<String, Value>) -> Result<String, Answer> {
    let Some(new_status) = text_member(members, "new_status")? else {
        return Err(wrong("new_status", json!(["This field is required."])));
    };
    if !status::ALL.contains(&new_status.as_str()) {
        let why = format!("\"{new_status}\" is not a valid choice.");
        return Err(wrong("new_status", json!([why])));
    }
    if !matches!(&*new_status, status::APPROVED | status::DECLINED | status::RESUBMITTED) {
        let why = "You can only update the status to 'Approved', 'Declined', or 'Resubmitted'.";
        return Err(wrong("new_status", json!([why])));
    }
    Ok(new_status)
}

/// Returns the nodes that the request names. The service checks them for every new status.
fn given_nodes(members: &Map<String, Value>) -> Result<Vec<Node>, Answer> {
    match members.get("nodes_to_resubmit") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(given)) => given.iter().map(node).collect(),
        Some(_) => Err(wrong("nodes_to_resubmit", json!(["Expected a list of items."]))),
    }
}

/// Returns the given nodes, or if there are none, all nodes that are not approved.
fn nodes_to_resubmit(given: Vec<Node>, session: &Session) -> Result<Vec<Node>, Answer> {
    let parents: Vec<&str> =
        given.iter().map(|node| &*node.feature).filter(|name| PARENTS.contains(name)).collect();
    if !parents.is_empty() {
        let why = format!(
            "The following features cannot be resubmitted directly: {}. Resubmit the relevant child \
             KYC sessions instead; the parent will recompute automatically.",
            parents.join(", ")
        );
        return Err(wrong("nodes_to_resubmit", json!(why)));
    }
    if !given.is_empty() {
        return Ok(given);
    }
    let nodes = decision::nodes_without_status(session, status::APPROVED);
    if nodes.is_empty() {
        let why = "No features found that need resubmission. All features are already approved.";
        return Err(wrong("nodes_to_resubmit", json!(why)));
    }
    Ok(nodes.into_iter().map(|(node_id, feature)| Node { node_id, feature }).collect())
}

fn node(given: &Value) -> Result<Node, Answer> {
    let text = |name: &str| given.get(name).and_then(Value::as_str).map(str::to_owned);
    let problem = |name: &str, why: String| wrong("nodes_to_resubmit", json!([{ name: [why] }]));
    let required = || "This field is required.".to_owned();
    let node_id = text("node_id").ok_or_else(|| problem("node_id", required()))?;
    let feature = text("feature").ok_or_else(|| problem("feature", required()))?;
    if !FEATURES.split(", ").any(|known| known == feature) {
        let why = format!("\"{feature}\" is not a valid choice. Valid choices are: {FEATURES}");
        return Err(problem("feature", why));
    }
    Ok(Node { node_id, feature })
}
