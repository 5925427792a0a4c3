use std::fmt;

use http::header::{ACCEPT, HeaderMap, HeaderName};
use http::{Method, Request, Response};
use serde::Deserialize;

use super::{Endpoint, Replay, request, session_path, triage};
use crate::base_url::BaseUrl;
use crate::credentials::{Authorization, JSON, session_token_header};
use crate::decision::Status;
use crate::error::{Action, BuildError, ResponseError};
use crate::json::{self, Json, JsonError, Object};
use crate::secret::Secret;
use crate::session_id::SessionId;

/// `GET /auth/v2/session/{session_id}/status/`: how far a session has come.
///
/// It takes the session's own token and no other authorization.
#[derive(Clone, Debug)]
pub struct SessionStatus {
    session_id: SessionId,
    session_token: Secret,
}

const SESSION_TOKEN: HeaderName = HeaderName::from_static("data-session-token");

impl SessionStatus {
    /// The status of that session, which gave that token when it was created.
    ///
    /// A token that no header may carry is refused when the request is built.
    pub fn new(session_id: SessionId, session_token: impl Into<Secret>) -> Self {
        Self { session_id, session_token: session_token.into() }
    }
}

impl Endpoint for SessionStatus {
    type Output = StatusReport;
    const ACTION: Action = Action::ReadStatus;
    const REPLAY: Replay = Replay::Safe;
    const AUTHORIZED: bool = false;

    fn request(
        &self,
        base: &BaseUrl,
        _authorization: &Authorization,
    ) -> Result<Request<Vec<u8>>, BuildError> {
        let session_token = session_token_header(&self.session_token)?;
        let headers = HeaderMap::from_iter([(ACCEPT, JSON), (SESSION_TOKEN, session_token)]);
        let path = session_path(&self.session_id, "/status/");
        request(base, Method::GET, path, Vec::new(), headers)
    }

    fn read(&self, response: &Response<&[u8]>) -> Result<StatusReport, ResponseError> {
        let report = triage::success(Self::ACTION, response).and_then(|body| {
            StatusReport::from_json(body)
                .map_err(|problem| triage::malformed(Self::ACTION, response, problem))
        });
        report.map_err(|error| error.scrubbed(self.session_token.expose()))
    }
}

/// What the service says of a session's status.
#[derive(Clone)]
pub struct StatusReport {
    status: Status,
    json: Box<str>,
}

impl StatusReport {
    fn from_json(body: &[u8]) -> Result<Self, JsonError> {
        #[derive(Deserialize)]
        struct Answer {
            status: Option<String>,
        }

        let text = json::text(body)?;
        let Object(answer): Object<Answer> =
            serde_json::from_str(text).map_err(|error| JsonError::new(body, &error))?;
        let status = answer
            .status
            .ok_or_else(|| JsonError::at(body, 0, "status", "expected a string".to_owned()))?;
        Ok(Self { status: Status::from(&*status), json: text.into() })
    }

    /// How far the session has come.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The whole answer as the service sent it.
    pub fn json(&self) -> Json<'_> {
        json::accepted(&self.json)
    }
}

impl fmt::Debug for StatusReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusReport").field("status", &self.status).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> SessionStatus {
        SessionStatus::new("s-1".parse().unwrap(), "canary")
    }

    #[test]
    fn the_request_carries_the_session_token_alone() {
        let bearer = Authorization::bearer("token").unwrap();
        let request = endpoint().request(&BaseUrl::production(), &bearer).unwrap();
        assert_eq!(request.uri(), "https://apx.didit.me/auth/v2/session/s-1/status/");
        assert_eq!(request.headers()["data-session-token"], "canary");
        assert!(!request.headers().contains_key("authorization"));
        assert!(!format!("{request:?} {:?}", endpoint()).contains("canary"));
    }

    #[test]
    fn the_documented_answer() {
        let body = didit_sandbox::fixtures::SESSION_STATUS;
        let report = endpoint().parse(Response::new(body.as_bytes())).unwrap();
        assert!(!report.status().is_final());
        assert_eq!(report.json().as_str(), body);
        for body in ["{}", r#"{"status":null}"#, r#"{"status":7}"#, "[]"] {
            let answer = endpoint().parse(Response::new(body.as_bytes()));
            assert!(answer.is_err(), "{body}");
        }
    }

    #[test]
    fn a_token_that_the_service_sends_back_is_not_shown() {
        let body: &[u8] = br#"{"detail":"invalid session token canary"}"#;
        let answer = Response::builder().status(401).body(body).unwrap();
        let error = endpoint().parse(answer).unwrap_err();
        assert_eq!(error.message(), Some("invalid session token ***"));
    }

    #[test]
    fn a_token_no_header_carries_is_refused() {
        let endpoint = SessionStatus::new("s-1".parse().unwrap(), "a b");
        let base = BaseUrl::production();
        let refused = endpoint.request(&base, &Authorization::none()).unwrap_err();
        assert!(refused.to_string().starts_with("the session token holds"));
    }
}
