//! JSON beyond `serde_json`: values that keep the service's text, and errors that contain the path
//! but never the value.

mod error;
mod names;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Unexpected, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use self::error::JsonError;
pub(crate) use self::names::strings;
use crate::secret::Redacted;

/// A JSON value exactly as the service sent it, including every digit and space.
///
/// With `serde_json`, it serializes as that text and deserializes from any JSON value, but not inside
/// a type with `#[serde(flatten)]`, `#[serde(tag = …)]` or `#[serde(untagged)]`. Other formats refuse
/// it, or write what they cannot read. There, store a `String` with [`as_str`](Self::as_str), and
/// parse it. Two values are equal if their texts are.
///
/// ```
/// use didit_core::RawJson;
///
/// let value: RawJson = r#"{"city": "Bilbao", "postal_code": 48001.50}"#.parse()?;
/// assert_eq!(value.get("postal_code").unwrap().as_str(), "48001.50");
/// assert_eq!(value.get("city").unwrap().deserialize::<String>()?, "Bilbao");
/// # Ok::<(), didit_core::JsonError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RawJson(Box<str>);

impl RawJson {
    /// Wraps text that a parser has already accepted as one complete JSON value.
    pub(crate) fn new_unchecked(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns the text of the value.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the value is `null`.
    pub fn is_null(&self) -> bool {
        &*self.0 == "null"
    }

    /// Deserializes the value into a custom type.
    ///
    /// # Errors
    /// The value has another shape. The error contains the path and what was expected there, but no
    /// part of the value.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        read(&self.0)
    }

    /// Returns the members of an object in the order in which they were sent. For any other value,
    /// the list is empty.
    pub fn members(&self) -> Vec<(String, RawJson)> {
        let mut members = Vec::new();
        self.each_member(|name, value| {
            members.push((name.into_owned(), Self::new_unchecked(value)));
        });
        members
    }

    /// Returns the member with that name; the last one if the name occurs more than once.
    pub fn get(&self, name: &str) -> Option<RawJson> {
        let found = self.members().into_iter().rfind(|(member, _)| member == name);
        found.map(|(_, value)| value)
    }

    /// Calls `each` with the name and the text of every member of an object, without copying them.
    pub(crate) fn each_member<'a>(&'a self, each: impl FnMut(Cow<'a, str>, &'a str)) {
        if self.0.trim_start().starts_with('{') {
            let mut reader = serde_json::Deserializer::from_str(&self.0);
            // The text is valid JSON, so this cannot fail.
            let _ = reader.deserialize_map(MemberVisitor(each));
        }
    }

    /// Returns the same value on one line, without the white space between its tokens.
    pub fn to_compact(&self) -> String {
        let (mut in_string, mut escaped) = (false, false);
        let is_kept = |c: &char| {
            if *c == '"' && !escaped {
                in_string = !in_string;
            }
            escaped = in_string && *c == '\\' && !escaped;
            in_string || !c.is_ascii_whitespace()
        };
        self.0.chars().filter(is_kept).collect()
    }
}

/// Returns whether the bytes are one complete JSON object. Unlike a truncated number, a truncated
/// object is never valid.
pub(crate) fn is_object(bytes: &[u8]) -> bool {
    let begins = bytes.trim_ascii_start().first() == Some(&b'{');
    begins && serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

impl FromStr for RawJson {
    type Err = JsonError;

    fn from_str(text: &str) -> Result<Self, JsonError> {
        read::<&RawValue>(text).map(|raw| Self::new_unchecked(raw.get()))
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Binary formats would write what they cannot read, and so would the serializers of `flatten`
        // and `tag`, whose type of sequences is empty since they accept none.
        if !serializer.is_human_readable() || size_of::<S::SerializeSeq>() == 0 {
            return Err(S::Error::custom(
                "serde_json can write this as a whole only; store its text instead",
            ));
        }
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self::new_unchecked(raw.get()))
    }
}

/// Redacts the value, which may be personal data.
impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RawJson").field(&Redacted).finish()
    }
}

/// Returns the text of a body without its byte order mark.
pub(crate) fn text(body: &[u8]) -> Result<&str, JsonError> {
    let body = without_mark(body);
    std::str::from_utf8(body).map_err(|error| JsonError::of_utf8(body, error))
}

/// Returns a body without its byte order mark, if any
/// ([RFC 8259 §8.1](https://www.rfc-editor.org/rfc/rfc8259#section-8.1)).
pub(crate) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Checks the member `url`, which the user will open: a scheme such as `javascript:` is refused.
pub(crate) fn check_web_address(url: &str) -> Result<(), JsonError> {
    let web = url.split_once("://").is_some_and(|(scheme, rest)| {
        let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        ["https", "http"].iter().any(|web| scheme.eq_ignore_ascii_case(web))
            && !(host.is_empty() || host.starts_with(':') || host.contains(char::is_whitespace))
    });
    if !web || url.contains(char::is_control) {
        return Err(JsonError::at("url", "expected a web address"));
    }
    Ok(())
}

/// Deserializes one complete JSON value.
pub(crate) fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, JsonError> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| JsonError::new(error.inner(), error.path()))?;
    reader.end().map_err(|error| JsonError::syntax(&error))?;
    Ok(value)
}

