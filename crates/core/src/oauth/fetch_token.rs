//! `POST /auth/v2/token/`
//!
//! [Documentation](https://docs.didit.me/data-api-reference/authentication), and OAuth 2.0 in
//! [RFC 6749 §4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4).

use std::fmt;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, Response};
use serde::{Deserialize, Deserializer};

use crate::base_url::BaseUrl;
use crate::credentials::{Authorization, ClientCredentials, InvalidCredentials};
use crate::endpoint::{Bucket, Endpoint, EndpointKind, JSON, Replay, request, sealed, triage};
use crate::error::{BuildError, ResponseError};
use crate::json::{self, JsonError, RawJson};
use crate::secret::Secret;

/// Fetches an access token for a client id and secret.
///
/// The request is authorized by the client id and secret; the authorization given to `request` is
/// ignored.
#[derive(Clone, Debug)]
pub struct FetchToken {
    client: ClientCredentials,
}

impl FetchToken {
    /// Creates a request for a token for `client`.
    pub fn new(client: ClientCredentials) -> Self {
        Self { client }
    }
}

impl Endpoint for FetchToken {
    type Output = AccessToken;
    const KIND: EndpointKind = EndpointKind::FetchToken;
    const BUCKET: Bucket = Bucket::Token;
    const AUTHORIZED: bool = false;

    fn replay(&self) -> Replay {
        Replay::Safe
    }

    fn request(
        &self,
        base: &BaseUrl,
        _authorization: Option<&Authorization>,
    ) -> Result<Request<Vec<u8>>, BuildError> {
        let body = b"grant_type=client_credentials".to_vec();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let basic = self.client.basic().clone();
        let headers =
            HeaderMap::from_iter([(ACCEPT, JSON), (CONTENT_TYPE, form), (AUTHORIZATION, basic)]);
        request(base, Method::POST, "/auth/v2/token/".to_owned(), body, headers)
    }

    fn parse<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<AccessToken, ResponseError> {
        triage::success(self, response, AccessToken::from_json)
    }
}

impl sealed::Sealed for FetchToken {
    fn private_texts(&self) -> Vec<Secret> {
        self.client.secrets().map(Secret::from).into()
    }
}

/// An access token and its lifetime.
#[derive(Clone)]
pub struct AccessToken {
    secret: Secret,
    authorization: Authorization,
    lifetime: Option<Duration>,
}

impl AccessToken {
    /// Wraps a token that was fetched elsewhere and expires after `lifetime` from now.
    ///
    /// # Errors
    /// The token is empty or contains anything but visible ASCII.
    pub fn new(
        access_token: impl Into<Secret>,
        lifetime: Duration,
    ) -> Result<Self, InvalidCredentials> {
        let secret = access_token.into();
        let authorization = Authorization::bearer(secret.clone())?;
        Ok(Self { secret, authorization, lifetime: Some(lifetime.min(MAX_LIFETIME)) })
    }

    fn from_json(body: &[u8]) -> Result<Self, JsonError> {
        let members: Members = json::read_object(json::text(body)?)?;
        let secret = members.access_token;
        let authorization = Authorization::bearer(secret.clone())
            .map_err(|_| JsonError::at("access_token", "expected a token of visible ASCII"))?;
        // In the documented sample, `expires_in` disagrees with `iat` and `exp`; `expires_in` is
        // right.
        let lifetime = match (members.expires_in, members.iat, members.exp) {
            (Some(seconds), _, _) if seconds > 0.0 => Some(seconds),
            (_, Some(iat), Some(exp)) if exp > iat => Some(exp - iat),
            _ => None,
        };
        let lifetime = lifetime.map(|seconds| {
            Duration::try_from_secs_f64(seconds)
                .map_or(MAX_LIFETIME, |lifetime| lifetime.min(MAX_LIFETIME))
        });
        Ok(Self { secret, authorization, lifetime })
    }

    /// Returns the token itself.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Returns the header that carries the token.
    pub fn authorization(&self) -> &Authorization {
        &self.authorization
    }

    /// Returns the token's lifetime, counted from the arrival of its response or from the moment it
    /// was read from an [`Engine`](crate::Engine), at most ten years.
    /// `None` if the response does not state one: the token is then used for one request.
    pub fn lifetime(&self) -> Option<Duration> {
        self.lifetime
    }
}

