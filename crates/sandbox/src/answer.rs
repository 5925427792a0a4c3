//! A response, and its encoding as HTTP/1.1.

use std::io;
use std::time::Duration;

use serde_json::json;

use crate::clock;
use crate::quota::Verdict;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// The parts of a response that depend on the exchange it belongs to.
pub(crate) struct Meta<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) now: Duration,
    pub(crate) close: bool,
}

impl Answer {
    /// Builds a response, which is JSON unless it gets another `Content-Type`.
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn message(status: u16, why: &str) -> Self {
        Self::new(status, json!({ "message": why }).to_string())
    }

    pub(crate) fn detail(status: u16, why: &str) -> Self {
        Self::new(status, json!({ "detail": why }).to_string())
    }

    pub(crate) fn oauth(status: u16, error: &str, why: &str) -> Self {
        Self::new(status, json!({ "error": error, "error_description": why }).to_string())
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Adds the headers of a rate limit, and `Retry-After` if the request was over it.
    pub(crate) fn with_rate_limit(self, verdict: &Verdict, now: Duration) -> Self {
        let reset = clock::seconds_up(now.saturating_add(verdict.until_reset));
        let answer = self
            .with("X-RateLimit-Limit", verdict.limit.to_string())
            .with("X-RateLimit-Remaining", verdict.remaining.to_string())
            .with("X-RateLimit-Reset", reset.to_string());
        if verdict.accepted {
            return answer;
        }
        answer.with("Retry-After", clock::seconds_up(verdict.until_reset).to_string())
    }

    /// Encodes the response; without its body if it answers a `HEAD` request.
    pub(crate) fn bytes(&self, meta: &Meta<'_>, head_only: bool) -> Vec<u8> {
        let mut bytes = self.head(meta);
        if !head_only && !self.is_bodiless() {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }

    /// Encodes the status line and the headers, up to and including the empty line.
    fn head(&self, meta: &Meta<'_>) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        // Headers that are already set are kept, so that a scripted response may be wrong on purpose.
        let mut default = |name: &str, value: &str| {
            if !self.has_header(name) {
                head.extend([name, ": ", value, "\r\n"]);
            }
        };
        default("Content-Type", "application/json");
        if !self.is_bodiless() && !self.has_header("Transfer-Encoding") {
            default("Content-Length", &self.body.len().to_string());
        }
        default("Date", &clock::http_date(meta.now));
        default("X-Request-Id", meta.request_id);
        if meta.close {
            default("Connection", "close");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// Returns whether HTTP forbids a body in a response with this status.
    fn is_bodiless(&self) -> bool {
        matches!(self.status, 100..=199 | 204 | 304)
    }

    fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name))
    }
}

/// The response of the API for a session or a token that could not be saved.
impl From<io::Error> for Answer {
    fn from(error: io::Error) -> Self {
        Self::detail(500, &format!("The change could not be saved: {error}."))
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(answer: &Answer) -> String {
        let meta = Meta { request_id: "sandbox-7", now: Duration::ZERO, close: true };
        String::from_utf8(answer.head(&meta)).expect("ASCII")
    }

    #[test]
    fn response_has_default_headers() {
        let head = head(&Answer::detail(404, "Not found."));
        assert!(head.starts_with("HTTP/1.1 404 Not Found\r\n"), "{head}");
        for expected in
            ["Content-Type: application/json", "Content-Length: 23", "X-Request-Id: sandbox-7"]
        {
            assert!(head.contains(&format!("\r\n{expected}\r\n")), "{head}");
        }
        assert!(
            head.contains("\r\nDate: ") && head.ends_with("\r\nConnection: close\r\n\r\n"),
            "{head}"
        );
    }

    #[test]
    fn status_has_a_reason_phrase() {
        let head = head(&Answer::message(501, "why"));
        assert!(head.starts_with("HTTP/1.1 501 Not Implemented\r\n"), "{head}");
    }

    #[test]
    fn explicit_header_replaces_the_default() {
        let head =
            head(&Answer::new(200, "{}").with("content-length", "9").with("X-Request-ID", "other"));
        assert!(
            head.contains("content-length: 9\r\n") && !head.contains("Content-Length"),
            "{head}"
        );
        assert!(!head.contains("sandbox-7"), "{head}");
    }

    #[test]
    fn bodiless_status_has_no_content_length() {
        assert!(!head(&Answer::new(204, "ignored")).contains("Content-Length"));
    }
}
