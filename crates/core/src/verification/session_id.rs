use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{json, session_id};

/// The identifier of a verification session, a UUID
/// ([RFC 9562](https://www.rfc-editor.org/rfc/rfc9562#section-4)). Clones are cheap.
///
/// It has 36 characters, including hyphens. Upper-case letters are accepted and converted to lower
/// case, the only form that the service accepts.
///
/// ```
/// use didit_core::verification::SessionId;
///
/// let id: SessionId = "5B3720ED-D429-42EF-B67F-37EA805F48EE".parse()?;
/// assert_eq!(id.as_str(), "5b3720ed-d429-42ef-b67f-37ea805f48ee");
/// assert!("5b3720ed".parse::<SessionId>().is_err());
/// # Ok::<(), didit_core::verification::InvalidUuid>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SessionId(session_id::SessionId);

impl SessionId {
    /// Validates a UUID.
    ///
    /// # Errors
    /// The text is not a UUID.
    pub fn new(text: &str) -> Result<Self, InvalidUuid> {
        text.parse()
    }

    /// Returns the identifier in its canonical form.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(super) fn as_any(&self) -> &session_id::SessionId {
        &self.0
    }
}

/// Validates a UUID and returns it in lower case.
pub(super) fn canonical_uuid(text: &str) -> Result<String, InvalidUuid> {
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    let valid = |(at, byte): (usize, u8)| {
        if HYPHENS.contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() }
    };
    if text.len() == 36 && text.bytes().enumerate().all(valid) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(InvalidUuid(()))
}

impl FromStr for SessionId {
    type Err = InvalidUuid;

    fn from_str(text: &str) -> Result<Self, InvalidUuid> {
        canonical_uuid(text)?.parse().map(Self).map_err(|_| InvalidUuid(()))
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        id.0.into()
    }
}

impl AsRef<str> for SessionId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_text(deserializer, "a UUID", |text| Self::new(text).map_err(|_| "text"))
    }
}

/// Error parsing a UUID of 36 characters. It does not contain the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidUuid(());

impl fmt::Display for InvalidUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a UUID, such as 5b3720ed-d429-42ef-b67f-37ea805f48ee")
    }
}

impl std::error::Error for InvalidUuid {}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "5b3720ed-d429-42ef-b67f-37ea805f48ee";

    #[test]
    fn uuids_are_converted_to_lower_case() {
        for text in [ID, &ID.to_uppercase()] {
            let id = SessionId::new(text).unwrap();
            assert_eq!(String::from(id.clone()), ID);
            assert_eq!((id.as_str(), id.as_ref(), &*id.to_string()), (ID, ID, ID));
            assert_eq!(format!("{id:?}"), format!("SessionId({ID})"));
            assert_eq!(serde_json::to_string(&id).unwrap(), format!("{ID:?}"));
            assert_eq!(serde_json::from_str::<SessionId>(&format!("{text:?}")).unwrap(), id);
        }
    }

    #[test]
    fn malformed_uuids_are_rejected() {
        for text in [
            "",
            &ID[1..],
            &format!("{ID}/"),
            &ID.replace('-', ""),
            &format!("{{{ID}}}"),
            &ID.replace('-', "_"),
            &ID.replace('b', "g"),
            &ID.replace("ed", "é"),
            "../../../../../../../../../../../..",
        ] {
            assert!(SessionId::new(text).is_err(), "{text}");
        }
        let error = serde_json::from_str::<SessionId>(r#""canary""#).unwrap_err().to_string();
        assert!(error.contains("expected a UUID") && !error.contains("canary"), "{error}");
    }
}
