use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use didit_conformance::certificates::Authority;
use didit_conformance::proxies;
use didit_sandbox::Sandbox;

use crate::support::{didit, receive, run};

const SECRET: &str = "whsec_example_not_a_real_secret";
/// The published test vector, signed in March 2026 and thus too old.
const BODY: &str = r#"{"created_at":1774969994,"event_id":"00000000-0000-4000-8000-000000000001","metadata":{"k":"v"},"session_id":"11111111-2222-3333-4444-555555555555","status":"Approved","timestamp":1774970000,"vendor_data":"user-123","webhook_type":"status.updated","workflow_id":"22222222-3333-4444-5555-666666666666","workflow_version":4}"#;
const SIGNATURE: &str = "46d86d4b116064e244d23b7ebecd6a54f23d68e4743d960d3a9938414cf97a73";

fn webhook(arguments: &str) -> Command {
    let mut command = didit(&format!("webhook {arguments}"));
    command.env("DIDIT_WEBHOOK_SECRET", SECRET);
    command
}

#[test]
fn verify_accepts_valid_webhooks_and_names_failed_checks() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("body", BODY);
    write("headers", &format!("POST /webhooks HTTP/1.1\r\nX-Signature: {SIGNATURE}\r\n\r\n"));
    let verify = |more: &str| {
        let mut command = webhook(&format!("verify --headers headers --body body {more}"));
        command.current_dir(folder.path());
        command
    };
    let ran = run(&mut verify("--tolerance 1000000h"));
    assert!(ran.results().contains("\"signature\":\"X-Signature\""), "{ran:?}");
    assert!(ran.stdout.contains("\"status\":\"Approved\""), "{ran:?}");
    let table = run(&mut verify("--tolerance 1000000h --format table"));
    assert!(table.results().starts_with("Verified by  X-Signature\n"), "{table:?}");
    assert!(table.stdout.contains("Signed at    2026-03-31T15:13:20Z"), "{table:?}");
    let rotated = run(verify("--tolerance 1000000h")
        .env("DIDIT_WEBHOOK_SECRET", "new")
        .env("DIDIT_WEBHOOK_OLD_SECRET", SECRET));
    assert!(rotated.results().contains("\"secret\":\"old\""), "{rotated:?}");

    let stale = run(&mut verify(""));
    assert!(stale.error(1).contains("not verified: the webhook was signed "), "{stale:?}");
    assert!(stale.error(1).ends_with("; to check a saved one, raise --tolerance"), "{stale:?}");
    let other = run(verify("").env("DIDIT_WEBHOOK_SECRET", "canary"));
    let line = other.error(1);
    assert!(line.contains("matches no secret") && !line.contains("canary"), "{line}");
    write("body", &BODY.replace("Approved", "Declined"));
    assert!(run(&mut verify("--tolerance 1000000h")).error(1).contains("matches no secret"));
    let bad_old = run(verify("").env("DIDIT_WEBHOOK_OLD_SECRET", " "));
    assert!(bad_old.error(2).ends_with("; check DIDIT_WEBHOOK_OLD_SECRET"), "{bad_old:?}");
    let bad =
        run(verify("").env("DIDIT_WEBHOOK_SECRET", " ").env("DIDIT_WEBHOOK_OLD_SECRET", SECRET));
    assert!(bad.error(2).ends_with("; check DIDIT_WEBHOOK_SECRET"), "{bad:?}");
    write("headers", "nonsense\n");
    assert!(run(&mut verify("")).error(2).contains("--headers: headers: line 1: \"nonsense\""));
    let unreadable = run(&mut webhook("verify --headers nosuch --body -"));
    assert!(unreadable.error(2).contains("--headers: could not read nosuch: "), "{unreadable:?}");
    let missing = run(&mut didit("webhook verify -H X-Signature:a --body -"));
    assert!(missing.error(2).contains("set DIDIT_WEBHOOK_SECRET"), "{missing:?}");
    let mut misplaced = didit("webhook verify -H X-Signature:a --body -");
    let misplaced = run(misplaced.env("DIDIT_WEBHOOK_SECRET_FILE", SECRET));
    let line = misplaced.error(2);
    assert!(line.contains("_FILE: could not read the file: ") && !line.contains(SECRET), "{line}");
}

