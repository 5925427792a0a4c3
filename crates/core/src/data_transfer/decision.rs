//! A session's decision: typed where the documentation gives a type, and the original JSON in
//! addition.

mod user_data;

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use time::OffsetDateTime;

pub use self::user_data::{Email, Names, Phone, UserData};
use super::{Scope, Status};
use crate::json::{self, JsonError, Object, RawJson};
use crate::secret::redacted;
use crate::session_id::SessionId;

/// The decision of a data-transfer session: its status and the shared user data.
///
/// Everything the service sent is kept ([`json`](Decision::json)); the methods give typed access
/// on top. Members that are absent or `null` are `None`. With `serde_json`, a decision serializes as
/// the text that the service sent, so that no digit is lost in a database column or a queue. In
/// another format, or inside a type with `#[serde(flatten)]`, `#[serde(tag = …)]` or
/// `#[serde(untagged)]`, it cannot be deserialized, even if it was written: store a `String` with the
/// text of [`json`](Decision::json), and read it with [`from_json`](Decision::from_json).
///
/// Two decisions are equal if their texts are: one that was stored as `jsonb` or as a
/// `serde_json::Value` differs from the original.
///
/// ```
/// use didit_core::data_transfer::Decision;
///
/// let decision = Decision::from_json(br#"{
///     "session_id": "s-1", "status": "Confirmed", "created_at": "2024-08-01T10:30:00.000Z",
///     "user_data": {"sub": "u-1", "names": {"full_name": "John Doe"}, "shoe_size": 43.50}
/// }"#)?;
/// let user = decision.user_data().expect("something was shared");
/// assert_eq!(user.names.as_ref().and_then(|names| names.full_name.as_deref()), Some("John Doe"));
/// let shoe_size = decision.user_data_json().and_then(|user| user.get("shoe_size"));
/// assert_eq!(shoe_size.unwrap().as_str(), "43.50");
/// # Ok::<(), didit_core::JsonError>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Decision {
    members: Members,
    json: RawJson,
}

#[derive(Clone, PartialEq, Deserialize)]
struct Members {
    session_id: SessionId,
    #[serde(default, deserialize_with = "session_number")]
    session_number: Option<i128>,
    status: Status,
    vendor_data: Option<String>,
    scope: Option<String>,
    #[serde(default, deserialize_with = "json::optional_timestamp")]
    created_at: Option<OffsetDateTime>,
    #[serde(default, deserialize_with = "json::optional_object")]
    user_data: Option<UserData>,
}

impl Decision {
    /// Reads the body of a decision's response.
    ///
    /// # Errors
    /// The text is not JSON, or a documented member has another type than documented. The error
    /// names the line, the column and the path of the member.
    pub fn from_json(body: &[u8]) -> Result<Self, JsonError> {
        let text = json::text(body)?;
        // Tracking the path copies every member name, so it is only done after an error.
        let members = match serde_json::from_str(text) {
            Ok(Object(members)) => members,
            Err(_) => json::read_object(text)?,
        };
        // Trimmed so that a decision equals itself after a round trip through serialization.
        Ok(Self { members, json: RawJson::new_unchecked(text.trim_ascii()) })
    }

    /// Returns the identifier of the session.
    pub fn session_id(&self) -> &SessionId {
        &self.members.session_id
    }

    /// Returns the session number. It is `None` if it does not fit into an `i128`;
    /// [`json`](Self::json) has all digits.
    pub fn session_number(&self) -> Option<i128> {
        self.members.session_number
    }

    /// Returns the status of the session.
    pub fn status(&self) -> &Status {
        &self.members.status
    }

    /// Returns the `vendor_data` given when the session was created.
    pub fn vendor_data(&self) -> Option<&str> {
        self.members.vendor_data.as_deref()
    }

    /// Returns the scopes that were requested and approved, separated by spaces.
    pub fn scope(&self) -> Option<&str> {
        self.members.scope.as_deref()
    }

