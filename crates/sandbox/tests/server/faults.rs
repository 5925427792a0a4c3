use std::io::{ErrorKind, Read as _, Write as _};
use std::time::{Duration, Instant};

use didit_sandbox::{Fault, Route, Sandbox, fixtures};

use crate::raw::{connect, decision, read_answer, request, send, token};

/// Sends a request for a decision to a sandbox with one fault. Returns the sandbox, the bytes
/// received until the connection ended, and the error with which it ended, if any.
fn send_with_fault(fault: Fault) -> (Sandbox, Vec<u8>, Option<ErrorKind>) {
    let sandbox = Sandbox::start().unwrap();
    sandbox.script(Route::Decision, [fault]);
    let mut stream = connect(&sandbox).unwrap();
    stream.write_all(decision("abc").as_bytes()).unwrap();
    let mut received = Vec::new();
    let error = stream.read_to_end(&mut received).err().map(|error| error.kind());
    (sandbox, received, error)
}

fn status_of_only_request(sandbox: &Sandbox) -> Option<u16> {
    let requests = sandbox.requests();
    assert_eq!(requests.len(), 1);
    requests[0].status
}

#[test]
fn scripted_answers_are_sent_in_order() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.script(
        Route::Decision,
        [
            Fault::answer(503).header("Retry-After", "1"),
            Fault::answer(502).body(fixtures::GATEWAY).header("x-request-id", "mine"),
            Fault::redirect("http://127.0.0.1:9/"),
            Fault::answer(204),
            Fault::Pass,
            Fault::answer(500).body(""),
        ],
    );
    let mut stream = connect(&sandbox).unwrap();
    let mut next = || {
        stream.write_all(decision("abc").as_bytes()).unwrap();
        read_answer(&mut stream).unwrap()
    };
    let busy = next();
    assert_eq!((busy.status, busy.header("Retry-After")), (503, Some("1")));
    assert!(busy.json()["message"].is_string());
    let gateway = next();
    assert_eq!((gateway.status, gateway.text().as_str()), (502, fixtures::GATEWAY));
    assert_eq!(gateway.header("Content-Type"), Some("text/html"));
    assert_eq!(gateway.header("X-Request-Id"), Some("mine"));
    let redirect = next();
    assert_eq!((redirect.status, redirect.header("location")), (302, Some("http://127.0.0.1:9/")));
    assert_eq!((next().header("Content-Length"), next().status), (None, 200));
    assert_eq!(next().header("Content-Length"), Some("0"));
    assert_eq!(next().status, 200);
    let statuses: Vec<_> = sandbox.requests().iter().filter_map(|request| request.status).collect();
    assert_eq!(statuses, [503, 502, 302, 204, 200, 500, 200]);
}

