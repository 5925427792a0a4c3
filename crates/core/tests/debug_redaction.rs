//! `Debug` shows what a value is about, and never a secret or personal data.

// The steps are helpers of tests, and fail by panicking as tests do.
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
fn shows(value: &impl Debug, expected: &str) {
    let shown = format!("{value:?}");
    assert!(!shown.contains("canary"), "{shown}");
    assert_eq!(shown, expected);
}

#[test]
fn a_decision_is_redacted_all_the_way_down() {
    let decision = decision();
    shows(
        &decision,
        "Decision { session_id: SessionId(s-1), session_number: Some(7), status: Confirmed, \
         vendor_data: Some([redacted]), scope: Some(\"names email\"), \
         created_at: Some(2024-08-01 10:30:00.0 +00:00:00), user_data: Some([redacted]), .. }",
    );
    let user = decision.user_data().unwrap();
    shows(user, "UserData([redacted])");
    shows(
        user.email.as_ref().unwrap(),
        "Email { email: Some([redacted]), is_verified: Some(true), is_primary: Some(false) }",
    );
    shows(
        user.phone.as_ref().unwrap(),
        "Phone { phone_number: Some([redacted]), is_verified: Some(false), is_primary: Some(true) }",
    );
    shows(
        user.names.as_ref().unwrap(),
        "Names { first_name: Some([redacted]), family_name: Some([redacted]), \
         full_name: Some([redacted]), is_verified: Some(true) }",
    );
    shows(decision.json(), "RawJson([redacted])");
}

#[test]
fn credentials_show_whose_they_are() {
    let client = ClientCredentials::new("id", "canary").unwrap();
    assert_eq!(client.client_id(), "id");
    shows(&client, "ClientCredentials { client_id: \"id\", .. }");
    shows(
        &Credentials::from(client.clone()),
        "Client(ClientCredentials { client_id: \"id\", .. })",
    );
    shows(
        &FetchToken::new(client),
        "FetchToken { client: ClientCredentials { client_id: \"id\", .. } }",
    );
    shows(&Authorization::bearer("canary").unwrap(), "Authorization(authorization)");
    shows(&Authorization::api_key("canary").unwrap(), "Authorization(x-api-key)");
    shows(&Credentials::None, "None");
    shows(&Secret::from("canary"), "Secret([redacted])");
}

#[test]
fn requests_show_what_they_ask_for() {
    let scopes: Scopes = "names pictures".parse().unwrap();
    shows(&scopes, "Scopes([Scope(names), Scope(picture)])");
    shows(
        &CreateSession::new(scopes).with_vendor_data(Some("canary")),
        "CreateSession { scopes: Scopes([Scope(names), Scope(picture)]), .. }",
    );
    let id: SessionId = "s-1".parse().unwrap();
    shows(&id, "SessionId(s-1)");
    shows(&RetrieveDecision::new(id.clone()), "RetrieveDecision { session_id: SessionId(s-1) }");
    shows(
        &Call::new(RetrieveDecision::new(id.clone())),
        "Call { endpoint: RetrieveDecision, sent: 0, .. }",
    );
    shows(
        &ReadStatus::new(id, "canary"),
        "ReadStatus { session_id: SessionId(s-1), session_token: Secret([redacted]) }",
    );
}

#[test]
fn answers_show_no_token() {
    let token = FetchToken::new(ClientCredentials::new("id", "secret").unwrap());
    let body: &[u8] = br#"{"access_token": "canary", "expires_in": 60}"#;
    shows(&token.parse(&Response::new(body)).unwrap(), "AccessToken { lifetime: Some(60s), .. }");
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
fn an_engine_shows_where_it_asks() {
    let base: BaseUrl = "https://h.example/a".parse().unwrap();
    shows(&base, "BaseUrl(https://h.example/a)");
    let engine = Engine::builder(ClientCredentials::new("id", "canary").unwrap())
        .base_url(base)
        .build()
        .unwrap();
    let shown = format!("{engine:?}");
    assert!(shown.starts_with("Engine { base: BaseUrl(https://h.example/a), verification_base: "));
    assert!(!shown.contains("canary"), "{shown}");
}
