//! Tokens and the other ways to authorize.

use std::time::Duration;

use didit_core::{Authorization, ClientCredentials, ResponseErrorKind};
use didit_sandbox::{Fault, Route, Sandbox};

use crate::{Adapter, Settings, assert_one_connection, client, id, sandbox, settings};

/// The page's sample comes back typed and whole.
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

/// Many callers that start at once, cold, share one token request.
pub fn many_callers_share_one_token<A: Adapter>() {
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

/// A token that is about to end is renewed before it is used.
pub fn expired_token_is_renewed<A: Adapter>() {
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

/// A token answer without a lifetime is good for one request.
pub fn token_of_unknown_lifetime_is_used_once<A: Adapter>() {
    let sandbox = Sandbox::builder().token_answer(r#"{"access_token":"{access_token}"}"#);
    let sandbox = sandbox.start().unwrap();
    let client = client::<A>(&sandbox);
    for n in 0..3 {
        client.decision(&id(&format!("s-{n}"))).unwrap();
    }
    assert_eq!(sandbox.tokens_issued(), 3);
}

/// One 401 brings a new token and one more try.
pub fn unauthorized_once<A: Adapter>() {
    let sandbox = sandbox();
    let client = client::<A>(&sandbox);
    client.decision(&id("s-1")).unwrap();
    sandbox.revoke_tokens();
    client.decision(&id("s-2")).unwrap();
    assert_eq!(sandbox.tokens_issued(), 2);
    assert_eq!(sandbox.requests_to(Route::Decision).len(), 3);
}

/// A second 401 is final.
pub fn unauthorized_for_ever<A: Adapter>() {
    let sandbox = sandbox();
    sandbox.always(Route::Decision, Fault::answer(401));
    let error = client::<A>(&sandbox).decision(&id("s-1")).unwrap_err();
    assert_eq!(error.kind(), &ResponseErrorKind::Unauthorized);
    assert_eq!(sandbox.tokens_issued(), 2);
    assert_eq!(sandbox.requests_to(Route::Decision).len(), 2);
}

/// Credentials that the token route refuses are final at once.
pub fn wrong_secret<A: Adapter>() {
    let sandbox = sandbox();
    let wrong = ClientCredentials::new(sandbox.client_id(), "wrong").unwrap();
    let client = A::new(Settings { credentials: wrong.into(), ..settings(&sandbox) }).unwrap();
    let error = client.decision(&id("s-1")).unwrap_err();
    assert_eq!(error.kind(), &ResponseErrorKind::Unauthorized);
    assert_eq!(error.call.endpoint(), didit_core::EndpointKind::FetchToken);
    assert_eq!(sandbox.requests().len(), 1);
}

/// A token the caller holds is sent as it is, and no other is asked for.
pub fn held_token<A: Adapter>() {
    let sandbox = sandbox();
    client::<A>(&sandbox).decision(&id("s-1")).unwrap();
    let bearer =
        sandbox.requests_to(Route::Decision)[0].header("authorization").unwrap().to_owned();
    let token = bearer.strip_prefix("Bearer ").unwrap();
    let held = Authorization::bearer(token).unwrap();
    let held = A::new(Settings { credentials: held.into(), ..settings(&sandbox) }).unwrap();
    held.decision(&id("s-2")).unwrap();
    assert_eq!(sandbox.tokens_issued(), 1);
    sandbox.revoke_tokens();
    let error = held.decision(&id("s-3")).unwrap_err();
    assert_eq!(error.kind(), &ResponseErrorKind::Unauthorized);
    assert_eq!(sandbox.tokens_issued(), 1);
}

/// An application key goes into its own header, and no token is asked for.
pub fn api_key<A: Adapter>() {
    let sandbox = sandbox();
    let key = Authorization::api_key(sandbox.api_key()).unwrap();
    let client = A::new(Settings { credentials: key.into(), ..settings(&sandbox) }).unwrap();
    client.decision(&id("s-1")).unwrap();
    let request = &sandbox.requests()[0];
    assert_eq!(request.header("x-api-key"), Some(sandbox.api_key()));
    assert_eq!(request.header("authorization"), None);
}

/// No planted secret surfaces in an error, whatever the service sends back.
pub fn secrets_stay_hidden<A: Adapter>() {
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
