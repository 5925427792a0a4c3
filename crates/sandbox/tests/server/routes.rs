use std::collections::HashSet;
use std::io::Write as _;
use std::time::Duration;

use didit_sandbox::{Fault, Route, Sandbox, fixtures};
use serde_json::{Value, json};

use crate::raw::{KEY, connect, creation, decision, read_answer, request, send, token};

fn bearer(sandbox: &Sandbox) -> String {
    let token = send(sandbox, &token()).unwrap().json();
    token["access_token"].as_str().unwrap().to_owned()
}

fn decision_with(token: &str) -> String {
    decision("abc").replace(KEY, &format!("Authorization: Bearer {token}"))
}

#[test]
fn token_authorizes_any_decision() {
    let sandbox = Sandbox::start().unwrap();
    let token = send(&sandbox, &token()).unwrap();
    assert_eq!(token.status, 200);
    let members = |text: &str| {
        let object: Value = serde_json::from_str(text).unwrap();
        object.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(members(&token.text()), members(fixtures::TOKEN));
    assert_eq!(token.json()["expires_in"], 86400);

    let answer =
        send(&sandbox, &decision_with(token.json()["access_token"].as_str().unwrap())).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text(), fixtures::DECISION.replace("unique-session-identifier", "abc"));
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
    assert_eq!(answer.header("X-Request-Id"), Some("sandbox-2"));
    assert!(answer.header("Date").unwrap().ends_with(" GMT"));
}

