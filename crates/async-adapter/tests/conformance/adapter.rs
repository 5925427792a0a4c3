use std::time::Duration;

use didit_async_adapter::Client;
use didit_core::SessionId;
use didit_core::data_transfer::{Decision, Scopes, Session, SessionStatus};
use futures_util::StreamExt as _;
use tokio::runtime::Runtime;

use didit_conformance::bulk::Bulk;
use didit_conformance::{Adapter, CallFailure, Settings};

/// The async client.
pub(crate) struct Async(Client, Runtime);

impl Adapter for Async {
    // reqwest takes a connection back in a task of its own, which the next call may outrun.
    const SPARE_CONNECTIONS: u64 = 1;

    fn new(settings: Settings) -> Result<Self, String> {
        let mut builder = Client::builder(settings.credentials)
            .base_url(settings.base_url)
            .policy(settings.policy);
        if let Some(pem) = settings.root_certificate {
            builder = builder.root_certificate(pem);
        }
        let client = builder.build().map_err(|e| e.to_string())?;
        Ok(Self(client, Runtime::new().map_err(|e| e.to_string())?))
    }

    fn decision(&self, session_id: &SessionId) -> Result<Decision, CallFailure> {
        self.1.block_on(self.0.decision(session_id)).map_err(CallFailure::new)
    }

    fn wait(
        &self,
        session_id: &SessionId,
        interval: Duration,
        timeout: Duration,
    ) -> Result<Decision, CallFailure> {
        self.1
            .block_on(self.0.wait_for_decision(session_id, interval, timeout))
            .map_err(CallFailure::new)
    }

    fn create(&self, scopes: Scopes, vendor_data: Option<&str>) -> Result<Session, CallFailure> {
        self.1.block_on(self.0.create_session(scopes, vendor_data)).map_err(CallFailure::new)
    }

    fn status(
        &self,
        session_id: &SessionId,
        session_token: &str,
    ) -> Result<SessionStatus, CallFailure> {
        self.1.block_on(self.0.session_status(session_id, session_token)).map_err(CallFailure::new)
    }
}

impl Bulk for Async {
    fn decisions(
        &self,
        ids: impl Iterator<Item = SessionId> + Send + 'static,
        concurrency: usize,
        in_order: bool,
        mut each: impl FnMut(SessionId, Result<Decision, CallFailure>) -> bool,
    ) {
        self.1.block_on(async {
            let decisions = self.0.decisions(ids).concurrency(concurrency);
            let mut decisions = if in_order { decisions.in_order() } else { decisions };
            while let Some((session_id, result)) = decisions.next().await {
                if !each(session_id, result.map_err(CallFailure::new)) {
                    return;
                }
            }
        });
    }
}
