//! What a session's decision says, typed where the documentation gives a type and whole everywhere.

mod status;
mod text;
mod user_data;
mod wire;

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use self::status::{Status, UnknownStatus};
pub use self::user_data::{Email, Names, Phone, UserData};
use self::wire::{Members, ObjectOf, TextOf};
use crate::json::{self, Json, JsonError};
use crate::personal::redacted;
use crate::scope::Scope;

/// The decision of a data-transfer session: its status, and the user data that was shared.
///
/// Everything the service sent is kept ([`json`](Decision::json)); the methods give typed access
/// on top. Members the service left out, or sent as `null`, are `None`.
///
/// ```
/// use didit_core::Decision;
///
/// let decision = Decision::from_json(br#"{
///     "session_id": "s-1", "status": "Confirmed", "created_at": "2024-08-01T10:30:00.000Z",
///     "user_data": {"sub": "u-1", "names": {"full_name": "John Doe"}, "shoe_size": 43.50}
/// }"#)?;
/// let user = decision.user_data().expect("something was shared");
/// assert_eq!(user.names().and_then(|names| names.full_name), Some("John Doe"));
/// assert_eq!(user.get("shoe_size").map(|size| size.as_str()), Some("43.50"));
/// # Ok::<(), didit_core::JsonError>(())
/// ```
#[derive(Clone)]
pub struct Decision {
    // In a box, since a decision is handed on many times before it reaches its caller.
    content: Box<Content>,
}

#[derive(Clone)]
struct Content {
    /// The answer as it came, and after it the strings that it has with escapes, without them.
    text: Box<str>,
    json_len: usize,
    members: Members,
    session_number: Option<i128>,
    status: Status,
    created_at: Option<OffsetDateTime>,
}

impl Content {
    fn text(&self, of: TextOf) -> Option<&str> {
        self.members.text(of).of(&self.text)
    }

    fn json(&self) -> Json<'_> {
        json::accepted(self.text.get(..self.json_len).unwrap_or_default())
    }
}

impl Decision {
    /// Reads the body of a decision's answer.
    ///
    /// # Errors
    /// The text is not JSON, or a documented member has another type than documented. The error
    /// tells line, column and place.
    pub fn from_json(body: &[u8]) -> Result<Self, JsonError> {
        let json = json::text(body)?;
        let (mut members, mut unescaped) = (Members::default(), String::new());
        let digits = wire::read(json, &mut members, &mut unescaped)
            .map_err(|error| JsonError::new(body, &error))?;
        let mut text = String::with_capacity(json.len() + unescaped.len());
        text.push_str(json);
        text.push_str(&unescaped);
        let text = text.into_boxed_str();
        let string = |of| members.text(of).of(&text);
        let missing = |place| move || JsonError::at(body, 0, place, "expected a string".to_owned());
        string(TextOf::SessionId).ok_or_else(missing("session_id"))?;
        let status = Status::from(string(TextOf::Status).ok_or_else(missing("status"))?);
        let session_number = digits.map(|digits| session_number(json, digits)).transpose()?;
        let created_at = string(TextOf::CreatedAt).map(|created_at| {
            OffsetDateTime::parse(created_at, &Rfc3339)
                .map_err(|_| no_timestamp(json, &text, created_at))
        });
        Ok(Self {
            content: Box::new(Content {
                session_number: session_number.flatten(),
                status,
                created_at: created_at.transpose()?,
                json_len: json.len(),
                members,
                text,
            }),
        })
    }

    /// The identifier of the session.
    pub fn session_id(&self) -> &str {
        self.content.text(TextOf::SessionId).unwrap_or_default()
    }

    /// The number of the session; also `None` in the unlikely case that it has more than 127 bits,
    /// when [`json`](Self::json) still has all of its digits.
    pub fn session_number(&self) -> Option<i128> {
        self.content.session_number
    }

    /// How far the session has come.
    pub fn status(&self) -> &Status {
        &self.content.status
    }

    /// What the caller gave as `vendor_data` when the session was created.
    pub fn vendor_data(&self) -> Option<&str> {
        self.content.text(TextOf::VendorData)
    }

    /// The scopes requested and approved, as one text separated by spaces.
    pub fn scope(&self) -> Option<&str> {
        self.content.text(TextOf::Scope)
    }

    /// The scopes requested and approved, one by one; words that are no scopes are left out.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> + '_ {
        let words = self.scope().unwrap_or_default().split_ascii_whitespace();
        words.filter_map(|word| Scope::from_str(word).ok())
    }

    /// The scopes requested and approved whose data did not come, each once: a person may share
    /// less than was asked for. While nothing is shared these are all of them.
    ///
    /// A scope's data is the member of its name, if it is there and not `null`.
    ///
    /// ```
    /// use didit_core::{Decision, Scope};
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
        let members = self.user_data().and_then(UserData::json).map(Json::members);
        let present = members.into_iter().flatten().filter(|(_, value)| !value.is_null());
        let mut named: HashSet<Scope> =
            present.filter_map(|(name, _)| Scope::from_str(&name).ok()).collect();
        self.scopes().filter(move |scope| named.insert(scope.clone()))
    }

    /// When the session was created.
    pub fn created_at(&self) -> Option<OffsetDateTime> {
        self.content.created_at
    }

    /// What the person shared; `None` while nothing has been (absent, `null` or `{}`).
    pub fn user_data(&self) -> Option<UserData<'_>> {
        let shared = self.content.members.object(ObjectOf::UserData).unwrap_or_default();
        shared.then_some(UserData { content: &self.content })
    }

    /// The whole decision as the service sent it, members nobody knows yet and all digits included.
    pub fn json(&self) -> Json<'_> {
        self.content.json()
    }
}

/// The integer of those digits; nothing for one of more than 127 bits.
fn session_number(json: &str, digits: &str) -> Result<Option<i128>, JsonError> {
    let integer = || digits.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) if integer() => Ok(None),
        Err(_) => {
            let offset = text::offset_in(json, digits).unwrap_or(0);
            let problem = "expected an integer".to_owned();
            Err(JsonError::at(json.as_bytes(), offset, "session_number", problem))
        }
    }
}

fn no_timestamp(json: &str, text: &str, created_at: &str) -> JsonError {
    // A string that was written with escapes stands behind the answer.
    let offset = text::offset_in(text, created_at).filter(|offset| *offset < json.len());
    let problem = "expected an RFC 3339 timestamp".to_owned();
    JsonError::at(json.as_bytes(), offset.unwrap_or(0), "created_at", problem)
}

/// Shows what the decision is about; what the person shared and the caller's own data are redacted.
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