#[test]
fn custom_token_answer_is_served() {
    let builder = Sandbox::builder().token_answer(r#"{"access_token":"{access_token}","odd":[]}"#);
    let sandbox = builder.start().unwrap();
    let answer = send(&sandbox, &token()).unwrap();
    assert_eq!(answer.text(), r#"{"access_token":"sandbox-access-token-1","odd":[]}"#);
    assert_eq!(send(&sandbox, &decision_with("sandbox-access-token-1")).unwrap().status, 200);
}

#[test]
fn revoked_and_expired_tokens_are_refused() {
    let sandbox = Sandbox::start().unwrap();
    let token = bearer(&sandbox);
    sandbox.revoke_tokens();
    let answer = send(&sandbox, &decision_with(&token)).unwrap();
    assert_eq!((answer.status, answer.json()["detail"].is_string()), (401, true));
    assert_eq!(send(&sandbox, &decision_with(&bearer(&sandbox))).unwrap().status, 200);
    assert_eq!(sandbox.tokens_issued(), 2);

    let sandbox = Sandbox::builder().token_lifetime(Duration::from_millis(1)).start().unwrap();
    let token = bearer(&sandbox);
    std::thread::sleep(Duration::from_millis(5));
    assert_eq!(send(&sandbox, &decision_with(&token)).unwrap().status, 401);
}

#[test]
fn session_is_created_and_confirmed() {
    let sandbox = Sandbox::start().unwrap();
    let bearer = format!("Authorization: Bearer {}", bearer(&sandbox));
    for authorization in [KEY, &bearer] {
        create_and_confirm(&sandbox, authorization);
    }
}

/// Checks creation, status and decision with this authorization header.
fn create_and_confirm(sandbox: &Sandbox, authorization: &str) {
    let decision = |id: &str| decision(id).replace(KEY, authorization);
    let body = r#"{"scope":"names email","vendor_data":"order 7"}"#;
    let created = send(sandbox, &creation(authorization, body)).unwrap();
    assert_eq!(created.status, 201);
    let created = created.json();
    let (id, token) = (created["session_id"].as_str().unwrap(), &created["session_token"]);
    let token = token.as_str().unwrap();
    assert_eq!(created["url"], format!("{}/authorize/{token}", sandbox.url()));

    let status = |token: &str| {
        let path = format!("/auth/v2/session/{id}/status/");
        let headers = format!("Data-Session-Token: {token}\r\n");
        send(sandbox, &request("GET", &path, &headers, "")).unwrap()
    };
    assert_eq!(status(token).json(), json!({"status": "initialized"}));
    assert_eq!(status("another").status, 401);
    let before = send(sandbox, &decision(id)).unwrap().json();
    assert_eq!(before["user_data"], json!({}));
    assert_eq!(before["status"], "Initialized");

    sandbox.set_status(id, "confirmed");
    assert_eq!(status(token).json(), json!({"status": "confirmed"}));
    let after = send(sandbox, &decision(id)).unwrap().json();
    assert_eq!(
        (&after["session_id"], &after["status"], &after["vendor_data"], &after["scope"]),
        (&json!(id), &json!("Confirmed"), &json!("order 7"), &json!("names email"))
    );
    let shared: HashSet<_> = after["user_data"].as_object().unwrap().keys().collect();
    assert_eq!(shared.len(), 3, "{shared:?}");
}

#[test]
fn test_can_set_decisions_and_statuses() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.missing("gone");
    sandbox.decision("odd", "not even JSON");
    sandbox.set_status("pending", "retrieved");
    let gone = send(&sandbox, &decision("gone")).unwrap();
    assert_eq!((gone.status, gone.json()), (404, json!({"detail": "Not found."})));
    assert_eq!(send(&sandbox, &decision("odd")).unwrap().text(), "not even JSON");
    let pending = send(&sandbox, &decision("pending")).unwrap().json();
    assert_eq!((&pending["status"], &pending["user_data"]), (&json!("Retrieved"), &json!({})));
}

#[test]
fn requests_are_recorded() {
    let sandbox = Sandbox::start().unwrap();
    let mut stream = connect(&sandbox).unwrap();
    for id in ["one", "two"] {
        stream.write_all(decision(id).as_bytes()).unwrap();
        read_answer(&mut stream).unwrap();
    }
    send(&sandbox, &token()).unwrap();

    let decisions = sandbox.requests_to(Route::Decision);
    assert_eq!(decisions.len(), 2);
    assert_eq!(decisions[1].path, "/auth/v2/session/two/decision/");
    assert_eq!(decisions[1].header("x-api-key"), Some(sandbox.api_key()));
    assert_eq!((decisions[1].connection, decisions[1].status), (1, Some(200)));
    let requests = sandbox.requests();
    assert_eq!(requests[2].body, b"grant_type=client_credentials");
    assert_eq!((requests.len(), sandbox.connections()), (3, 2));
    assert!(requests[2].received >= requests[0].received);
    assert!(!format!("{sandbox:?} {requests:?}").contains("sandbox-api-key"));
}

#[test]
fn observer_is_called_for_each_request() {
    let (sender, observed) = std::sync::mpsc::channel();
    let sandbox = Sandbox::builder()
        .on_request(move |request| {
            let _ = sender.send((request.route, request.status));
            assert_ne!(request.status, Some(404), "a panic that must not affect other requests");
        })
        .start()
        .unwrap();
    sandbox.script(Route::Decision, [Fault::Close]);
    assert!(send(&sandbox, &decision("one")).is_err());
    let _ = send(&sandbox, &request("GET", "/other", "", ""));
    assert_eq!(send(&sandbox, &decision("two")).unwrap().status, 200);
    let mut observed: Vec<_> = observed.iter().take(3).collect();
    // Each connection has a thread of its own, so the order is not fixed.
    observed.sort_unstable_by_key(|(_, status)| *status);
    assert_eq!(
        observed,
        [(Some(Route::Decision), None), (Some(Route::Decision), Some(200)), (None, Some(404))]
    );
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let sandbox = Sandbox::start().unwrap();
    let mut stream = connect(&sandbox).unwrap();
    stream.write_all((decision("one") + &decision("two")).as_bytes()).unwrap();
    for id in ["one", "two"] {
        assert_eq!(read_answer(&mut stream).unwrap().json()["session_id"], id);
    }
}
