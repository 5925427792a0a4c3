//! Access tokens and other credentials.

use std::time::Duration;

use didit_core::{Authorization, ClientCredentials, ResponseErrorKind};
use didit_sandbox::{Application, Fault, Route, Sandbox};

use crate::{Adapter, assert_one_connection, client, id, sandbox, with};

/// The documented sample is returned as a typed decision.
pub fn happy_path<A: Adapter>() {
    let sandbox = sandbox();
    let decision = client::<A>(&sandbox).decision(&id("unique-session-identifier")).unwrap();
    assert_eq!(decision.session_id(), "unique-session-identifier");
    assert_eq!(decision.session_number(), Some(12345));
    assert_eq!(decision.status(), &didit_core::data_transfer::Status::Confirmed);
    let names = decision.user_data().unwrap().names.as_ref().unwrap();
    assert_eq!(names.full_name.as_deref(), Some("John Doe"));
    let request = &sandbox.requests_to(Route::Decision)[0];
    assert_eq!(request.path, "/auth/v2/session/unique-session-identifier/decision/");
    assert!(request.header("user-agent").unwrap().contains("didit-rust/"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!((request.header("content-length"), request.body.len()), (None, 0));
}

/// Several calls use one token and one connection.
pub fn one_token_and_one_connection<A: Adapter>() {
    let sandbox = sandbox();
    let client = client::<A>(&sandbox);
    for n in 0..20 {
        client.decision(&id(&format!("s-{n}"))).unwrap();
    }
    assert_eq!((sandbox.tokens_issued(), sandbox.requests().len()), (1, 21));
    assert_one_connection::<A>(&sandbox);
}

/// Concurrent callers without a token share one token request.
pub fn concurrent_callers_share_one_token<A: Adapter>() {
    let sandbox = Sandbox::builder().latency(Duration::from_millis(5)).start().unwrap();
    let client = client::<A>(&sandbox);
    std::thread::scope(|scope| {
        for n in 0..64 {
            let client = &client;
            scope.spawn(move || client.decision(&id(&format!("s-{n}"))).unwrap());
        }
    });
    assert_eq!(sandbox.requests_to(Route::Token).len(), 1);
    assert_eq!(sandbox.requests_to(Route::Decision).len(), 64);
}

/// A token close to expiry is renewed before use.
pub fn expiring_token_is_renewed<A: Adapter>() {
    let sandbox = Sandbox::builder()
        .token_answer(r#"{"access_token":"{access_token}","expires_in":0.000001}"#);
    let sandbox = sandbox.start().unwrap();
    let client = client::<A>(&sandbox);
    client.decision(&id("s-1")).unwrap();
    client.decision(&id("s-2")).unwrap();
    assert!(sandbox.tokens_issued() >= 2);
    let refused = sandbox.requests().iter().filter(|r| r.status == Some(401)).count();
    assert_eq!(refused, 0);
}

/// A token without a lifetime is used for one request only.
pub fn token_of_unknown_lifetime_is_used_once<A: Adapter>() {
    let sandbox = Sandbox::builder().token_answer(r#"{"access_token":"{access_token}"}"#);
    let sandbox = sandbox.start().unwrap();
    let client = client::<A>(&sandbox);
    for n in 0..3 {
        client.decision(&id(&format!("s-{n}"))).unwrap();
    }
    assert_eq!(sandbox.tokens_issued(), 3);
}

/// The first 401 is retried once with a new token.
pub fn unauthorized_once_is_retried<A: Adapter>() {
    let sandbox = sandbox();
    let client = client::<A>(&sandbox);
    client.decision(&id("s-1")).unwrap();
    sandbox.revoke_tokens();
    client.decision(&id("s-2")).unwrap();
    assert_eq!(sandbox.tokens_issued(), 2);
    assert_eq!(sandbox.requests_to(Route::Decision).len(), 3);
}

/// A second 401 is final.
pub fn unauthorized_twice_is_final<A: Adapter>() {
    let sandbox = sandbox();
    sandbox.always(Route::Decision, Fault::answer(401));
    let error = client::<A>(&sandbox).decision(&id("s-1")).unwrap_err();
    assert_eq!(error.kind(), &ResponseErrorKind::Unauthorized);
    assert_eq!(sandbox.tokens_issued(), 2);
    assert_eq!(sandbox.requests_to(Route::Decision).len(), 2);
}

/// Credentials that the token endpoint rejects are not retried.
pub fn wrong_secret_is_final<A: Adapter>() {
    let sandbox = sandbox();
    let wrong = ClientCredentials::new(sandbox.client_id(), "wrong").unwrap();
    let client = with::<A>(&sandbox, wrong);
    let error = client.decision(&id("s-1")).unwrap_err();
    assert_eq!(error.kind(), &ResponseErrorKind::Unauthorized);
    assert_eq!(error.call.endpoint(), didit_core::EndpointKind::FetchToken);
    assert_eq!(sandbox.requests().len(), 1);
}

/// A bearer token from the caller is sent unchanged, and no other token is requested.
pub fn bearer_token_of_the_caller<A: Adapter>() {
    let sandbox = sandbox();
    client::<A>(&sandbox).decision(&id("s-1")).unwrap();
    let bearer =
        sandbox.requests_to(Route::Decision)[0].header("authorization").unwrap().to_owned();
    let token = bearer.strip_prefix("Bearer ").unwrap();
    let bearer = Authorization::bearer(token).unwrap();
    let client = with::<A>(&sandbox, bearer);
    client.decision(&id("s-2")).unwrap();
    assert_eq!(sandbox.tokens_issued(), 1);
    sandbox.revoke_tokens();
    let error = client.decision(&id("s-3")).unwrap_err();
    assert_eq!(error.kind(), &ResponseErrorKind::Unauthorized);
    assert_eq!(sandbox.tokens_issued(), 1);
}

/// An API key is sent in its own header, and no token is requested.
pub fn api_key<A: Adapter>() {
    let sandbox = sandbox();
    let key = Authorization::api_key(sandbox.api_key()).unwrap();
    let client = with::<A>(&sandbox, key);
    client.decision(&id("s-1")).unwrap();
    let request = &sandbox.requests()[0];
    assert_eq!(request.header("x-api-key"), Some(sandbox.api_key()));
    assert_eq!(request.header("authorization"), None);
}

/// No planted secret appears in an error, even if the service echoes it.
pub fn errors_contain_no_secrets<A: Adapter>() {
    const CANARY: &str = "canary-secret-0123456789";
    let sandbox = Sandbox::builder()
        .credentials("client", CANARY)
        .token_answer(r#"{"access_token":"canary-token-0123456789","expires_in":3600}"#)
        .start()
        .unwrap();
    let client = client::<A>(&sandbox);
    let echo =
        r#"{"message":"no: Bearer canary-token-0123456789, client:canary-secret-0123456789"}"#;
    let person = r#"{"user_data":{"names":{"full_name":"canary-name"}}, "status": 1}"#;
    let faults = [
        Fault::answer(400).body(echo),
        Fault::answer(403).body(echo).header("x-request-id", "canary-token-0123456789"),
        Fault::answer(200).body(person),
        Fault::answer(404).body(person),
        Fault::Garbage,
    ];
    for fault in faults {
        sandbox.script(Route::Decision, vec![fault.clone(); 9]);
        let error = client.decision(&id("s-1")).unwrap_err();
        assert!(!error.shown.contains("canary"), "{fault:?}: {}", error.shown);
        sandbox.clear(Route::Decision);
    }
}

/// Clients of several tenants share connections, but no tokens.
pub fn tenants_share_connections_but_not_tokens<A: Adapter>() {
    let tenants = (0..3).map(|tenant| (format!("client-{tenant}"), format!("secret-{tenant}")));
    let mut sandbox = Sandbox::builder();
    for (client_id, secret) in tenants.clone() {
        sandbox = sandbox.application(Application::new(client_id, secret));
    }
    let sandbox = sandbox.start().unwrap();
    let first = client::<A>(&sandbox);
    for (client_id, secret) in tenants {
        let credentials = ClientCredentials::new(&client_id, secret).unwrap();
        let client = first.with_credentials(credentials.into());
        client.decision(&id("s-1")).unwrap();
        assert!(client.access_token().is_some());
    }
    assert!(first.access_token().is_none());
    assert_eq!(sandbox.tokens_issued(), 3);
    assert!(sandbox.connections() <= 2, "{} connections", sandbox.connections());
}

/// A client in use accepts other credentials, and a token of another client.
pub fn running_client_accepts_new_credentials_and_tokens<A: Adapter>() {
    let sandbox = sandbox();
    let running = with::<A>(&sandbox, Authorization::bearer("wrong").unwrap());
    running.decision(&id("s-1")).unwrap_err();
    let right = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    running.set_credentials(right.into());
    running.decision(&id("s-1")).unwrap();

    let other = client::<A>(&sandbox);
    other.set_access_token(&running.access_token().unwrap());
    other.decision(&id("s-1")).unwrap();
    assert_eq!(sandbox.tokens_issued(), 1);
}