const MAX_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Members {
    access_token: Secret,
    #[serde(default, deserialize_with = "number")]
    expires_in: Option<f64>,
    #[serde(default, deserialize_with = "number")]
    iat: Option<f64>,
    #[serde(default, deserialize_with = "number")]
    exp: Option<f64>,
}

/// Deserializes a number or a string with a number. Any other value is ignored, since the token is
/// usable without it.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    // As text, any value is accepted, even a number beyond a double or a lone surrogate.
    let json: RawJson = Deserialize::deserialize(deserializer)?;
    let text = serde_json::from_str::<String>(json.as_str());
    let text = text.as_deref().unwrap_or(json.as_str());
    let number = text.trim().parse().ok();
    Ok(number.filter(|number: &f64| number.is_finite()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ResponseErrorKind;

    fn parse(body: &str) -> Result<AccessToken, ResponseError> {
        let client = ClientCredentials::new("id", "secret").unwrap();
        FetchToken::new(client).parse(&Response::new(body))
    }

    #[test]
    fn request_matches_the_documentation() {
        let token = FetchToken::new(ClientCredentials::new("Aladdin", "open").unwrap());
        let request = token.request(&BaseUrl::production(), None).unwrap();
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.uri(), "https://apx.didit.me/auth/v2/token/");
        assert_eq!(request.headers()["authorization"], "Basic QWxhZGRpbjpvcGVu");
        assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
        assert_eq!(request.body(), b"grant_type=client_credentials");
    }

    #[test]
    fn documented_response_uses_expires_in() {
        let token = parse(didit_sandbox::fixtures::TOKEN).unwrap();
        assert_eq!(token.lifetime(), Some(Duration::from_secs(86400)));
        assert!(!format!("{token:?}").contains(token.secret().expose()));
    }

    #[test]
    fn max_lifetime_is_ten_years() {
        assert_eq!(MAX_LIFETIME.as_secs(), 315_360_000);
    }

    #[test]
    fn lifetime_falls_back_to_iat_and_exp() {
        let cases = [
            (r#""expires_in":60"#, Some(60)),
            (r#""expires_in":"60","iat":1,"exp":9"#, Some(60)),
            (r#""expires_in":60.0,"token_type":"bearer","scope":null"#, Some(60)),
            (r#""expires_in":0,"iat":1617220000,"exp":1618084000"#, Some(864_000)),
            (r#""expires_in":-5,"iat":10,"exp":20"#, Some(10)),
            (r#""expires_in":null,"iat":10,"exp":20"#, Some(10)),
            (r#""expires_in":{},"iat":20,"exp":10"#, None),
            (r#""exp":20"#, None),
            (r#""iat":20,"exp":20"#, None),
            (r#""expires_in":"soon""#, None),
            (r#""expires_in":"NaN""#, None),
            (r#""expires_in":true,"iat":[1],"exp":"""#, None),
            (r#""expires_in":1e999"#, None),
            (r#""expires_in":1e999,"iat":-1e999,"exp":20"#, None),
            (r#""expires_in":1e999,"iat":10,"exp":20"#, Some(10)),
            (r#""expires_in":"\ud800""#, None),
            (r#""expires_in":{"\udfff":["\ud800",1e999]}"#, None),
            (r#""expires_in":1e300"#, Some(MAX_LIFETIME.as_secs())),
        ];
        for (members, seconds) in cases {
            let token = parse(&format!(r#"{{"access_token":"t",{members}}}"#));
            let lifetime = token.as_ref().ok().and_then(AccessToken::lifetime);
            assert_eq!(lifetime, seconds.map(Duration::from_secs), "{members} {token:?}");
        }
    }

    #[test]
    fn missing_or_malformed_token_is_an_error() {
        for body in [
            "{}",
            r#"{"access_token":null}"#,
            r#"{"access_token":""}"#,
            r#"{"access_token":"a b"}"#,
        ] {
            let error = parse(body).unwrap_err().to_string();
            assert!(error.contains("in `access_token`") && !error.contains("a b"), "{error}");
        }
    }

    #[test]
    fn invalid_client_error_is_classified() {
        let token = FetchToken::new(ClientCredentials::new("id", "secret").unwrap());
        let body = r#"{"error":"invalid_client"}"#;
        for status in [200, 302, 400, 401, 403, 404, 408, 429, 500, 503] {
            let response = Response::builder().status(status).body(body).unwrap();
            let error = token.parse(&response).unwrap_err();
            assert_eq!(*error.kind(), ResponseErrorKind::Unauthorized, "{status}");
            assert!(!error.is_retryable(), "{status}");
        }
    }
}
