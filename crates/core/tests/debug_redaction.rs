//! `Debug` output identifies a value but never contains a secret or personal data.

// Test helpers fail by panicking, like tests.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::Debug;

use didit_core::data_transfer::{
    CreateSession, Decision, ReadStatus, RetrieveDecision, Scope, Scopes,
};
use didit_core::oauth::FetchToken;
use didit_core::{
    Authorization, BaseUrl, Call, ClientCredentials, Credentials, Endpoint as _, Engine, Secret,
    SessionId,
};
use http::Response;

fn decision() -> Decision {
    Decision::from_json(
        br#"{"session_id": "s-1", "session_number": 7, "status": "Confirmed",
            "vendor_data": "canary", "scope": "names email", "created_at": "2024-08-01T10:30:00Z",
            "user_data": {"sub": "canary", "user_id": "canary", "picture": "canary",
                "email": {"email": "canary", "is_verified": true, "is_primary": false},
                "phone": {"phone_number": "canary", "is_verified": false, "is_primary": true},
                "names": {"first_name": "canary", "family_name": "canary", "full_name": "canary",
                    "is_verified": true},
                "is_verified": true, "is_over_18": false}}"#,
    )
    .unwrap()
}

#[track_caller]
fn assert_debug(value: &impl Debug, expected: &str) {
    let shown = format!("{value:?}");
    assert!(!shown.contains("canary"), "{shown}");
    assert_eq!(shown, expected);
}

#[test]
fn decisions_are_redacted_at_every_level() {
    let decision = decision();
    assert_debug(
        &decision,
        "Decision { session_id: SessionId(s-1), session_number: Some(7), status: Confirmed, \
         vendor_data: Some([redacted]), scope: Some(\"names email\"), \
         created_at: Some(2024-08-01 10:30:00.0 +00:00:00), user_data: Some([redacted]), .. }",
    );
    let user = decision.user_data().unwrap();
    assert_debug(user, "UserData([redacted])");
    assert_debug(
        user.email.as_ref().unwrap(),
        "Email { email: Some([redacted]), is_verified: Some(true), is_primary: Some(false) }",
    );
    assert_debug(
        user.phone.as_ref().unwrap(),
        "Phone { phone_number: Some([redacted]), is_verified: Some(false), is_primary: Some(true) }",
    );
    assert_debug(
        user.names.as_ref().unwrap(),
        "Names { first_name: Some([redacted]), family_name: Some([redacted]), \
         full_name: Some([redacted]), is_verified: Some(true) }",
    );
    assert_debug(decision.json(), "RawJson([redacted])");
}

#[test]
fn credentials_show_the_client_id_but_no_secret() {
    let client = ClientCredentials::new("id", "canary").unwrap();
    assert_eq!(client.client_id(), "id");
    assert_debug(&client, "ClientCredentials { client_id: \"id\", .. }");
    assert_debug(
        &Credentials::from(client.clone()),
        "Client(ClientCredentials { client_id: \"id\", .. })",
    );
    assert_debug(
        &FetchToken::new(client),
        "FetchToken { client: ClientCredentials { client_id: \"id\", .. } }",
    );
    assert_debug(&Authorization::bearer("canary").unwrap(), "Authorization(authorization)");
    assert_debug(&Authorization::api_key("canary").unwrap(), "Authorization(x-api-key)");
    assert_debug(&Credentials::None, "None");
    assert_debug(&Secret::from("canary"), "Secret([redacted])");
}

#[test]
fn endpoints_show_their_parameters_but_no_private_data() {
    let scopes: Scopes = "names pictures".parse().unwrap();
    assert_debug(&scopes, "Scopes([Scope(names), Scope(picture)])");
    assert_debug(
        &CreateSession::new(scopes).with_vendor_data(Some("canary")),
        "CreateSession { scopes: Scopes([Scope(names), Scope(picture)]), .. }",
    );
    let id: SessionId = "s-1".parse().unwrap();
    assert_debug(&id, "SessionId(s-1)");
    assert_debug(
        &RetrieveDecision::new(id.clone()),
        "RetrieveDecision { session_id: SessionId(s-1) }",
    );
    assert_debug(
        &Call::new(RetrieveDecision::new(id.clone())),
        "Call { endpoint: RetrieveDecision, sent: 0, .. }",
    );
    assert_debug(
        &ReadStatus::new(id, "canary"),
        "ReadStatus { session_id: SessionId(s-1), session_token: Secret([redacted]) }",
    );
}

#[test]
fn responses_hide_tokens_and_unknown_members() {
    let token = FetchToken::new(ClientCredentials::new("id", "secret").unwrap());
    let body: &[u8] = br#"{"access_token": "canary", "expires_in": 60}"#;
    assert_debug(
        &token.parse(&Response::new(body)).unwrap(),
        "AccessToken { lifetime: Some(60s), .. }",
    );
    let create = CreateSession::new(Scopes::new([Scope::NAMES]).unwrap());
    let body: &[u8] = br#"{"session_id": "s-1", "session_number": 7, "session_token": "canary",
        "url": "https://verify.example/canary", "vendor_data": "canary"}"#;
    let shown = format!("{:?}", create.parse(&Response::new(body)).unwrap());
    assert!(shown.starts_with("Session { session_id: ") && !shown.contains("canary"));
    let status = ReadStatus::new("s-1".parse().unwrap(), "t");
    let body: &[u8] = br#"{"session_id": "s-1", "status": "retrieved", "more": "canary"}"#;
    let shown = format!("{:?}", status.parse(&Response::new(body)).unwrap());
    assert!(shown.starts_with("SessionStatus { ") && !shown.contains("canary"), "{shown}");
}

#[test]
fn engine_shows_its_base_url_but_no_secret() {
    let base: BaseUrl = "https://h.example/a".parse().unwrap();
    assert_debug(&base, "BaseUrl(https://h.example/a)");
    let engine = Engine::builder(ClientCredentials::new("id", "canary").unwrap())
        .base_url(base)
        .build()
        .unwrap();
    let shown = format!("{engine:?}");
    assert!(shown.starts_with("Engine { base: BaseUrl(https://h.example/a), verification_base: "));
    assert!(!shown.contains("canary"), "{shown}");
}
