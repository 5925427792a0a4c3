//! The documented members of a decision, and how they are picked out of an answer.
//!
//! One reader goes through every object. A derived reader for each would be more code to run, and for
//! a single answer that is what takes the time.

use std::fmt;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Unexpected, Visitor,
};
use serde_json::value::RawValue;

use super::text::Span;

/// Every member that is a string.
#[derive(Clone, Copy)]
pub(super) enum TextOf {
    SessionId,
    Status,
    VendorData,
    Scope,
    CreatedAt,
    Sub,
    UserId,
    Picture,
    Email,
    PhoneNumber,
    FirstName,
    FamilyName,
    FullName,
}

/// Every member that is a boolean.
#[derive(Clone, Copy)]
pub(super) enum FlagOf {
    IsVerified,
    IsOver18,
    IsOver21,
    EmailIsVerified,
    EmailIsPrimary,
    PhoneIsVerified,
    PhoneIsPrimary,
    NamesIsVerified,
}

/// Every member that is an object of a documented shape, and the decision itself.
#[derive(Clone, Copy)]
pub(super) enum ObjectOf {
    Decision,
    UserData,
    Email,
    Phone,
    Names,
}

#[derive(Clone, Copy)]
enum Member {
    Text(TextOf),
    Flag(FlagOf),
    /// `session_number`, to the last digit.
    Integer,
    Object(ObjectOf),
}

impl Member {
    /// The documented member of that name, in that object.
    fn of(object: ObjectOf, name: &str) -> Option<Self> {
        Some(match (object, name) {
            (ObjectOf::Decision, "session_id") => Self::Text(TextOf::SessionId),
            (ObjectOf::Decision, "session_number") => Self::Integer,
            (ObjectOf::Decision, "status") => Self::Text(TextOf::Status),
            (ObjectOf::Decision, "vendor_data") => Self::Text(TextOf::VendorData),
            (ObjectOf::Decision, "scope") => Self::Text(TextOf::Scope),
            (ObjectOf::Decision, "user_data") => Self::Object(ObjectOf::UserData),
            (ObjectOf::Decision, "created_at") => Self::Text(TextOf::CreatedAt),
            (ObjectOf::UserData, "sub") => Self::Text(TextOf::Sub),
            (ObjectOf::UserData, "email") => Self::Object(ObjectOf::Email),
            (ObjectOf::UserData, "phone") => Self::Object(ObjectOf::Phone),
            (ObjectOf::UserData, "picture") => Self::Text(TextOf::Picture),
            (ObjectOf::UserData, "names") => Self::Object(ObjectOf::Names),
            (ObjectOf::UserData, "user_id") => Self::Text(TextOf::UserId),
            (ObjectOf::UserData, "is_verified") => Self::Flag(FlagOf::IsVerified),
            (ObjectOf::UserData, "is_over_18") => Self::Flag(FlagOf::IsOver18),
            (ObjectOf::UserData, "is_over_21") => Self::Flag(FlagOf::IsOver21),
            (ObjectOf::Email, "email") => Self::Text(TextOf::Email),
            (ObjectOf::Email, "is_verified") => Self::Flag(FlagOf::EmailIsVerified),
            (ObjectOf::Email, "is_primary") => Self::Flag(FlagOf::EmailIsPrimary),
            (ObjectOf::Phone, "phone_number") => Self::Text(TextOf::PhoneNumber),
            (ObjectOf::Phone, "is_verified") => Self::Flag(FlagOf::PhoneIsVerified),
            (ObjectOf::Phone, "is_primary") => Self::Flag(FlagOf::PhoneIsPrimary),
            (ObjectOf::Names, "first_name") => Self::Text(TextOf::FirstName),
            (ObjectOf::Names, "family_name") => Self::Text(TextOf::FamilyName),
            (ObjectOf::Names, "full_name") => Self::Text(TextOf::FullName),
            (ObjectOf::Names, "is_verified") => Self::Flag(FlagOf::NamesIsVerified),
            _ => return None,
        })
    }