#[test]
fn headers_file_may_have_other_headers_in_any_form() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("body"), BODY).unwrap();
    let verify = |headers: &[u8]| {
        fs::write(folder.path().join("headers"), headers).unwrap();
        let arguments = "verify --headers headers --body body --tolerance 1000000h";
        run(webhook(arguments).current_dir(folder.path()))
    };
    let mut headers = b"HTTP/1.1 200 OK\r\nVia: a\r\n b: folded\r\nX-City: M\xfcnchen\r\n".to_vec();
    headers.extend(format!("X-Signature: {SIGNATURE}\r\n\r\n").bytes());
    verify(&headers).results();
    headers.extend(format!("x-signature: {SIGNATURE}\r\n").bytes());
    let twice = verify(&headers);
    assert!(
        twice.error(1).ends_with("the webhook has more than one X-Signature header"),
        "{twice:?}"
    );
    let once = format!("X-Signature: {SIGNATURE}\n");
    for (headers, expected) in [
        (format!("{once}X-Timestamp: 1\nX-Timestamp: 2\n"), "has more than one X-Timestamp header"),
        (format!("{once}X-Timestamp: 1\n"), "X-Timestamp header differs from the signed timestamp"),
        // The repeated header is not the reason.
        (
            format!(
                "X-Signature: {}\nX-Signature-Simple: a\nX-Signature-Simple: a\n",
                "0".repeat(64)
            ),
            "matches no secret",
        ),
    ] {
        let ran = verify(headers.as_bytes());
        assert!(ran.error(1).contains(expected), "{ran:?}");
    }
}

#[test]
fn hanging_receiver_runs_out_of_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/webhooks", listener.local_addr().unwrap());
    let words = "no response within 300 ms); check that your program responds, or raise --timeout";
    let ran = run(&mut webhook(&format!("send {url} --timeout 300ms")));
    assert!(ran.error(8).contains(words), "{ran:?}");
    let ran = run(webhook(&format!("send {url}")).env("DIDIT_TIMEOUT", "300ms"));
    assert!(ran.error(8).contains(words), "{ran:?}");
}

/// Starts a receiver that responds to one request with `status`, and returns its URL and the thread
/// that returns the request.
fn receiver(status: &'static str) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/webhooks", listener.local_addr().unwrap());
    (url, thread::spawn(move || receive(&listener, status)))
}

#[test]
fn sent_webhook_passes_verification() {
    let (url, receiving) = receiver("200 X");
    let sent = run(webhook(&format!("send {url} --status kyc-expired --vendor-data u-1"))
        .env("HTTP_PROXY", "http://127.0.0.1:1"));
    assert_eq!(sent.results(), "{\"status\":200}\n");
    let request = receiving.join().unwrap();
    let (headers, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(headers.to_lowercase().contains("x-didit-test-webhook: true"), "{headers}");
    assert!(headers.to_lowercase().contains("user-agent: didit-cli/"), "{headers}");
    assert!(body.contains("\"status\":\"Kyc Expired\"") && body.contains("\"u-1\""), "{body}");

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("body"), body).unwrap();
    fs::write(folder.path().join("headers"), headers).unwrap();
    for more in ["", "--simple"] {
        let arguments = format!("verify --headers headers --body body {more}");
        run(webhook(&arguments).current_dir(folder.path())).results();
    }
}

/// Statuses of users, businesses and transactions resemble those of sessions.
#[test]
fn status_is_shown_as_it_was_signed() {
    let folder = tempfile::tempdir().unwrap();
    let event = r#"{"webhook_type":"transaction.created","timestamp":TIME,"status":"APPROVED"}"#;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().to_string();
    fs::write(folder.path().join("event"), event.replace("TIME", &now)).unwrap();
    let (url, receiving) = receiver("200 X");
    run(webhook(&format!("send {url} --body event")).current_dir(folder.path())).results();
    let request = receiving.join().unwrap();
    let (headers, body) = request.split_once("\r\n\r\n").unwrap();
    fs::write(folder.path().join("body"), body).unwrap();
    fs::write(folder.path().join("headers"), headers).unwrap();
    for more in ["", "--simple", "--format table"] {
        let arguments = format!("verify --headers headers --body body {more}");
        let ran = run(webhook(&arguments).current_dir(folder.path()));
        assert!(ran.results().contains("APPROVED"), "{ran:?}");
    }
}

