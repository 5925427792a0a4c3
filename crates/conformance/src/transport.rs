//! Transport errors.

use std::time::Duration;

use didit_core::{Authorization, CallErrorKind, GaveUp, ResponseErrorKind, TransportErrorKind};
use didit_sandbox::{Fault, Route, Sandbox};
use rustls::version::{TLS12, TLS13};

use crate::certificates::Authority;
use crate::{
    Adapter, CallFailure, Settings, assert_one_connection, at, client, id, reserved_port, sandbox,
    settings,
};

fn transport_kind(error: &CallFailure) -> TransportErrorKind {
    match error.call.kind() {
        CallErrorKind::Transport(kind) => *kind,
        other => panic!("{other:?}"),
    }
}

/// Broken connections, truncated bodies and transient error statuses are retried.
pub fn broken_exchanges_are_retried<A: Adapter>() {
    for fault in [
        Fault::Reset,
        Fault::ResetEarly,
        Fault::Close,
        Fault::Truncate,
        Fault::Garbage,
        Fault::answer(408),
        Fault::answer(500),
        Fault::answer(502),
        Fault::answer(503),
        Fault::answer(504),
        Fault::answer(429),
    ] {
        let sandbox = sandbox();
        let client = client::<A>(&sandbox);
        sandbox.script(Route::Decision, [fault.clone()]);
        sandbox.script(Route::Token, [fault.clone()]);
        client.decision(&id("s-1")).unwrap_or_else(|e| panic!("{fault:?}: {}", e.shown));
        assert_eq!(sandbox.requests_to(Route::Decision).len(), 2, "{fault:?}");
        assert_eq!(sandbox.requests_to(Route::Token).len(), 2, "{fault:?}");
    }
}

/// A transport error after an earlier response is not mistaken for that response.
pub fn broken_exchange_after_a_response<A: Adapter>() {
    let sandbox = sandbox();
    let mut settings = settings(&sandbox);
    settings.policy.attempt_timeout = Duration::from_millis(300);
    settings.policy.max_attempts = 2;
    let client = A::new(settings).unwrap();
    client.decision(&id("s-1")).unwrap();

    sandbox.script(Route::Decision, [Fault::answer(401)]);
    sandbox.script(Route::Token, [Fault::Reset]);
    client.decision(&id("s-1")).unwrap();
    assert_eq!(sandbox.requests_to(Route::Token).len(), 3);

    sandbox.script(Route::Decision, [Fault::answer(503), Fault::Hang]);
    assert_eq!(
        transport_kind(&client.decision(&id("s-1")).unwrap_err()),
        TransportErrorKind::Timeout
    );
}

/// An error status counts even if its body is incomplete.
pub fn error_status_with_a_broken_body<A: Adapter>() {
    let sandbox = sandbox();
    let broken = Fault::answer(404).header("content-length", "1000").body("{");
    sandbox.always(Route::Decision, broken.header("connection", "close"));
    let mut settings = settings(&sandbox);
    settings.policy.attempt_timeout = Duration::from_millis(300);
    let client = A::new(settings).unwrap();
    let error = client.decision(&id("s-1")).unwrap_err();
    assert_eq!(error.kind(), &ResponseErrorKind::NotFound);
    assert_eq!(sandbox.requests_to(Route::Decision).len(), 1);
}

/// A refused connection is retried, and the error names the address.
pub fn refused_connection<A: Adapter>() {
    let (_reserved, address) = reserved_port();
    let client = A::new(at(&format!("http://{address}"))).unwrap();
    let error = client.decision(&id("s-1")).unwrap_err();
    assert_eq!(transport_kind(&error), TransportErrorKind::Connect);
    assert_eq!((error.call.gave_up(), error.call.attempts()), (GaveUp::AttemptsExhausted, 4));
    let place = format!("({address}: Connection refused");
    assert!(error.shown.contains(&place), "{}", error.shown);
}

/// An unresolvable host is a connect error.
pub fn unknown_host<A: Adapter>() {
    let client = A::new(at("https://host.invalid")).unwrap();
    let error = client.decision(&id("s-1")).unwrap_err();
    assert_eq!(transport_kind(&error), TransportErrorKind::Connect, "{}", error.shown);
}

