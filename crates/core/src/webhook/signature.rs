//! HMAC-SHA256 signatures ([RFC 2104](https://www.rfc-editor.org/rfc/rfc2104)), in hexadecimal.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{HeaderName, ValueIter};
use http::{HeaderMap, HeaderValue};
use sha2::Sha256;

use super::error::WebhookError;
use crate::secret::Secret;

/// A signature scheme: the header of the signature and the data that it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// `X-Signature`: the body, byte for byte.
    RawBody,
    /// `X-Signature-V2`: the body in its [canonical form](super::canonical_json).
    CanonicalJson,
    /// `X-Signature-Simple`: the body's `timestamp`, `session_id`, `status` and `webhook_type`.
    Simple,
}

impl Scheme {
    pub(super) fn header(self) -> HeaderName {
        HeaderName::from_static(match self {
            Self::RawBody => "x-signature",
            Self::CanonicalJson => "x-signature-v2",
            Self::Simple => "x-signature-simple",
        })
    }
}

/// Prints the name of the signature's header.
impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RawBody => "X-Signature",
            Self::CanonicalJson => "X-Signature-V2",
            Self::Simple => "X-Signature-Simple",
        })
    }
}

/// The verified signature of a delivery, and the secret it matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignatureMatch {
    /// The scheme of the first signature that matched.
    pub scheme: Scheme,
    /// The index of the matching secret among those given to [`Webhook::new`](super::Webhook::new).
    /// A rotation is complete once the index is 0 for every delivery.
    pub secret_index: usize,
}

/// Finds the first message whose signature in the headers was created with one of the secrets.
pub(super) fn find(
    headers: &HeaderMap,
    messages: &[(Scheme, &[u8])],
    secrets: &[Secret],
) -> Result<SignatureMatch, WebhookError> {
    let mut error = WebhookError::NoSignature;
    for &(scheme, message) in messages {
        let values = headers.get_all(scheme.header());
        if values.iter().next().is_none() {
            continue;
        }
        error = match decode(values.iter()) {
            None => WebhookError::MalformedSignature { scheme },
            Some(signature) => {
                // `verify_slice` compares in constant time.
                let verify = |mac: Hmac<Sha256>| mac.verify_slice(&signature).is_ok();
                let signed_by = |secret: &Secret| mac(secret, message).is_some_and(verify);
                if let Some(secret_index) = secrets.iter().position(signed_by) {
                    return Ok(SignatureMatch { scheme, secret_index });
                }
                WebhookError::SignatureMismatch
            }
        };
    }
    Err(error)
}

pub(super) fn sign(secret: &Secret, message: &[u8]) -> Option<HeaderValue> {
    let signature = mac(secret, message)?.finalize().into_bytes();
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16);
    let hex: Option<String> =
        signature.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    HeaderValue::try_from(hex?).ok()
}

/// Returns a MAC over the message. It is never `None`, since HMAC accepts keys of any length.
fn mac(secret: &Secret, message: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(message);
    Some(mac)
}

/// Decodes the only signature; `None` if there are several, or if it is not 64 hexadecimal digits.
fn decode(mut values: ValueIter<'_, HeaderValue>) -> Option<[u8; 32]> {
    let text = values.next()?.to_str().ok()?;
    let mut signature = [0; 32];
    if values.next().is_some() || text.len() != 64 {
        return None;
    }
    for (byte, pair) in signature.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        for digit in pair {
            *byte = *byte << 4 | u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
        }
    }
    Some(signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(texts: &[&str]) -> Option<[u8; 32]> {
        let name = Scheme::RawBody.header();
        let values = texts.iter().map(|text| (name.clone(), HeaderValue::from_str(text).unwrap()));
        decode(values.collect::<HeaderMap>().get_all(&name).iter())
    }

    #[test]
    fn decode_accepts_exactly_64_hexadecimal_digits() {
        let digits = "0123456789abcdefABCDEF".repeat(3);
        assert_eq!(decoded(&[&digits[..64]]).unwrap()[..4], [0x01, 0x23, 0x45, 0x67]);
        assert_eq!(decoded(&[&digits[..64]; 2]), None);
        for text in ["", &digits[..62], &digits[..65], &"+1".repeat(32), &"é".repeat(32)] {
            assert_eq!(decoded(&[text]), None, "{text}");
        }
    }

    /// The second case of [RFC 4231](https://www.rfc-editor.org/rfc/rfc4231#section-4.3).
    #[test]
    fn sign_matches_the_vector_of_rfc_4231() {
        let signature = sign(&"Jefe".into(), b"what do ya want for nothing?");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature.unwrap(), expected);
    }
}
