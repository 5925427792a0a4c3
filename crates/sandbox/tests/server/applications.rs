use std::time::Duration;

use didit_sandbox::{Application, Quota, Sandbox};
use serde_json::{Value, json};

use crate::raw::{Answer, KEY, creation, decision, request, send, token};

fn two_applications() -> Sandbox {
    let quota = Quota { limit: 2, window: Duration::from_secs(60) };
    let other = Application::new("other-id", "other-secret");
    Sandbox::builder().quota(quota).application(other).start().unwrap()
}

fn create(sandbox: &Sandbox, authorization: &str) -> Value {
    send(sandbox, &creation(authorization, r#"{"scope":"names"}"#)).unwrap().json()
}

fn decision_by(sandbox: &Sandbox, authorization: &str, id: &str) -> Answer {
    let request = decision(id).replace(KEY, authorization);
    send(sandbox, &request).unwrap()
}

#[test]
fn session_is_visible_only_to_its_application() {
    let sandbox = two_applications();
    // Base64 of other-id:other-secret
    let basic = "b3RoZXItaWQ6b3RoZXItc2VjcmV0";
    let token = token().replace("c2FuZGJveC1jbGllbnQtaWQ6c2FuZGJveC1jbGllbnQtc2VjcmV0", basic);
    let token = send(&sandbox, &token).unwrap().json();
    assert_eq!(token["client_id"], "other-id");
    let bearer = format!("Authorization: Bearer {}", token["access_token"].as_str().unwrap());
    let session = create(&sandbox, &bearer);
    let id = session["session_id"].as_str().unwrap();

    let other = decision_by(&sandbox, KEY, id);
    assert_eq!((other.status, other.json()), (404, json!({"detail": "Not found."})));
    for authorization in [&*bearer, "X-Api-Key: other-id-api-key"] {
        let decision = decision_by(&sandbox, authorization, id).json();
        assert_eq!((&decision["session_id"], &decision["vendor_data"]), (&json!(id), &Value::Null));
    }
    assert_eq!(decision_by(&sandbox, KEY, "any").status, 200);
    let path = session["url"].as_str().unwrap().strip_prefix(sandbox.url()).unwrap();
    let page = send(&sandbox, &request("GET", path, "", "")).unwrap().text();
    assert!(page.contains("<strong>other-id</strong>"), "{page}");
}

#[test]
fn each_application_has_its_own_quota() {
    let sandbox = two_applications();
    let statuses = |key: &str| {
        let authorization = format!("X-Api-Key: {key}");
        [1, 2, 3].map(|_| decision_by(&sandbox, &authorization, "abc").status)
    };
    assert_eq!(statuses("sandbox-api-key"), [200, 200, 429]);
    assert_eq!(statuses("other-id-api-key"), [200, 200, 429]);
}

#[test]
fn duplicate_client_id_fails_the_start() {
    let duplicate = Application::new("sandbox-client-id", "another");
    let error = Sandbox::builder().application(duplicate).start().unwrap_err();
    assert!(error.to_string().contains("sandbox-client-id"), "{error}");
}

#[test]
fn advance_expires_quota_session_and_token() {
    let quota = Quota { limit: 1, window: Duration::from_secs(60) };
    let sandbox = Sandbox::builder().quota(quota).start().unwrap();
    let token = send(&sandbox, &token()).unwrap().json();
    let bearer = format!("Authorization: Bearer {}", token["access_token"].as_str().unwrap());
    let session = create(&sandbox, &bearer);
    let id = session["session_id"].as_str().unwrap();
    let status = || decision_by(&sandbox, &bearer, id).json()["status"].clone();
    assert_eq!(status(), "Initialized");
    let before = decision_by(&sandbox, &bearer, id);
    assert_eq!(before.status, 429);
    sandbox.advance(Duration::from_secs(60));
    assert_eq!(status(), "Initialized");
    sandbox.advance(Duration::from_secs(540));
    assert_eq!(status(), "Expired");

    sandbox.advance(Duration::from_secs(86_400 - 600 - 60));
    assert_eq!(decision_by(&sandbox, &bearer, id).status, 200);
    sandbox.advance(Duration::from_secs(60));
    let after = decision_by(&sandbox, &bearer, id);
    assert_eq!(after.status, 401);
    assert_ne!(before.header("Date").unwrap()[..16], after.header("Date").unwrap()[..16]);
    sandbox.advance(Duration::MAX);
    assert_eq!(decision_by(&sandbox, KEY, id).status, 200);
}