/// A call ends at its deadline, even if the response is slow.
pub fn deadline_ends_the_call<A: Adapter>() {
    for fault in [Fault::Hang, Fault::Drip(Duration::from_millis(50))] {
        let sandbox = sandbox();
        sandbox.always(Route::Decision, fault);
        let mut settings = settings(&sandbox);
        settings.policy.call_timeout = Duration::from_millis(400);
        let client = A::new(settings).unwrap();
        let error = client.decision(&id("s-1")).unwrap_err();
        assert_eq!(transport_kind(&error), TransportErrorKind::Timeout);
        assert_eq!(error.call.gave_up(), GaveUp::DeadlineExceeded);
    }
}

/// A `Retry-After` beyond the deadline ends the call at once.
pub fn retry_after_beyond_the_deadline<A: Adapter>() {
    let sandbox = sandbox();
    sandbox.always(Route::Decision, Fault::answer(429).header("retry-after", "3600"));
    let error = client::<A>(&sandbox).decision(&id("s-1")).unwrap_err();
    assert_eq!(error.kind(), &ResponseErrorKind::RateLimited);
    assert_eq!(error.call.gave_up(), GaveUp::DeadlineExceeded);
    assert_eq!(error.call.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(sandbox.requests_to(Route::Decision).len(), 1);
}

/// TLS works with a custom root certificate.
pub fn tls_with_a_private_authority<A: Adapter>() {
    let authority = Authority::new();
    let server = authority.server("127.0.0.1");
    let sandbox = Sandbox::builder().tls(server).start().unwrap();
    let root_certificate = Some(authority.pem());
    let client = A::new(Settings { root_certificate, ..settings(&sandbox) }).unwrap();
    client.decision(&id("s-1")).unwrap();
    client.decision(&id("s-2")).unwrap();
    assert_one_connection::<A>(&sandbox);
}

/// A request to a server that requires a client certificate is not retried once its alert was read.
/// The server closes the connection at once, so the first attempts may not read the alert.
pub fn client_certificate_required<A: Adapter>() {
    let authority = Authority::new();
    for version in [&TLS12, &TLS13] {
        let server = authority.server_with_client_auth("127.0.0.1", &[version]);
        let sandbox = Sandbox::builder().tls(server).start().unwrap();
        let mut settings = Settings {
            credentials: Authorization::api_key(sandbox.api_key()).unwrap().into(),
            root_certificate: Some(authority.pem()),
            ..settings(&sandbox)
        };
        settings.policy.max_attempts = 100;
        settings.policy.backoff_base = Duration::from_millis(5);
        settings.policy.backoff_cap = Duration::from_millis(5);
        let error = A::new(settings).unwrap().decision(&id("s-1")).unwrap_err();
        assert_eq!(transport_kind(&error), TransportErrorKind::Handshake, "{}", error.shown);
        assert_eq!(error.call.gave_up(), GaveUp::NotRetryable);
        assert!(error.shown.contains(" a client certificate"), "{}", error.shown);
        assert!(sandbox.requests().is_empty());
    }
}

/// An untrusted certificate, or one for another host, is rejected without a retry, and nothing is
/// sent.
pub fn untrusted_certificates<A: Adapter>() {
    let authority = Authority::new();
    for (host, trusted) in [("127.0.0.1", Authority::new()), ("example.com", authority.clone())] {
        let sandbox = Sandbox::builder().tls(authority.server(host)).start().unwrap();
        let root_certificate = Some(trusted.pem());
        let client = A::new(Settings { root_certificate, ..settings(&sandbox) }).unwrap();
        let error = client.decision(&id("s-1")).unwrap_err();
        assert_eq!(transport_kind(&error), TransportErrorKind::Certificate, "{}", error.shown);
        assert_eq!((error.call.attempts(), sandbox.requests().len()), (1, 0));
    }
}

/// Malformed PEM, such as a certificate that does not start on a new line, is rejected when the
/// client is built; a byte order mark is skipped.
pub fn malformed_root_certificate<A: Adapter>() {
    let sandbox = sandbox();
    let invalid = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let partly_invalid = Authority::new().pem() + invalid;
    let authority = Authority::new().pem();
    let glued = authority.trim_end().to_owned() + &authority;
    for text in ["no certificate", invalid, &partly_invalid, &glued] {
        let root_certificate = Some(text.to_owned());
        let made = A::new(Settings { root_certificate, ..settings(&sandbox) });
        assert_eq!(made.err().as_deref(), Some("the root certificate is not a PEM certificate"));
    }
    let marked = Some(format!("\u{feff}{authority}"));
    assert!(A::new(Settings { root_certificate: marked, ..settings(&sandbox) }).is_ok());
}
