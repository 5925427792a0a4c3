//! The handle with which tests control verification sessions and webhooks.

use std::io;
use std::time::{Duration, Instant};

use crate::Sandbox;
use crate::webhook::{WebhookDelivery, WebhookFault};

/// A handle for the verification sessions of a sandbox and their webhooks; returned by
/// [`Sandbox::verification`].
#[derive(Clone, Copy, Debug)]
pub struct Verification<'a>(&'a Sandbox);

impl<'a> Verification<'a> {
    pub(crate) fn of(sandbox: &'a Sandbox) -> Self {
        Self(sandbox)
    }

    /// Sets the status of a session, spelled as in the service: `Approved`, `In Review` and so on.
    /// For a session that was created in the sandbox, webhooks are sent. For any other id, only the
    /// decision shows the status.
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
        // If the write fails, the status stays as it was, which a test will notice.
        let _ = shared.state().verification.set_status(session_id, status, now);
    }

    /// Answers requests for this session's decision with exactly this text.
    pub fn decision(&self, session_id: impl Into<String>, body: impl Into<String>) {
        let mut state = self.0.shared().state();
        state.verification.decisions.insert(session_id.into(), body.into());
    }

    /// Answers requests about this session with 404 and `{"detail": "Not found."}`.
    pub fn missing(&self, session_id: impl Into<String>) {
        self.0.shared().state().verification.missing.insert(session_id.into());
    }

    /// Adds a webhook destination for the first application; see
    /// [`SandboxBuilder::webhook`](crate::SandboxBuilder::webhook).
    ///
    /// # Errors
    ///
    /// Fails if the URL is not an `http` URL of this machine, or the system provides no thread.
    pub fn webhook(&self, url: &str, secret: &str) -> io::Result<()> {
        self.0.add_webhook(url, secret)
    }

    /// Adds faults to the script of webhooks. Each applies to one event, in this order, at all
    /// destinations.
    pub fn script_webhooks(&self, faults: impl IntoIterator<Item = WebhookFault>) {
        // Collected first, so that the caller's iterator does not run under the lock.
        let faults: Vec<WebhookFault> = faults.into_iter().collect();
        self.0.shared().state().verification.outbox.script.extend(faults);
    }

    /// Sends a webhook with a session's current status, as a new event. Returns whether there is such
    /// a session.
    pub fn resend(&self, session_id: &str) -> bool {
        let now = self.0.shared().now();
        let mut state = self.0.shared().state();
        let Some(session) = state.verification.by_id(session_id).cloned() else {
            return false;
        };
        state.verification.notify(&session, None, now);
        true
    }

    /// Returns the latest 1,000 attempts to deliver a webhook, oldest first.
    pub fn deliveries(&self) -> Vec<WebhookDelivery> {
        self.0.shared().state().verification.outbox.delivered.iter().cloned().collect()
    }

    /// Waits until no webhook is being sent or due; returns `false` on timeout. A retry is not due
    /// before its time, which [`Sandbox::advance`] can bring forward.
    ///
    /// It blocks its thread. If the receiver runs in the same async runtime, that needs another one:
    /// with tokio, `#[tokio::test(flavor = "multi_thread")]`.
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
