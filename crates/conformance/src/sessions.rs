//! Sessions, from creation to decision.

use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use didit_core::data_transfer::{Scopes, Status};
use didit_core::{
    Authorization, BuildError, CallErrorKind, Credentials, EndpointKind, GaveUp, ResponseErrorKind,
    TransportErrorKind,
};
use didit_sandbox::{Fault, Route, Sandbox};

use crate::{Adapter, CallFailure, at, client, id, raw, reserved_port, sandbox, with};

fn scopes() -> Scopes {
    "names email".parse().expect("documented scopes")
}

fn run_session_flow<A: Adapter>(sandbox: &Sandbox, client: &A) {
    let created = client.create(scopes(), Some("order 7")).unwrap();
    let token = created.session_token().expose();
    assert!(created.url().expose().ends_with(token));
    let status = || client.status(created.session_id(), token).unwrap();
    assert_eq!(status().status(), &Status::Initialized);
    assert!(client.decision(created.session_id()).unwrap().user_data().is_none());

    sandbox.set_status(created.session_id().as_str(), "confirmed");
    assert_eq!(status().status(), &Status::Confirmed);
    let decision = client.decision(created.session_id()).unwrap();
    assert_eq!(decision.vendor_data(), Some("order 7"));
    assert_eq!(decision.scope(), Some("names email"));
    let user = decision.user_data().unwrap();
    assert!(user.names.is_some() && user.email.is_some() && user.phone.is_none());
}

/// Creation, status and decision with client credentials use one token, and none for the status.
pub fn session_flow_by_bearer_token<A: Adapter>() {
    let sandbox = sandbox();
    run_session_flow(&sandbox, &client::<A>(&sandbox));
    assert_eq!(sandbox.tokens_issued(), 1);
    let create = &sandbox.requests_to(Route::CreateSession)[0];
    assert!(create.header("authorization").unwrap().starts_with("Bearer "));
    assert_eq!(create.body, br#"{"scope":"names email","vendor_data":"order 7"}"#);
    for status in sandbox.requests_to(Route::SessionStatus) {
        assert_eq!(status.header("authorization"), None);
    }
}

/// The same with an API key.
pub fn session_flow_by_api_key<A: Adapter>() {
    let sandbox = sandbox();
    run_session_flow(
        &sandbox,
        &with::<A>(&sandbox, Authorization::api_key(sandbox.api_key()).unwrap()),
    );
    assert_eq!(sandbox.tokens_issued(), 0);
    let create = &sandbox.requests_to(Route::CreateSession)[0];
    assert_eq!(create.header("x-api-key"), Some(sandbox.api_key()));
    for status in sandbox.requests_to(Route::SessionStatus) {
        assert_eq!(status.header("x-api-key"), None);
    }
}

/// Absent vendor data is not sent.
pub fn creation_without_vendor_data<A: Adapter>() {
    let sandbox = sandbox();
    let client = client::<A>(&sandbox);
    let created = client.create(scopes(), None).unwrap();
    assert_eq!(client.decision(created.session_id()).unwrap().vendor_data(), None);
    assert_eq!(sandbox.requests_to(Route::CreateSession)[0].body, br#"{"scope":"names email"}"#);
}

/// Creates a session while the first requests meet `faults`; returns the result and the number of
/// requests.
fn creation<A: Adapter>(faults: Vec<Fault>) -> (Result<(), CallFailure>, usize) {
    let sandbox = sandbox();
    sandbox.script(Route::CreateSession, faults);
    let result = client::<A>(&sandbox).create(scopes(), None).map(drop);
    (result, sandbox.requests_to(Route::CreateSession).len())
}

/// A creation that the service may have carried out is not retried.
pub fn ambiguous_creation_is_not_retried<A: Adapter>() {
    for fault in [
        Fault::Reset,
        Fault::Close,
        Fault::Truncate,
        Fault::Garbage,
        Fault::answer(408),
        Fault::answer(500),
        Fault::answer(503).header("retry-after", "0"),
    ] {
        let (result, requests) = creation::<A>(vec![fault.clone()]);
        let error = result.expect_err("a failure");
        assert_eq!(
            (error.call.endpoint(), requests),
            (EndpointKind::CreateSession, 1),
            "{fault:?}"
        );
        assert_eq!(error.call.gave_up(), GaveUp::NotRetryable, "{fault:?}");
    }
}

/// The same holds after the service rejected an earlier attempt.
pub fn ambiguous_creation_after_a_rejection_is_not_retried<A: Adapter>() {
    for fault in [Fault::Reset, Fault::Close, Fault::Garbage] {
        let (result, requests) = creation::<A>(vec![Fault::answer(429), fault.clone()]);
        let error = result.expect_err("a failure").call;
        assert!(
            matches!(error.kind(), CallErrorKind::Transport(TransportErrorKind::ConnectionLost)),
            "{fault:?}"
        );
        assert_eq!((error.gave_up(), requests), (GaveUp::NotRetryable, 2), "{fault:?}");
    }
}

/// A creation that the service rejected, with 429 or 401, is retried.
pub fn rejected_creation_is_retried<A: Adapter>() {
    let faults = vec![Fault::answer(429), Fault::answer(429), Fault::answer(401)];
    let (result, requests) = creation::<A>(faults);
    assert!(result.is_ok());
    assert_eq!(requests, 4);
}

/// A creation that was not sent, because no server listened yet, is retried.
pub fn creation_is_retried_after_a_refused_connection<A: Adapter>() {
    let sandbox = sandbox();
    let (unopened, address) = reserved_port();
    let target = sandbox.url().trim_start_matches("http://").to_owned();
    let mut settings = at(&format!("http://{address}"));
    settings.credentials = Authorization::api_key(sandbox.api_key()).unwrap().into();
    settings.policy.max_attempts = 100;
    settings.policy.backoff_base = Duration::from_millis(20);
    settings.policy.backoff_cap = Duration::from_millis(50);
    let client = A::new(settings).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(200));
            unopened.listen(1).unwrap();
            let client = TcpListener::from(unopened).accept().unwrap().0;
            forward(&client, &TcpStream::connect(target).unwrap());
        });
        client.create(scopes(), None).unwrap();
        drop(client);
    });
    assert_eq!(sandbox.requests_to(Route::CreateSession).len(), 1);
}

