//! `DELETE /v3/session/{session_id}/delete/`, as in the [OpenAPI document](https://docs.didit.me/openapi-25.json)

use serde_json::{Value, json};

use super::session::Session;
use super::{Call, read_object, wrong};
use crate::RecordedRequest;
use crate::answer::Answer;
use crate::state::State;

/// The id of a retained face template.
const TEMPLATE: &str = "9d2f4b6e-1c3a-4e8f-b7d5-0a1c2e3f4a5b";

pub(super) fn answer(
    call: &Call<'_>,
    state: &mut State,
    session: &Session,
) -> Result<Answer, Answer> {
    let retain = retain(call.request)?;
    let (outcome, template) = match (retain, &session.given.vendor_data) {
        (false, _) => ("deleted", None),
        (true, Some(_)) => ("retained_with_user", Some(TEMPLATE)),
        (true, None) => ("ineligible_no_vendor_user", None),
    };
    state.verification.delete(&session.id)?;
    let body = json!({
        "session_id": session.id,
        "session_number": session.number,
        "face_retention_outcome": outcome,
        "biometric_template_uuid": template,
    });
    Ok(Answer::new(200, body.to_string()))
}

/// Returns whether the face template is to be retained; `false` if the request has no body.
fn retain(request: &RecordedRequest) -> Result<bool, Answer> {
    if request.body.is_empty() {
        return Ok(false);
    }
    let members = read_object(request)?;
    let given = |name: &str| members.get(name).is_some_and(|value| !value.is_null());
    let retain = match members.get("retain_face_embeddings") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(retain)) => *retain,
        Some(_) => {
            return Err(wrong("retain_face_embeddings", json!(["Must be a valid boolean."])));
        }
    };
    if retain && !given("face_retention_days") && !given("face_retention_deadline") {
        let why = "A finite biometric-template retention duration is required.";
        return Err(Answer::detail(400, why));
    }
    Ok(retain)
}
