//! Webhooks of the verification API: turns the bytes of a delivery into a verified event.
//!
//! Nothing here reads a clock or a socket; pass in the headers and the body that any HTTP server
//! received. In WebAssembly without WASI, where `SystemTime::now()` panics, pass
//! `UNIX_EPOCH + Duration::from_millis(…)`, with the value of JavaScript's `Date.now()`.
//! Source: <https://docs.didit.me/integration/webhooks>.
//!
//! ```
//! # use std::time::{Duration, SystemTime};
//! use didit_core::verification::Status;
//! use didit_core::webhook::{EventKind, Webhook};
//!
//! let webhook = Webhook::new(["the destination's secret_shared_key"])?;
//! # let body = br#"{"timestamp":1774970000,"webhook_type":"status.updated","status":"Approved"}"#;
//! # let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_774_970_000);
//! # let headers = webhook.sign(body)?;
//! // `headers` and `body` as received, and `SystemTime::now()`
//! let event = webhook.verify(&headers, body, now)?;
//! if *event.kind() == EventKind::StatusUpdated {
//!     assert_eq!(event.status(), Some(Status::Approved));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod canonical_json;
mod error;
mod event;
mod event_kind;
mod signature;

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};

pub use self::canonical_json::canonical_json;
pub use self::error::{InvalidWebhookSecret, WebhookError};
pub use self::event::{Event, SimpleEvent};
pub use self::event_kind::EventKind;
pub use self::signature::{Scheme, SignatureMatch};
use crate::secret::Secret;

/// A verifier for the deliveries of one webhook destination.
///
/// A delivery is genuine if the service signed it with one of the secrets, and fresh if the signed
/// timestamp is at most 300 seconds from now.
#[derive(Clone, Debug)]
pub struct Webhook {
    secrets: Vec<Secret>,
    tolerance: Duration,
}

const TIMESTAMP_HEADER: HeaderName = HeaderName::from_static("x-timestamp");

impl Webhook {
    /// Creates a verifier from the destination's `secret_shared_key`, exactly as shown in the
    /// console: nothing is decoded or trimmed. While a secret is being rotated, give the new one
    /// and the old one.
    ///
    /// # Errors
    /// There is no secret, or a secret is empty or has white space or a byte order mark around it.
    pub fn new<S: Into<Secret>>(
        secrets: impl IntoIterator<Item = S>,
    ) -> Result<Self, InvalidWebhookSecret> {
        let secrets: Vec<Secret> = secrets.into_iter().map(Into::into).collect();
        if secrets.is_empty() {
            return Err(InvalidWebhookSecret::None);
        }
        for (index, secret) in secrets.iter().enumerate() {
            if secret.expose().is_empty() {
                return Err(InvalidWebhookSecret::Empty { index });
            }
            let blank = |c: char| c.is_whitespace() || c == '\u{feff}';
            if secret.expose().starts_with(blank) || secret.expose().ends_with(blank) {
                return Err(InvalidWebhookSecret::WhiteSpace { index });
            }
        }
        Ok(Self { secrets, tolerance: Duration::from_secs(300) })
    }

    /// Sets the maximum difference between the signed timestamp and now, in either direction. Only
    /// whole seconds count.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Verifies a delivery and reads its event.
    ///
    /// `body` must be the request's body, byte for byte. The signature of these bytes
    /// ([`Scheme::RawBody`]) is tried first, then the one that remains valid if a proxy rewrites
    /// the JSON ([`Scheme::CanonicalJson`]); both cover the whole event.
    ///
    /// # Errors
    /// The body is not an unambiguous JSON object, no secret matches, or the event is too old.
    pub fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: SystemTime,
    ) -> Result<Event, WebhookError> {
        let canonical = canonical_json(body).map_err(WebhookError::Body)?;
        let messages = [(Scheme::RawBody, body), (Scheme::CanonicalJson, canonical.as_bytes())];
        let signature = signature::find(headers, &messages, &self.secrets)?;
        let event = Event::from_json(body, signature).map_err(WebhookError::Body)?;
        // Without a `timestamp`, the event only has the time it happened, which the header does not
        // repeat.
        if let Some(signed) = event.signed_timestamp() {
            check_timestamp_header(headers, signed)?;
        }
        self.check_freshness(event.timestamp().ok_or(WebhookError::NoTimestamp)?, now)?;
        Ok(event)
    }

    /// Verifies the signature that covers only a delivery's session, status, type and timestamp
    /// ([`Scheme::Simple`]), for receivers whose bodies are modified in transit.
    ///
    /// Anything else in the body may be forged, so the event does not contain it: retrieve the
    /// decision from the service instead.
    ///
    /// # Errors
    /// The errors of [`verify`](Self::verify).
    pub fn verify_simple(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: SystemTime,
    ) -> Result<SimpleEvent, WebhookError> {
        canonical_json(body).map_err(WebhookError::Body)?;
        let event = SimpleEvent::from_json(body).map_err(WebhookError::Body)?;
        let message = event.signed_message();
        let messages = [(Scheme::Simple, message.as_bytes())];
        let SignatureMatch { secret_index, .. } =
            signature::find(headers, &messages, &self.secrets)?;
        let signed = event.timestamp().ok_or(WebhookError::NoTimestamp)?;
        check_timestamp_header(headers, signed)?;
        self.check_freshness(signed, now)?;
        Ok(event.signed_by(secret_index))
    }

    /// Returns the headers that the service would send with `body`, signed with the first secret.
    /// This is meant for testing a receiver.
    ///
    /// # Errors
    /// The body is not an unambiguous JSON object.
    pub fn sign(&self, body: &[u8]) -> Result<HeaderMap, WebhookError> {
        let canonical = canonical_json(body).map_err(WebhookError::Body)?;
        let mut headers = HeaderMap::new();
        let mut sign = |scheme: Scheme, message: &[u8]| {
            let signature =
                self.secrets.first().and_then(|secret| signature::sign(secret, message));
            headers.extend(signature.map(|signature| (scheme.header(), signature)));
        };
        sign(Scheme::RawBody, body);
        sign(Scheme::CanonicalJson, canonical.as_bytes());
        if let Ok(event) = SimpleEvent::from_json(body) {
            sign(Scheme::Simple, event.signed_message().as_bytes());
            let timestamp = event.timestamp().map(HeaderValue::from);
            headers.extend(timestamp.map(|timestamp| (TIMESTAMP_HEADER, timestamp)));
        }
        Ok(headers)
    }

    fn check_freshness(&self, signed: i64, now: SystemTime) -> Result<(), WebhookError> {
        let now = match now.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => 0_i64.saturating_add_unsigned(since.as_secs()),
            Err(before) => 0_i64.saturating_sub_unsigned(before.duration().as_secs()),
        };
        let age = now.saturating_sub(signed);
        if age.unsigned_abs() > self.tolerance.as_secs() {
            return Err(WebhookError::Stale { age });
        }
        Ok(())
    }
}

/// Checks that the timestamp header, which is not signed, equals the signed timestamp. The header
/// may be absent.
fn check_timestamp_header(headers: &HeaderMap, signed: i64) -> Result<(), WebhookError> {
    let same = |value: &HeaderValue| value.to_str().is_ok_and(|text| text == signed.to_string());
    if headers.get_all(TIMESTAMP_HEADER).iter().all(same) {
        return Ok(());
    }
    Err(WebhookError::TimestampMismatch)
}