/// Receivers would drop a repeated event as a duplicate.
#[test]
fn each_run_sends_a_unique_event_id() {
    let events = [(); 2].map(|()| {
        let (url, receiving) = receiver("200 X");
        run(&mut webhook(&format!("send {url}"))).results();
        let request = receiving.join().unwrap();
        request.split_once("\"event_id\":").unwrap().1.split_once(',').unwrap().0.to_owned()
    });
    assert_ne!(events[0], events[1]);
}

#[test]
fn receiver_failures_are_reported() {
    let (url, receiving) = receiver("401 X");
    let refused = run(&mut webhook(&format!("send {url} --json --timeout 3000000000000000h")));
    assert_eq!((refused.code, &*refused.stdout), (Some(1), "{\"status\":401}\n"), "{refused:?}");
    assert!(refused.stderr.contains("did not accept the webhook: HTTP 401"), "{refused:?}");
    receiving.join().unwrap();
    let (url, receiving) = receiver("404 X");
    let lost = run(&mut webhook(&format!("send {url} --json")));
    assert!(lost.stderr.contains("check the path of the URL"), "{lost:?}");
    receiving.join().unwrap();
    let (url, receiving) = receiver("599 X");
    let unregistered = run(&mut webhook(&format!("send {url} --format table")));
    assert_eq!(unregistered.stdout, "The receiver responded with 599\n", "{unregistered:?}");
    assert!(unregistered.stderr.contains("HTTP 599; check"), "{unregistered:?}");
    receiving.join().unwrap();
    let gone = run(&mut webhook("send http://127.0.0.1:1/webhooks"));
    assert!(gone.error(6).contains("http://127.0.0.1:1/webhooks"), "{gone:?}");
    assert!(!gone.stderr.contains("io: "), "{gone:?}");
    let elsewhere = run(&mut webhook("send http://example.com/webhooks"));
    assert!(elsewhere.error(2).contains("plain http"), "{elsewhere:?}");
}

/// The user information and the query may be secret, even in a URL that is refused.
#[test]
fn urls_are_shown_without_their_secrets() {
    for (url, code, expected) in [
        ("http://hook:canary@127.0.0.1:1/h", 2, "the URL contains a user name, which is not"),
        ("http://hook:can:ary@canary@127.0.0.1:1/h", 2, "the URL"),
        ("canary@127.0.0.1:1/h", 2, "the URL"),
        ("hook:canary@127.0.0.1:1", 2, "the URL is not complete, like"),
        ("//hook:canary@h?token=canary", 2, "the URL is not complete, like"),
        ("/h/hook:canary@h?token=canary", 2, "the URL is not complete, like"),
        ("http://127.0.0.1:99999/canary", 2, "the URL's port is not a number from 1 to 65535"),
        ("ftp://127.0.0.1/canary", 2, "the URL's scheme is neither https nor http"),
        ("http://can%20ary/canary", 2, "the URL"),
        ("http://127.0.0.1:1/h?token=canary", 6, "to http://127.0.0.1:1/h (127.0.0.1:1: "),
    ] {
        let ran = run(&mut webhook(&format!("send {url}")));
        let line = ran.error(code);
        assert!(line.contains(expected), "{line}");
        assert!(!line.contains("canary") && !line.contains("base URL"), "{line}");
    }
}

#[test]
fn redirect_of_the_receiver_is_named() {
    let target = "https://hook:canary@127.0.0.1:1/webhooks/?token=canary";
    let status = format!("308 Permanent Redirect\r\nlocation: {target}");
    let (url, receiving) = receiver(status.leak());
    let ran = run(&mut webhook(&format!("send {url} --json")));
    receiving.join().unwrap();
    let expected = "HTTP 308 Permanent Redirect, a redirect to https://127.0.0.1:1/webhooks/; \
                    correct the path of the URL, as redirects are not followed\n";
    assert!(ran.stderr.ends_with(expected) && ran.code == Some(1), "{ran:?}");
}

