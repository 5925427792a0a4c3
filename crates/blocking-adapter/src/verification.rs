use std::iter;

use didit_core::verification::{
    CreateSession, Decision, DeleteSession, Deletion, GeneratePdf, ListSessions, Pdf, Raw,
    RawResponse, RetrieveDecision, Session, SessionId, SessionPage, SessionSummary, UpdateStatus,
};
use didit_core::{Call, WaitForDecision, verification};

use crate::{Client, Error, Wait};

/// Calls of the verification API; returned by [`Client::verification`].
/// A failed call returns the error of its last attempt, after the retries that the policy allows.
///
#[doc = include_str!("../docs/verification_calls.md")]
#[derive(Clone, Copy, Debug)]
pub struct Verification<'a>(pub(crate) &'a Client);

#[allow(clippy::missing_errors_doc, reason = "the type documents the errors of all calls")]
impl<'a> Verification<'a> {
    /// Creates a session.
    ///
    /// Unless [`CreateSession::allow_retry`] allows it, the request is not repeated once
    /// the service may have acted on it, so the session may exist even if the call fails.
    pub fn create_session(&self, session: CreateSession) -> Result<Session, Error> {
        self.0.run(Call::new(session))
    }

    /// Retrieves the decision of a session.
    pub fn decision(&self, session_id: &SessionId) -> Result<Decision, Error> {
        self.0.run(Call::new(RetrieveDecision::new(session_id.clone())))
    }

    /// Polls the decision of a session until its status is
    /// [settled](didit_core::verification::Status::is_settled), and returns that decision.
    pub fn wait_for_decision(&self, session_id: &SessionId) -> Wait<'a, RetrieveDecision> {
        let wait = WaitForDecision::for_endpoint(RetrieveDecision::new(session_id.clone()));
        Wait { client: self.0, wait }
    }

    /// Lists one page of sessions.
    pub fn sessions(&self, list: ListSessions) -> Result<SessionPage, Error> {
        self.0.run(Call::new(list))
    }

    /// Lists the sessions of this page and of all pages after it, each
    /// [once](verification::ListedSessions). The iterator requests each page when it reaches it, and
    /// ends with the first error. Time in the rate limiter's queue does not count toward a page's
    /// timeout.
    pub fn all_sessions(
        &self,
        list: ListSessions,
    ) -> impl Iterator<Item = Result<SessionSummary, Error>> + use<> {
        let (client, mut next) = (self.0.clone(), Some(list));
        let pages = iter::from_fn(move || {
            let page = client.run(Call::new(next.take()?).deadline_from_first_send());
            next = page.as_ref().ok().and_then(SessionPage::next_page);
            Some(page)
        });
        let sessions = pages.flat_map(|page| match page {
            Ok(page) => page.into_sessions().into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        });
        let mut listed = verification::ListedSessions::default();
        sessions
            .filter(move |session| session.as_ref().map_or(true, |session| listed.is_new(session)))
    }

    /// Approves or declines a session, or requires the user to repeat steps.
    ///
    /// The request is not repeated once the service may have acted on it, so the status may have
    /// changed even if the call fails.
    pub fn update_status(&self, update: UpdateStatus) -> Result<(), Error> {
        self.0.run(Call::new(update))
    }

    /// Generates the report of a session as a PDF of at most 64 MiB, which may take a minute.
    pub fn generate_pdf(&self, session_id: &SessionId) -> Result<Pdf, Error> {
        self.0.run(Call::new(GeneratePdf::new(session_id.clone())))
    }

    /// Deletes a session and its data.
    pub fn delete_session(&self, session: DeleteSession) -> Result<Deletion, Error> {
        self.0.run(Call::new(session))
    }

    /// Sends a request to any other route.
    pub fn raw(&self, request: Raw) -> Result<RawResponse, Error> {
        self.0.run(Call::new(request))
    }
}
