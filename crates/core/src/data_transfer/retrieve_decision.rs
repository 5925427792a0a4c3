//! `GET /auth/v2/session/{session_id}/decision/`
//!
//! [Documentation](https://docs.didit.me/data-api-reference/retrieve-session)

use http::{Method, Request, Response};

use super::Decision;
use crate::base_url::BaseUrl;
use crate::credentials::Authorization;
use crate::endpoint::{
    Bucket, Endpoint, EndpointKind, Replay, json_headers, request, sealed, triage,
};
use crate::error::{BuildError, ResponseError, ResponseErrorKind};
use crate::session_id::SessionId;

/// Retrieves the decision of a session: its status and the data shared in it.
///
/// ```
/// use didit_core::data_transfer::RetrieveDecision;
/// use didit_core::{Authorization, BaseUrl, Endpoint};
///
/// let endpoint = RetrieveDecision::new("unique-session-identifier".parse()?);
/// let bearer = Authorization::bearer("token")?;
/// let request = endpoint.request(&BaseUrl::production(), Some(&bearer))?;
/// assert_eq!(request.uri(), "https://apx.didit.me/auth/v2/session/unique-session-identifier/decision/");
///
/// let body = br#"{"session_id": "unique-session-identifier", "status": "Confirmed"}"#;
/// let decision = endpoint.parse(&http::Response::new(body))?;
/// assert!(decision.status().is_final());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RetrieveDecision {
    session_id: SessionId,
}

impl RetrieveDecision {
    /// Creates a request for the decision of a session.
    pub fn new(session_id: SessionId) -> Self {
        Self { session_id }
    }
}

impl Endpoint for RetrieveDecision {
    type Output = Decision;
    const KIND: EndpointKind = EndpointKind::RetrieveDecision;
    const BUCKET: Bucket = Bucket::Decisions;
    const AUTHORIZED: bool = true;

    fn replay(&self) -> Replay {
        Replay::Safe
    }

    fn session_id(&self) -> Option<&SessionId> {
        Some(&self.session_id)
    }

    fn request(
        &self,
        base: &BaseUrl,
        authorization: Option<&Authorization>,
    ) -> Result<Request<Vec<u8>>, BuildError> {
        let path = format!("/auth/v2/session/{}/decision/", self.session_id);
        request(base, Method::GET, path, Vec::new(), json_headers(authorization))
    }

    fn parse<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<Decision, ResponseError> {
        let decision = triage::success(self, response, Decision::from_json)?;
        if *decision.session_id() != self.session_id {
            return Err(triage::error(self, response, ResponseErrorKind::SessionMismatch));
        }
        Ok(decision)
    }
}

impl sealed::Sealed for RetrieveDecision {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_matches_the_documentation() {
        let endpoint = RetrieveDecision::new("unique-session-identifier".parse().unwrap());
        let bearer = Authorization::bearer("token").unwrap();
        let request = endpoint.request(&BaseUrl::production(), Some(&bearer)).unwrap();
        let head = format!("{} {}", request.method(), request.uri().path());
        assert_eq!(head, "GET /auth/v2/session/unique-session-identifier/decision/");
        assert_eq!(request.headers()["content-type"], "application/json");
        assert_eq!(request.headers()["authorization"], "Bearer token");
        assert!(request.headers()["authorization"].is_sensitive());
        assert!(request.body().is_empty());
    }

    #[test]
    fn api_key_is_sent_in_x_api_key() {
        let endpoint = RetrieveDecision::new("s".parse().unwrap());
        let key = Authorization::api_key("key").unwrap();
        let request = endpoint.request(&BaseUrl::staging(), Some(&key)).unwrap();
        assert_eq!(request.headers()["x-api-key"], "key");
        assert!(!request.headers().contains_key("authorization"));
    }

    #[test]
    fn response_for_another_session_is_an_error() {
        let endpoint = RetrieveDecision::new("mine".parse().unwrap());
        let body = r#"{"session_id":"theirs","status":"Confirmed"}"#;
        let error = endpoint.parse(&Response::new(body)).unwrap_err();
        assert_eq!(error.kind(), &ResponseErrorKind::SessionMismatch);
        assert_eq!(
            error.to_string(),
            "could not retrieve the decision: HTTP 200 OK, but the response is about another session"
        );
    }

    #[test]
    fn byte_order_mark_alone_is_an_empty_response() {
        let endpoint = RetrieveDecision::new("mine".parse().unwrap());
        for body in ["", " \r\n", "\u{feff}", "\u{feff} \n"] {
            let error = endpoint.parse(&Response::new(body)).unwrap_err();
            assert_eq!(error.kind(), &ResponseErrorKind::Empty, "{body:?}");
        }
    }

    #[test]
    fn redirect_is_named_without_its_query() {
        let endpoint = RetrieveDecision::new("a".parse().unwrap());
        for target in ["https://h.example/login/?email=canary", "https://h.example/login/#canary"] {
            let response = Response::builder().status(302).header("location", target).body("");
            let error = endpoint.parse(&response.unwrap()).unwrap_err();
            assert_eq!(error.location(), Some("https://h.example/login/"));
            assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        }
    }
}
