use std::future::IntoFuture as _;
use std::sync::Arc;
use std::time::Duration;

use didit_async_adapter::Client;
use didit_core::data_transfer::{Decision, Scopes, Session, SessionStatus};
use didit_core::oauth::AccessToken;
use didit_core::verification::{
    CreateSession, Decision as VerificationDecision, DeleteSession, Deletion, GeneratePdf,
    ListSessions, Pdf, Raw, RawResponse, Session as VerificationSession,
    SessionId as VerificationId, SessionPage, SessionSummary, UpdateStatus,
};
use didit_core::{Call, Credentials, SessionId};
use futures_util::StreamExt as _;
use tokio::runtime::Runtime;

use didit_conformance::bulk::Bulk;
use didit_conformance::verification::Verification;
use didit_conformance::{Adapter, CallFailure, Settings};

/// The async client and its runtime.
pub(crate) struct Async(Client, Arc<Runtime>);

impl Adapter for Async {
    // reqwest returns connections to the pool in a separate task, possibly after the next call.
    const SPARE_CONNECTIONS: u64 = 1;

    fn new(settings: Settings) -> Result<Self, String> {
        let mut builder = Client::builder(settings.credentials)
            .base_url(settings.base_url)
            .policy(settings.policy);
        if let Some(base_url) = settings.verification_base_url {
            builder = builder.verification_base_url(base_url);
        }
        if let Some(proxy) = settings.proxy {
            builder = builder.proxy(proxy);
        }
        if let Some(pem) = settings.root_certificate {
            builder = builder.root_certificate(pem);
        }
        if let Some(store) = settings.store {
            builder = builder.shared_store(store);
        }
        let client = builder.build().map_err(|e| e.to_string())?;
        Ok(Self(client, Arc::new(Runtime::new().map_err(|e| e.to_string())?)))
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
            .block_on(
                self.0.wait_for_decision(session_id).every(interval).at_most(timeout).into_future(),
            )
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

    fn access_token(&self) -> Option<AccessToken> {
        self.0.access_token()
    }

    fn set_access_token(&self, token: &AccessToken) {
        assert!(self.0.set_access_token(token));
    }

    fn set_credentials(&self, credentials: Credentials) {
        self.0.set_credentials(credentials);
    }

    fn with_credentials(&self, credentials: Credentials) -> Self {
        Self(self.0.with_credentials(credentials), Arc::clone(&self.1))
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

impl Verification for Async {
    fn create_verification(
        &self,
        session: CreateSession,
    ) -> Result<VerificationSession, CallFailure> {
        self.1.block_on(self.0.verification().create_session(session)).map_err(CallFailure::new)
    }

    fn verification_decision(
        &self,
        session_id: &VerificationId,
    ) -> Result<VerificationDecision, CallFailure> {
        self.1.block_on(self.0.verification().decision(session_id)).map_err(CallFailure::new)
    }

    fn verification_wait(
        &self,
        session_id: &VerificationId,
        interval: Duration,
        timeout: Duration,
    ) -> Result<VerificationDecision, CallFailure> {
        self.1
            .block_on(
                self.0
                    .verification()
                    .wait_for_decision(session_id)
                    .every(interval)
                    .at_most(timeout)
                    .into_future(),
            )
            .map_err(CallFailure::new)
    }

    fn page(&self, list: ListSessions) -> Result<SessionPage, CallFailure> {
        self.1.block_on(self.0.verification().sessions(list)).map_err(CallFailure::new)
    }

    fn all_sessions(&self, list: ListSessions) -> Vec<Result<SessionSummary, CallFailure>> {
        let sessions = self.0.verification().all_sessions(list);
        self.1.block_on(sessions.map(|session| session.map_err(CallFailure::new)).collect())
    }

    fn update(&self, update: UpdateStatus) -> Result<(), CallFailure> {
        self.1.block_on(self.0.verification().update_status(update)).map_err(CallFailure::new)
    }

    fn pdf(&self, session_id: &VerificationId) -> Result<Pdf, CallFailure> {
        self.1.block_on(self.0.verification().generate_pdf(session_id)).map_err(CallFailure::new)
    }

    fn pdf_within(
        &self,
        session_id: &VerificationId,
        timeout: Duration,
    ) -> Result<Pdf, CallFailure> {
        let call = Call::new(GeneratePdf::new(session_id.clone())).with_timeout(timeout);
        self.1.block_on(self.0.run(call)).map_err(CallFailure::new)
    }

    fn delete(&self, session: DeleteSession) -> Result<Deletion, CallFailure> {
        self.1.block_on(self.0.verification().delete_session(session)).map_err(CallFailure::new)
    }

    fn raw(&self, request: Raw) -> Result<RawResponse, CallFailure> {
        self.1.block_on(self.0.verification().raw(request)).map_err(CallFailure::new)
    }
}
