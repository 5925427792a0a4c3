//! `POST /auth/v2/session/`
//!
//! [Documentation](https://docs.didit.me/data-api-reference/create-session)

use std::fmt;

use http::{Method, Request, Response};
use serde::{Deserialize, Serialize};

use super::Scopes;
use crate::base_url::BaseUrl;
use crate::credentials::Authorization;
use crate::endpoint::{
    Bucket, Endpoint, EndpointKind, Replay, echo, json_headers, request, sealed, triage,
};
use crate::error::{BuildError, ResponseError};
use crate::json::{self, JsonError};
use crate::secret::Secret;
use crate::session_id::SessionId;

/// Creates a data-transfer session for a person to approve.
///
/// A request that may have reached the service is never sent again.
#[derive(Clone)]
pub struct CreateSession {
    scopes: Scopes,
    vendor_data: Option<String>,
}

impl CreateSession {
    /// Creates a request for a session that asks for `scopes`.
    pub fn new(scopes: Scopes) -> Self {
        Self { scopes, vendor_data: None }
    }

    /// Sets a custom string, which the session's decision will contain.
    #[must_use]
    pub fn with_vendor_data<'a>(mut self, vendor_data: impl Into<Option<&'a str>>) -> Self {
        self.vendor_data = vendor_data.into().map(str::to_owned);
        self
    }
}

impl fmt::Debug for CreateSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateSession").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}

impl Endpoint for CreateSession {
    type Output = Session;
    const KIND: EndpointKind = EndpointKind::CreateSession;
    const BUCKET: Bucket = Bucket::Writes;
    const AUTHORIZED: bool = true;

    fn replay(&self) -> Replay {
        Replay::OnlyIfUnsent
    }

    fn request(
        &self,
        base: &BaseUrl,
        authorization: Option<&Authorization>,
    ) -> Result<Request<Vec<u8>>, BuildError> {
        #[derive(Serialize)]
        struct Body<'a> {
            scope: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            vendor_data: Option<&'a str>,
        }

        let vendor_data = self.vendor_data.as_deref();
        let body = serde_json::to_vec(&Body { scope: self.scopes.to_string(), vendor_data })?;
        let path = "/auth/v2/session/".to_owned();
        request(base, Method::POST, path, body, json_headers(authorization))
    }

    fn parse<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<Session, ResponseError> {
        triage::success(self, response, Session::from_json)
    }
}

impl sealed::Sealed for CreateSession {
    fn private_texts(&self) -> Vec<Secret> {
        echo::private(self.vendor_data.as_deref())
    }
}

/// A session that was just created.
///
/// Anyone who knows the token or the URL can act in the session, so `Debug` shows neither.
#[derive(Clone, Debug)]
#[allow(clippy::struct_field_names, reason = "they are the service's names")]
pub struct Session {
    session_id: SessionId,
    session_token: Secret,
    url: Secret,
    json: Secret,
}

impl Session {
    fn from_json(body: &[u8]) -> Result<Self, JsonError> {
        #[derive(Deserialize)]
        struct Members {
            session_id: SessionId,
            session_token: Secret,
            url: Secret,
        }

        let text = json::text(body)?;
        let Members { session_id, session_token, url } = json::read_object(text)?;
        json::check_web_address(url.expose())?;
        Ok(Self { session_id, session_token, url, json: text.into() })
    }

    /// Returns the identifier of the session.
    pub fn session_id(&self) -> &SessionId {
        &self.session_id
    }

    /// Returns the token required to read the session's status; see
    /// [`ReadStatus`](super::ReadStatus).
    pub fn session_token(&self) -> &Secret {
        &self.session_token
    }

    /// Returns the URL at which the person approves the session. Show it as a QR code on a desktop
    /// and as a link on a phone.
    pub fn url(&self) -> &Secret {
        &self.url
    }

    /// Returns the whole response as the service sent it, JSON that contains the token and the URL.
    pub fn secret_json(&self) -> &Secret {
        &self.json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Session, ResponseError> {
        CreateSession::new("names".parse().unwrap()).parse(&Response::new(body))
    }

    #[test]
    fn request_matches_the_documentation() {
        let create = CreateSession::new("picture names email".parse().unwrap());
        let bearer = Authorization::bearer("token").unwrap();
        let request = create.request(&BaseUrl::production(), Some(&bearer)).unwrap();
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.uri(), "https://apx.didit.me/auth/v2/session/");
        assert_eq!(request.headers()["content-type"], "application/json");
        assert_eq!(request.headers()["authorization"], "Bearer token");
        assert_eq!(request.body(), br#"{"scope":"picture names email"}"#);
        let create = create.with_vendor_data("order \"7\"");
        let request = create.request(&BaseUrl::production(), Some(&bearer)).unwrap();
        let body = r#"{"scope":"picture names email","vendor_data":"order \"7\""}"#;
        assert_eq!(request.body(), body.as_bytes());
    }

    #[test]
    fn documented_response_is_parsed() {
        let created = parse(didit_sandbox::fixtures::CREATE_SESSION).unwrap();
        let token = created.session_token().expose();
        assert!(created.url().expose().ends_with(token));
        assert_eq!(created.secret_json().expose(), didit_sandbox::fixtures::CREATE_SESSION);
        assert!(!format!("{created:?}").contains(token));
    }

    #[test]
    fn unusable_response_names_the_invalid_member() {
        let cases = [
            (r#"{"session_token":"t","url":"https://x"}"#, "session_id"),
            (r#"{"session_id":"a/b","session_token":"t","url":"https://x"}"#, "session_id"),
            (r#"{"session_id":"s","url":"https://x"}"#, "session_token"),
            (r#"{"session_id":"s","session_token":"t"}"#, "url"),
            (r#"{"session_id":"s","session_token":"t","url":"javascript:alert(1)"}"#, "url"),
        ];
        for (body, path) in cases {
            let error = parse(body).unwrap_err().to_string();
            assert!(error.ends_with(&format!("in `{path}`")), "{error}");
        }
    }
}
