use std::fmt;
use std::sync::Arc;

use crate::base_url::InvalidBaseUrl;
use crate::credentials::InvalidCredentials;

/// Error building a request or a client: invalid input, refused before anything is sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// An invalid base URL.
    BaseUrl(InvalidBaseUrl),
    /// Invalid credentials.
    Credentials(InvalidCredentials),
    /// A user agent with characters that a header cannot contain.
    UserAgent,
    /// A path that does not begin with a slash, has empty or dot segments, or needs to be encoded.
    Path,
    /// A URL of more than 65,534 bytes, because of a long path or query.
    TooLong,
    /// The service's link to the next page of a list, which does not lead forward: the list is not
    /// complete.
    BrokenLink,
    /// A timeout of the [`Policy`](crate::Policy) that is zero: every call would fail before anything
    /// is sent.
    ZeroTimeout {
        /// The name of the field.
        name: &'static str,
    },
    /// A member of the body with a value that the service is documented to refuse.
    InvalidMember {
        /// The path of the member, such as `expected_details.address`.
        name: &'static str,
        /// The problem, as the end of a sentence.
        problem: &'static str,
    },
    /// The body could not be serialized as JSON. Never occurs with the types of this crate.
    Json(Arc<serde_json::Error>),
    /// The `http` crate refused the request. Never occurs with the requests of this crate.
    Http(Arc<http::Error>),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BaseUrl(error) => error.fmt(f),
            Self::Credentials(error) => error.fmt(f),
            Self::UserAgent => {
                f.write_str("the user agent contains a character that is not visible ASCII")
            }
            Self::Path => f.write_str(
                "the path does not begin with a slash, or has empty, dot or encoded segments",
            ),
            Self::TooLong => {
                f.write_str("the URL has more than 65534 bytes; shorten the path or the query")
            }
            Self::BrokenLink => f.write_str("the link to the next page does not lead forward"),
            Self::ZeroTimeout { name } => {
                write!(f, "{name} is zero, so every call would fail; give a longer time")
            }
            Self::InvalidMember { name, problem } => write!(f, "{name} {problem}"),
            Self::Json(_) | Self::Http(_) => f.write_str("the request could not be built"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json(error) => Some(&**error),
            Self::Http(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<InvalidBaseUrl> for BuildError {
    fn from(error: InvalidBaseUrl) -> Self {
        Self::BaseUrl(error)
    }
}

impl From<InvalidCredentials> for BuildError {
    fn from(error: InvalidCredentials) -> Self {
        Self::Credentials(error)
    }
}

impl From<serde_json::Error> for BuildError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(Arc::new(error))
    }
}

impl From<http::Error> for BuildError {
    fn from(error: http::Error) -> Self {
        Self::Http(Arc::new(error))
    }
}
