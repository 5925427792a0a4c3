use std::net::TcpListener;
use std::time::{Duration, Instant};

use didit_sandbox::{Fault, Route, Sandbox};

use crate::support::{didit_at, run};

/// Returns the error of `didit decision s-1` if every request on a route gets a fault.
#[track_caller]
fn fails(route: Route, fault: Fault, code: i32) -> String {
    let sandbox = Sandbox::builder().fault(route, fault).start().unwrap();
    let ran = run(&mut didit_at(&sandbox, "decision s-1"));
    let line = ran.error(code);
    assert!(line.starts_with("didit: s-1: could not "), "{line}");
    line.to_owned()
}

#[test]
fn error_has_the_attempt_the_cause_and_advice() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.missing("s-1");
    let ran = run(&mut didit_at(&sandbox, "decision s-1"));
    assert_eq!(
        ran.error(4),
        "didit: s-1: could not retrieve the decision: HTTP 404 Not Found; the service says \
         \"Not found.\" (request id sandbox-2); check the session id, and that the session belongs \
         to these credentials"
    );
}

#[test]
fn refused_credentials_exit_with_3() {
    let sandbox = Sandbox::start().unwrap();
    let ran = run(didit_at(&sandbox, "token").env("DIDIT_CLIENT_SECRET", "wrong"));
    let line = ran.error(3);
    assert!(line.contains("could not fetch an access token: HTTP 401"), "{line}");
    assert!(line.contains("credentials do not match"), "the secret is not in it: {line}");
    assert!(line.contains("; check the client id and the client secret, "), "{line}");
    fails(Route::Decision, Fault::answer(401), 3);
    fails(Route::Decision, Fault::answer(403), 3);
    fails(Route::Token, Fault::answer(400).body(r#"{"error":"invalid_client"}"#), 3);
}

#[test]
fn other_failures_exit_with_1() {
    fails(Route::Decision, Fault::answer(400), 1);
    let line = fails(Route::Token, Fault::answer(404), 1);
    assert!(line.ends_with("; check the base URL"), "{line}");
}

#[test]
fn rate_limit_beyond_the_timeout_exits_with_5_early() {
    let started = Instant::now();
    let line = fails(Route::Decision, Fault::answer(429).header("Retry-After", "3600"), 5);
    assert!(line.ends_with("; send fewer requests, or raise the timeout"), "{line}");
    fails(Route::Token, Fault::answer(429).header("Retry-After", "3600"), 5);
    // The timeout of one call is 30 s.
    assert!(started.elapsed() < Duration::from_secs(29), "{:?}", started.elapsed());
}

#[test]
fn network_and_service_failures_exit_with_6() {
    fails(Route::Decision, Fault::answer(503), 6);
    fails(Route::Token, Fault::answer(500), 6);
    fails(Route::Decision, Fault::Reset, 6);
    fails(Route::Decision, Fault::Garbage, 6);

    let sandbox = Sandbox::start().unwrap();
    let closed_port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran =
        run(didit_at(&sandbox, "token").env("DIDIT_BASE_URL", format!("http://{closed_port}")));
    let line = ran.error(6);
    assert!(line.contains("no connection could be made"), "{line}");
    assert_eq!(line.matches("Connection refused").count(), 1, "{line}");
    assert!(
        line.ends_with("; check that the server runs there, and the port of the base URL"),
        "{line}"
    );
}

#[test]
fn unexpected_responses_exit_with_7() {
    fails(Route::Decision, Fault::redirect("http://127.0.0.1:1/"), 7);
    fails(Route::Decision, Fault::answer(200).body("<html>"), 7);
    fails(Route::Decision, Fault::answer(200).body(r#"{"session_id":"s-1""#), 7);
    fails(Route::Decision, Fault::answer(200).body(didit_sandbox::fixtures::DECISION), 7);
    fails(Route::Decision, Fault::Huge(8 * 1024 * 1024 + 1), 7);
    fails(Route::Decision, Fault::Endless, 7);
    let printed = didit_sandbox::fixtures::DECISION_AS_PRINTED;
    let line = fails(Route::Decision, Fault::answer(200).body(printed), 7);
    assert!(line.contains("trailing comma at line") && line.contains("`user_data`"), "{line}");
}

#[test]
fn timeout_exits_with_8() {
    let sandbox = Sandbox::builder().fault(Route::Decision, Fault::Hang).start().unwrap();
    let started = Instant::now();
    let ran = run(&mut didit_at(&sandbox, "decision s-1 --timeout 500ms"));
    assert!(ran.error(8).ends_with("; try again, or raise the timeout"), "{ran:?}");
    assert!(!ran.stderr.contains("ran out"), "{ran:?}");
    // A hanging attempt would take 10 s.
    assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
}

#[test]
fn service_text_is_escaped_in_errors() {
    let words = Fault::answer(404)
        .header("X-Request-Id", "a\u{202e}b")
        .body(r#"{"message":"\u001b[2J\u009bA\u202e"}"#);
    let line = fails(Route::Decision, words, 4);
    assert!(!line.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{line}");
}
