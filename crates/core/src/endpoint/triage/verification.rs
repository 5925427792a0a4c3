//! Handling specific to the verification API's responses: checks of successes, and messages about
//! refused fields.

use http::Response;
use serde_json::Value;

use super::message::{ErrorMessage, MAX_CHARS, excerpt, json};
use super::{details, error, unreadable};
use crate::endpoint::Endpoint;
use crate::error::{ResponseError, ResponseErrorKind};
use crate::json::JsonError;
use crate::session_id::SessionId;

/// Returns the error of a success that is not a PDF.
pub(crate) fn not_pdf<E: Endpoint, B: AsRef<[u8]>>(
    endpoint: &E,
    response: &Response<B>,
) -> ResponseError {
    let message = ErrorMessage::of_success(response.body().as_ref());
    let error = details(E::KIND, response, ResponseErrorKind::NotPdf, message.text);
    error.without_echo(endpoint)
}

/// Checks the session of a success whose body is optional. Without one, the body must not report an
/// error or refused fields, which some servers do with status 200.
pub(crate) fn check_session<E: Endpoint, B: AsRef<[u8]>>(
    endpoint: &E,
    response: &Response<B>,
    session_id: Option<&SessionId>,
) -> Result<(), ResponseError> {
    match session_id {
        Some(id) if endpoint.session_id() == Some(id) => Ok(()),
        Some(_) => Err(error(endpoint, response, ResponseErrorKind::SessionMismatch)),
        None => {
            let body = response.body().as_ref();
            let fields = json(body).filter(has_messages).and_then(|_| field_errors(body));
            if fields.is_none() && !is_error(body) {
                return Ok(());
            }
            let mut error = unreadable(endpoint, response, missing_session());
            error.0.message = error.0.message.take().or(fields);
            Err(error.without_echo(endpoint))
        }
    }
}

/// Checks that a success does not report an error in place of what was requested, which `problem`
/// describes.
pub(crate) fn check_no_error<E: Endpoint, B: AsRef<[u8]>>(
    endpoint: &E,
    response: &Response<B>,
    problem: JsonError,
) -> Result<(), ResponseError> {
    if is_error(response.body().as_ref()) {
        return Err(unreadable(endpoint, response, problem));
    }
    Ok(())
}

/// Returns the problem of an answer that names no session.
pub(crate) fn missing_session() -> JsonError {
    JsonError::at("session_id", "missing field `session_id`")
}

/// Returns whether a body is an object that reports an error, with a message or a flag.
fn is_error(body: &[u8]) -> bool {
    const WORDS: [&str; 5] = ["error", "error_description", "errors", "message", "detail"];
    let Some(value) = json(body) else { return false };
    WORDS.into_iter().filter_map(|name| value.get(name)).any(|value| !is_empty(value))
        || value.get("success").is_some_and(|success| success == false)
        || value.get("status").is_some_and(|status| status == "error")
}

/// Returns whether a value contains a list of messages, the form of refused fields.
fn has_messages(value: &Value) -> bool {
    match value {
        Value::Array(list) => {
            list.iter().any(|item| (item.is_string() && !is_empty(item)) || has_messages(item))
        }
        Value::Object(members) => members.values().any(has_messages),
        _ => false,
    }
}

/// Returns whether a value says nothing: `null`, `false`, 0, a blank text, or only such values.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.iter().all(is_empty),
        Value::Object(members) => members.values().all(is_empty),
    }
}

/// Reads the verification API's messages about refused fields, as `field.sub: text`.
pub(super) fn field_errors(body: &[u8]) -> Option<String> {
    let mut words = String::new();
    collect_words(&mut String::new(), &json(body)?, &mut words);
    excerpt(&words, MAX_CHARS)
}

/// Appends the strings in a value, each after its path, until there are enough for a message: as
/// the path is repeated, all of them could be far longer than the body.
fn collect_words(path: &mut String, value: &Value, words: &mut String) {
    match value {
        Value::String(text) => {
            let dots = if path.is_empty() { "" } else { ": " };
            let separator = if words.is_empty() { "" } else { "; " };
            let [path, text] =
                [path, text].map(|part| excerpt(part, MAX_CHARS).unwrap_or_default());
            words.extend([separator, &path, dots, &text]);
        }
        Value::Array(values) => {
            for value in values {
                if is_enough(words) {
                    break;
                }
                collect_words(path, value, words);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                if is_enough(words) {
                    break;
                }
                let parent = path.len();
                path.extend([if path.is_empty() { "" } else { "." }, name]);
                collect_words(path, value, words);
                path.truncate(parent);
            }
        }
        _ => {}
    }
}

/// Returns whether the text has more characters than a message.
fn is_enough(words: &str) -> bool {
    words.chars().nth(MAX_CHARS).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_mark_does_not_hide_refused_fields_or_errors() {
        let refused = "\u{feff}{\"callback\":[\"not a URL\"]}";
        assert_eq!(field_errors(refused.as_bytes()).as_deref(), Some("callback: not a URL"));
        assert!(is_error("\u{feff}{\"error\":\"x\"}".as_bytes()));
    }

    #[test]
    fn words_of_the_service_are_an_error() {
        let words = ["error", "error_description", "errors", "message", "detail"];
        let words = words.map(|name| format!(r#"{{"{name}":["x"],"id":"a"}}"#));
        let failures = [r#"{"success":false}"#, r#"{"status":"error"}"#].map(str::to_owned);
        assert!(words.iter().chain(&failures).all(|body| is_error(body.as_bytes())));
        let empty = ["null", "false", "0", "\" \"", "[\"\"]", "{\"code\":null,\"message\":\"\"}"]
            .map(|value| format!(r#"{{"error":{value},"errors":{{"status":[{value}]}}}}"#));
        let successes = ["", "{}", "[]", r#"{"success":true}"#, r#"{"status":"Approved"}"#];
        for body in successes.into_iter().chain(empty.iter().map(String::as_str)) {
            assert!(!is_error(body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn refused_fields_take_no_more_memory_than_their_message() {
        let (name, texts) = ("n".repeat(10_000), ["\"no\""; 1000].join(","));
        let cases = [
            format!(r#"{{"{name}":[{texts}]}}"#),
            format!(r#"{{"a":[{texts}],"b":{{"{name}":"no"}}}}"#),
            format!("[{texts}]"),
            format!(r#"{{"a":"{name}","b":"{name}"}}"#),
        ];
        for body in cases {
            let mut words = String::new();
            collect_words(&mut String::new(), &json(body.as_bytes()).unwrap(), &mut words);
            assert!(words.len() < 4 * MAX_CHARS, "{}", words.len());
            let shown = field_errors(body.as_bytes()).unwrap();
            assert_eq!(shown.chars().count(), MAX_CHARS + 1);
        }
    }

    #[test]
    fn refused_fields_are_named_by_their_paths() {
        let body = r#"{"a":{"b":["x",{"c":"y"}],"d":7},"e":" f\n g "}"#;
        assert_eq!(field_errors(body.as_bytes()).as_deref(), Some("a.b: x; a.b.c: y; e: f g"));
        assert_eq!(field_errors(b"{}"), None);
    }

    #[test]
    fn unreadable_member_does_not_hide_errors_or_refused_fields() {
        assert!(is_error(br#"{"error":"invalid_client","trace":"\ud800","n":1e999}"#));
        let refused = br#"{"n":1e999,"callback":["not a URL"]}"#;
        assert_eq!(field_errors(refused).as_deref(), Some("callback: not a URL"));
    }
}
