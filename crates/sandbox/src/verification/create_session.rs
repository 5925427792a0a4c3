//! `POST /v3/session/`, as in the [OpenAPI document](https://docs.didit.me/openapi-25.json)

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::route::is_uuid;
use super::session::{Creation, Session};
use super::{Call, limits, read_object, text_member, wrong};
use crate::answer::Answer;
use crate::state::State;

/// Maximum size of a portrait image, in bytes.
const IMAGE_LIMIT: usize = 2 * 1024 * 1024;

pub(super) fn answer(call: &Call<'_>, state: &mut State) -> Result<Answer, Answer> {
    let given = read(&read_object(call.request)?)?;
    let application = &call.application.client_id;
    let again = state.verification.unfinished(application, &given);
    if again.is_none() {
        limits::check_session(call, &mut state.windows)?;
    }
    let session = state.verification.create(application, given, again, call.now)?;
    Ok(Answer::new(201, body(&session, call.shared.reach.pages()).to_string()))
}

fn body(session: &Session, base: &str) -> Value {
    json!({
        "session_id": session.id,
        "session_number": session.number,
        "session_token": session.token,
        "url": session.url(base),
        "vendor_data": session.given.vendor_data,
        "metadata": session.given.metadata,
        "status": session.status,
        "workflow_id": session.given.workflow_id,
        "workflow_version": 1,
        "callback": session.given.callback,
    })
}

/// Reads the members of the request. Unknown ones are ignored, as in the service.
fn read(members: &Map<String, Value>) -> Result<Creation, Answer> {
    let workflow_id = text_member(members, "workflow_id")?
        .ok_or_else(|| wrong("workflow_id", json!(["This field is required."])))?;
    if !is_uuid(&workflow_id.to_ascii_lowercase()) {
        return Err(wrong("workflow_id", json!("Invalid workflow_id.")));
    }
    check_choice(members, "callback_method", |word| {
        matches!(word, "initiator" | "completer" | "both")
    })?;
    check_choice(members, "language", is_language)?;
    check_image(members)?;
    text_member(members, "sandbox_scenario")?;
    let expected_details = object_member(members, "expected_details")?;
    if let Some(details) = &expected_details {
        let has = |name: &str| details.get(name).is_some_and(|value| !value.is_null());
        if has("address") && !has("country") && !has("poa_country") {
            let why = json!({ "address": ["A country or poa_country is required as well."] });
            return Err(wrong("expected_details", why));
        }
    }
    Ok(Creation {
        workflow_id,
        vendor_data: text_member(members, "vendor_data")?,
        metadata: members.get("metadata").cloned().unwrap_or_default(),
        callback: callback(members)?,
        language: text_member(members, "language")?,
        expected_details,
        contact_details: object_member(members, "contact_details")?,
    })
}

/// Reads the callback: a URL with any scheme except those that a browser executes.
fn callback(members: &Map<String, Value>) -> Result<Option<String>, Answer> {
    let Some(callback) = text_member(members, "callback")? else {
        return Ok(None);
    };
    let scheme = callback.split_once(":/").map(|(scheme, _)| scheme).unwrap_or_default();
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let is_script =
        ["javascript", "data", "vbscript"].iter().any(|word| scheme.eq_ignore_ascii_case(word));
    if !is_scheme || is_script || callback.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(wrong("callback", json!(["Enter a valid URL."])));
    }
    Ok(Some(callback))
}

/// Returns whether a text is a language code with an optional region: `en`, `cnr`, `pt-BR`.
fn is_language(word: &str) -> bool {
    let (language, region) = word.split_once('-').unwrap_or((word, "XX"));
    matches!(language.len(), 2 | 3)
        && language.bytes().all(|byte| byte.is_ascii_lowercase())
        && region.len() == 2
        && region.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn check_choice(
    members: &Map<String, Value>,
    name: &str,
    known: impl Fn(&str) -> bool,
) -> Result<(), Answer> {
    match text_member(members, name)? {
        Some(word) if !known(&word) => {
            Err(wrong(name, json!([format!("\"{word}\" is not a valid choice.")])))
        }
        _ => Ok(()),
    }
}

fn check_image(members: &Map<String, Value>) -> Result<(), Answer> {
    let Some(image) = text_member(members, "portrait_image")? else {
        return Ok(());
    };
    match STANDARD.decode(image) {
        Ok(bytes) if bytes.len() <= IMAGE_LIMIT => Ok(()),
        Ok(_) => Err(wrong("portrait_image", json!(["Image size exceeds 2MB."]))),
        Err(_) => Err(wrong("portrait_image", json!(["Invalid base64 image."]))),
    }
}

fn object_member(
    members: &Map<String, Value>,
    name: &str,
) -> Result<Option<Map<String, Value>>, Answer> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object.clone())),
        Some(_) => Err(wrong(name, json!(["This field must be a JSON object."]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKFLOW: &str = "11111111-2222-3333-4444-555555555555";

    fn problem(member: &str, value: Value) -> String {
        let mut members = json!({ "workflow_id": WORKFLOW });
        members[member] = value;
        let answer = read(members.as_object().expect("an object")).expect_err(member);
        assert_eq!(answer.status, 400);
        String::from_utf8_lossy(&answer.body).into_owned()
    }

    #[test]
    fn invalid_members_are_refused_with_documented_messages() {
        for (member, value, why) in [
            ("workflow_id", Value::Null, r#"{"workflow_id":["This field is required."]}"#),
            ("workflow_id", json!("abc"), r#"{"workflow_id":"Invalid workflow_id."}"#),
            ("vendor_data", json!(7), r#"{"vendor_data":["Not a valid string."]}"#),
            ("callback", json!("javascript://x"), r#"{"callback":["Enter a valid URL."]}"#),
            ("callback", json!("javascript:/x"), r#"{"callback":["Enter a valid URL."]}"#),
            ("callback", json!("localhost:3000/cb"), r#"{"callback":["Enter a valid URL."]}"#),
            ("callback", json!("https:x"), r#"{"callback":["Enter a valid URL."]}"#),
            ("callback", json!("no scheme"), r#"{"callback":["Enter a valid URL."]}"#),
            (
                "language",
                json!("english"),
                r#"{"language":["\"english\" is not a valid choice."]}"#,
            ),
            (
                "contact_details",
                json!([]),
                r#"{"contact_details":["This field must be a JSON object."]}"#,
            ),
            ("portrait_image", json!("?"), r#"{"portrait_image":["Invalid base64 image."]}"#),
        ] {
            assert_eq!(problem(member, value), why);
        }
        let image = "A".repeat(4 * (IMAGE_LIMIT / 3 + 1));
        assert!(problem("portrait_image", image.into()).contains("exceeds 2MB"));
        assert!(problem("expected_details", json!({"address": "a"})).contains("country"));
    }

    #[test]
    fn every_documented_member_is_accepted() {
        let members = json!({
            "workflow_id": WORKFLOW, "vendor_data": "u", "callback": "com.example.app:/done",
            "callback_method": "both", "metadata": [1, "a"], "language": "pt-BR",
            "contact_details": {"email": "a@b"}, "expected_details": {"first_name": "A"},
            "portrait_image": "AAAA", "sandbox_scenario": "any", "tags": ["new"],
        });
        let given = read(members.as_object().expect("an object")).expect("a creation");
        assert_eq!(given.metadata, json!([1, "a"]));
        assert_eq!(given.callback.as_deref(), Some("com.example.app:/done"));
    }
}
