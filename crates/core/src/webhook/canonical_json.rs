//! Canonical JSON: one text for all JSON texts with the same value.
//!
//! It is the output of Python's `json.dumps` with `sort_keys=True`, `separators=(",", ":")` and
//! `ensure_ascii=False`, after every float with an integral value has been converted to an integer;
//! see <https://docs.didit.me/integration/webhooks>. Integers of any length keep their digits,
//! which `serde_json::Value` would lose.

use std::borrow::Cow;
use std::ops::Range;

use crate::json::{self, JsonError};

/// The maximum nesting depth of arrays and objects.
const MAX_DEPTH: usize = 64;

/// Returns the canonical form of a JSON object, the message of
/// [`Scheme::CanonicalJson`](super::Scheme::CanonicalJson).
///
/// ```
/// use didit_core::webhook::canonical_json;
///
/// let canonical = canonical_json(br#"{ "\u00e9": 1e-7, "b": 2.0, "a": 118120836164494130086 }"#)?;
/// assert_eq!(canonical, r#"{"a":118120836164494130086,"b":2,"é":1e-07}"#);
/// # Ok::<(), didit_core::JsonError>(())
/// ```
///
/// # Errors
/// The body is not a JSON object ([RFC 8259](https://www.rfc-editor.org/rfc/rfc8259)), or parsers
/// disagree on its value: an object has a duplicate name, a string has a lone surrogate, a number
/// is too large for a double, or arrays and objects are nested more than 64 levels deep.
pub fn canonical_json(body: &[u8]) -> Result<String, JsonError> {
    let text = json::text(body)?;
    let mut writer = Writer { text, at: 0, depth: 0, canonical: String::with_capacity(text.len()) };
    match writer.document() {
        Ok(()) => Ok(writer.canonical),
        Err(problem) => Err(JsonError::at_offset(text.as_bytes(), writer.at, problem)),
    }
}

/// The error message for the position at which the writer stopped.
type Problem = &'static str;

/// Parses a text and writes each value in canonical form as soon as it is parsed.
struct Writer<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    canonical: String,
}

/// A member of the object that is being read.
struct Member<'a> {
    name: Cow<'a, str>,
    at: usize,
    /// The member's range in the canonical text.
    written: Range<usize>,
}

impl<'a> Writer<'a> {
    fn document(&mut self) -> Result<(), Problem> {
        if self.next_token() != Some(b'{') {
            return Err("expected an object");
        }
        self.value()?;
        if self.next_token().is_some() { Err("trailing characters") } else { Ok(()) }
    }

