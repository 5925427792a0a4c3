//! What the parsers need beside `serde_json`: where in a text an error stands, a text without its
//! white space, and the members of an object as they were sent.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

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
    std::str::from_utf8(body).map_err(|error| JsonError {
        // The last character may have been cut in two.
        truncated: error.error_len().is_none(),
        ..JsonError::at(body, error.valid_up_to(), "", "invalid UTF-8".to_owned())
    })
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

/// Why a text is not the JSON that was expected: where, and what was expected there.
///
/// It never repeats what stands there, which may be a person's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    line: usize,
    column: usize,
    place: Box<str>,
    problem: Box<str>,
    truncated: bool,
}

impl JsonError {
    pub(crate) fn new(text: &[u8], error: &serde_json::Error) -> Self {
        let offset = offset_of(text, error.line(), error.column());
        // A syntax error stands at the byte that is wrong, any other behind what is wrong.
        let before = if error.is_data() { offset } else { offset.saturating_sub(1) };
        Self {
            line: error.line(),
            column: error.column(),
            place: place_at(&text[..before]).into(),
            problem: problem(error).into(),
            truncated: error.is_eof(),
        }
    }

    /// An error of what stands at `place`, whose text begins at `offset`.
    pub(crate) fn at(text: &[u8], offset: usize, place: &str, problem: String) -> Self {
        let before = &text[..offset.min(text.len())];
        let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |newline| newline + 1);
        Self {
            line: 1 + before.iter().filter(|&&b| b == b'\n').count(),
            column: 1 + before.len() - line_start,
            place: place.into(),
            problem: problem.into(),
            truncated: false,
        }
    }

    /// The line of the error, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column of the error in bytes, from 1; 0 where the line before it ended too early.
    pub fn column(&self) -> usize {
        self.column
    }

    /// The member in or at which the error stands, like `user_data.email`; empty at the top.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Whether the text ended before the value did.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at line {} column {}", self.problem, self.line, self.column)?;
        if self.place.is_empty() { Ok(()) } else { write!(f, ", in `{}`", self.place) }
    }
}

impl std::error::Error for JsonError {}

/// What `serde_json` says, less its position and less the value that it repeats.
fn problem(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(&*message, |(problem, _)| problem);
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None if !error.is_data() => message.to_owned(),
        None if message.starts_with("missing field") || message.starts_with("duplicate field") => {
            message.to_owned()
        }
        None => "unexpected value".to_owned(),
    }
}

fn offset_of(text: &[u8], line: usize, column: usize) -> usize {
    let line_start = match line {
        0 | 1 => 0,
        _ => text
            .iter()
            .enumerate()
            .filter(|&(_, &byte)| byte == b'\n')
            .nth(line - 2)
            .map_or(text.len(), |(newline, _)| newline + 1),
    };
    line_start.saturating_add(column).min(text.len())
}

/// The deepest names a place is told by; a text nested deeper is cut there.
const MAX_PLACE_DEPTH: usize = 16;
/// The longest part of a member's name that a place repeats, in bytes.
const MAX_PLACE_NAME: usize = 64;