    /// Returns the scopes that were requested and approved; invalid names are skipped.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> + '_ {
        let words = self.scope().unwrap_or_default().split_ascii_whitespace();
        words.filter_map(|word| Scope::from_str(word).ok())
    }

    /// Returns the scopes that were requested and approved but whose data is missing, each once: a
    /// person may share less than was asked for. While nothing is shared, these are all scopes.
    ///
    /// A scope's data is the member with its name, if that is present and not `null`.
    ///
    /// ```
    /// use didit_core::data_transfer::{Decision, Scope};
    ///
    /// let decision = Decision::from_json(br#"{
    ///     "session_id": "s-1", "status": "Confirmed", "scope": "pictures names email phone",
    ///     "user_data": {"sub": "u-1", "picture": "https://example.com/1.png", "phone": null,
    ///         "names": {"full_name": "John Doe"}}
    /// }"#)?;
    /// let missing: Vec<_> = decision.missing_scopes().collect();
    /// assert_eq!(missing, [Scope::EMAIL, Scope::PHONE]);
    /// # Ok::<(), didit_core::JsonError>(())
    /// ```
    pub fn missing_scopes(&self) -> impl Iterator<Item = Scope> + '_ {
        let members = self.user_data_json().map(|user| user.members()).unwrap_or_default();
        let present = members.into_iter().filter(|(_, value)| !value.is_null());
        let mut named: HashSet<Scope> =
            present.filter_map(|(name, _)| Scope::from_str(&name).ok()).collect();
        self.scopes().filter(move |scope| named.insert(scope.clone()))
    }

    /// Returns the time of the session's creation.
    pub fn created_at(&self) -> Option<OffsetDateTime> {
        self.members.created_at
    }

    /// Returns the data that the person shared; `None` while there is none (absent, `null` or
    /// `{}`).
    pub fn user_data(&self) -> Option<&UserData> {
        let user_data = self.members.user_data.as_ref()?;
        // An object with only unknown members counts as data.
        let shared = *user_data != UserData::default()
            || self.user_data_json().is_some_and(|json| !json.members().is_empty());
        shared.then_some(user_data)
    }

    /// Returns the whole `user_data` as the service sent it, including unknown members.
    pub fn user_data_json(&self) -> Option<RawJson> {
        self.json.get("user_data")
    }

    /// Returns the whole decision as the service sent it, including unknown members and all digits.
    pub fn json(&self) -> &RawJson {
        &self.json
    }
}

/// Reads an integer of any length; `None` if it does not fit into an `i128`.
fn session_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i128>, D::Error> {
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else { return Ok(None) };
    let digits = raw.get();
    let unsigned = digits.strip_prefix('-').unwrap_or(digits);
    if unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(digits.parse().ok());
    }
    let found = serde::de::Unexpected::Other("another value");
    Err(serde::de::Error::invalid_type(found, &"an integer"))
}

impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Decision {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <RawJson as Deserialize>::deserialize(deserializer)?;
        Self::from_json(json.as_str().as_bytes()).map_err(serde::de::Error::custom)
    }
}

/// Redacts the data that the person shared and the caller's `vendor_data`.
impl fmt::Debug for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decision")
            .field("session_id", &self.session_id())
            .field("session_number", &self.session_number())
            .field("status", &self.status())
            .field("vendor_data", &redacted(self.vendor_data()))
            .field("scope", &self.scope())
            .field("created_at", &self.created_at())
            .field("user_data", &redacted(self.user_data()))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(members: &str) -> Result<Decision, JsonError> {
        Decision::from_json(format!(r#"{{"session_id":"s-1","status":"x"{members}}}"#).as_bytes())
    }

    #[test]
    fn serialization_preserves_the_original_text() {
        let text = r#"{"session_id":"s-1","status":"New","n":1.10,"session_number":12345678901234567890123456789012345678901}"#;
        let decision = Decision::from_json(text.as_bytes()).unwrap();
        assert_eq!(serde_json::to_string(&decision).unwrap(), text);
        assert_eq!(serde_json::from_str::<Decision>(text).unwrap(), decision);
        let wrong = serde_json::from_str::<Decision>(r#"{"session_id":"s-1"}"#);
        assert!(wrong.unwrap_err().to_string().contains("missing field `status`"));
    }

    #[test]
    fn session_number_accepts_integers_of_any_length() {
        let number = |value: &str| {
            decision(&format!(r#","session_number":{value}"#))
                .map(|decision| decision.session_number())
        };
        assert_eq!(number("-7"), Ok(Some(-7)));
        assert_eq!(number("null"), Ok(None));
        assert_eq!(number(&"9".repeat(50)), Ok(None));
        for wrong in ["1.5", "1e3", r#""7""#, "[]"] {
            let error = number(wrong).unwrap_err();
            assert!(error.to_string().starts_with("expected an integer"), "{error}");
            assert_eq!(error.path(), "session_number");
        }
    }

    #[test]
    fn timestamp_error_names_the_member_but_not_the_value() {
        let error = decision(r#","created_at":"yesterday""#).unwrap_err();
        assert!(error.to_string().starts_with("expected an RFC 3339 timestamp"), "{error}");
        assert_eq!((error.line(), error.path()), (Some(1), "created_at"));
        assert!(error.column() > Some(1) && !error.to_string().contains("yesterday"));
    }

    #[test]
    fn unknown_members_alone_count_as_user_data() {
        let shared = |value: &str| {
            decision(&format!(r#","user_data":{value}"#)).unwrap().user_data().is_some()
        };
        assert!(!shared("null") && !shared("{}") && !shared("{ }"));
        assert!(shared(r#"{"shoe_size":43}"#) && shared(r#"{"sub":"u-1"}"#));
    }
}
