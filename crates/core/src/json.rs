//! What the parsers need beside `serde_json`: a text without its white space, and the members of an
//! object as they were sent.

mod error;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

pub use self::error::JsonError;
use crate::personal::Redacted;

/// A JSON value as the service sent it, to the last digit and space.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// The text of the value.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    pub(crate) fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// Reads the value into a type of the caller's own.
    ///
    /// # Errors
    /// The value has another shape. The error tells the place and what was expected there, and
    /// nothing of the value.
    pub fn to<T: DeserializeOwned>(self) -> Result<T, JsonError> {
        serde_json::from_str(self.0).map_err(|error| JsonError::new(self.0.as_bytes(), &error))
    }

    /// The members of an object in the order they were sent; nothing for any other value.
    pub fn members(self) -> Vec<(Cow<'a, str>, Json<'a>)> {
        let mut reader = serde_json::Deserializer::from_str(self.0);
        reader.deserialize_map(Members).unwrap_or_default()
    }

    /// The member of that name; the last one where the name stands twice.
    pub fn get(self, name: &str) -> Option<Json<'a>> {
        self.members().into_iter().rev().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// The same value on one line: without the white space between its tokens.
    pub fn to_line(self) -> String {
        let mut line = Vec::with_capacity(self.0.len());
        let mut strings = Strings::default();
        for &byte in self.0.as_bytes() {
            let inside = strings.inside;
            strings.step(byte);
            if inside || !byte.is_ascii_whitespace() {
                line.push(byte);
            }
        }
        String::from_utf8_lossy(&line).into_owned()
    }
}

/// Shows that there is a value, not which: it may be a person's.
impl fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Json").field(&Redacted).finish()
    }
}

/// `text` must be a whole JSON value, as everything is that a parser here has accepted.
pub(crate) fn accepted(text: &str) -> Json<'_> {
    Json(text)
}

/// The text of an answer's body.
pub(crate) fn text(body: &[u8]) -> Result<&str, JsonError> {
    std::str::from_utf8(body).map_err(|error| JsonError::of_utf8(body, error))
}

/// The name that a member's key stands for; a key that stands for no text, as it was sent.
fn name(key: &RawValue) -> Cow<'_, str> {
    match serde_json::from_str(key.get()) {
        Ok(Text(name)) => name,
        Err(_) => key.get().trim_matches('"').into(),
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(Cow<'de, str>, Json<'de>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((key, value)) = map.next_entry::<&'de RawValue, &'de RawValue>()? {
            members.push((name(key), Json(value.get())));
        }
        Ok(members)
    }
}

/// A string, borrowed where it holds no escapes. (`Option<Cow<str>>` alone would always copy.)
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// A value that must be an object: a derived struct alone would take an array as well.
#[derive(Clone)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Map<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Map(PhantomData))
    }
}

/// Follows a JSON text byte by byte and knows what is inside a string.
#[derive(Default)]
struct Strings {
    inside: bool,
    escaped: bool,
}

impl Strings {
    fn step(&mut self, byte: u8) {
        if self.escaped {
            self.escaped = false;
        } else if self.inside && byte == b'\\' {
            self.escaped = true;
        } else if byte == b'"' {
            self.inside = !self.inside;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_expected_by_name() {
        let wrong = serde_json::from_str::<Object<std::collections::BTreeMap<String, u8>>>("[]");
        let error = JsonError::new(b"[]", &wrong.err().unwrap());
        assert_eq!(error.to_string(), "expected an object at line 1 column 0");
        let error = serde_json::Deserializer::from_str("1").deserialize_map(Members).err().unwrap();
        assert!(error.to_string().contains("expected an object"), "{error}");
    }

    #[test]
    fn a_line_keeps_everything_but_white_space() {
        let text = "{ \"a b\\\" c\" : [ 1.50 ,\r\n\t2e5 , \"x  y\" ] }";
        assert_eq!(accepted(text).to_line(), r#"{"a b\" c":[1.50,2e5,"x  y"]}"#);
    }

    #[test]
    fn members_are_reached_by_name() {
        let json =
            accepted(r#"{"a": 1, "b\u0062": {"x": 123456789012345678901234567890}, "a": 2}"#);
        assert_eq!(
            json.get("bb").unwrap().get("x").unwrap().as_str(),
            "123456789012345678901234567890"
        );
        assert_eq!(json.get("a").unwrap().to::<u8>(), Ok(2));
        assert_eq!(json.get("c"), None);
        let odd = accepted(r#"{"\ud800": 1, "theme": "dark"}"#);
        assert_eq!(odd.get("theme").unwrap().as_str(), r#""dark""#);
        assert_eq!(odd.get("\\ud800").unwrap().as_str(), "1");
        assert_eq!(accepted("[1]").members(), vec![]);
        assert_eq!(format!("{json:?}"), "Json([redacted])");
        assert_eq!(
            json.to::<String>().unwrap_err().to_string(),
            "expected a string at line 1 column 0"
        );
    }
}