/// Each creation uses a new connection, so that a server that closes connections without
/// announcing it receives every creation once.
pub fn creation_uses_a_new_connection<A: Adapter>() {
    let (address, requests) = raw::serve(|line| {
        if line.starts_with("POST /auth/v2/token/") {
            return raw::json(200, r#"{"access_token":"t","expires_in":1}"#);
        }
        raw::json(201, r#"{"session_id":"s","session_token":"t","url":"https://x/t"}"#)
    });
    let client = A::new(at(&format!("http://{address}"))).unwrap();
    for _ in 0..20 {
        client.create(scopes(), None).unwrap_or_else(|error| panic!("{}", error.shown));
    }
    let created = requests.try_iter().filter(|line| line.starts_with("POST /auth/v2/session/"));
    assert_eq!(created.count(), 20);
}

/// Copies bytes in both directions until the client disconnects.
fn forward(client: &TcpStream, server: &TcpStream) {
    thread::scope(|scope| {
        scope.spawn(|| std::io::copy(&mut &*server, &mut &*client));
        // The peer may reset the connection instead of closing it.
        let _ = std::io::copy(&mut &*client, &mut &*server);
        let _ = server.shutdown(std::net::Shutdown::Both);
    });
}

/// The token of another session, or an unknown session, is rejected without renewing the token.
pub fn wrong_session_token<A: Adapter>() {
    let sandbox = sandbox();
    let client = client::<A>(&sandbox);
    let [one, other] = [0, 1].map(|_| client.create(scopes(), None).unwrap());
    let token = other.session_token().expose();
    let error = client.status(one.session_id(), token).unwrap_err();
    assert_eq!(error.kind(), &ResponseErrorKind::Unauthorized);
    assert_eq!(error.call.advice(), "check the session token");
    assert!(!error.shown.contains(token), "{}", error.shown);
    let error = client.status(&id("s-1"), token).unwrap_err();
    assert_eq!(error.kind(), &ResponseErrorKind::NotFound);
    assert_eq!((sandbox.requests_to(Route::SessionStatus).len(), sandbox.tokens_issued()), (2, 1));
}

/// A session token that is not a valid header value is rejected before anything is sent.
pub fn malformed_session_token<A: Adapter>() {
    let sandbox = sandbox();
    let client = client::<A>(&sandbox);
    for token in ["", "canary token", "canary\r\nX: y"] {
        let error = client.status(&id("s-1"), token).unwrap_err();
        let cause = error.call.kind();
        assert!(matches!(cause, CallErrorKind::Build(BuildError::Credentials(_))), "{cause:?}");
        assert!(!error.shown.contains("canary"), "{}", error.shown);
    }
    assert_eq!(sandbox.connections(), 0);
}

/// The status needs only the session token; a failed request is retried.
pub fn status_without_credentials<A: Adapter>() {
    let sandbox = sandbox();
    let created = client::<A>(&sandbox).create(scopes(), None).unwrap();
    let client = with::<A>(&sandbox, Credentials::None);
    sandbox.script(Route::SessionStatus, [Fault::Reset, Fault::answer(503)]);
    let status = client.status(created.session_id(), created.session_token().expose()).unwrap();
    assert_eq!(status.status(), &Status::Initialized);
    assert_eq!(sandbox.requests_to(Route::SessionStatus).len(), 3);
    let error = client.decision(created.session_id()).unwrap_err();
    assert_eq!(error.kind(), &ResponseErrorKind::Unauthorized);
}
