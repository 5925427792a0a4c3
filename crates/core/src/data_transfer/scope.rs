use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::json;

/// The name of one kind of user data that a session asks for.
///
/// The documented names are constants; any other name that OAuth allows
/// ([RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)) is accepted. The service
/// spells one of them both `picture`, in requests, and `pictures`, in a sample of its decisions: both
/// are [`Scope::PICTURE`].
///
/// ```
/// use didit_core::data_transfer::Scope;
///
/// let column = match "pictures".parse()? {
///     Scope::PICTURE => "image_url",
///     Scope::EMAIL | Scope::PHONE => "contact",
///     _ => "other",
/// };
/// assert_eq!(column, "image_url");
/// assert!("two words".parse::<Scope>().is_err());
/// # Ok::<(), didit_core::data_transfer::InvalidScope>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
pub struct Scope(Name);

/// The name of a scope. Its equality is derived so that constants can be patterns.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Name {
    Documented(&'static str),
    /// A name that is not documented.
    Other(Box<str>),
}

impl Scope {
    /// The identifier of the user.
    pub const USER_ID: Self = Self::documented("user_id");
    /// The first, family and full name.
    pub const NAMES: Self = Self::documented("names");
    /// The email address.
    pub const EMAIL: Self = Self::documented("email");
    /// The phone number.
    pub const PHONE: Self = Self::documented("phone");
    /// A temporary URL of the picture.
    pub const PICTURE: Self = Self::documented("picture");
    /// A flag that is true if the person is verified.
    pub const IS_VERIFIED: Self = Self::documented("is_verified");
    /// A flag that is true if the person is over 18.
    pub const IS_OVER_18: Self = Self::documented("is_over_18");
    /// A flag that is true if the person is over 21.
    pub const IS_OVER_21: Self = Self::documented("is_over_21");
    /// The gender.
    pub const GENDER: Self = Self::documented("gender");
    /// The identity document.
    pub const DOCUMENT_DETAIL: Self = Self::documented("document_detail");
    /// The date of birth.
    pub const BIRTHDATE: Self = Self::documented("birthdate");
    /// The postal address.
    pub const ADDRESS: Self = Self::documented("address");
    /// The bank account.
    pub const BANK_ACCOUNT: Self = Self::documented("bank_account");
    /// The preferences.
    pub const PREFERENCES: Self = Self::documented("preferences");
    /// The Instagram account.
    pub const INSTAGRAM_ACCOUNT: Self = Self::documented("instagram_account");
    /// The X account.
    pub const X_ACCOUNT: Self = Self::documented("x_account");
    /// The `TikTok` account.
    pub const TIKTOK_ACCOUNT: Self = Self::documented("tiktok_account");

    /// Every documented scope.
    pub const ALL: [Self; 17] = [
        Self::USER_ID,
        Self::NAMES,
        Self::EMAIL,
        Self::PHONE,
        Self::PICTURE,
        Self::IS_VERIFIED,
        Self::IS_OVER_18,
        Self::IS_OVER_21,
        Self::GENDER,
        Self::DOCUMENT_DETAIL,
        Self::BIRTHDATE,
        Self::ADDRESS,
        Self::BANK_ACCOUNT,
        Self::PREFERENCES,
        Self::INSTAGRAM_ACCOUNT,
        Self::X_ACCOUNT,
        Self::TIKTOK_ACCOUNT,
    ];

    const fn documented(name: &'static str) -> Self {
        Self(Name::Documented(name))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Name::Documented(name) => name,
            Name::Other(name) => name,
        }
    }

    /// Returns whether the service documents the scope; it may know others.
    pub fn is_documented(&self) -> bool {
        matches!(self.0, Name::Documented(_))
    }
}

