//! The error message in a response's body.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::Value;

use crate::json::{RawJson, without_mark};

/// The longest JSON body that is searched for a message, in bytes.
const MAX_JSON: usize = 1024 * 1024;
/// The part of any other body that is searched, in bytes.
const MAX_HEAD: usize = 64 * 1024;
pub(super) const MAX_CHARS: usize = 300;

#[derive(Default)]
pub(super) struct ErrorMessage {
    pub(super) text: Option<String>,
    /// True if the body is the OAuth error `invalid_client`.
    pub(super) invalid_client: bool,
}

impl ErrorMessage {
    /// Reads the members meant for messages, the title of a gateway's HTML page, or plain text. The
    /// rest of the body is ignored, since it may contain personal data.
    pub(super) fn of_failure(headers: &HeaderMap, body: &[u8]) -> Self {
        let plain = headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
        Self::read(body, plain)
    }

    /// Reads the message of a success in the same way, but ignores plain text, which may be the
    /// requested content.
    pub(super) fn of_success(body: &[u8]) -> Self {
        Self::read(body, false)
    }

    fn read(body: &[u8], plain: bool) -> Self {
        if let Some(value) = json(body) {
            return Self::of_json(&value);
        }
        let body = without_mark(body);
        let text = String::from_utf8_lossy(&body[..body.len().min(MAX_HEAD)]);
        let text = if plain { Some(&*text) } else { html_title(&text) };
        Self { text: text.and_then(|text| excerpt(text, MAX_CHARS)), invalid_client: false }
    }

    fn of_json(value: &Value) -> Self {
        let member =
            |name: &str| value.get(name).and_then(strings).filter(|text| !text.trim().is_empty());
        let oauth = match (member("error"), member("error_description")) {
            (Some(code), Some(text)) => Some(format!("{code}: {text}")),
            (code, text) => code.or(text),
        };
        let text = member("message").or_else(|| member("detail")).or(oauth);
        let text = text.or_else(|| value.as_array().and_then(|_| strings(value)));
        Self {
            text: text.and_then(|text| excerpt(&text, MAX_CHARS)),
            invalid_client: value.get("error").is_some_and(|error| error == "invalid_client"),
        }
    }
}

/// Parses a body as JSON, unless it is too long. Members of an object that cannot be represented, such
/// as a number beyond a double or a lone surrogate, are dropped.
pub(super) fn json(body: &[u8]) -> Option<Value> {
    if body.len() > MAX_JSON {
        return None;
    }
    let body = without_mark(body);
    serde_json::from_slice(body).ok().or_else(|| {
        let json: RawJson = std::str::from_utf8(body).ok()?.parse().ok()?;
        let members = json.members().into_iter();
        let readable = members.filter_map(|(name, value)| Some((name, value.deserialize().ok()?)));
        Some(Value::Object(readable.collect()))
    })
}

/// Returns a string, or the joined strings of a list, with the `msg` of each object in it.
///
/// Other values are ignored: a validator may echo the rejected input in them.
fn strings(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(values) => {
            let words: Vec<_> = values
                .iter()
                .filter_map(|value| value.get("msg").unwrap_or(value).as_str())
                .collect();
            (!words.is_empty()).then(|| words.join("; "))
        }
        _ => None,
    }
}

fn html_title(page: &str) -> Option<&str> {
    // Only ASCII letters change, so offsets are valid in both strings.
    let lower = page.to_ascii_lowercase();
    let is_tag =
        |end: &usize| lower[*end..].starts_with(|c: char| c == '>' || c.is_ascii_whitespace());
    let tag = lower.match_indices("<title").map(|(at, tag)| at + tag.len()).find(is_tag)?;
    let start = tag + lower[tag..].find('>')? + 1;
    let end = start + lower[start..].find("</title>")?;
    Some(&page[start..end])
}

/// Returns at most `max` characters of the text on one line, or `None` if it is blank.
pub(super) fn excerpt(text: &str, max: usize) -> Option<String> {
    let mut words = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty())
    {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
        if let Some((cut, _)) = words.char_indices().nth(max) {
            words.truncate(cut);
            words.push('…');
            break;
        }
    }
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(kind: &'static str, body: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", http::HeaderValue::from_static(kind));
        ErrorMessage::of_failure(&headers, body.as_bytes()).text
    }

    #[test]
    fn reads_every_documented_style() {
        let json = "application/json";
        let cases = [
            (json, r#"{"message":"a","detail":"b"}"#, Some("a")),
            (json, r#"{"detail":"Not found."}"#, Some("Not found.")),
            (json, "\u{feff}{\"detail\":\"Not found.\"}", Some("Not found.")),
            (json, r#"{"error":"invalid_client"}"#, Some("invalid_client")),
            (json, r#"{"error":"e","error_description":"d"}"#, Some("e: d")),
            (json, r#"{"detail":[{"msg":"too short","input":"Jane"},"b"]}"#, Some("too short; b")),
            (json, r#"["already approved"]"#, Some("already approved")),
            (json, r#"{"message":{"email":"jane@example.com"}}"#, None),
            (json, r#"{"user_data":{"email":"jane@example.com"}}"#, None),
            (json, r#"{"message":""}"#, None),
            (json, r#""jane@example.com""#, None),
            (json, r#"{"n":1e999,"s":"\ud800","\udfff":"é","detail":"a"}"#, Some("a")),
            (json, r#"{"detail":"a \ud800"}"#, None),
            (json, r#"["\ud800"]"#, None),
            (json, "", None),
            ("text/html", "<html><TITLE>502\n Bad Gateway</title>", Some("502 Bad Gateway")),
            ("text/html", "<p>Jane", None),
            (
                "text/plain; charset=utf-8",
                "upstream\x1b[31m reset\r\n",
                Some("upstream [31m reset"),
            ),
        ];
        for (kind, body, expected) in cases {
            assert_eq!(words(kind, body).as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn unreadable_member_does_not_hide_invalid_client() {
        let body = br#"{"error":"invalid_client","trace":"\ud800","n":1e999}"#;
        assert!(ErrorMessage::of_success(body).invalid_client);
    }

    #[test]
    fn plain_text_of_a_success_is_ignored() {
        assert_eq!(ErrorMessage::of_success(b"Jane Doe").text, None);
        let title = ErrorMessage::of_success(b"<title>Sign in</title>");
        assert_eq!(title.text.as_deref(), Some("Sign in"));
    }

    #[test]
    fn message_length_is_bounded() {
        let long = format!(r#"{{"message":"{}"}}"#, "é".repeat(5000));
        assert_eq!(words("application/json", &long).unwrap().chars().count(), MAX_CHARS + 1);
        let huge = format!(r#"{{"message":"{}"}}"#, "x".repeat(MAX_JSON));
        assert_eq!(words("application/json", &huge), None);
        let padding = " ".repeat(MAX_HEAD);
        let page = format!("<titles>No</titles><title lang=\"en\">Blocked</title>{padding}");
        assert_eq!(words("text/html", &page).as_deref(), Some("Blocked"));
        let detail = format!(r#"{{"message":" ","detail":"Blocked","trace":"{padding}"}}"#);
        assert_eq!(words("application/json", &detail).as_deref(), Some("Blocked"));
    }
}
