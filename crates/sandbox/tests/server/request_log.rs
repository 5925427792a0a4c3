use std::io::Write as _;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use didit_sandbox::{Fault, Route, Sandbox, SandboxBuilder};
use serde_json::json;

use crate::raw::{connect, decision, read_answer, request, send, token};
use crate::verification;

/// Starts a sandbox and returns it with the lines of its log.
fn logged(builder: SandboxBuilder) -> (Sandbox, Receiver<String>) {
    let (sender, lines) = mpsc::channel();
    let log = move |line: &str| {
        let _ = sender.send(line.to_owned());
    };
    (builder.log(log).start().unwrap(), lines)
}

fn next(lines: &Receiver<String>) -> String {
    lines.recv_timeout(Duration::from_secs(20)).unwrap()
}

#[test]
fn each_request_is_logged() {
    let (sandbox, lines) = logged(Sandbox::builder());
    send(&sandbox, &decision("order-7")).unwrap();
    let line = next(&lines);
    assert!(line.contains(" GET /auth/v2/session/order-7/decision/ 200 in "), "{line}");
    assert!(line.ends_with(" ms (sandbox-1)"), "{line}");
    sandbox.script(Route::Decision, [Fault::Close, Fault::answer(503)]);
    assert!(send(&sandbox, &decision("abc")).is_err());
    let line = next(&lines);
    assert!(line.contains("/decision/ no response after "), "{line}");
    send(&sandbox, &decision("abc")).unwrap();
    let line = next(&lines);
    assert!(line.contains(" 503 ") && line.ends_with("(sandbox-3, injected fault)"), "{line}");
    let mut stream = connect(&sandbox).unwrap();
    stream.write_all(b"not HTTP at all\r\n\r\n").unwrap();
    assert_eq!(read_answer(&mut stream).unwrap().status, 400);
    let line = next(&lines);
    assert!(line.ends_with(" unreadable request 400 (sandbox-4)"), "{line}");
}

#[test]
fn log_has_no_secrets_or_personal_data() {
    let receiver = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks?key=canary", receiver.local_addr().unwrap());
    drop(receiver);
    let builder =
        Sandbox::builder().webhook(url, "canary").credentials("sandbox-client-id", "canary");
    let (sandbox, lines) = logged(builder);
    send(&sandbox, &token().replace("c2FuZGJveC1jbGllbnQtc2VjcmV0", "canary")).unwrap();
    let session =
        verification::create(&sandbox, &json!({"vendor_data": "canary", "metadata": "canary"}));
    verification::ask(&sandbox, "GET", "/v3/sessions/?search=canary&limit=1", "");
    let page = session["url"].as_str().unwrap().strip_prefix(sandbox.url()).unwrap();
    send(&sandbox, &request("GET", page, "Cookie: a=canary\r\n", "")).unwrap();
    send(&sandbox, &request("GET", "/enter/canary", "", "")).unwrap();
    let id = verification::id_of(&session);
    sandbox.verification().set_status(&id, "Approved");
    let all: Vec<String> = (0..7).map(|_| next(&lines)).collect();
    let token = session["session_token"].as_str().unwrap();
    for line in &all {
        assert!(!line.contains("canary") && !line.contains(token), "{line}");
        assert!(line.is_char_boundary(8) && line[..8].split(':').count() == 3, "{line}");
    }
    let all = all.join("\n");
    for expected in [
        "GET /v3/sessions/?search=…&limit=1 200",
        "GET /session/… 200",
        " webhook \"Approved\" to http://127.0.0.1:",
        "/hooks no response (attempt 1)",
    ] {
        assert!(all.contains(expected), "{expected} is not in\n{all}");
    }
}