impl PartialOrd for Scope {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scope {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl AsRef<str> for Scope {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_text(deserializer, "a scope", |text| text.parse().map_err(without_character))
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.as_str().to_owned()
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if name.is_empty() {
            return Err(InvalidScope::Empty);
        }
        let allowed = |c: char| c.is_ascii_graphic() && c != '"' && c != '\\';
        if let Some(found) = name.chars().find(|&c| !allowed(c)) {
            return Err(InvalidScope::Character { found });
        }
        let name = if name == "pictures" { "picture" } else { name };
        let documented = Self::ALL.into_iter().find(|scope| scope.as_str() == name);
        Ok(documented.unwrap_or_else(|| Self(Name::Other(name.into()))))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({self})")
    }
}

/// The scopes that a session asks for: at least one, without duplicates, in the given order.
///
/// ```
/// use didit_core::data_transfer::{Scope, Scopes};
///
/// let scopes: Scopes = "picture names email".parse()?;
/// assert_eq!(scopes, Scopes::new([Scope::PICTURE, Scope::NAMES, Scope::EMAIL])?);
/// assert_eq!(scopes.to_string(), "picture names email");
/// assert!("".parse::<Scopes>().is_err());
/// # Ok::<(), didit_core::data_transfer::InvalidScope>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Collects scopes and drops duplicates.
    ///
    /// # Errors
    /// [`InvalidScope::Empty`] if there is no scope.
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Result<Self, InvalidScope> {
        let mut list = Vec::new();
        for scope in scopes {
            if !list.contains(&scope) {
                list.push(scope);
            }
        }
        if list.is_empty() { Err(InvalidScope::Empty) } else { Ok(Self(list)) }
    }

    /// Iterates over the scopes.
    pub fn iter(&self) -> std::slice::Iter<'_, Scope> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Scopes {
    type Item = &'a Scope;
    type IntoIter = std::slice::Iter<'a, Scope>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromStr for Scopes {
    type Err = InvalidScope;

    /// Parses names that are separated by spaces or commas.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = text.split([' ', ',']).filter(|name| !name.is_empty());
        Self::new(names.map(Scope::from_str).collect::<Result<Vec<_>, _>>()?)
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_text(deserializer, "scopes", |text| text.parse().map_err(without_character))
    }
}

impl From<Scopes> for String {
    fn from(scopes: Scopes) -> Self {
        scopes.to_string()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(Scope::as_str).collect();
        f.write_str(&names.join(" "))
    }
}

/// Error parsing a [`Scope`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidScope {
    /// The text is empty.
    Empty,
    /// The text contains a space, a double quote, a backslash, or a control or non-ASCII character.
    Character {
        /// The first such character.
        found: char,
    },
}

impl fmt::Display for InvalidScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the scope is empty"),
            Self::Character { found } => write!(f, "the scope contains {found:?}"),
        }
    }
}

impl std::error::Error for InvalidScope {}

/// Describes the error without the character that was found.
fn without_character(error: InvalidScope) -> String {
    match error {
        InvalidScope::Character { .. } => "the scope contains an invalid character".to_owned(),
        InvalidScope::Empty => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_picture_are_equal() {
        let plural: Scope = "pictures".parse().unwrap();
        assert_eq!(plural, Scope::PICTURE);
        assert_eq!(plural.to_string(), "picture");
        assert_eq!(String::from(plural.clone()), "picture");
        assert_ne!(plural, Scope::NAMES);
        assert!(std::collections::HashSet::from([plural]).contains(&Scope::PICTURE));
    }

    #[test]
    fn is_documented_recognizes_only_documented_scopes() {
        let documented = |name: &str| name.parse::<Scope>().unwrap().is_documented();
        assert!(documented("pictures") && documented("names"));
        assert!(!documented("nom(s") && !documented("Names"));
        let all: std::collections::HashSet<_> = Scope::ALL.into_iter().collect();
        assert_eq!(all.len(), Scope::ALL.len());
    }

    #[test]
    fn scopes_are_deduplicated_in_order() {
        let scopes: Scopes = " names  pictures names picture ".parse().unwrap();
        assert_eq!(scopes.to_string(), "names picture");
        assert!((&scopes).into_iter().eq([&Scope::NAMES, &Scope::PICTURE]));
        assert_eq!("names, email,names".parse::<Scopes>().unwrap().to_string(), "names email");
        assert_eq!(serde_json::to_string(&scopes).unwrap(), "\"names picture\"");
        assert_eq!(serde_json::from_str::<Scopes>("\"names picture\"").unwrap(), scopes);
        assert_eq!("  ".parse::<Scopes>(), Err(InvalidScope::Empty));
        assert_eq!("a\nb".parse::<Scopes>(), Err(InvalidScope::Character { found: '\n' }));
    }

    #[test]
    fn unknown_names_are_accepted_and_malformed_ones_rejected() {
        assert_eq!("didit:new-scope".parse::<Scope>().unwrap().as_str(), "didit:new-scope");
        for (name, reason) in [
            ("", "the scope is empty"),
            ("a b", "the scope contains ' '"),
            ("a\"", "the scope contains '\"'"),
            ("é", "the scope contains 'é'"),
        ] {
            assert_eq!(name.parse::<Scope>().unwrap_err().to_string(), reason);
        }
    }
}
