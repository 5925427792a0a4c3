use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::secret::{Secret, is_visible, sensitive_header};

/// The credentials of a client.
///
/// ```
/// use didit_core::{Authorization, ClientCredentials, Credentials};
///
/// let by_client: Credentials = ClientCredentials::new("id", "secret")?.into();
/// let by_token: Credentials = Authorization::bearer("held-already")?.into();
/// let by_key: Credentials = Authorization::api_key("application-key")?.into();
/// # Ok::<(), didit_core::InvalidCredentials>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// A client id and secret, to fetch access tokens, each of which is used until it expires.
    Client(ClientCredentials),
    /// A token or key, which is sent with every request and never renewed.
    Token(Authorization),
    /// No authorization. Reading a session's status needs none.
    None,
}

impl From<ClientCredentials> for Credentials {
    fn from(client: ClientCredentials) -> Self {
        Self::Client(client)
    }
}

impl From<Authorization> for Credentials {
    fn from(token: Authorization) -> Self {
        Self::Token(token)
    }
}

/// A client id and its secret, for the OAuth 2.0 client-credentials grant.
#[derive(Clone)]
pub struct ClientCredentials {
    client_id: Box<str>,
    secret: Secret,
    basic: HeaderValue,
}

impl ClientCredentials {
    /// Creates the credentials and builds the header of a token request. Both parts are
    /// form-urlencoded before they are base64-encoded
    /// ([RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)).
    ///
    /// # Errors
    /// Either part is empty, or contains anything except visible ASCII and spaces
    /// ([RFC 6749 A.1](https://www.rfc-editor.org/rfc/rfc6749#appendix-A.1)).
    pub fn new(
        client_id: &str,
        client_secret: impl Into<Secret>,
    ) -> Result<Self, InvalidCredentials> {
        let secret: Secret = client_secret.into();
        for (what, text) in [("client id", client_id), ("client secret", secret.expose())] {
            if text.is_empty() {
                return Err(InvalidCredentials::Empty { what });
            }
            if !is_visible(text) {
                return Err(InvalidCredentials::Character { what });
            }
        }
        // Encoding may triple the length, and a reallocated string leaves unwiped copies behind.
        let capacity = 3 * (client_id.len() + secret.expose().len()) + 1;
        let mut pair = Zeroizing::new(String::with_capacity(capacity));
        form_urlencode(client_id, &mut pair);
        pair.push(':');
        form_urlencode(secret.expose(), &mut pair);
        let mut encoded = Zeroizing::new(String::with_capacity(pair.len().div_ceil(3) * 4));
        STANDARD.encode_string(pair.as_bytes(), &mut encoded);
        let basic = sensitive_header(&["Basic ", &encoded])
            .ok_or(InvalidCredentials::Character { what: "client secret" })?;
        Ok(Self { client_id: client_id.into(), secret, basic })
    }

    /// Returns the client id, which is not secret.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    pub(crate) fn basic(&self) -> &HeaderValue {
        &self.basic
    }

    pub(crate) fn secret(&self) -> &str {
        self.secret.expose()
    }

    /// Returns the texts that must never be shown: the encoded credentials in the header, with and
    /// without padding, then the secret, which may be a part of them.
    pub(crate) fn secrets(&self) -> [&str; 3] {
        let encoded = last_word(&self.basic);
        [encoded, encoded.trim_end_matches('='), self.secret()]
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// The characters that a form encodes as `%XX`; a space becomes `+`.
const ENCODED: AsciiSet =
    NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'*');

fn form_urlencode(text: &str, out: &mut String) {
    for (number, word) in text.split(' ').enumerate() {
        out.extend((number > 0).then_some("+"));
        out.extend(utf8_percent_encode(word, &ENCODED));
    }
}

/// The header that authorizes a request. Its value is wiped when the last clone is dropped.
#[derive(Clone)]
pub struct Authorization {
    name: HeaderName,
    value: HeaderValue,
}

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

impl Authorization {
    pub(crate) fn header(&self) -> (HeaderName, HeaderValue) {
        (self.name.clone(), self.value.clone())
    }

    /// Builds `Authorization: Bearer {access_token}`.
    ///
    /// # Errors
    /// The token is empty or contains anything except visible ASCII.
    pub fn bearer(access_token: impl Into<Secret>) -> Result<Self, InvalidCredentials> {
        let value = one_word("access token", "Bearer ", &access_token.into())?;
        Ok(Self { name: AUTHORIZATION, value })
    }

    /// Builds `X-Api-Key: {key}`, for API keys.
    ///
    /// # Errors
    /// The key is empty or contains anything except visible ASCII.
    pub fn api_key(key: impl Into<Secret>) -> Result<Self, InvalidCredentials> {
        let value = one_word("API key", "", &key.into())?;
        Ok(Self { name: API_KEY, value })
    }

