//! Webhooks from a sandbox to the running example.

use std::process::{Child, Stdio};
use std::time::Duration;

use didit_sandbox::{Sandbox, WebhookFault};
use ureq::Agent;

const SECRET: &str = "whsec_example_not_a_real_secret";
/// Much longer than any delivery takes.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(20);

/// The running example, its sandbox, which sends it webhooks, and a visitor with a session.
struct Visit {
    sandbox: Sandbox,
    backend: Child,
    address: String,
    cookie: String,
    agent: Agent,
    session_id: String,
}

impl Visit {
    fn start() -> Self {
        let sandbox = Sandbox::start().unwrap();
        let variables = [
            ("DIDIT_BASE_URL", sandbox.url()),
            ("DIDIT_API_KEY", sandbox.api_key()),
            ("DIDIT_WEBHOOK_SECRET", "a new secret"),
            ("DIDIT_WEBHOOK_OLD_SECRET", SECRET),
            ("DIDIT_WORKFLOW_ID", "9f9b1234-aaaa-bbbb-cccc-1234567890ab"),
        ];
        let (backend, address) = crate::start(&variables, Stdio::inherit());
        sandbox.verification().webhook(&format!("{address}webhooks"), SECRET).unwrap();

        let agent: Agent = Agent::config_builder().max_redirects(0).proxy(None).build().into();
        let started = agent.post(format!("{address}verification")).send_empty().unwrap();
        assert_eq!(started.status().as_u16(), 303);
        let cookie = started.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let created = sandbox.requests_to(didit_sandbox::Route::CreateVerification);
        assert_eq!(created.len(), 1);
        // The id of the first session of a sandbox.
        let session_id = "00000000-0000-4000-9000-000000000001".to_owned();
        let visit = Self { sandbox, backend, address, cookie, agent, session_id };
        let page = visit.page();
        assert!(page.contains("Verify your identity") && page.contains("refresh"), "{page}");
        visit
    }

    fn page(&self) -> String {
        let request = self.agent.get(&self.address).header("Cookie", &self.cookie);
        request.call().unwrap().body_mut().read_to_string().unwrap()
    }

    fn set_status(&self, status: &str) {
        self.sandbox.verification().set_status(&self.session_id, status);
    }

    /// Waits until all due webhooks are delivered; returns the statuses of all responses.
    fn answers(&self) -> Vec<Option<u16>> {
        let verification = self.sandbox.verification();
        assert!(verification.settle(DELIVERY_TIMEOUT));
        verification.deliveries().iter().map(|delivery| delivery.answer).collect()
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.backend.kill().unwrap();
        self.backend.wait().unwrap();
    }
}

#[test]
fn webhook_stores_its_decision() {
    let visit = Visit::start();
    visit.set_status("In Progress");
    assert_eq!(visit.answers(), [Some(200)]);
    assert!(visit.page().contains("Verify your identity"), "{}", visit.page());
    visit.set_status("Approved");
    assert_eq!(visit.answers(), [Some(200); 2]);
    // The name is in the decision.
    let page = visit.page();
    assert!(page.contains("Hello, Ana Pérez Ñuñez!"), "{page}");
    // It came with the webhook: the only request created the session.
    assert_eq!(visit.sandbox.requests().len(), 1);
}

#[test]
fn duplicate_and_late_events_change_nothing() {
    let visit = Visit::start();
    visit.sandbox.verification().script_webhooks([WebhookFault::Lost, WebhookFault::Duplicate]);
    visit.set_status("In Review");
    // Webhook timestamps have a resolution of one second.
    visit.sandbox.advance(Duration::from_secs(1));
    visit.set_status("Approved");
    assert_eq!(visit.answers(), [None, Some(200), Some(200)]);
    assert!(visit.page().contains("You are verified"), "{}", visit.page());
    visit.sandbox.advance(Duration::from_secs(60));
    assert_eq!(visit.answers(), [None, Some(200), Some(200), Some(200)]);
    assert!(visit.page().contains("You are verified"), "{}", visit.page());
}

#[test]
fn forged_and_expired_webhooks_are_rejected() {
    let visit = Visit::start();
    let faults = [WebhookFault::WrongSignature, WebhookFault::OldTimestamp, WebhookFault::Pass];
    visit.sandbox.verification().script_webhooks(faults);
    visit.set_status("Approved");
    visit.set_status("Declined");
    // A rejected webhook is not redelivered.
    assert_eq!(visit.answers(), [Some(401); 2]);
    assert!(visit.page().contains("Verify your identity"), "{}", visit.page());
    visit.set_status("Approved");
    assert_eq!(visit.answers(), [Some(401), Some(401), Some(200)]);
    assert!(visit.page().contains("You are verified"), "{}", visit.page());
}
