use std::time::Duration;

use didit_blocking_adapter::Client;
use didit_core::SessionId;
use didit_core::data_transfer::{Decision, Scopes, Session, SessionStatus};

use didit_conformance::bulk::Bulk;
use didit_conformance::{Adapter, CallFailure, Settings};

/// The blocking client.
pub(crate) struct Blocking(Client);

impl Adapter for Blocking {
    const SPARE_CONNECTIONS: u64 = 0;

    fn new(settings: Settings) -> Result<Self, String> {
        let mut builder = Client::builder(settings.credentials)
            .base_url(settings.base_url)
            .policy(settings.policy);
        if let Some(pem) = settings.root_certificate {
            builder = builder.root_certificate(pem.as_bytes()).map_err(|e| e.to_string())?;
        }
        builder.build().map(Self).map_err(|e| e.to_string())
    }

    fn decision(&self, session_id: &SessionId) -> Result<Decision, CallFailure> {
        self.0.decision(session_id).map_err(CallFailure::new)
    }

    fn wait(
        &self,
        session_id: &SessionId,
        interval: Duration,
        timeout: Duration,
    ) -> Result<Decision, CallFailure> {
        self.0.wait_for_decision(session_id, interval, timeout).map_err(CallFailure::new)
    }

    fn create(&self, scopes: Scopes, vendor_data: Option<&str>) -> Result<Session, CallFailure> {
        self.0.create_session(scopes, vendor_data).map_err(CallFailure::new)
    }

    fn status(&self, session_id: &SessionId, session_token: &str) -> Result<SessionStatus, CallFailure> {
        self.0.session_status(session_id, session_token).map_err(CallFailure::new)
    }
}

impl Bulk for Blocking {
    fn decisions(
        &self,
        ids: impl Iterator<Item = SessionId> + Send + 'static,
        concurrency: usize,
        in_order: bool,
        mut each: impl FnMut(SessionId, Result<Decision, CallFailure>) -> bool,
    ) {
        let decisions = self.0.decisions(ids).concurrency(concurrency);
        let decisions = if in_order { decisions.in_order() } else { decisions };
        for (session_id, result) in decisions {
            if !each(session_id, result.map_err(CallFailure::new)) {
                return;
            }
        }
    }
}
