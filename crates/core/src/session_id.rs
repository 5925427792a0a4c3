use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use crate::json;

/// The identifier of a session of either API. Clones are cheap and share the text.
///
/// Only that of a [verification session](crate::verification::SessionId) is guaranteed to be a
/// UUID. An identifier has 1 to 256 characters that may appear unencoded in a path segment ([RFC
/// 3986 §3.3](https://www.rfc-editor.org/rfc/rfc3986#section-3.3), `pchar` without `%`) and is
/// neither `.` nor `..`, so it can never change the path, the query or the headers of a request.
///
/// ```
/// use didit_core::{InvalidSessionId, SessionId};
///
/// let id: SessionId = "unique-session-identifier".parse()?;
/// assert_eq!(id.as_str(), "unique-session-identifier");
/// assert_eq!("a/b".parse::<SessionId>(), Err(InvalidSessionId::Character { found: '/', position: 1 }));
/// # Ok::<(), InvalidSessionId>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct SessionId(Arc<str>);

impl SessionId {
    /// The longest identifier accepted, in characters.
    pub const MAX_LEN: usize = 256;

    /// Validates `text` and stores a copy of it.
    ///
    /// # Errors
    /// The identifier could not be used as a path segment without encoding.
    pub fn new(text: &str) -> Result<Self, InvalidSessionId> {
        if text.is_empty() {
            return Err(InvalidSessionId::Empty);
        }
        if text == "." || text == ".." {
            return Err(InvalidSessionId::DotSegment);
        }
        for (position, found) in text.chars().enumerate() {
            if !is_segment_character(found) {
                return Err(InvalidSessionId::Character { found, position });
            }
        }
        if text.len() > Self::MAX_LEN {
            return Err(InvalidSessionId::TooLong { length: text.len() });
        }
        Ok(Self(text.into()))
    }

    /// Returns the identifier, as it appears in the path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns whether a character of a path segment needs no encoding
/// ([RFC 3986, section 3.3](https://www.rfc-editor.org/rfc/rfc3986#section-3.3)).
pub(crate) fn is_segment_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@".contains(c)
}

impl FromStr for SessionId {
    type Err = InvalidSessionId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let without_character = |error| match error {
            InvalidSessionId::Character { position, .. } => {
                format!("character {} of the session id is not allowed", position + 1)
            }
            error => error.to_string(),
        };
        json::from_text(deserializer, "a session id", |text| {
            Self::new(text).map_err(without_character)
        })
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        id.as_str().to_owned()
    }
}

impl AsRef<str> for SessionId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for SessionId {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({})", self.0)
    }
}

/// Error parsing a [`SessionId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidSessionId {
    /// The text is empty.
    Empty,
    /// The text is `.` or `..`, which URL resolution would remove from the path.
    DotSegment,
    /// A character cannot appear unencoded in a path segment.
    Character {
        /// The first such character.
        found: char,
        /// The number of characters before it.
        position: usize,
    },
    /// The text has more than [`SessionId::MAX_LEN`] characters.
    TooLong {
        /// The number of characters.
        length: usize,
    },
}

impl fmt::Display for InvalidSessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the session id is empty"),
            Self::DotSegment => f.write_str("the session id cannot be `.` or `..`"),
            Self::Character { found, position } => {
                let character = position.saturating_add(1);
                write!(f, "the session id cannot contain {found:?} (character {character})")
            }
            Self::TooLong { length } => write!(
                f,
                "the session id has {length} characters, {} are allowed",
                SessionId::MAX_LEN
            ),
        }
    }
}

impl std::error::Error for InvalidSessionId {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_keeps_its_text() {
        let id: SessionId = "s-1".parse().unwrap();
        assert_eq!((id.as_str(), id.as_ref(), &*id.to_string()), ("s-1", "s-1", "s-1"));
    }

    #[test]
    fn accepts_every_segment_character() {
        let text = "AZaz09-._~!$&'()*+,;=:@";
        assert_eq!(SessionId::new(text).unwrap().to_string(), text);
        assert!(SessionId::new("...").is_ok());
        assert!(SessionId::new(&"x".repeat(256)).is_ok());
    }

    #[test]
    fn rejects_invalid_ids_with_a_reason() {
        let cases = [
            ("", "the session id is empty"),
            (".", "the session id cannot be `.` or `..`"),
            ("..", "the session id cannot be `.` or `..`"),
            ("a/b", "the session id cannot contain '/' (character 2)"),
            ("a%2Fb", "the session id cannot contain '%' (character 2)"),
            ("a b", "the session id cannot contain ' ' (character 2)"),
            ("a\r\nX: y", "the session id cannot contain '\\r' (character 2)"),
            ("a?b", "the session id cannot contain '?' (character 2)"),
            ("é", "the session id cannot contain 'é' (character 1)"),
        ];
        for (text, reason) in cases {
            assert_eq!(SessionId::new(text).unwrap_err().to_string(), reason);
        }
        let long = SessionId::new(&"x".repeat(257)).unwrap_err();
        assert_eq!(long.to_string(), "the session id has 257 characters, 256 are allowed");
    }
}
