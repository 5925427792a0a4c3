use std::fmt;

use super::signature::Scheme;
use crate::json::JsonError;

/// The reason for rejecting a delivery, for your logs. Respond with 400 or 401, without this text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookError {
    /// The body is not an unambiguous JSON object, or a documented member has another type.
    Body(JsonError),
    /// None of the expected signature headers is present.
    NoSignature,
    /// A signature header occurs more than once or is not 64 hexadecimal digits.
    MalformedSignature {
        /// The scheme of the header.
        scheme: Scheme,
    },
    /// No secret matches: the delivery was modified in transit, is forged, or belongs to another
    /// destination.
    SignatureMismatch,
    /// The signature matches, but there is no signed time, so a replay could not be detected.
    NoTimestamp,
    /// The signature matches, but `X-Timestamp` differs from the signed `timestamp`.
    TimestampMismatch,
    /// The signature matches, but the delivery was signed too long ago, or too far in the future.
    Stale {
        /// The seconds since the signed time; negative for a time in the future.
        age: i64,
    },
}

impl fmt::Display for WebhookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(error) => write!(f, "the webhook's body is unreadable: {error}"),
            Self::NoSignature => f.write_str(
                "the webhook has no signature header; check that the proxy passes \
                 X-Signature and X-Signature-V2 on",
            ),
            Self::MalformedSignature { scheme } => {
                write!(f, "the webhook's {scheme} header is not 64 hexadecimal digits")
            }
            Self::SignatureMismatch => f.write_str(
                "the webhook's signature matches no secret; check that the secret is the \
                 destination's secret_shared_key (not the API key), and that the body is verified \
                 before anything parses it",
            ),
            Self::NoTimestamp => f.write_str("the webhook has no signed timestamp"),
            Self::TimestampMismatch => {
                f.write_str("the webhook's X-Timestamp header differs from the signed timestamp")
            }
            Self::Stale { age } if *age < 0 => write!(
                f,
                "the webhook was signed {} s in the future; check this machine's clock",
                age.unsigned_abs()
            ),
            Self::Stale { age } => write!(
                f,
                "the webhook was signed {age} s ago: it was replayed, or this machine's clock \
                 is wrong"
            ),
        }
    }
}

impl std::error::Error for WebhookError {}

/// Error in the secrets of a [`Webhook`](super::Webhook).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidWebhookSecret {
    /// No secret was given.
    None,
    /// A secret is empty.
    Empty {
        /// The index of the secret.
        index: usize,
    },
    /// A secret begins or ends with white space or a byte order mark, such as the line end of the
    /// file it is from.
    WhiteSpace {
        /// The index of the secret.
        index: usize,
    },
}

impl fmt::Display for InvalidWebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no webhook secret was given"),
            Self::Empty { index } => write!(f, "the webhook secret at index {index} is empty"),
            Self::WhiteSpace { index } => {
                write!(
                    f,
                    "the webhook secret at index {index} begins or ends with white space or a \
                     byte order mark"
                )
            }
        }
    }
}

impl std::error::Error for InvalidWebhookSecret {}
