//! The documented members of a decision, and how they are picked out of an answer.
//!
//! One reader goes through every object by a table. A derived reader for each would be more code to
//! run, and for a single answer that is what takes the time.

use std::fmt;
use std::num::NonZeroU32;

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

enum Member {
    Text(TextOf),
    Flag(FlagOf),
    /// `session_number`, to the last digit.
    Integer,
    Object(ObjectOf, &'static [(&'static str, Member)]),
}

const DECISION: Member = Member::Object(
    ObjectOf::Decision,
    &[
        ("session_id", Member::Text(TextOf::SessionId)),
        ("session_number", Member::Integer),
        ("status", Member::Text(TextOf::Status)),
        ("vendor_data", Member::Text(TextOf::VendorData)),
        ("scope", Member::Text(TextOf::Scope)),
        ("user_data", USER_DATA),
        ("created_at", Member::Text(TextOf::CreatedAt)),
    ],
);

const USER_DATA: Member = Member::Object(
    ObjectOf::UserData,
    &[
        ("sub", Member::Text(TextOf::Sub)),
        ("email", EMAIL),
        ("phone", PHONE),
        ("picture", Member::Text(TextOf::Picture)),
        ("names", NAMES),
        ("user_id", Member::Text(TextOf::UserId)),
        ("is_verified", Member::Flag(FlagOf::IsVerified)),
        ("is_over_18", Member::Flag(FlagOf::IsOver18)),
        ("is_over_21", Member::Flag(FlagOf::IsOver21)),
    ],
);

const EMAIL: Member = Member::Object(
    ObjectOf::Email,
    &[
        ("email", Member::Text(TextOf::Email)),
        ("is_verified", Member::Flag(FlagOf::EmailIsVerified)),
        ("is_primary", Member::Flag(FlagOf::EmailIsPrimary)),
    ],
);

const PHONE: Member = Member::Object(
    ObjectOf::Phone,
    &[
        ("phone_number", Member::Text(TextOf::PhoneNumber)),
        ("is_verified", Member::Flag(FlagOf::PhoneIsVerified)),
        ("is_primary", Member::Flag(FlagOf::PhoneIsPrimary)),
    ],
);

const NAMES: Member = Member::Object(
    ObjectOf::Names,
    &[
        ("first_name", Member::Text(TextOf::FirstName)),
        ("family_name", Member::Text(TextOf::FamilyName)),
        ("full_name", Member::Text(TextOf::FullName)),
        ("is_verified", Member::Flag(FlagOf::NamesIsVerified)),
    ],
);

/// The members that an answer has; each may be absent or null, which is the same.
#[derive(Clone, Default)]
pub(super) struct Members {
    texts: [Span; TextOf::FullName as usize + 1],
    flags: [Option<bool>; FlagOf::NamesIsVerified as usize + 1],
    /// How many members each object has and one more, unknown ones included.
    objects: [Option<NonZeroU32>; ObjectOf::Names as usize + 1],
}

impl Members {
    pub(super) fn text(&self, of: TextOf) -> Span {
        self.texts[of as usize]
    }

    pub(super) fn flag(&self, of: FlagOf) -> Option<bool> {
        self.flags[of as usize]
    }

    /// How many members the object has, if it is there.
    pub(super) fn size(&self, of: ObjectOf) -> Option<u32> {
        self.objects[of as usize].map(|size| size.get() - 1)
    }
}

/// Reads an answer of at most [`MAX_LEN`](super::text::MAX_LEN) bytes: gives the digits of
/// `session_number`, and adds to `unescaped` the strings that are written with escapes.
pub(super) fn read<'a>(
    json: &'a str,
    members: &mut Members,
    unescaped: &mut String,
) -> Result<Option<&'a str>, serde_json::Error> {
    let mut reader = Reader { json, members, unescaped, session_number: None };
    let mut parser = serde_json::Deserializer::from_str(json);
    parser.deserialize_map(Value { member: &DECISION, reader: &mut reader })?;
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
    member: &'static Member,
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
            Member::Object(..) => "an object",
        })
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.member {
            Member::Text(_) => deserializer.deserialize_str(self),
            Member::Flag(_) => deserializer.deserialize_bool(self),
            Member::Object(..) => deserializer.deserialize_map(self),
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
        members.texts[*of as usize] = Span::new(json, unescaped, text);
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, flag: bool) -> Result<(), E> {
        let Member::Flag(of) = self.member else {
            return Err(E::invalid_type(Unexpected::Bool(flag), &self));
        };
        self.reader.members.flags[*of as usize] = Some(flag);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Member::Object(of, documented) = self.member else {
            return Err(A::Error::invalid_type(Unexpected::Map, &self));
        };
        // No object has more documented members.
        let (mut size, mut seen) = (1, [false; 16]);
        while let Some(position) = map.next_key_seed(Name(documented))? {
            size += 1;
            let Some(position) = position else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let (name, member) = &documented[position];
            if std::mem::replace(&mut seen[position], true) {
                return Err(A::Error::duplicate_field(name));
            }
            map.next_value_seed(Value { member, reader: self.reader })?;
        }
        self.reader.members.objects[*of as usize] = NonZeroU32::new(size);
        Ok(())
    }
}

/// The name that comes next in the text, to be looked up among these.
struct Name(&'static [(&'static str, Member)]);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|(documented, _)| *documented == name))
    }
}
