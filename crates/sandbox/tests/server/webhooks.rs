use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use didit_sandbox::{Application, Sandbox, SandboxBuilder, WebhookFault};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::raw::{connect, decision, read_answer, request, send};
use crate::verification::{ask, create, id_of};

const SECRET: &str = "whsec_example_not_a_real_secret";
const MINUTE: Duration = Duration::from_secs(60);
/// Well above the time that any step takes.
const TIMEOUT: Duration = Duration::from_secs(20);

struct Webhook {
    head: String,
    body: String,
}

impl Webhook {
    fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Receives webhooks and answers them with these statuses in turn, then with 200. For a status of 0
/// the connection is closed instead.
fn receiver(statuses: &[u16]) -> (String, Receiver<Webhook>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks?a=b", listener.local_addr().unwrap());
    let (sender, received) = mpsc::channel();
    let mut statuses = Vec::from(statuses).into_iter();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let Some(webhook) = read(&mut stream) else { continue };
            if sender.send(webhook).is_err() {
                return;
            }
            let status = statuses.next().unwrap_or(200);
            if status > 0 {
                let _ = write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
            }
        }
    });
    (url, received)
}

fn read(stream: &mut TcpStream) -> Option<Webhook> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "))?;
            if body.len() == length.parse::<usize>().ok()? {
                return Some(Webhook { head: head.to_owned(), body: body.to_owned() });
            }
        }
        match stream.read(&mut chunk).ok()? {
            0 => return None,
            count => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

/// Starts a sandbox with a receiver that answers with these statuses, and creates a session.
fn started(builder: SandboxBuilder, statuses: &[u16]) -> (Sandbox, Receiver<Webhook>, String) {
    let (url, received) = receiver(statuses);
    let sandbox = builder.webhook(url, SECRET).start().unwrap();
    let id = id_of(&create(&sandbox, &json!({})));
    (sandbox, received, id)
}

fn next(received: &Receiver<Webhook>) -> Webhook {
    received.recv_timeout(TIMEOUT).unwrap()
}

fn settle(sandbox: &Sandbox) {
    assert!(sandbox.verification().settle(TIMEOUT));
}

/// Returns the HMAC-SHA256 of a message in hexadecimal.
fn hmac(message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    let digest = mac.finalize().into_bytes();
    digest.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

#[test]
fn status_changes_are_sent_and_signed() {
    let (url, received) = receiver(&[]);
    let sandbox = Sandbox::builder().webhook(url, SECRET).start().unwrap();
    let metadata = json!({"name": "Zoë", "score": 2.0});
    let session = create(&sandbox, &json!({"vendor_data": "user-1", "metadata": metadata}));
    let id = id_of(&session);
    sandbox.verification().set_status(&id, "In Progress");
    sandbox.verification().set_status(&id, "In Progress");
    sandbox.verification().set_status(&id, "Approved");
    let started = next(&received);
    let body = started.json();
    assert_eq!(body["status"], "In Progress");
    assert!(body.get("decision").is_none());

    let approved = next(&received);
    settle(&sandbox);
    let page = send(&sandbox, &request("GET", "/live", "", "")).unwrap().text();
    assert!(page.contains("<h2>Webhooks</h2>") && page.contains(">In Progress<"), "{page}");
    assert!(approved.head.starts_with("POST /hooks?a=b HTTP/1.1\r\n"), "{}", approved.head);
    assert_eq!(approved.header("Content-Type"), "application/json");
    assert_eq!(approved.header("User-Agent"), "DiditWebhook/2.0 +https://didit.me");
    let body = approved.json();
    assert_eq!(
        (&body["status"], &body["webhook_type"]),
        (&json!("Approved"), &json!("status.updated"))
    );
    assert_eq!((&body["session_id"], &body["vendor_data"]), (&json!(id), &json!("user-1")));
    assert_eq!(body["metadata"], metadata);
    let decision = ask(&sandbox, "GET", &format!("/v3/session/{id}/decision/"), "").json();
    assert_eq!(body["decision"], decision);
    assert_eq!(approved.header("X-Timestamp"), body["timestamp"].to_string());
    assert_ne!(body["event_id"], started.json()["event_id"]);

    assert!(approved.body.is_ascii() && approved.body.contains("Zo\\u00eb"));
    assert_eq!(approved.header("X-Signature"), hmac(&approved.body));
    let simple = format!("{}:{id}:Approved:status.updated", body["timestamp"]);
    assert_eq!(approved.header("X-Signature-Simple"), hmac(&simple));
    assert_eq!(approved.header("X-Signature-V2").len(), 64);
    assert_ne!(approved.header("X-Signature-V2"), approved.header("X-Signature"));
}

#[test]
fn failed_delivery_is_retried_twice() {
    for failure in [500, 503, 404, 0] {
        let (sandbox, received, id) = started(Sandbox::builder(), &[failure; 4]);
        sandbox.verification().set_status(&id, "Declined");
        settle(&sandbox);
        for pause in [MINUTE, 4 * MINUTE, 60 * MINUTE] {
            sandbox.advance(pause);
            settle(&sandbox);
        }
        let deliveries = sandbox.verification().deliveries();
        let attempts: Vec<u32> = deliveries.iter().map(|delivery| delivery.attempt).collect();
        assert_eq!(attempts, [1, 2, 3], "{failure}");
        let answer = (failure > 0).then_some(failure);
        assert!(deliveries.iter().all(|delivery| delivery.answer == answer));
        let sent: Vec<Value> = received.try_iter().map(|webhook| webhook.json()).collect();
        assert_eq!(sent[0]["event_id"], sent[2]["event_id"]);
        let time = |index: usize| sent[index]["timestamp"].as_u64().unwrap();
        assert!(time(1) >= time(0) + 60 && time(2) >= time(1) + 240);
    }
}

#[test]
fn other_responses_are_not_retried() {
    for status in [200, 204, 400, 401, 302] {
        let (sandbox, received, id) = started(Sandbox::builder(), &[status]);
        sandbox.verification().set_status(&id, "Declined");
        settle(&sandbox);
        sandbox.advance(60 * MINUTE);
        settle(&sandbox);
        assert_eq!(received.try_iter().count(), 1, "{status}");
    }
}

#[test]
fn timeout_is_retried() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let sandbox = Sandbox::builder()
        .webhook(url, SECRET)
        .webhook_timeout(Duration::from_millis(20))
        .webhook_time_scale(0.0)
        .start()
        .unwrap();
    let id = id_of(&create(&sandbox, &json!({})));
    sandbox.verification().set_status(&id, "Declined");
    settle(&sandbox);
    let answers = sandbox.verification().deliveries();
    assert_eq!(answers.iter().map(|delivery| delivery.answer).collect::<Vec<_>>(), [None; 3]);
}

#[test]
fn scripted_faults_affect_deliveries() {
    let (sandbox, received, id) = started(Sandbox::builder(), &[]);
    sandbox.verification().script_webhooks([
        WebhookFault::Duplicate,
        WebhookFault::WrongSignature,
        WebhookFault::OldTimestamp,
    ]);
    for status in ["In Progress", "Declined", "Approved"] {
        sandbox.verification().set_status(&id, status);
    }
    let (one, other) = (next(&received), next(&received));
    assert_eq!((one.head, one.body), (other.head, other.body));
    let wrong = next(&received);
    assert_eq!(wrong.header("X-Signature").len(), 64);
    assert_ne!(wrong.header("X-Signature"), hmac(&wrong.body));
    let old = next(&received);
    assert_eq!(old.header("X-Signature"), hmac(&old.body));
    let time = |webhook: &Webhook| webhook.header("X-Timestamp").parse::<u64>().unwrap();
    assert!(time(&old) + 500 < time(&wrong));
    assert!(sandbox.verification().resend(&id));
    let again = next(&received);
    assert_eq!(again.json()["status"], "Approved");
    assert_ne!(again.json()["event_id"], old.json()["event_id"]);
    assert!(!sandbox.verification().resend("unknown"));
    settle(&sandbox);
    let faults: Vec<_> =
        sandbox.verification().deliveries().iter().map(|delivery| delivery.fault).collect();
    assert_eq!(
        faults,
        [
            WebhookFault::Duplicate,
            WebhookFault::Duplicate,
            WebhookFault::WrongSignature,
            WebhookFault::OldTimestamp,
            WebhookFault::Pass,
        ]
    );
}

#[test]
fn lost_event_arrives_after_the_next_one() {
    let (sandbox, received, id) = started(Sandbox::builder(), &[]);
    sandbox.verification().script_webhooks([WebhookFault::Lost]);
    for status in ["In Review", "Approved"] {
        sandbox.verification().set_status(&id, status);
    }
    settle(&sandbox);
    sandbox.advance(MINUTE);
    let (first, late) = (next(&received).json(), next(&received).json());
    assert_eq!((&first["status"], &late["status"]), (&json!("Approved"), &json!("In Review")));
    // The retry has a new timestamp, later than that of the other event.
    let time = |event: &Value, name: &str| event[name].as_u64().unwrap();
    assert!(time(&late, "timestamp") > time(&first, "timestamp"));
    assert!(time(&late, "created_at") <= time(&first, "created_at"));
    settle(&sandbox);
    let deliveries = sandbox.verification().deliveries();
    let attempts: Vec<_> = deliveries.iter().map(|sent| (sent.attempt, sent.answer)).collect();
    assert_eq!(attempts, [(1, None), (1, Some(200)), (2, Some(200))]);
    assert_eq!(
        (deliveries[0].fault, deliveries[2].fault),
        (WebhookFault::Lost, WebhookFault::Pass)
    );
}

#[test]
fn resubmission_webhook_names_the_nodes() {
    let (url, received) = receiver(&[]);
    let sandbox = Sandbox::start().unwrap();
    sandbox.verification().webhook(&url, SECRET).unwrap();
    let id = id_of(&create(&sandbox, &json!({})));
    sandbox.verification().set_status(&id, "Declined");
    let path = format!("/v3/session/{id}/update-status/");
    ask(&sandbox, "PATCH", &path, r#"{"new_status":"Resubmitted","comment":"blurred"}"#);
    assert_eq!(next(&received).json()["status"], "Declined");
    let resubmitted = next(&received).json();
    assert!(resubmitted.get("decision").is_none());
    assert_eq!(
        resubmitted["resubmit_info"],
        json!({
            "nodes_to_resubmit": [{"node_id": "feature_ocr_1", "feature": "ID_VERIFICATION"}],
            "reasons": {"feature_ocr_1": "blurred"},
        })
    );
}

#[test]
fn webhooks_go_only_to_their_application() {
    let (other_url, other_received) = receiver(&[]);
    let other = Application::new("other-id", "s").with_webhook(other_url, "other");
    let (sandbox, received, id) = started(Sandbox::builder().application(other), &[]);
    sandbox.verification().set_status(&id, "Approved");
    settle(&sandbox);
    assert_eq!(received.try_iter().count(), 1);
    assert_eq!(other_received.try_iter().count(), 0);
}

#[test]
fn expired_session_sends_a_webhook() {
    let (sandbox, received, _) = started(Sandbox::builder(), &[]);
    sandbox.advance(Duration::from_secs(7 * 86_400));
    assert_eq!(next(&received).json()["status"], "Expired");
}

#[test]
fn destinations_on_other_machines_are_refused() {
    for url in ["http://example.com/", "https://127.0.0.1/", "http://10.0.0.1/"] {
        let error = Sandbox::builder().webhook(url, SECRET).start().unwrap_err();
        assert!(error.to_string().contains(url), "{error}");
        assert!(!error.to_string().contains(SECRET));
    }
}

#[test]
fn drop_does_not_wait_for_a_silent_receiver() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let timeout = Duration::from_secs(600);
    let sandbox = Sandbox::builder().webhook(url, SECRET).webhook_timeout(timeout).start().unwrap();
    let id = id_of(&create(&sandbox, &json!({})));
    sandbox.verification().set_status(&id, "Declined");
    let (stream, _) = silent.accept().unwrap();
    let start = std::time::Instant::now();
    drop(sandbox);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    drop(stream);
}

#[test]
fn panic_in_a_callback_loses_no_webhook_and_no_connection() {
    let builder = Sandbox::builder()
        .log(|line| panic!("the test's own panic: {line}"))
        .on_request(|request| panic!("the test's own panic: {request:?}"));
    let (sandbox, received, id) = started(builder, &[]);
    let mut stream = connect(&sandbox).unwrap();
    for _ in 0..2 {
        stream.write_all(decision("abc").as_bytes()).unwrap();
        assert_eq!(read_answer(&mut stream).unwrap().status, 200);
    }
    for status in ["In Progress", "Approved"] {
        sandbox.verification().set_status(&id, status);
        settle(&sandbox);
        assert_eq!(next(&received).json()["status"], status);
    }
}
