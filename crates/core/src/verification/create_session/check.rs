//! Rejects members that the service is documented to refuse, before they are sent.

use crate::error::BuildError;
use crate::verification::members::Members;

/// The maximum size of a portrait image, in bytes.
const MAX_IMAGE_BYTES: usize = 2 * 1024 * 1024;

/// Checks the members of a body.
///
/// # Errors
/// [`BuildError::InvalidMember`], with the first member that the service would refuse.
pub(super) fn check(members: &Members) -> Result<(), BuildError> {
    let invalid = |name, problem| Err(BuildError::InvalidMember { name, problem });
    let text = |name: &str| members.get(name)?.deserialize::<String>().ok();
    if let Some(details) = members.get("expected_details") {
        let has = |name: &str| details.get(name).is_some_and(|value| !value.is_null());
        if has("address") && !has("country") && !has("poa_country") {
            return invalid("expected_details.address", "requires country or poa_country");
        }
    }
    if text("callback").is_some_and(|callback| !is_url(&callback)) {
        return invalid("callback", "is not a URL with a scheme");
    }
    if text("callback_method").is_some_and(|by| !CALLBACK_METHODS.contains(&&*by)) {
        return invalid("callback_method", "is not initiator, completer or both");
    }
    if text("portrait_image").is_some_and(|image| decoded_len(&image) > MAX_IMAGE_BYTES) {
        return invalid("portrait_image", "is larger than 2 MB");
    }
    Ok(())
}

const CALLBACK_METHODS: [&str; 3] = ["initiator", "completer", "both"];

/// Returns whether the text has a scheme
/// ([RFC 3986 §3.1](https://www.rfc-editor.org/rfc/rfc3986#section-3.1)) and no white space.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !rest.is_empty()
        && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// Returns the number of bytes that a base64 text encodes.
fn decoded_len(base64: &str) -> usize {
    let digits = base64.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=').count();
    digits - digits.div_ceil(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_a_scheme() {
        for url in ["https://example.com/done?a=1", "app://done", "com.example.app:/done"] {
            assert!(is_url(url), "{url}");
        }
        for text in ["", "/done", "example.com/done", "://x", "1a:x", "a b:c", "https://a b", "a:"]
        {
            assert!(!is_url(text), "{text}");
        }
    }

    #[test]
    fn image_limit_is_two_mebibytes() {
        assert_eq!(decoded_len(&"A".repeat(2_796_203)), MAX_IMAGE_BYTES);
        for (base64, bytes) in [("", 0), ("AA==", 1), ("AAA=", 2), ("AAAA", 3), ("AAAA\r\nAA", 4)] {
            assert_eq!(decoded_len(base64), bytes);
        }
    }
}
