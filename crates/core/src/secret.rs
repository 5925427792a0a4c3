use std::fmt;

use bytes::Bytes;
use http::HeaderValue;
use zeroize::Zeroizing;

/// A text that is wiped when dropped and that neither `Debug` nor an error ever shows.
///
/// ```
/// let secret = didit_core::Secret::from("hunter2".to_owned());
/// assert_eq!(format!("{secret:?}"), "Secret([redacted])");
/// assert_eq!(secret.expose(), "hunter2");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself. Every use of this is a place where the secret may leave: keep them few.
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

/// A borrowed `String` is not taken for a `&str` where anything that becomes a secret is accepted.
impl From<&String> for Secret {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

/// `text` with `secret` taken out: all of it wherever it stands, and its beginning at the end of a
/// text that was cut off.
pub(crate) fn scrub(text: &str, secret: &str) -> String {
    // Short, so that a text that was bounded stays so but for the shortest of secrets.
    const REDACTED: &str = "***";
    /// A shorter beginning tells nothing, and stands in many words by chance.
    const TELLING: usize = 4;
    if secret.is_empty() {
        return text.to_owned();
    }
    let most = text.chars().count();
    let mut text = text.replace(secret, REDACTED);
    let kept = text.trim_end_matches('…').len();
    let begins = |at: &usize| text.is_char_boundary(*at) && secret.starts_with(&text[*at..kept]);
    let longest = kept.saturating_sub(secret.len());
    if let Some(at) = (longest..(kept + 1).saturating_sub(TELLING)).find(begins) {
        text.replace_range(at..kept, REDACTED);
    }
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
    }
    text
}

/// A header value that `Debug` hides, over memory that is wiped when its last clone is dropped.
///
/// `None` when `parts` hold anything but visible ASCII and spaces.
pub(crate) fn sensitive_header(parts: &[&str]) -> Option<HeaderValue> {
    let allowed = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if !parts.iter().all(|part| part.bytes().all(allowed)) {
        return None;
    }
    // Reserved at once: growing would leave copies behind that nothing wipes.
    let mut text = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    for part in parts {
        text.extend_from_slice(part.as_bytes());
    }
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(text)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out_of_texts() {
        let cases = [
            ("no: s3cret-word, s3cret-word!", "no: ***, ***!"),
            ("cut off at s3cret-wor…", "cut off at ***…"),
            ("cut off at s3cr…", "cut off at ***…"),
            ("cut off at s3c…", "cut off at s3c…"),
            ("é s3cret-word", "é ***"),
            ("nothing", "nothing"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(scrub(text, "s3cret-word"), expected);
        }
        assert_eq!(scrub("text", ""), "text");
        assert_eq!(scrub("aaaa", "a"), "****");
    }

    #[test]
    fn a_secret_comes_from_any_text() {
        let text = "s3cret-word".to_owned();
        assert_eq!(Secret::from(&text).expose(), "s3cret-word");
        assert_eq!(Secret::from(&*text).expose(), Secret::from(text.clone()).expose());
    }

    #[test]
    fn a_header_takes_visible_text_alone() {
        let value = sensitive_header(&["Bearer ", "token"]).unwrap();
        assert_eq!((value.to_str().unwrap(), value.is_sensitive()), ("Bearer token", true));
        assert_eq!(sensitive_header(&["a\r\nb"]), None);
        assert_eq!(sensitive_header(&["é"]), None);
    }
}
