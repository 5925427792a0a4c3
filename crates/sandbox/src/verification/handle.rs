//! The handle of a test on verification sessions and webhooks.

use std::io;
use std::time::{Duration, Instant};

use super::sessions::Known;
use crate::Sandbox;
use crate::webhook::{WebhookDelivery, WebhookFault};

/// The verification sessions of a sandbox and their webhooks; got by [`Sandbox::verification`].
#[derive(Clone, Copy, Debug)]
pub struct Verification<'a>(&'a Sandbox);

impl<'a> Verification<'a> {
    pub(crate) fn of(sandbox: &'a Sandbox) -> Self {
        Self(sandbox)
    }

    /// Gives a session a status, as the service spells it: `Approved`, `In Review` and so on. A
    /// session that was created in the sandbox tells its webhooks of it. Any other is then known by
    /// its decision only.
    ///
    /// ```
    /// use didit_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::start()?;
    /// sandbox.verification().set_status("11111111-2222-3333-4444-555555555555", "Declined");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_status(&self, session_id: &str, status: &str) {
        let shared = self.0.shared();
        let now = shared.now();
        // What a file cannot take stays as it was, which a test will see.
        let _ = shared.state().verification.set_status(session_id, status, now);
    }

    /// Answers the retrieval of this session's decision with exactly this text.
    pub fn decision(&self, session_id: impl Into<String>, body: impl Into<String>) {
        let mut state = self.0.shared().state();
        state.verification.decisions.insert(session_id.into(), body.into());
    }

    /// Answers requests about this session with 404 and `{"detail": "Not found."}`.
    pub fn missing(&self, session_id: impl Into<String>) {
        self.0.shared().state().verification.missing.insert(session_id.into());
    }

    /// Sends the webhooks of the first application here as well; see
    /// [`SandboxBuilder::webhook`](crate::SandboxBuilder::webhook).
    ///
    /// # Errors
    ///
    /// Fails if the URL is not an `http` URL of this machine, or the system gives no thread.
    pub fn webhook(&self, url: &str, secret: &str) -> io::Result<()> {
        self.0.add_webhook(url, secret)
    }

    /// Has the next events meet these faults, one each, after those scripted before. Each is met on
    /// the way to all destinations.
    pub fn script_webhooks(&self, faults: impl IntoIterator<Item = WebhookFault>) {
        // Collected first: the iterator is foreign code and must not run under the lock.
        let faults: Vec<WebhookFault> = faults.into_iter().collect();
        self.0.shared().state().verification.outbox.script.extend(faults);
    }

    /// Sends the webhook of a session's present status, as a new event. Returns whether there is
    /// such a session.
    pub fn resend(&self, session_id: &str) -> bool {
        let now = self.0.shared().now();
        let mut state = self.0.shared().state();
        let session = match state.verification.known(session_id, true) {
            Known::Created(session) => session.clone(),
            _ => return false,
        };
        state.verification.tell(&session, None, now);
        true
    }

    /// Returns the deliveries that were attempted so far, oldest first; of many, the latest 1000.
    pub fn deliveries(&self) -> Vec<WebhookDelivery> {
        self.0.shared().state().verification.outbox.delivered.iter().cloned().collect()
    }

    /// Waits until no webhook is being sent or due; returns whether that came in time. What waits
    /// for a later attempt is not due: [`Sandbox::advance`] makes it so.
    pub fn settle(&self, timeout: Duration) -> bool {
        let shared = self.0.shared();
        let deadline = Instant::now().checked_add(timeout);
        let mut state = shared.state();
        loop {
            let outbox = &state.verification.outbox;
            if outbox.is_settled(shared.now()) {
                return true;
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return false;
            }
            let changed = std::sync::Arc::clone(&outbox.changed);
            let wait = left.unwrap_or(Duration::from_secs(1)).min(Duration::from_secs(1));
            let waited = changed.wait_timeout(state, wait);
            state = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
    }
}
