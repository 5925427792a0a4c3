use didit_sandbox::{Sandbox, fixtures};
use serde_json::{Value, json};

use crate::raw::{request, send};

use super::{UNKNOWN, ask, create, decision, id_of, keys};

#[test]
fn created_session_has_the_published_members() {
    let sandbox = Sandbox::start().unwrap();
    let more = json!({
        "vendor_data": "user-1", "metadata": {"a": [1.5]}, "callback": "https://example.com/done",
        "expected_details": {"first_name": "Ana"},
    });
    let created = create(&sandbox, &more);
    let published: Value = serde_json::from_str(fixtures::verification::SESSION_CREATED).unwrap();
    assert_eq!(keys(&created), keys(&published));
    assert_eq!(created["status"], "Not Started");
    assert_eq!(created["metadata"], more["metadata"]);
    let token = created["session_token"].as_str().unwrap();
    assert_eq!(token.len(), 12);
    assert_eq!(created["url"], format!("{}/session/{token}", sandbox.url()));

    let decision = decision(&sandbox, &id_of(&created)).json();
    let published: Value =
        serde_json::from_str(fixtures::verification::DECISION_NOT_STARTED).unwrap();
    assert_eq!(keys(&decision), keys(&published));
    assert_eq!(decision["expected_details"], more["expected_details"]);
    assert_eq!(decision["id_verifications"], Value::Null);
    assert_eq!(decision["vendor_data"], "user-1");
}

#[test]
fn invalid_creation_is_refused_as_documented() {
    let sandbox = Sandbox::start().unwrap();
    for (body, why) in [
        ("{}", r#"{"workflow_id":["This field is required."]}"#),
        ("[]", r#"{"detail":"JSON parse error"#),
        ("{", r#"{"detail":"JSON parse error"#),
    ] {
        let refused = ask(&sandbox, "POST", "/v3/session/", body);
        assert_eq!(refused.status, 400, "{body}");
        assert!(refused.text().starts_with(why), "{}", refused.text());
    }
    let plain = "x-api-key: sandbox-api-key\r\nContent-Type: text/plain\r\n";
    assert_eq!(send(&sandbox, &request("POST", "/v3/session/", plain, "{}")).unwrap().status, 415);
}

#[test]
fn same_vendor_data_returns_the_unfinished_session() {
    let sandbox = Sandbox::start().unwrap();
    let first = create(&sandbox, &json!({"vendor_data": "u", "metadata": 1}));
    let again = create(&sandbox, &json!({"vendor_data": "u", "metadata": 2, "callback": "a://b"}));
    assert_eq!(again["session_id"], first["session_id"]);
    assert_eq!((&again["metadata"], &again["callback"]), (&json!(2), &json!("a://b")));
    let workflow = first["workflow_id"].as_str().unwrap().to_ascii_uppercase();
    let in_capitals = create(&sandbox, &json!({"vendor_data": "u", "workflow_id": workflow}));
    assert_eq!(in_capitals["session_id"], first["session_id"]);
    let other_user = create(&sandbox, &json!({"vendor_data": "v"}));
    let other_workflow = json!({"vendor_data": "u", "workflow_id": UNKNOWN});
    assert_ne!(other_user["session_id"], first["session_id"]);
    assert_ne!(create(&sandbox, &other_workflow)["session_id"], first["session_id"]);
    assert_ne!(
        create(&sandbox, &json!({}))["session_id"],
        create(&sandbox, &json!({}))["session_id"]
    );
    sandbox.verification().set_status(&id_of(&first), "Approved");
    let next = create(&sandbox, &json!({"vendor_data": "u"}));
    assert_ne!(next["session_id"], first["session_id"]);
}
