use std::fmt;

use serde_path_to_error::{Path, Segment};

/// Error reading JSON: the position and what was expected there.
///
/// It never contains the value found there, which may be personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// The line and the column, if they are known.
    position: Option<(usize, usize)>,
    path: Box<str>,
    problem: Box<str>,
    truncated: bool,
}

impl JsonError {
    /// Creates an error at `path`.
    pub(super) fn new(error: &serde_json::Error, path: &Path) -> Self {
        let problem = problem(error);
        let mut path = bounded(path);
        // For a missing or duplicate member, `path` is that of its object.
        let name = problem.strip_prefix("missing field `");
        if let Some(name) = name.or_else(|| problem.strip_prefix("duplicate field `")) {
            path = join(path, name.trim_end_matches('`'));
        }
        Self { path: path.into(), problem: problem.into(), ..Self::syntax(error) }
    }

    /// Creates an error without a path.
    pub(super) fn syntax(error: &serde_json::Error) -> Self {
        Self {
            position: Some((error.line(), error.column())),
            path: Box::default(),
            problem: problem(error).into(),
            truncated: error.is_eof(),
        }
    }

    pub(super) fn of_utf8(text: &[u8], error: std::str::Utf8Error) -> Self {
        // `None` means that the input ends in the middle of a character.
        let truncated = error.error_len().is_none();
        Self { truncated, ..Self::at_offset(text, error.valid_up_to(), "invalid UTF-8") }
    }

    /// Creates an error at the byte `offset` of a text.
    pub(crate) fn at_offset(text: &[u8], offset: usize, problem: &str) -> Self {
        let before = &text[..offset.min(text.len())];
        let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |newline| newline + 1);
        let line = 1 + before.iter().filter(|&&b| b == b'\n').count();
        Self {
            position: Some((line, 1 + before.len() - line_start)),
            path: Box::default(),
            problem: problem.into(),
            truncated: false,
        }
    }

    /// Creates an error for valid JSON with an unusable member at `path`, at an unknown position.
    pub(crate) fn at(path: &str, problem: &str) -> Self {
        Self { position: None, path: path.into(), problem: problem.into(), truncated: false }
    }

    /// Returns the same error with `edit` applied to the member names in its path.
    pub(crate) fn map_path(mut self, edit: impl FnOnce(&str) -> String) -> Self {
        self.path = edit(&self.path).into();
        self
    }

    /// Returns the line of the error, counted from 1; `None` if only the path is known, as for valid
    /// JSON with an unusable value.
    pub fn line(&self) -> Option<usize> {
        self.position.map(|(line, _)| line)
    }

    /// Returns the column of the error in bytes, counted from 1; 0 if the error is before the first
    /// byte of the line. `None` if the [line](Self::line) is unknown.
    pub fn column(&self) -> Option<usize> {
        self.position.map(|(_, column)| column)
    }

    /// Returns the path of the invalid member, such as `user_data.email`; empty at the top level.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns whether the text ended before the value was complete.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)?;
        if let Some((line, column)) = self.position {
            write!(f, " at line {line} column {column}")?;
        }
        if self.path.is_empty() { Ok(()) } else { write!(f, ", in `{}`", self.path) }
    }
}

impl std::error::Error for JsonError {}

/// Returns the message of `serde_json` without the position and the value that it contains.
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

/// The maximum number of segments in a path; deeper ones are dropped.
const MAX_DEPTH: usize = 16;
/// The maximum length of a member name in a path, in characters; longer names are cut.
const MAX_NAME: usize = 64;

/// Returns a path of bounded length and without control characters.
fn bounded(path: &Path) -> String {
    path.iter().take(MAX_DEPTH).fold(String::new(), |path, segment| match segment {
        Segment::Seq { index } => format!("{path}[{index}]"),
        Segment::Map { key: name } | Segment::Enum { variant: name } => join(path, name),
        Segment::Unknown => path,
    })
}

fn join(mut path: String, name: &str) -> String {
    if !path.is_empty() {
        path.push('.');
    }
    path.extend(name.chars().take(MAX_NAME).map(|c| if c.is_control() { '\u{fffd}' } else { c }));
    path
}

#[cfg(test)]
mod tests {
    use super::super::{read_object, text};
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code)]
    struct Outer {
        a: Option<Inner>,
        n: Option<u64>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code)]
    struct Inner {
        b: Option<bool>,
        list: Option<Vec<u8>>,
    }

    fn error(text: &str) -> JsonError {
        read_object::<Outer>(text).unwrap_err()
    }

    #[test]
    fn errors_name_line_column_and_path() {
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
        assert_eq!((error.line(), error.column(), error.path()), (Some(2), Some(9), "n"));
    }

    #[test]
    fn unknown_position_is_not_invented() {
        let error = JsonError::at("url", "expected a web address");
        assert_eq!(error.to_string(), "expected a web address, in `url`");
        assert_eq!((error.line(), error.column()), (None, None));
    }

    #[test]
    fn missing_member_is_named_by_its_path() {
        #[derive(Debug, serde::Deserialize)]
        #[allow(dead_code)]
        struct Nested {
            a: Required,
        }
        #[derive(Debug, serde::Deserialize)]
        #[allow(dead_code)]
        struct Required {
            b: u8,
        }
        assert_eq!(read_object::<Nested>("{}").unwrap_err().path(), "a");
        assert_eq!(read_object::<Nested>(r#"{"a":{}}"#).unwrap_err().path(), "a.b");
    }

    #[test]
    fn invalid_utf8_has_a_line_and_a_column() {
        let at = |body: &[u8]| {
            let error = text(body).unwrap_err();
            (error.line().unwrap(), error.column().unwrap(), error.is_truncated())
        };
        assert_eq!(at(b"\xff"), (1, 1, false));
        assert_eq!(at(b"ab\ncd\xff"), (2, 3, false));
        assert_eq!(at(b"ab\n\n\xc3"), (3, 1, true));
    }

    #[test]
    fn path_length_and_depth_are_bounded() {
        type Deep = std::collections::HashMap<String, serde_json::Value>;
        let name = "n".repeat(100);
        let error = read_object::<std::collections::HashMap<String, u8>>(&format!(
            r#"{{"{name}\u0001": "x"}}"#
        ));
        assert_eq!(error.unwrap_err().path(), "n".repeat(64));
        let error = read_object::<std::collections::HashMap<String, u8>>(r#"{"a\u0001": "x"}"#);
        assert_eq!(error.unwrap_err().path(), "a\u{fffd}");
        let deep = format!("{}tru", r#"{"a":"#.repeat(40));
        let error = read_object::<Deep>(&deep).unwrap_err();
        assert!(error.path().split('.').count() <= MAX_DEPTH, "{error}");
    }
}
