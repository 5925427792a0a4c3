//! The published decisions.

use didit_core::verification::{Decision, Number, Reports, Status};
use serde_json::{Value, json};

use super::{FULL, NOT_STARTED, SHARED_BUSINESS, SHARED_USER, read, with};

/// Collects the paths of the members in `sent` that the typed value does not have, and asserts that
/// all others are equal.
fn untyped(sent: &Value, typed: &Value, path: &str, missing: &mut Vec<String>) {
    match (sent, typed) {
        (Value::Object(sent), Value::Object(typed)) => {
            for (name, sent) in sent {
                let path = format!("{path}.{name}");
                match typed.get(name) {
                    Some(typed) => untyped(sent, typed, &path, missing),
                    None => missing.push(path),
                }
            }
        }
        (Value::Array(sent), Value::Array(typed)) => {
            assert_eq!(sent.len(), typed.len(), "{path}");
            sent.iter().zip(typed).for_each(|(sent, typed)| untyped(sent, typed, path, missing));
        }
        // A null from the service is an empty list in the typed value.
        (Value::Null, Value::Array(typed)) => assert!(typed.is_empty(), "{path}"),
        // A number from the service is an object in the typed value.
        (Value::Number(_), Value::Object(typed)) => assert_eq!(*sent, typed["distance"], "{path}"),
        _ => assert_eq!(sent, typed, "{path}"),
    }
}

/// The members of the published reports that have no typed field.
const UNTYPED: [&str; 20] = [
    "aml_screenings.hits.additional_information",
    "aml_screenings.hits.features",
    "aml_screenings.hits.rca_name",
    "aml_screenings.hits.target",
    "email_verifications.matches.email",
    "id_verifications.id_lookup.source_errors",
    "id_verifications.matches.front_image_url",
    "ip_analyses.matches.device_info",
    "ip_analyses.matches.location_info",
    "ip_analyses.matches.match_mode",
    "ip_analyses.matches.match_source",
    "ip_analyses.matches.recovery_gate_reason",
    "ip_analyses.matches.recovery_similarity",
    "ip_analyses.matches.tls_ja4_corroborated",
    "liveness_checks.matches.match_image_url",
    "phone_verifications.matches.phone_number",
    "questionnaire_responses.is_active",
    "questionnaire_responses.is_simple_questionnaire",
    "questionnaire_responses.sections.items.repeatable_config",
    "questionnaire_responses.sections.items.required_if",
];

#[test]
fn typed_values_of_the_published_decision_equal_its_json() {
    let decision = read(FULL).unwrap();
    let mut missing = Vec::new();
    let typed = serde_json::to_value(decision.reports()).unwrap();
    let sent: Value = serde_json::from_str(FULL).unwrap();
    for (name, typed) in typed.as_object().unwrap() {
        untyped(sent.get(name).unwrap_or(&Value::Null), typed, name, &mut missing);
    }
    missing.sort();
    missing.dedup();
    assert_eq!(missing, UNTYPED);
    let stored = serde_json::to_string(decision.reports()).unwrap();
    assert_eq!(serde_json::from_str::<Reports>(&stored).unwrap(), *decision.reports());
}

#[test]
fn serialization_preserves_the_original_text() {
    for text in [FULL, NOT_STARTED, SHARED_USER, SHARED_BUSINESS] {
        let decision = read(text).unwrap();
        let text = text.trim_end();
        assert_eq!(decision.json().as_str(), text);
        let stored = serde_json::to_string(&decision).unwrap();
        assert_eq!(serde_json::from_str::<Decision>(&stored).unwrap(), decision);
        assert_eq!(stored, text);
    }
    let text = r#"{"status":"Approved","n":1.10,"m":118120836164494130086420187336801405660}"#;
    assert_eq!(serde_json::to_string(&read(text).unwrap()).unwrap(), text);
    let wrong = serde_json::from_str::<Decision>("{}").unwrap_err().to_string();
    assert!(wrong.contains("missing field `status`"), "{wrong}");
}

