use http::{HeaderMap, Response, StatusCode};
use serde_json::Value;

use super::MAX_BODY_BYTES;
use crate::error::{Action, ResponseError, ResponseErrorKind};
use crate::json::JsonError;
use crate::rate_limit::RateLimit;

/// The body of a success, or the error that every other answer is.
pub(super) fn success<'a>(
    action: Action,
    response: &Response<&'a [u8]>,
) -> Result<&'a [u8], ResponseError> {
    let (status, body) = (response.status(), *response.body());
    if status.is_success() {
        if body.len() > MAX_BODY_BYTES {
            return Err(error(action, response, ResponseErrorKind::TooLarge));
        }
        return Ok(body);
    }
    Err(failure(action, response))
}

#[cold]
fn failure(action: Action, response: &Response<&[u8]>) -> ResponseError {
    let (status, body) = (response.status(), *response.body());
    let words = Words::read(response.headers(), body);
    let kind = match status {
        StatusCode::UNAUTHORIZED => ResponseErrorKind::Unauthorized,
        StatusCode::FORBIDDEN => ResponseErrorKind::Forbidden,
        StatusCode::TOO_MANY_REQUESTS => ResponseErrorKind::RateLimited,
        StatusCode::REQUEST_TIMEOUT => ResponseErrorKind::Rejected,
        _ if action == Action::FetchToken && status.is_client_error() && words.invalid_client => {
            ResponseErrorKind::Unauthorized
        }
        StatusCode::NOT_FOUND => ResponseErrorKind::NotFound,
        _ if status.is_client_error() => ResponseErrorKind::Rejected,
        _ if status.is_server_error() => ResponseErrorKind::Unavailable,
        _ if status.is_redirection() => ResponseErrorKind::Redirect,
        _ => ResponseErrorKind::UnexpectedStatus,
    };
    error(action, response, kind).with_message(words.text)
}

/// The error of a success whose body is not what was documented.
pub(super) fn malformed(
    action: Action,
    response: &Response<&[u8]>,
    problem: JsonError,
) -> ResponseError {
    error(action, response, ResponseErrorKind::Malformed(problem))
}

/// An error that carries what the headers of the answer tell.
pub(super) fn error(
    action: Action,
    response: &Response<&[u8]>,
    kind: ResponseErrorKind,
) -> ResponseError {
    ResponseError::new(action, response.status(), kind)
        .with_request_id(request_id(response.headers()))
        .with_retry_after(RateLimit::from_headers(response.headers()).retry_after)
}

const REQUEST_ID_HEADERS: [&str; 5] =
    ["x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid", "cf-ray"];

fn request_id(headers: &HeaderMap) -> Option<String> {
    let value = REQUEST_ID_HEADERS.iter().find_map(|name| headers.get(*name))?;
    excerpt(&String::from_utf8_lossy(value.as_bytes()), 128)
}

/// A failure's body larger than this has nothing short to say.
const MAX_WORDS_BODY: usize = 64 * 1024;
const MAX_WORDS_CHARS: usize = 300;

/// What the body of a failure says for itself.
#[derive(Default)]
struct Words {
    text: Option<String>,
    invalid_client: bool,
}

impl Words {
    /// Only members that are meant as words are repeated, and the title of a gateway's page: the
    /// rest of a body may be anything, a person's data included.
    fn read(headers: &HeaderMap, body: &[u8]) -> Self {
        if body.len() > MAX_WORDS_BODY {
            return Self::default();
        }
        if let Ok(Value::Object(members)) = serde_json::from_slice(body) {
            let word = |name: &str| match members.get(name)? {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            };
            let oauth = match (word("error"), word("error_description")) {
                (Some(code), Some(text)) => Some(format!("{code}: {text}")),
                (code, text) => code.or(text),
            };
            let text = word("message").or_else(|| word("detail")).or(oauth);
            return Self {
                text: text.and_then(|text| excerpt(&text, MAX_WORDS_CHARS)),
                invalid_client: members.get("error").is_some_and(|error| error == "invalid_client"),
            };
        }
        let text = String::from_utf8_lossy(body);
        let plain = headers
            .get(http::header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
        let text = if plain { Some(&*text) } else { html_title(&text) };
        Self { text: text.and_then(|text| excerpt(text, MAX_WORDS_CHARS)), invalid_client: false }
    }
}

fn html_title(page: &str) -> Option<&str> {
    // ASCII letters alone change, so that offsets hold in both.
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let end = start + lower[start..].find("</title>")?;
    Some(&page[start..end])
}

/// At most `max` characters on one line, or `None` if there is nothing to read.
fn excerpt(text: &str, max: usize) -> Option<String> {
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
        Words::read(&headers, body.as_bytes()).text
    }

    #[test]
    fn every_documented_style_is_read() {
        let json = "application/json";
        let cases = [
            (json, r#"{"message":"a","detail":"b"}"#, Some("a")),
            (json, r#"{"detail":"Not found."}"#, Some("Not found.")),
            (json, r#"{"error":"invalid_client"}"#, Some("invalid_client")),
            (json, r#"{"error":"e","error_description":"d"}"#, Some("e: d")),
            (json, r#"{"detail":[{"msg":"too short"}]}"#, Some(r#"[{"msg":"too short"}]"#)),
            (json, r#"{"user_data":{"email":"jane@example.com"}}"#, None),
            (json, r#"{"message":""}"#, None),
            (json, r#""jane@example.com""#, None),
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
    fn words_are_bounded() {
        let long = format!(r#"{{"message":"{}"}}"#, "é".repeat(5000));
        assert_eq!(words("application/json", &long).unwrap().chars().count(), MAX_WORDS_CHARS + 1);
        let huge = format!(r#"{{"message":"{}"}}"#, "x".repeat(MAX_WORDS_BODY));
        assert_eq!(words("application/json", &huge), None);
    }
}
