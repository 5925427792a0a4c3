//! `GET /v3/session/{session_id}/decision/`
//!
//! [Documentation](https://docs.didit.me/sessions-api/retrieve-session)

use http::{Method, Request, Response};

use super::{Decision, SessionId};
use crate::base_url::BaseUrl;
use crate::credentials::Authorization;
use crate::endpoint::{
    Bucket, Endpoint, EndpointKind, Replay, json_headers, request, sealed, triage,
};
use crate::error::{BuildError, ResponseError, ResponseErrorKind};
use crate::session_id::SessionId as AnySessionId;

/// Retrieves the decision of a session: its status and the reports of its steps.
///
/// ```
/// use didit_core::verification::RetrieveDecision;
/// use didit_core::{Authorization, BaseUrl, Endpoint};
///
/// let endpoint = RetrieveDecision::new("11111111-2222-3333-4444-555555555555".parse()?);
/// let key = Authorization::api_key("application-key")?;
/// let request = endpoint.request(&BaseUrl::verification(), Some(&key))?;
/// assert_eq!(
///     request.uri(),
///     "https://verification.didit.me/v3/session/11111111-2222-3333-4444-555555555555/decision/"
/// );
///
/// let body = br#"{"session_id": "11111111-2222-3333-4444-555555555555", "status": "Approved"}"#;
/// let decision = endpoint.parse(&http::Response::new(body))?;
/// assert!(decision.status().is_settled());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RetrieveDecision {
    session_id: SessionId,
    with_events: bool,
}

impl RetrieveDecision {
    /// Creates a request for the decision of a session.
    pub fn new(session_id: SessionId) -> Self {
        Self { session_id, with_events: false }
    }

    /// Also requests the events of the session, which [`Decision::json`] then contains.
    #[must_use]
    pub fn with_events(mut self) -> Self {
        self.with_events = true;
        self
    }
}

impl Endpoint for RetrieveDecision {
    type Output = Decision;
    const KIND: EndpointKind = EndpointKind::RetrieveVerificationDecision;
    const BUCKET: Bucket = Bucket::VerificationReads;
    const AUTHORIZED: bool = true;

    fn replay(&self) -> Replay {
        Replay::Safe
    }

    fn session_id(&self) -> Option<&AnySessionId> {
        Some(self.session_id.as_any())
    }

    fn request(
        &self,
        base: &BaseUrl,
        authorization: Option<&Authorization>,
    ) -> Result<Request<Vec<u8>>, BuildError> {
        let query = if self.with_events { "?include=events" } else { "" };
        let path = format!("/v3/session/{}/decision/{query}", self.session_id);
        request(base, Method::GET, path, Vec::new(), json_headers(authorization))
    }

    fn parse<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<Decision, ResponseError> {
        let decision = triage::success(self, response, Decision::from_json)?;
        match decision.session_id() {
            Some(id) if id.eq_ignore_ascii_case(self.session_id.as_str()) => {}
            Some(_) => {
                return Err(triage::error(self, response, ResponseErrorKind::SessionMismatch));
            }
            None => triage::check_no_error(self, response, triage::missing_session())?,
        }
        Ok(decision)
    }
}

impl sealed::Sealed for RetrieveDecision {}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> RetrieveDecision {
        RetrieveDecision::new("11111111-2222-3333-4444-555555555555".parse().unwrap())
    }

    #[test]
    fn request_matches_the_documentation() {
        let key = Authorization::api_key("key").unwrap();
        let request = endpoint().request(&BaseUrl::verification(), Some(&key)).unwrap();
        assert_eq!(request.method(), Method::GET);
        assert_eq!(
            request.uri(),
            "https://verification.didit.me/v3/session/11111111-2222-3333-4444-555555555555/decision/"
        );
        assert_eq!(request.headers()["x-api-key"], "key");
        assert!(request.headers()["x-api-key"].is_sensitive() && request.body().is_empty());
        let with_events = endpoint().with_events().request(&BaseUrl::verification(), None).unwrap();
        assert_eq!(with_events.uri().query(), Some("include=events"));
    }

    #[test]
    fn response_for_another_session_is_an_error() {
        let parse = |body: &'static str| {
            endpoint().parse(&Response::new(body)).map_err(|e| e.kind().clone())
        };
        let other =
            parse(r#"{"session_id":"99999999-2222-3333-4444-555555555555","status":"Approved"}"#);
        assert_eq!(other.err(), Some(ResponseErrorKind::SessionMismatch));
        assert!(parse(r#"{"status":"Approved"}"#).is_ok());
    }
}