#[test]
fn session_members_are_typed() {
    let decision = read(FULL).unwrap();
    assert_eq!(decision.session_id(), Some("11111111-2222-3333-4444-555555555555"));
    assert_eq!(decision.session_kind(), Some("user"));
    assert_eq!(decision.session_number().and_then(Number::as_i64), Some(43762));
    assert_eq!(decision.session_url(), Some("https://verify.didit.me/session/tok0tok0tok0"));
    assert_eq!((decision.status(), decision.environment()), (&Status::InReview, Some("live")));
    assert_eq!(decision.workflow_id(), Some("11111111-2222-3333-4444-555555555555"));
    assert_eq!(decision.features()[0].feature, "ID_VERIFICATION");
    assert_eq!(decision.vendor_data(), Some("11111111-1111-1111-1111-111111111111"));
    assert_eq!(decision.metadata().unwrap().get("account_id").unwrap().as_str(), r#""ABC123""#);
    assert!(decision.expected_details().unwrap().get("last_name").is_some());
    assert!(decision.contact_details().unwrap().get("phone").unwrap().is_null());
    assert_eq!(decision.callback(), Some("https://verify.didit.me/"));
    assert_eq!(decision.created_at().unwrap().as_str(), "2024-07-24T08:54:25.443172Z");
    assert_eq!(decision.expires_at().unwrap().as_str(), "2025-07-24T08:54:25.443172Z");
    let other = with(r#""nfc_skip_reason":"USER_SKIPPED","resubmit_info":{"reasons":{}}"#);
    assert_eq!(other.nfc_skip_reason(), Some("USER_SKIPPED"));
    assert_eq!(other.resubmit_info().unwrap().as_str(), r#"{"reasons":{}}"#);
}

#[test]
fn only_the_status_is_required() {
    let decision = read(r#"{"status":"Not Started"}"#).unwrap();
    assert_eq!((decision.session_id(), decision.reports()), (None, &Reports::default()));
    assert_eq!(*read(NOT_STARTED).unwrap().reports(), Reports::default());
    assert_eq!(read(SHARED_BUSINESS).unwrap().session_kind(), Some("business"));
    let status = |text: &str| read(text).unwrap_err().to_string();
    assert_eq!(status("{}"), "missing field `status` at line 1 column 2, in `status`");
    assert!(status(r#"{"status":null}"#).ends_with("in `status`"));
}

/// Collects JSON pointers to all members of objects. Of each list, only the first element is
/// visited.
fn members(value: &Value, at: &str, pointers: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                members(value, &at, pointers);
                pointers.push(at);
            }
        }
        Value::Array(values) => {
            values.iter().take(1).for_each(|value| members(value, &format!("{at}/0"), pointers));
        }
        _ => {}
    }
}

/// A workflow may withhold any member of a report. An error about a member of another type contains
/// its path.
#[test]
fn any_member_may_be_null_and_type_errors_have_a_path() {
    let full: Value = serde_json::from_str(FULL).unwrap();
    let mut pointers = Vec::new();
    members(&full, "", &mut pointers);
    assert!(pointers.len() > 400, "{}", pointers.len());
    for pointer in pointers {
        let name = pointer[1..].split('/').next().unwrap();
        let with = |value: Value| {
            let mut sent = json!({"status": "Approved", name: full[name].clone()});
            *sent.pointer_mut(&pointer).unwrap() = value;
            read(&sent.to_string())
        };
        assert!(with(Value::Null).is_ok() || pointer == "/status", "{pointer}");
        if let Err(error) = with(json!({"canary": ["canary"]})) {
            let path = pointer[1..].replace("/0/", "[0]/").replace('/', ".");
            assert!(error.path().starts_with(&path), "{pointer}: {error}");
            assert!(error.path() == path || error.path() == format!("{path}.canary"), "{error}");
        }
    }
}
