use std::fmt;

use http::{Method, Request, Response};
use serde::{Deserialize, Serialize};

use super::{Endpoint, Replay, request, triage};
use crate::base_url::BaseUrl;
use crate::credentials::Authorization;
use crate::error::{Action, BuildError, ResponseError};
use crate::json::{self, Json, JsonError, Object};
use crate::scope::Scopes;
use crate::secret::Secret;
use crate::session_id::SessionId;

/// `POST /auth/v2/session/`: a new data-transfer session, for a person to approve.
///
/// It is never sent twice if the first may have reached the service.
#[derive(Clone)]
pub struct CreateSession {
    scopes: Scopes,
    vendor_data: Option<String>,
}

impl CreateSession {
    /// A session that asks for those scopes.
    pub fn new(scopes: Scopes) -> Self {
        Self { scopes, vendor_data: None }
    }

    /// Gives the session a text of the caller's, which its decision will repeat.
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
    type Output = CreatedSession;
    const ACTION: Action = Action::CreateSession;
    const REPLAY: Replay = Replay::OnlyIfUnsent;
    const AUTHORIZED: bool = true;

    fn request(
        &self,
        base: &BaseUrl,
        authorization: &Authorization,
    ) -> Result<Request<Vec<u8>>, BuildError> {
        #[derive(Serialize)]
        struct Body<'a> {
            scope: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            vendor_data: Option<&'a str>,
        }

        let vendor_data = self.vendor_data.as_deref();
        let body = serde_json::to_vec(&Body { scope: self.scopes.to_string(), vendor_data });
        let body = body.map_err(BuildError::Json)?;
        request(base, Method::POST, "/auth/v2/session/".to_owned(), body, authorization.headers())
    }

    fn read(&self, response: &Response<&[u8]>) -> Result<CreatedSession, ResponseError> {
        let body = triage::success(Self::ACTION, response)?;
        CreatedSession::from_json(body)
            .map_err(|problem| triage::malformed(Self::ACTION, response, problem))
    }
}

/// A session that was just created.
///
/// Whoever knows its token or its URL can act in it, so `Debug` shows neither.
#[derive(Clone)]
pub struct CreatedSession {
    session_id: SessionId,
    session_token: Secret,
    url: Secret,
    json: Secret,
}

impl CreatedSession {
    fn from_json(body: &[u8]) -> Result<Self, JsonError> {
        #[derive(Deserialize)]
        struct Answer {
            session_id: Option<String>,
            session_token: Option<String>,
            url: Option<String>,
        }

        let text = json::text(body)?;
        let Object(answer): Object<Answer> =
            serde_json::from_str(text).map_err(|error| JsonError::new(body, &error))?;
        let wrong = |place, problem: &str| JsonError::at(body, 0, place, problem.to_owned());
        let expected = |place| move || wrong(place, "expected a string");
        let session_id = answer.session_id.ok_or_else(expected("session_id"))?;
        let session_token = answer.session_token.ok_or_else(expected("session_token"))?;
        let url = answer.url.ok_or_else(expected("url"))?;
        // It is meant to be followed, so nothing but a web address will do.
        if !(url.starts_with("https://") || url.starts_with("http://"))
            || url.contains(char::is_control)
        {
            return Err(wrong("url", "expected a web address"));
        }
        Ok(Self {
            session_id: SessionId::new(&session_id)
                .map_err(|reason| wrong("session_id", &reason.to_string()))?,
            session_token: session_token.into(),
            url: url.into(),
            json: text.into(),
        })
    }

    /// The identifier of the session.
    pub fn session_id(&self) -> &SessionId {
        &self.session_id
    }

    /// What reading the session's status takes; see [`SessionStatus`](crate::SessionStatus).
    pub fn session_token(&self) -> &Secret {
        &self.session_token
    }

    /// Where the person approves: to be shown as a QR code on a desktop, as a link on a phone.
    pub fn url(&self) -> &Secret {
        &self.url
    }

    /// The whole answer as the service sent it.
    pub fn json(&self) -> Json<'_> {
        json::accepted(self.json.expose())
    }
}

impl fmt::Debug for CreatedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedSession")
            .field("session_id", &self.session_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<CreatedSession, ResponseError> {
        CreateSession::new("names".parse().unwrap()).parse(Response::new(body.as_bytes()))
    }

    #[test]
    fn the_request_is_the_documented_one() {
        let create = CreateSession::new("picture names email".parse().unwrap());
        let bearer = Authorization::bearer("token").unwrap();
        let request = create.request(&BaseUrl::production(), &bearer).unwrap();
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.uri(), "https://apx.didit.me/auth/v2/session/");
        assert_eq!(request.headers()["content-type"], "application/json");
        assert_eq!(request.headers()["authorization"], "Bearer token");
        assert_eq!(request.body(), br#"{"scope":"picture names email"}"#);
        let create = create.with_vendor_data("order \"7\"");
        let request = create.request(&BaseUrl::production(), &bearer).unwrap();
        let body = r#"{"scope":"picture names email","vendor_data":"order \"7\""}"#;
        assert_eq!(request.body(), body.as_bytes());
    }

    #[test]
    fn the_documented_answer() {
        let created = parse(didit_sandbox::fixtures::CREATE_SESSION).unwrap();
        let token = created.session_token().expose();
        assert!(created.url().expose().ends_with(token));
        assert_eq!(created.json().as_str(), didit_sandbox::fixtures::CREATE_SESSION);
        assert!(!format!("{created:?}").contains(token));
    }

    #[test]
    fn an_answer_that_cannot_be_used_is_an_error() {
        let cases = [
            (r#"{"session_token":"t","url":"https://x"}"#, "session_id"),
            (r#"{"session_id":"a/b","session_token":"t","url":"https://x"}"#, "session_id"),
            (r#"{"session_id":"s","url":"https://x"}"#, "session_token"),
            (r#"{"session_id":"s","session_token":"t"}"#, "url"),
            (r#"{"session_id":"s","session_token":"t","url":"javascript:alert(1)"}"#, "url"),
        ];
        for (body, place) in cases {
            let error = parse(body).unwrap_err().to_string();
            assert!(error.ends_with(&format!("in `{place}`")), "{error}");
        }
    }
}