#[test]
fn reset_faults_reset_the_connection() {
    let (sandbox, received, error) = send_with_fault(Fault::Reset);
    assert_eq!((received.len(), error), (0, Some(ErrorKind::ConnectionReset)));
    assert_eq!(status_of_only_request(&sandbox), None);

    let sandbox = Sandbox::start().unwrap();
    sandbox.script(Route::Token, [Fault::ResetEarly]);
    let error = send(&sandbox, &token()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(sandbox.requests()[0].body, b"");
    assert_eq!((sandbox.tokens_issued(), send(&sandbox, &token()).unwrap().status), (0, 200));
}

#[test]
fn fault_is_kept_if_the_body_does_not_arrive() {
    for fault in [Fault::answer(503), Fault::ResetEarly] {
        let sandbox = Sandbox::builder().request_timeout(Duration::from_millis(1)).start().unwrap();
        sandbox.script(Route::Token, [Fault::Pass, fault]);
        let whole = token();
        let mut cut = connect(&sandbox).unwrap();
        cut.write_all(&whole.as_bytes()[..whole.len() - 1]).unwrap();
        assert_eq!(read_answer(&mut cut).unwrap().status, 408);
        let coded = request("POST", "/auth/v2/token/", "Transfer-Encoding: gzip\r\n", "");
        assert_eq!(send(&sandbox, &coded).unwrap().status, 501);
        assert_eq!(send(&sandbox, &whole).unwrap().status, 200);
        assert!(send(&sandbox, &whole).map_or(true, |answer| answer.status == 503));
        assert_eq!(send(&sandbox, &whole).unwrap().status, 200);
    }
}

#[test]
fn close_ends_the_connection_without_a_response() {
    let (sandbox, received, error) = send_with_fault(Fault::Close);
    assert_eq!((received.len(), error), (0, None));
    assert_eq!(status_of_only_request(&sandbox), None);
}

#[test]
fn truncate_sends_half_the_body() {
    let (sandbox, received, error) = send_with_fault(Fault::Truncate);
    let text = String::from_utf8(received).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let whole = fixtures::DECISION.replace("unique-session-identifier", "abc");
    assert!(head.contains(&format!("Content-Length: {}", whole.len())), "{head}");
    assert_eq!((body, error), (&whole[..whole.len() / 2], None));
    assert_eq!(status_of_only_request(&sandbox), Some(200));
}

#[test]
fn drip_delay_and_latency_slow_the_response() {
    let sandbox = Sandbox::builder().latency(Duration::from_millis(5)).start().unwrap();
    sandbox.script(
        Route::Decision,
        [Fault::Drip(Duration::from_micros(100)), Fault::Delay(Duration::from_millis(30))],
    );
    let start = Instant::now();
    for _ in 0..2 {
        assert_eq!(send(&sandbox, &decision("abc")).unwrap().json()["session_number"], 12345);
    }
    assert!(start.elapsed() >= Duration::from_millis(60));
}

#[test]
fn endless_sends_chunks() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.script(Route::Decision, [Fault::Endless]);
    let mut stream = connect(&sandbox).unwrap();
    stream.write_all(decision("abc").as_bytes()).unwrap();
    assert_eq!(read_answer(&mut stream).unwrap().header("Transfer-Encoding"), Some("chunked"));
    let mut chunks = vec![0; 10 * 1024 * 1024];
    stream.read_exact(&mut chunks).unwrap();
    assert!(chunks.starts_with(b"4000\r\n  ") && chunks[6 + 0x4000..].starts_with(b"\r\n4000\r\n"));
}

#[test]
fn huge_sends_the_given_length() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.script(Route::Decision, [Fault::Huge(9_000_000), Fault::Pass]);
    let mut stream = connect(&sandbox).unwrap();
    for length in [9_000_000, fixtures::DECISION.len() - "unique-session-identifier".len() + 3] {
        stream.write_all(decision("abc").as_bytes()).unwrap();
        assert_eq!(read_answer(&mut stream).unwrap().body.len(), length);
    }
}

#[test]
fn garbage_is_not_http() {
    let (sandbox, received, error) = send_with_fault(Fault::Garbage);
    assert!(!received.starts_with(b"HTTP") && received.len() > 10);
    assert_eq!((status_of_only_request(&sandbox), error), (None, None));
}

#[test]
fn hang_sends_nothing() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.script(Route::Decision, [Fault::Hang]);
    let mut stream = connect(&sandbox).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(30))).unwrap();
    stream.write_all(decision("abc").as_bytes()).unwrap();
    let error = stream.read(&mut [0]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    assert_eq!(send(&sandbox, &decision("abc")).unwrap().status, 200);
}

#[test]
fn rules_apply_for_their_number_of_times() {
    let builder = Sandbox::builder()
        .rule("decision:status=503,times=2".parse().unwrap())
        .fault(Route::Token, Fault::answer(500));
    let sandbox = builder.start().unwrap();
    let mut statuses = (0..3).map(|_| send(&sandbox, &decision("abc")).unwrap().status);
    assert_eq!([statuses.next(), statuses.next(), statuses.next()], [503, 503, 200].map(Some));
    sandbox.apply("decision:status=504".parse().unwrap());
    assert_eq!(send(&sandbox, &decision("abc")).unwrap().status, 504);
    sandbox.clear(Route::Decision);
    assert_eq!(send(&sandbox, &decision("abc")).unwrap().status, 200);
    assert_eq!(send(&sandbox, &token()).unwrap().status, 500);
    // A fault applies to the route's path, regardless of the method and headers.
    assert_eq!(send(&sandbox, &request("GET", "/auth/v2/token/", "", "")).unwrap().status, 500);
}

#[test]
fn random_fault_is_applied() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.random_faults(7, 100, vec![Fault::answer(502)]);
    assert_eq!(send(&sandbox, &decision("abc")).unwrap().status, 502);
}
