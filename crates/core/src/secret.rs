//! Secret texts, and their removal from other texts.

mod scrub;

use std::fmt;

use bytes::Bytes;
use http::HeaderValue;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

pub(crate) use self::scrub::scrub;

/// A secret text that is wiped from memory when dropped and never shown by `Debug` or in an error.
///
/// ```
/// let secret = didit_core::Secret::from("hunter2".to_owned());
/// assert_eq!(format!("{secret:?}"), "Secret([redacted])");
/// assert_eq!(secret.expose(), "hunter2");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Returns the text itself. The secret may leak wherever this is called, so call it rarely.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

/// Needed since deref coercion does not apply to `impl Into<Secret>`.
impl From<&String> for Secret {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

/// Returns true if a text consists of visible ASCII and spaces.
pub(crate) fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

/// Returns a header value that `Debug` redacts, in memory that is wiped when the last clone is
/// dropped; `None` if `parts` contain anything except visible ASCII and spaces.
pub(crate) fn sensitive_header(parts: &[&str]) -> Option<HeaderValue> {
    if !parts.iter().all(|part| is_visible(part)) {
        return None;
    }
    // A buffer that is reallocated leaves unwiped copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    for part in parts {
        text.extend_from_slice(part.as_bytes());
    }
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(text)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Placeholder for personal data in `Debug` output: shows that there is a value, but not the value.
pub(crate) struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Returns `Some([redacted])` or `None`.
pub(crate) fn redacted<T>(value: Option<T>) -> Option<Redacted> {
    value.map(|_| Redacted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_converts_from_string_types() {
        let text = "s3cret-word".to_owned();
        assert_eq!(Secret::from(&text).expose(), "s3cret-word");
        assert_eq!(Secret::from(&*text).expose(), Secret::from(text.clone()).expose());
    }

    #[test]
    fn header_accepts_only_visible_ascii() {
        let value = sensitive_header(&["Bearer ", "token"]).unwrap();
        assert_eq!((value.to_str().unwrap(), value.is_sensitive()), ("Bearer token", true));
        assert_eq!(sensitive_header(&["a\r\nb"]), None);
        assert_eq!(sensitive_header(&["é"]), None);
    }
}
