//! The three signatures of a webhook: HMAC-SHA256
//! ([RFC 2104](https://www.rfc-editor.org/rfc/rfc2104)) with the destination's secret, in
//! hexadecimal ([documentation](https://docs.didit.me/integration/webhooks)).

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use super::canonical_json::{Style, print};

/// The values of a webhook's signature headers.
#[derive(Debug, PartialEq)]
pub(crate) struct Signatures {
    /// `X-Signature`: over the body as sent.
    pub(crate) raw: String,
    /// `X-Signature-V2`: over the canonical JSON of the body.
    pub(crate) v2: String,
    /// `X-Signature-Simple`: over `timestamp:session_id:status:webhook_type`.
    pub(crate) simple: String,
}

impl Signatures {
    /// Signs a webhook whose `body` is sent as the text `sent`.
    pub(crate) fn new(secret: &str, sent: &str, body: &Value) -> Self {
        let member = |name: &str| match body.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        let simple = ["timestamp", "session_id", "status", "webhook_type"].map(member).join(":");
        Self {
            raw: sign(secret, sent),
            v2: sign(secret, &print(body, Style::Signed)),
            simple: sign(secret, &simple),
        }
    }
}

fn sign(secret: &str, message: &str) -> String {
    // HMAC accepts keys of any length, so this does not fail.
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let digest = mac.map(|mac| mac.chain_update(message).finalize().into_bytes());
    digest.into_iter().flatten().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::verification::WEBHOOK_SIGNATURE_VECTORS;

    #[test]
    fn signatures_match_the_vectors() {
        let vectors: Value = serde_json::from_str(WEBHOOK_SIGNATURE_VECTORS).expect("JSON");
        let secret = vectors["secret"].as_str().expect("a secret");
        let cases = vectors["cases"].as_array().expect("cases");
        assert_eq!(cases.len(), 4);
        for case in cases {
            let text = |name: &str| case[name].as_str().unwrap_or_else(|| panic!("{name}"));
            let raw = text("raw_body");
            let body: Value = serde_json::from_str(raw).expect(raw);
            assert_eq!(print(&body, Style::Signed), text("canonical_v2"));
            let expected = Signatures {
                raw: text("x_signature").to_owned(),
                v2: text("x_signature_v2").to_owned(),
                simple: text("x_signature_simple").to_owned(),
            };
            assert_eq!(Signatures::new(secret, raw, &body), expected);
        }
    }
}