/// Deserializes one complete object. Unlike `serde_json`, it accepts lone surrogates in member
/// names, which no documented name contains.
pub(crate) fn read_object<T: DeserializeOwned>(text: &str) -> Result<T, JsonError> {
    let Object(value) = read(&names::replace_lone_surrogates(text))?;
    Ok(value)
}

struct MemberVisitor<F>(F);

impl<'de, F: FnMut(Cow<'de, str>, &'de str)> Visitor<'de> for MemberVisitor<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, value)) = map.next_entry::<&'de RawValue, &'de RawValue>()? {
            // A key that is not valid Unicode is kept as it was sent.
            let sent = key.get().trim_matches('"');
            let unescaped =
                sent.contains('\\').then(|| serde_json::from_str(key.get()).ok()).flatten();
            (self.0)(unescaped.map_or(Cow::Borrowed(sent), Cow::Owned), value.get());
        }
        Ok(())
    }
}

/// A value that must be an object. A derived `Deserialize` would also accept an array.
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

/// Deserializes an optional object into a struct; for `#[serde(default, deserialize_with = …)]`.
pub(crate) fn optional_object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map(|Object(value)| value))
}

/// Deserializes a string and parses it into a `T`. The error has the position of the string, the
/// error of `parse`, which must not quote the text, and what was expected.
pub(crate) fn from_text<'de, D: Deserializer<'de>, T, E: fmt::Display>(
    deserializer: D,
    expected: &'static str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error> {
    struct Text<F>(&'static str, F);

    impl<T, P: fmt::Display, F: FnOnce(&str) -> Result<T, P>> Visitor<'_> for Text<F> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            (self.1)(text)
                .map_err(|reason| E::invalid_value(Unexpected::Other(&reason.to_string()), &self.0))
        }
    }

    deserializer.deserialize_str(Text(expected, parse))
}

/// Deserializes an optional RFC 3339 timestamp with any offset and precision.
pub(crate) fn optional_timestamp<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<OffsetDateTime>, D::Error> {
    struct Timestamp(OffsetDateTime);

    impl<'de> Deserialize<'de> for Timestamp {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let parse = |text: &str| OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "text");
            from_text(deserializer, "an RFC 3339 timestamp", parse).map(Self)
        }
    }

    Ok(Option::<Timestamp>::deserialize(deserializer)?.map(|Timestamp(at)| at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> RawJson {
        text.parse().unwrap()
    }

    #[test]
    fn error_says_that_an_object_was_expected() {
        type Map = std::collections::BTreeMap<String, u8>;
        let error = read_object::<Map>("[]").unwrap_err();
        assert_eq!(error.to_string(), "expected an object at line 1 column 0");
        let mut number = serde_json::Deserializer::from_str("1");
        let error = number.deserialize_map(MemberVisitor(|_, _| ())).err().unwrap();
        assert!(error.to_string().contains("expected an object"), "{error}");
    }

    #[test]
    fn web_addresses_have_a_scheme_of_the_web_and_a_host() {
        let accepts = |url| check_web_address(url).is_ok();
        assert!(accepts("https://h/x") && accepts("HTTP://h"));
        assert!(accepts("https://user@h:443?x") && accepts("https://[::1]:1/x y"));
        for url in [
            "https://",
            "https:///x",
            "https://?x",
            "https://:443/x",
            "https://user@/x",
            "https:// x/",
            "https://\\\\h",
            "h/x",
            "ftp://h",
            "javascript:alert(1)",
            "https://h/\u{9b}",
        ] {
            assert!(!accepts(url), "{url}");
        }
    }

    #[test]
    fn to_compact_removes_only_insignificant_white_space() {
        let text = "{ \"a b\\\" c\" : [ 1.50 ,\r\n\t2e5 , \"x  y\" ] }";
        assert_eq!(raw(text).to_compact(), r#"{"a b\" c":[1.50,2e5,"x  y"]}"#);
    }

    #[test]
    fn get_finds_members_by_name() {
        let json = raw(r#"{"a": 1, "b\u0062": {"x": 123456789012345678901234567890}, "a": 2}"#);
        assert_eq!(
            json.get("bb").unwrap().get("x").unwrap().as_str(),
            "123456789012345678901234567890"
        );
        assert_eq!(json.get("a").unwrap().deserialize::<u8>(), Ok(2));
        assert_eq!(json.get("c"), None);
        let odd = raw(r#"{"\ud800": 1, "theme": "dark"}"#);
        assert_eq!(odd.get("theme").unwrap().as_str(), r#""dark""#);
        assert_eq!(odd.get("\\ud800").unwrap().as_str(), "1");
        assert_eq!(raw("[1]").members(), vec![]);
        assert_eq!(format!("{json:?}"), "RawJson([redacted])");
        assert_eq!(
            json.deserialize::<String>().unwrap_err().to_string(),
            "expected a string at line 1 column 0"
        );
    }

    #[test]
    fn serialization_preserves_the_original_text() {
        let text = r#"{"n":1.10,"m":123456789012345678901234567890}"#;
        assert_eq!(serde_json::to_string(&raw(text)).unwrap(), text);
        assert_eq!(serde_json::from_str::<RawJson>(text).unwrap(), raw(text));
        assert!("{".parse::<RawJson>().is_err());
    }

    #[test]
    fn byte_order_mark_is_skipped() {
        assert_eq!(text(b"\xef\xbb\xbf{}"), Ok("{}"));
        assert_eq!(text(b"{}\xef\xbb\xbf").map(str::len), Ok(5));
    }
}
