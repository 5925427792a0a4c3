use std::sync::{Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use didit_blocking_adapter::Client;
use didit_core::data_transfer::{Decision, RetrieveDecision, Scopes, Session, SessionStatus};
use didit_core::oauth::AccessToken;
use didit_core::verification::{
    CreateSession, Decision as VerificationDecision, DeleteSession, Deletion, GeneratePdf,
    ListSessions, Pdf, Raw, RawResponse, Session as VerificationSession,
    SessionId as VerificationId, SessionPage, SessionSummary, UpdateStatus,
};
use didit_core::{Call, Credentials, SessionId};

use didit_conformance::bulk::Bulk;
use didit_conformance::verification::Verification;
use didit_conformance::{Adapter, CallFailure, Settings};

/// The blocking client.
pub(crate) struct Blocking(Client);

impl Adapter for Blocking {
    const SPARE_CONNECTIONS: u64 = 0;
    // Absent if the feature `no-wire-dump` is on.
    const WIRE_DUMP: Option<&str> = Some("ureq_proto");

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
        self.0
            .wait_for_decision(session_id)
            .every(interval)
            .at_most(timeout)
            .wait()
            .map_err(CallFailure::new)
    }

    fn create(&self, scopes: Scopes, vendor_data: Option<&str>) -> Result<Session, CallFailure> {
        self.0.create_session(scopes, vendor_data).map_err(CallFailure::new)
    }

    fn status(
        &self,
        session_id: &SessionId,
        session_token: &str,
    ) -> Result<SessionStatus, CallFailure> {
        self.0.session_status(session_id, session_token).map_err(CallFailure::new)
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
        Self(self.0.with_credentials(credentials))
    }
}

/// Retrieves decisions on several threads that share the input and a channel.
impl Bulk for Blocking {
    fn decisions(
        &self,
        ids: impl Iterator<Item = SessionId> + Send + 'static,
        concurrency: usize,
        in_order: bool,
        mut each: impl FnMut(SessionId, Result<Decision, CallFailure>) -> bool,
    ) {
        let ids = Mutex::new(ids.enumerate());
        let (send, results) = mpsc::sync_channel(0);
        // In order, a thread blocks until its result is next, so at most `concurrency` are pending.
        let (turn, yielded) = (Mutex::new(0), Condvar::new());
        thread::scope(|scope| {
            for _ in 0..concurrency {
                let (send, ids, turn, yielded) = (send.clone(), &ids, &turn, &yielded);
                scope.spawn(move || {
                    loop {
                        let next = ids.lock().unwrap().next();
                        let Some((position, id)) = next else { return };
                        let call = Call::new(RetrieveDecision::new(id.clone()));
                        let result = self.0.run(call.deadline_from_first_send());
                        let mut current = turn.lock().unwrap();
                        while in_order && *current != position && *current != usize::MAX {
                            current = yielded.wait(current).unwrap();
                        }
                        let received = send.send((id, result)).is_ok();
                        *current = if received { current.saturating_add(1) } else { usize::MAX };
                        yielded.notify_all();
                        if !received {
                            return;
                        }
                    }
                });
            }
            drop(send);
            for (id, result) in &results {
                if !each(id, result.map_err(CallFailure::new)) {
                    break;
                }
            }
            // Stops the threads: their next send fails.
            drop(results);
        });
    }
}

impl Verification for Blocking {
    fn create_verification(
        &self,
        session: CreateSession,
    ) -> Result<VerificationSession, CallFailure> {
        self.0.verification().create_session(session).map_err(CallFailure::new)
    }

    fn verification_decision(
        &self,
        session_id: &VerificationId,
    ) -> Result<VerificationDecision, CallFailure> {
        self.0.verification().decision(session_id).map_err(CallFailure::new)
    }

    fn verification_wait(
        &self,
        session_id: &VerificationId,
        interval: Duration,
        timeout: Duration,
    ) -> Result<VerificationDecision, CallFailure> {
        self.0
            .verification()
            .wait_for_decision(session_id)
            .every(interval)
            .at_most(timeout)
            .wait()
            .map_err(CallFailure::new)
    }

    fn page(&self, list: ListSessions) -> Result<SessionPage, CallFailure> {
        self.0.verification().sessions(list).map_err(CallFailure::new)
    }

    fn all_sessions(&self, list: ListSessions) -> Vec<Result<SessionSummary, CallFailure>> {
        let sessions = self.0.verification().all_sessions(list);
        sessions.map(|session| session.map_err(CallFailure::new)).collect()
    }

    fn update(&self, update: UpdateStatus) -> Result<(), CallFailure> {
        self.0.verification().update_status(update).map_err(CallFailure::new)
    }

    fn pdf(&self, session_id: &VerificationId) -> Result<Pdf, CallFailure> {
        self.0.verification().generate_pdf(session_id).map_err(CallFailure::new)
    }

    fn pdf_within(
        &self,
        session_id: &VerificationId,
        timeout: Duration,
    ) -> Result<Pdf, CallFailure> {
        let call = Call::new(GeneratePdf::new(session_id.clone())).with_timeout(timeout);
        self.0.run(call).map_err(CallFailure::new)
    }

    fn delete(&self, session: DeleteSession) -> Result<Deletion, CallFailure> {
        self.0.verification().delete_session(session).map_err(CallFailure::new)
    }

    fn raw(&self, request: Raw) -> Result<RawResponse, CallFailure> {
        self.0.verification().raw(request).map_err(CallFailure::new)
    }
}