    /// Another bit for every member.
    fn bit(self) -> u64 {
        const { assert!(TextOf::FullName as u8 <= 15 && FlagOf::NamesIsVerified as u8 <= 15) };
        1 << match self {
            Self::Text(of) => of as u8,
            Self::Flag(of) => 16 + of as u8,
            Self::Object(of) => 32 + of as u8,
            Self::Integer => 48,
        }
    }
}

/// The members that an answer has; each may be absent or null, which is the same.
#[derive(Clone, Default)]
pub(super) struct Members {
    texts: [Span; TextOf::FullName as usize + 1],
    flags: [Option<bool>; FlagOf::NamesIsVerified as usize + 1],
    /// Whether an object has any members, unknown ones included.
    objects: [Option<bool>; ObjectOf::Names as usize + 1],
}

impl Members {
    pub(super) fn text(&self, of: TextOf) -> Span {
        self.texts[of as usize]
    }

    pub(super) fn flag(&self, of: FlagOf) -> Option<bool> {
        self.flags[of as usize]
    }

    /// Whether the object has any members, if it is there.
    pub(super) fn object(&self, of: ObjectOf) -> Option<bool> {
        self.objects[of as usize]
    }
}

/// Reads an answer: gives the digits of `session_number`, and adds to `unescaped` the strings that are
/// written with escapes.
pub(super) fn read<'a>(
    json: &'a str,
    members: &mut Members,
    unescaped: &mut String,
) -> Result<Option<&'a str>, serde_json::Error> {
    let mut reader = Reader { json, members, unescaped, session_number: None };
    let mut parser = serde_json::Deserializer::from_str(json);
    parser.deserialize_map(Value {
        member: Member::Object(ObjectOf::Decision),
        reader: &mut reader,
    })?;
    parser.end()?;
    Ok(reader.session_number)
}

struct Reader<'r, 'a> {
    json: &'a str,
    members: &'r mut Members,
    unescaped: &'r mut String,
    session_number: Option<&'a str>,
}

/// One value that comes next in the text, and what it is documented to be.
struct Value<'v, 'r, 'a> {
    member: Member,
    reader: &'v mut Reader<'r, 'a>,
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.member {
            Member::Text(_) => "a string",
            Member::Flag(_) => "a boolean",
            Member::Integer => "an integer",
            Member::Object(_) => "an object",
        })
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.member {
            Member::Text(_) => deserializer.deserialize_str(self),
            Member::Flag(_) => deserializer.deserialize_bool(self),
            Member::Object(_) => deserializer.deserialize_map(self),
            Member::Integer => {
                self.reader.session_number = Some(<&RawValue>::deserialize(deserializer)?.get());
                Ok(())
            }
        }
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        let Member::Text(of) = self.member else {
            return Err(E::invalid_type(Unexpected::Str(text), &self));
        };
        let Reader { json, members, unescaped, .. } = self.reader;
        members.texts[of as usize] = Span::new(json, unescaped, text);
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, flag: bool) -> Result<(), E> {
        let Member::Flag(of) = self.member else {
            return Err(E::invalid_type(Unexpected::Bool(flag), &self));
        };
        self.reader.members.flags[of as usize] = Some(flag);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Member::Object(of) = self.member else {
            return Err(A::Error::invalid_type(Unexpected::Map, &self));
        };
        let (mut filled, mut seen) = (false, 0);
        while let Some(member) = map.next_key_seed(Name { object: of, seen: &mut seen })? {
            filled = true;
            match member {
                Some(member) => map.next_value_seed(Value { member, reader: self.reader })?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        self.reader.members.objects[of as usize] = Some(filled);
        Ok(())
    }
}

/// The name that comes next in an object of the text.
struct Name<'s> {
    object: ObjectOf,
    /// The bits of the members that have come.
    seen: &'s mut u64,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<Member>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<Member>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
        let member = Member::of(self.object, name);
        let bit = member.map_or(0, Member::bit);
        if *self.seen & bit != 0 {
            return Err(E::custom(format_args!("duplicate field `{name}`")));
        }
        *self.seen |= bit;
        Ok(member)
    }
}