    fn value(&mut self) -> Result<(), Problem> {
        match self.next_token() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'N' | b'I') => Err("NaN and Infinity are not JSON"),
            Some(_) => self.literal(),
            None => Err("unexpected end"),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<(), Problem>) -> Result<(), Problem> {
        if self.depth == MAX_DEPTH {
            return Err("nested more than 64 levels deep");
        }
        self.depth += 1;
        self.at += 1;
        read(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn object(&mut self) -> Result<(), Problem> {
        self.canonical.push('{');
        let start = self.canonical.len();
        let mut members: Vec<Member<'a>> = Vec::new();
        while !self.closes(b'}', members.is_empty())? {
            if !members.is_empty() {
                self.canonical.push(',');
            }
            members.push(self.member()?);
        }
        // Sorted by code points, which is also the order of the UTF-8 bytes. The service usually
        // sends sorted members.
        if !members.is_sorted_by(|one, next| one.name < next.name) {
            members.sort_by(|one, other| one.name.cmp(&other.name));
            if let Some(pair) = members.windows(2).find(|pair| pair[0].name == pair[1].name) {
                self.at = pair[1].at;
                return Err("duplicate name in an object");
            }
            let unsorted = self.canonical.split_off(start);
            let texts = members.into_iter().map(|member| {
                let Range { start: from, end } = member.written;
                &unsorted[from - start..end - start]
            });
            self.canonical.push_str(&texts.collect::<Vec<_>>().join(","));
        }
        self.canonical.push('}');
        Ok(())
    }

    fn member(&mut self) -> Result<Member<'a>, Problem> {
        if self.next_token() != Some(b'"') {
            return Err("expected a name");
        }
        let (at, start) = (self.at, self.canonical.len());
        let name = self.string()?;
        if self.next_token() != Some(b':') {
            return Err("expected a colon");
        }
        self.at += 1;
        self.canonical.push(':');
        self.value()?;
        Ok(Member { name, at, written: start..self.canonical.len() })
    }

    fn array(&mut self) -> Result<(), Problem> {
        self.canonical.push('[');
        let mut first = true;
        while !self.closes(b']', first)? {
            if !first {
                self.canonical.push(',');
            }
            self.value()?;
            first = false;
        }
        self.canonical.push(']');
        Ok(())
    }

    /// Reads the end of an array or object, or the comma before the next item. Returns true at the
    /// end.
    fn closes(&mut self, end: u8, first: bool) -> Result<bool, Problem> {
        match self.next_token() {
            Some(byte) if byte == end => {
                self.at += 1;
                Ok(true)
            }
            _ if first => Ok(false),
            Some(b',') => {
                self.at += 1;
                Ok(false)
            }
            Some(_) => Err("expected a comma or the end of the array or object"),
            None => Err("unexpected end"),
        }
    }

    /// Reads a string, starting at its opening quote, and returns its unescaped text.
    fn string(&mut self) -> Result<Cow<'a, str>, Problem> {
        self.at += 1;
        self.canonical.push('"');
        let mut unescaped: Option<String> = None;
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.bytes().position(must_be_escaped).unwrap_or(rest.len());
            self.at += plain;
            self.canonical.push_str(&rest[..plain]);
            if let Some(text) = &mut unescaped {
                text.push_str(&rest[..plain]);
            }
            match rest.as_bytes().get(plain) {
                Some(b'"') => {
                    self.at += 1;
                    self.canonical.push('"');
                    return Ok(unescaped.map_or(Cow::Borrowed(&rest[..plain]), Cow::Owned));
                }
                Some(b'\\') => {
                    let c = self.escape()?;
                    write_char(&mut self.canonical, c);
                    unescaped.get_or_insert_with(|| rest[..plain].to_owned()).push(c);
                }
                Some(_) => return Err("control character in a string"),
                None => return Err("unexpected end of a string"),
            }
        }
    }

    /// Reads an escape sequence, starting at its backslash.
    fn escape(&mut self) -> Result<char, Problem> {
        let start = self.at;
        self.at += 2;
        let c = match self.text.as_bytes().get(start + 1) {
            Some(&c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\x08',
            Some(b'f') => '\x0c',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => {
                self.at = start;
                return Err("invalid escape in a string");
            }
        };
        Ok(c)
    }

    /// Reads the digits of a `\u` escape, and after a high surrogate also the escape of the low
    /// one.
    fn unicode_escape(&mut self) -> Result<char, Problem> {
        let start = self.at - 2;
        let mut units = vec![self.unit()?];
        if matches!(units[0], 0xd800..=0xdbff) && self.text[self.at..].starts_with("\\u") {
            self.at += 2;
            units.push(self.unit()?);
        }
        let mut decoded = char::decode_utf16(units);
        match (decoded.next(), decoded.next()) {
            (Some(Ok(c)), None) => Ok(c),
            _ => {
                self.at = start;
                Err("lone surrogate in a string")
            }
        }
    }

    fn unit(&mut self) -> Result<u16, Problem> {
        let digits = self.text.get(self.at..self.at + 4);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or("invalid escape in a string")?;
        self.at += 4;
        Ok(unit)
    }

    fn number(&mut self) -> Result<(), Problem> {
        let start = self.at;
        self.skip_byte(b"-");
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        let mut integer = true;
        if self.skip_byte(b".") {
            self.digits()?;
            integer = false;
        }
        if self.skip_byte(b"eE") {
            self.skip_byte(b"+-");
            self.digits()?;
            integer = false;
        }
        let lexeme = &self.text[start..self.at];
        if integer {
            self.canonical.push_str(if lexeme == "-0" { "0" } else { lexeme });
            return Ok(());
        }
        match lexeme.parse::<f64>() {
            Ok(value) if value.is_finite() => {
                self.canonical.push_str(&float(value));
                Ok(())
            }
            _ => {
                self.at = start;
                Err("number too large for a double")
            }
        }
    }

    fn digits(&mut self) -> Result<(), Problem> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err("invalid number") } else { Ok(()) }
    }

    fn literal(&mut self) -> Result<(), Problem> {
        let rest = &self.text[self.at..];
        let literal = ["null", "true", "false"].into_iter().find(|word| rest.starts_with(word));
        let literal = literal.ok_or("expected a value")?;
        self.at += literal.len();
        self.canonical.push_str(literal);
        Ok(())
    }

    fn next_token(&mut self) -> Option<u8> {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.peek()
    }

    fn skip_byte(&mut self, any_of: &[u8]) -> bool {
        let skipped = self.peek().is_some_and(|byte| any_of.contains(&byte));
        self.at += usize::from(skipped);
        skipped
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

fn must_be_escaped(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..=0x1f)
}

fn write_char(canonical: &mut String, c: char) {
    match c {
        '"' | '\\' => canonical.extend(['\\', c]),
        '\x08' => canonical.push_str("\\b"),
        '\x0c' => canonical.push_str("\\f"),
        '\n' => canonical.push_str("\\n"),
        '\r' => canonical.push_str("\\r"),
        '\t' => canonical.push_str("\\t"),
        '\0'..='\x1f' => {
            let escape = format!("\\u{:04x}", u32::from(c));
            canonical.push_str(&escape);
        }
        _ => canonical.push(c),
    }
}

/// Formats an integral value as an integer, and any other as Python's `repr` does: with the
/// shortest digits that identify the value, and below 0.0001 with an exponent of at least two
/// digits.
fn float(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if value.fract() == 0.0 {
        return format!("{value:.0}");
    }
    if value.abs() >= 1e-4 {
        let shortest = value.to_string();
        return break_tie_to_even(shortest, value, |decimals| format!("{value:.decimals$}"));
    }
    let text =
        break_tie_to_even(format!("{value:e}"), value, |decimals| format!("{value:.decimals$e}"));
    match text.split_once("e-") {
        Some((digits, exponent)) => format!("{digits}e-{exponent:0>2}"),
        None => text,
    }
}

/// Returns the text that Python prints if two shortest texts are equally close to the value: the
/// one with an even last digit, as after rounding. Up to 15 digits there is only one, since no two
/// numbers of 15 digits parse as the same double.
fn break_tie_to_even(shortest: String, value: f64, round: impl Fn(usize) -> String) -> String {
    if shortest.len() <= 15 {
        return shortest;
    }
    let digits = shortest.split('e').next().unwrap_or_default();
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let rounded = round(decimals);
    if rounded.parse() == Ok(value) { rounded } else { shortest }
}

#[cfg(test)]
mod tests;
