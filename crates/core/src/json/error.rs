//! Where in a text an error stands, and what was expected there.

use std::fmt;

use super::Strings;

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
    #[cold]
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

    pub(super) fn of_utf8(text: &[u8], error: std::str::Utf8Error) -> Self {
        Self {
            // The last character may have been cut in two.
            truncated: error.error_len().is_none(),
            ..Self::at(text, error.valid_up_to(), "", "invalid UTF-8".to_owned())
        }
    }

    /// An error of what stands at `place`, whose text begins at `offset`.
    #[cold]
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
}
