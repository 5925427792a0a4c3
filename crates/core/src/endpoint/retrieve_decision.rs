use http::{Method, Request, Response};

use super::{Endpoint, Replay, request, session_path, triage};
use crate::base_url::BaseUrl;
use crate::credentials::Authorization;
use crate::decision::Decision;
use crate::error::{Action, BuildError, ResponseError, ResponseErrorKind};
use crate::session_id::SessionId;

/// `GET /auth/v2/session/{session_id}/decision/`: the session's status and the data shared in it.
///
/// ```
/// use didit_core::{Authorization, BaseUrl, Endpoint, RetrieveDecision};
///
/// let endpoint = RetrieveDecision::new("unique-session-identifier".parse()?);
/// let request = endpoint.request(&BaseUrl::production(), &Authorization::bearer("token")?)?;
/// assert_eq!(request.uri(), "https://apx.didit.me/auth/v2/session/unique-session-identifier/decision/");
///
/// let body = br#"{"session_id": "unique-session-identifier", "status": "Confirmed"}"#;
/// let decision = endpoint.parse(http::Response::new(body))?;
/// assert!(decision.status().is_final());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RetrieveDecision {
    session_id: SessionId,
}

impl RetrieveDecision {
    /// The decision of that session.
    pub fn new(session_id: SessionId) -> Self {
        Self { session_id }
    }

    /// The session asked for.
    pub fn session_id(&self) -> &SessionId {
        &self.session_id
    }
}

impl Endpoint for RetrieveDecision {
    type Output = Decision;
    const ACTION: Action = Action::RetrieveDecision;
    const REPLAY: Replay = Replay::Safe;
    const AUTHORIZED: bool = true;

    fn request(
        &self,
        base: &BaseUrl,
        authorization: &Authorization,
    ) -> Result<Request<Vec<u8>>, BuildError> {
        let path = session_path(&self.session_id, "/decision/");
        request(base, Method::GET, path, Vec::new(), authorization.headers())
    }

    fn read(&self, response: &Response<&[u8]>) -> Result<Decision, ResponseError> {
        let body = triage::success(Self::ACTION, response)?;
        let decision = Decision::from_json(body)
            .map_err(|problem| triage::malformed(Self::ACTION, response, problem))?;
        if decision.session_id() != self.session_id.as_str() {
            return Err(triage::error(Self::ACTION, response, ResponseErrorKind::AnotherSession));
        }
        Ok(decision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_the_documented_one() {
        let endpoint = RetrieveDecision::new("unique-session-identifier".parse().unwrap());
        let bearer = Authorization::bearer("token").unwrap();
        let request = endpoint.request(&BaseUrl::production(), &bearer).unwrap();
        let head = format!("{} {}", request.method(), request.uri().path());
        assert_eq!(head, "GET /auth/v2/session/unique-session-identifier/decision/");
        assert_eq!(request.headers()["content-type"], "application/json");
        assert_eq!(request.headers()["authorization"], "Bearer token");
        assert!(request.headers()["authorization"].is_sensitive());
        assert!(request.body().is_empty());
    }

    #[test]
    fn an_api_key_goes_into_its_own_header() {
        let endpoint = RetrieveDecision::new("s".parse().unwrap());
        let key = Authorization::api_key("key").unwrap();
        let request = endpoint.request(&BaseUrl::staging(), &key).unwrap();
        assert_eq!(request.headers()["x-api-key"], "key");
        assert!(!request.headers().contains_key("authorization"));
    }

    #[test]
    fn an_answer_about_another_session_is_an_error() {
        let endpoint = RetrieveDecision::new("mine".parse().unwrap());
        let body: &[u8] = br#"{"session_id":"theirs","status":"Confirmed"}"#;
        let error = endpoint.parse(Response::new(body)).unwrap_err();
        assert_eq!(error.kind(), &ResponseErrorKind::AnotherSession);
        assert_eq!(
            error.to_string(),
            "could not retrieve the decision: HTTP 200 OK, but the answer is about another session"
        );
    }
}
