use crate::{Client, Error, Wait};
use didit_core::verification::{
    CreateSession, Decision, DeleteSession, Deletion, GeneratePdf, ListSessions, Pdf, Raw,
    RawResponse, RetrieveDecision, Session, SessionId, SessionPage, SessionSummary, UpdateStatus,
};
use didit_core::{Call, WaitForDecision, verification};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, future, stream};

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
    pub async fn create_session(&self, session: CreateSession) -> Result<Session, Error> {
        self.0.run(Call::new(session)).await
    }

    /// Retrieves the decision of a session.
    pub async fn decision(&self, session_id: &SessionId) -> Result<Decision, Error> {
        self.0.run(Call::new(RetrieveDecision::new(session_id.clone()))).await
    }

    /// Polls the decision of a session until its status is
    /// [settled](didit_core::verification::Status::is_settled), and returns that decision.
    pub fn wait_for_decision(&self, session_id: &SessionId) -> Wait<'a, RetrieveDecision> {
        let wait = WaitForDecision::for_endpoint(RetrieveDecision::new(session_id.clone()));
        Wait { client: self.0, wait }
    }

    /// Lists one page of sessions.
    pub async fn sessions(&self, list: ListSessions) -> Result<SessionPage, Error> {
        self.0.run(Call::new(list)).await
    }

    /// Lists the sessions of this page and of all pages after it, each
    /// [once](verification::ListedSessions). The stream requests each page when it reaches it, and ends
    /// with the first error. Time in the rate limiter's queue does not count toward a page's timeout.
    pub fn all_sessions(
        &self,
        list: ListSessions,
    ) -> impl Stream<Item = Result<SessionSummary, Error>> + Send + Unpin + use<> {
        let (client, mut listed) = (self.0.clone(), verification::ListedSessions::default());
        let pages = stream::try_unfold(Some(list), move |list| {
            let client = client.clone();
            async move {
                let Some(list) = list else { return Ok::<_, Error>(None) };
                let page = client.run(Call::new(list).deadline_from_first_send()).await?;
                let next = page.next_page();
                Ok(Some((stream::iter(page.into_sessions()).map(Ok), next)))
            }
        });
        pages.try_flatten().try_filter(move |session| future::ready(listed.is_new(session))).boxed()
    }

    /// Approves or declines a session, or requires the user to repeat steps.
    ///
    /// The request is not repeated once the service may have acted on it, so the status may have
    /// changed even if the call fails.
    pub async fn update_status(&self, update: UpdateStatus) -> Result<(), Error> {
        self.0.run(Call::new(update)).await
    }

    /// Generates the report of a session as a PDF of at most 64 MiB, which may take a minute.
    pub async fn generate_pdf(&self, session_id: &SessionId) -> Result<Pdf, Error> {
        self.0.run(Call::new(GeneratePdf::new(session_id.clone()))).await
    }

    /// Deletes a session and its data.
    pub async fn delete_session(&self, session: DeleteSession) -> Result<Deletion, Error> {
        self.0.run(Call::new(session)).await
    }

    /// Sends a request to any other route.
    pub async fn raw(&self, request: Raw) -> Result<RawResponse, Error> {
        self.0.run(Call::new(request)).await
    }
}