    /// Returns the token or key, which must never be shown.
    pub(crate) fn secret(&self) -> &str {
        last_word(&self.value)
    }
}

/// Returns the header value for a session token.
pub(crate) fn session_token_header(token: &Secret) -> Result<HeaderValue, InvalidCredentials> {
    one_word("session token", "", token)
}

fn last_word(value: &HeaderValue) -> &str {
    value.to_str().ok().and_then(|text| text.split(' ').next_back()).unwrap_or_default()
}

/// Returns the header value of `prefix` followed by a secret that is a single word.
fn one_word(
    what: &'static str,
    prefix: &str,
    secret: &Secret,
) -> Result<HeaderValue, InvalidCredentials> {
    let secret = secret.expose();
    if secret.is_empty() {
        return Err(InvalidCredentials::Empty { what });
    }
    if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(InvalidCredentials::Character { what });
    }
    sensitive_header(&[prefix, secret]).ok_or(InvalidCredentials::Character { what })
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorization({})", self.name)
    }
}

/// Error for credentials that cannot be used. It never contains the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidCredentials {
    /// The text is empty.
    Empty {
        /// The name of the secret or id.
        what: &'static str,
    },
    /// The text contains a character that is not allowed: a line ending, a control character, a
    /// non-ASCII character, or a space in anything except a client id or secret.
    Character {
        /// The name of the secret or id.
        what: &'static str,
    },
}

impl InvalidCredentials {
    /// Returns the name of the secret or id, such as `client id` or `API key`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Empty { what } | Self::Character { what } => what,
        }
    }
}

impl fmt::Display for InvalidCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { what } => write!(f, "the {what} is empty"),
            Self::Character { what } => {
                write!(
                    f,
                    "the {what} contains a character that is not visible ASCII; \
                     check for a space, a line end or a byte order mark"
                )
            }
        }
    }
}

impl std::error::Error for InvalidCredentials {}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(id: &str, secret: &str) -> String {
        let client = ClientCredentials::new(id, secret).unwrap();
        client.basic().to_str().unwrap().to_owned()
    }

    #[test]
    fn basic_header_is_plain_base64_for_plain_parts() {
        // printf 'Aladdin:open' | base64
        assert_eq!(basic("Aladdin", "open"), "Basic QWxhZGRpbjpvcGVu");
    }

    #[test]
    fn credentials_are_removed_without_their_padding_too() {
        let client = ClientCredentials::new("cid", "verysecret99").unwrap();
        for echo in ["Y2lkOnZlcnlzZWNyZXQ5OQ==", "Y2lkOnZlcnlzZWNyZXQ5OQ"] {
            let scrub = |text: String, secret: &str| crate::secret::scrub(&text, secret);
            assert_eq!(client.secrets().into_iter().fold(echo.to_owned(), scrub), "***");
        }
    }

    #[test]
    fn basic_header_encodes_reserved_characters() {
        // printf 'a%3Ab:c+%2B%25' | base64
        assert_eq!(basic("a:b", "c +%"), "Basic YSUzQWI6YyslMkIlMjU=");
    }

    #[test]
    fn refuses_empty_and_unprintable_secrets() {
        let error =
            |result: Result<Authorization, InvalidCredentials>| result.unwrap_err().to_string();
        assert_eq!(error(Authorization::bearer("")), "the access token is empty");
        assert_eq!(
            error(Authorization::api_key("k\n")),
            "the API key contains a character that is not visible ASCII; \
             check for a space, a line end or a byte order mark"
        );
        for text in ["s\n", "s\r", "\u{feff}s", "s\0", "é", "\t"] {
            let refused = |id, secret| ClientCredentials::new(id, secret).unwrap_err();
            assert_eq!(
                refused("id", text),
                InvalidCredentials::Character { what: "client secret" }
            );
            assert_eq!(
                refused(text, "secret"),
                InvalidCredentials::Character { what: "client id" }
            );
        }
        let client = ClientCredentials::new("id", "").unwrap_err();
        assert_eq!(client.to_string(), "the client secret is empty");
    }

    #[test]
    fn debug_redacts_the_secrets() {
        let client = ClientCredentials::new("id", "canary").unwrap();
        let held = Authorization::bearer("canary").unwrap();
        let shown = format!("{client:?} {:?} {:?}", Credentials::from(held), client.basic());
        assert!(!shown.contains("canary") && !shown.contains("Y2FuYX"), "{shown}");
        assert!(shown.contains("id") && shown.contains("Authorization(authorization)"));
    }
}