#[test]
fn receiver_with_too_large_headers_is_no_service() {
    let status = format!("200 OK\r\nx: {}", "y".repeat(1 << 17));
    let (url, receiving) = receiver(status.leak());
    let ran = run(&mut webhook(&format!("send {url}")));
    drop(receiving);
    assert!(ran.error(6).ends_with("; check the URL, and the response of your program"), "{ran:?}");
}

#[test]
fn remote_receivers_are_reached_through_the_proxy() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    fs::write(&roots, authority.pem()).unwrap();
    // Any server will do: it has no such path.
    let receiver = Sandbox::builder().tls(authority.server("127.0.0.1")).start().unwrap();
    let host = receiver.url().strip_prefix("https://").unwrap();
    let send = |proxy: &str, exempt: &str| {
        let mut command = webhook(&format!("send {}/webhooks", receiver.url()));
        command.env("DIDIT_CA_FILE", &roots).env("HTTPS_PROXY", proxy).env("NO_PROXY", exempt);
        run(&mut command)
    };
    let (proxy, asked) = proxies::proxy();
    let proxied = send(&proxy, "");
    assert!(proxied.stderr.contains("did not accept the webhook: HTTP 404"), "{proxied:?}");
    assert_eq!(asked.try_iter().collect::<Vec<_>>(), [format!("CONNECT {host} HTTP/1.1")]);
    let direct = send(&proxy, "127.0.0.0/8");
    assert!(direct.stderr.contains("did not accept the webhook: HTTP 404"), "{direct:?}");
    assert_eq!(asked.try_iter().count(), 0);
    let unreachable = send("http://127.0.0.1:1", "");
    let route = format!("({host} through the proxy 127.0.0.1:1: ");
    assert!(unreachable.error(6).contains(&route), "{unreachable:?}");
    let advice = "; check the network, the URL and the proxy";
    assert!(unreachable.stderr.trim_end().ends_with(advice), "{unreachable:?}");
    let invalid = send("socks5://127.0.0.1:1", "");
    assert!(invalid.error(2).contains("HTTPS_PROXY"), "{invalid:?}");
}

/// Starts a proxy that refuses one request, and returns its address.
fn refusing_proxy() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        while stream.by_ref().lines().next().unwrap().unwrap() != "" {}
        stream.get_mut().write_all(b"HTTP/1.1 407 X\r\n\r\n").unwrap();
    });
    address
}

/// The failures of the connection are those of every other request.
#[test]
fn failed_connections_are_reported_in_words() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    fs::write(&roots, authority.pem()).unwrap();
    let start = |tls| Sandbox::builder().tls(tls).start().unwrap();
    let other_host = start(authority.server("other.example"));
    let expired = start(authority.expired_server("127.0.0.1"));
    let unknown = start(Authority::new().server("127.0.0.1"));
    let plain = Sandbox::start().unwrap();
    let proxy = refusing_proxy();
    let swapped = |sandbox: &Sandbox, from, to| sandbox.url().replace(from, to);
    let renewed =
        "; check the clock of this machine; if it is right, the server needs a new certificate";
    let lost = "check the log of your program, or try again with https if the server speaks TLS on this port";
    for (url, proxy, words, advice) in [
        (other_host.url(), "", "the certificate is for another host)", "; check the host"),
        (expired.url(), "", "the certificate has expired)", renewed),
        (unknown.url(), "", "handshake does not verify)", "root certificate (`--ca-file`)"),
        (&swapped(&plain, "http:", "https:"), "", "does not speak TLS", "; check the port"),
        (&swapped(&expired, "https:", "http:"), "", "", lost),
        (&swapped(&expired, "https:", "HTTP:"), "", "", lost),
        (
            expired.url(),
            &*proxy,
            "through the proxy",
            "check the proxy, and the user name and password for it",
        ),
    ] {
        let mut command = webhook(&format!("send {url}/webhooks"));
        let sent = run(command.env("DIDIT_CA_FILE", &roots).env("HTTPS_PROXY", proxy));
        let line = sent.error(6);
        assert!(line.contains(words) && line.ends_with(advice), "{line}");
    }
}