/// The path to what comes next after `text`, the beginning of a JSON text.
fn place_at(text: &[u8]) -> String {
    /// One open object or array, and the member or element that is being read.
    struct Open {
        object: bool,
        index: usize,
        name: Option<(usize, usize)>,
    }
    let mut open: Vec<Open> = Vec::new();
    let mut deeper = 0_usize;
    let mut strings = Strings::default();
    let mut string_start = 0;
    for (at, &byte) in text.iter().enumerate() {
        let inside = strings.inside;
        strings.step(byte);
        let full = open.len() == MAX_PLACE_DEPTH;
        match (byte, open.last_mut()) {
            (b'"', _) if !inside => string_start = at + 1,
            (b'"', Some(container))
                if deeper == 0
                    && !strings.inside
                    && container.object
                    && container.name.is_none() =>
            {
                container.name = Some((string_start, at));
            }
            _ if inside => {}
            (b'{' | b'[', _) if deeper > 0 || full => deeper += 1,
            (b'}' | b']', _) if deeper > 0 => deeper -= 1,
            _ if deeper > 0 => {}
            (b'{' | b'[', _) => open.push(Open { object: byte == b'{', index: 0, name: None }),
            (b'}' | b']', _) => drop(open.pop()),
            (b',', Some(container)) => {
                container.index += 1;
                container.name = None;
            }
            _ => {}
        }
    }
    let mut place = String::new();
    for container in &open {
        match container.name {
            Some((start, end)) => {
                if !place.is_empty() {
                    place.push('.');
                }
                let end = end.min(start + MAX_PLACE_NAME);
                let name = String::from_utf8_lossy(&text[start..end]);
                place.extend(name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }));
            }
            None if container.object => {}
            None => place.extend(["[", &container.index.to_string(), "]"]),
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> JsonError {
        #[derive(serde::Deserialize)]
        #[allow(dead_code)]
        struct Inner {
            b: Option<bool>,
            list: Option<Vec<u8>>,
        }
        #[derive(serde::Deserialize)]
        #[allow(dead_code)]
        struct Outer {
            a: Option<Inner>,
            n: Option<u64>,
        }
        let error = serde_json::from_str::<Outer>(text).err().unwrap();
        JsonError::new(text.as_bytes(), &error)
    }

    #[test]
    fn errors_name_line_column_and_place() {
        let cases = [
            ("{\n\"a\": {\"b\": true,}}", "trailing comma at line 2 column 17, in `a`"),
            (r#"{"a":{"b":"Jane"}}"#, "expected a boolean at line 1 column 16, in `a.b`"),
            (r#"{"n": 1, "n": 2}"#, "duplicate field `n` at line 1 column 12, in `n`"),
            (r#"{"a":{"list":[1,2,"x"]}}"#, "expected u8 at line 1 column 21, in `a.list[2]`"),
            (r#"{"n": ", expected Jane"}"#, "expected u64 at line 1 column 23, in `n`"),
            (r#"{"a":{"b":tru"#, "EOF while parsing a value at line 1 column 13, in `a.b`"),
            ("", "EOF while parsing a value at line 1 column 0"),
            ("{}}", "trailing characters at line 1 column 3"),
        ];
        for (text, message) in cases {
            assert_eq!(error(text).to_string(), message, "{text}");
        }
        assert!(error(r#"{"n"#).is_truncated() && !error("{]").is_truncated());
        let error = error("{\n\"n\": true}");
        assert_eq!((error.line(), error.column(), error.place()), (2, 9, "n"));
    }

    #[test]
    fn an_object_is_expected_by_name() {
        let wrong = serde_json::from_str::<Object<std::collections::BTreeMap<String, u8>>>("[]");
        let error = JsonError::new(b"[]", &wrong.err().unwrap());
        assert_eq!(error.to_string(), "expected an object at line 1 column 0");
        let error = serde_json::Deserializer::from_str("1").deserialize_map(Members).err().unwrap();
        assert!(error.to_string().contains("expected an object"), "{error}");
    }

    #[test]
    fn an_offset_has_a_line_and_a_column() {
        let text = b"ab\ncd\n\nef";
        let place = |offset| {
            let error = JsonError::at(text, offset, "", String::new());
            (error.line(), error.column())
        };
        assert_eq!([0, 1, 2, 3].map(place), [(1, 1), (1, 2), (1, 3), (2, 1)]);
        assert_eq!([6, 7, 8, 9, 99].map(place), [(3, 1), (4, 1), (4, 2), (4, 3), (4, 3)]);
    }

    /// Deeper than that, a place is that of the sixteenth, and what follows has its own again.
    #[test]
    fn a_place_is_cut_off_where_it_gets_deep() {
        let deep = |levels: usize| r#"{"a":"#.repeat(levels);
        let sixteen = ["a"; 16].join(".");
        assert_eq!(place_at(deep(15).as_bytes()), ["a"; 15].join("."));
        for levels in [16, 17, 18, 40] {
            assert_eq!(place_at(deep(levels).as_bytes()), sixteen, "{levels}");
        }
        // Closed again by as many, the place is where it was.
        let arrays = format!(r#"{}[[[1],[2]],3],"b":"#, deep(16));
        assert_eq!(place_at(arrays.as_bytes()), format!("{}.b", ["a"; 15].join(".")));
        let objects = format!(r#"{}{{"x":{{}},"y":[{{}}]}},"b":["#, deep(15));
        assert_eq!(place_at(objects.as_bytes()), format!("{}.b[0]", ["a"; 14].join(".")));
        let long = format!(r#"{{"{}":"#, "n".repeat(100));
        assert_eq!(place_at(long.as_bytes()), "n".repeat(64));
        assert_eq!(place_at(br#"[1,{"x":2},"#), "[2]");
        assert_eq!(place_at(br#"{"a":1}"#), "");
        assert_eq!(place_at(b"{\"a\x01\":["), "a\u{fffd}[0]");
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
