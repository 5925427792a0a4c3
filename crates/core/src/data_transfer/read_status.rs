//! `GET /auth/v2/session/{session_id}/status/`
//!
//! [Documentation](https://docs.didit.me/data-api-reference/full-flow)

use std::fmt;

use http::header::{ACCEPT, HeaderMap, HeaderName};
use http::{Method, Request, Response};
use serde::Deserialize;

use super::Status;
use crate::base_url::BaseUrl;
use crate::credentials::{Authorization, session_token_header};
use crate::endpoint::{Bucket, Endpoint, EndpointKind, JSON, Replay, request, sealed, triage};
use crate::error::{BuildError, ResponseError, ResponseErrorKind};
use crate::json::{self, JsonError, RawJson};
use crate::secret::Secret;
use crate::session_id::SessionId;

/// Reads the status of a session.
///
/// The request is authorized by the session's token alone.
#[derive(Clone, Debug)]
pub struct ReadStatus {
    session_id: SessionId,
    session_token: Secret,
}

const SESSION_TOKEN: HeaderName = HeaderName::from_static("data-session-token");

impl ReadStatus {
    /// Creates a request for the status of a session, with the token that its creation returned.
    ///
    /// Building the request fails if the token is not a valid header value.
    pub fn new(session_id: SessionId, session_token: impl Into<Secret>) -> Self {
        Self { session_id, session_token: session_token.into() }
    }
}

impl Endpoint for ReadStatus {
    type Output = SessionStatus;
    const KIND: EndpointKind = EndpointKind::ReadStatus;
    const BUCKET: Bucket = Bucket::Reads;
    const AUTHORIZED: bool = false;

    fn replay(&self) -> Replay {
        Replay::Safe
    }

    fn session_id(&self) -> Option<&SessionId> {
        Some(&self.session_id)
    }

    fn request(
        &self,
        base: &BaseUrl,
        _authorization: Option<&Authorization>,
    ) -> Result<Request<Vec<u8>>, BuildError> {
        let session_token = session_token_header(&self.session_token)?;
        let headers = HeaderMap::from_iter([(ACCEPT, JSON), (SESSION_TOKEN, session_token)]);
        let path = format!("/auth/v2/session/{}/status/", self.session_id);
        request(base, Method::GET, path, Vec::new(), headers)
    }

    fn parse<B: AsRef<[u8]>>(
        &self,
        response: &Response<B>,
    ) -> Result<SessionStatus, ResponseError> {
        let status = triage::success(self, response, SessionStatus::from_json)?;
        let named = status.json().get("session_id").and_then(|id| id.deserialize().ok());
        if named.is_some_and(|id: String| !id.eq_ignore_ascii_case(self.session_id.as_str())) {
            return Err(triage::error(self, response, ResponseErrorKind::SessionMismatch));
        }
        Ok(status)
    }
}

impl sealed::Sealed for ReadStatus {
    fn private_texts(&self) -> Vec<Secret> {
        vec![self.session_token.clone()]
    }
}

/// The status of a session, as the service reports it.
#[derive(Clone, PartialEq)]
pub struct SessionStatus {
    status: Status,
    json: RawJson,
}

impl SessionStatus {
    fn from_json(body: &[u8]) -> Result<Self, JsonError> {
        #[derive(Deserialize)]
        struct Members {
            status: Status,
        }

        let text = json::text(body)?;
        let Members { status } = json::read_object(text)?;
        Ok(Self { status, json: RawJson::new_unchecked(text) })
    }

    /// Returns the status.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Returns the whole response as the service sent it.
    pub fn json(&self) -> &RawJson {
        &self.json
    }
}

impl fmt::Debug for SessionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionStatus").field("status", &self.status).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> ReadStatus {
        ReadStatus::new("s-1".parse().unwrap(), "canary")
    }

    #[test]
    fn request_carries_only_the_session_token() {
        let bearer = Authorization::bearer("token").unwrap();
        let request = endpoint().request(&BaseUrl::production(), Some(&bearer)).unwrap();
        assert_eq!(request.uri(), "https://apx.didit.me/auth/v2/session/s-1/status/");
        assert_eq!(request.headers()["data-session-token"], "canary");
        assert!(!request.headers().contains_key("authorization"));
        assert!(!format!("{request:?} {:?}", endpoint()).contains("canary"));
    }

    #[test]
    fn documented_response_is_parsed() {
        let body = didit_sandbox::fixtures::SESSION_STATUS;
        let status = endpoint().parse(&Response::new(body)).unwrap();
        assert!(!status.status().is_final());
        assert_eq!(status.json().as_str(), body);
        let another =
            endpoint().parse(&Response::new(r#"{"session_id":"s-2","status":"expired"}"#));
        assert_eq!(another.err().unwrap().kind(), &ResponseErrorKind::SessionMismatch);
        for body in ["{}", r#"{"status":null}"#, r#"{"status":7}"#, "[]"] {
            assert!(endpoint().parse(&Response::new(body)).is_err(), "{body}");
        }
    }

    #[test]
    fn echoed_session_token_is_redacted() {
        let body = r#"{"detail":"invalid session token canary"}"#;
        let response = Response::builder().status(401).body(body).unwrap();
        let error = endpoint().parse(&response).unwrap_err();
        assert_eq!(error.message(), Some("invalid session token ***"));
    }

    #[test]
    fn malformed_session_token_is_rejected() {
        let endpoint = ReadStatus::new("s-1".parse().unwrap(), "a b");
        let error = endpoint.request(&BaseUrl::production(), None).unwrap_err();
        assert!(error.to_string().starts_with("the session token contains"));
    }
}
