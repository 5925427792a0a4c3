//! The log: a line for each request and each webhook attempt, without secrets or personal data.

use std::time::Duration;

use crate::clock;
use crate::record::RecordedRequest;
use crate::webhook::{WebhookDelivery, WebhookFault};

/// Pages whose paths contain a token.
const SECRET_PATHS: [&str; 3] = ["/authorize/", "/session/", "/enter/"];

/// Query parameters whose values are never personal.
const LOGGED_PARAMETERS: [&str; 5] = ["limit", "offset", "status", "session_kind", "include"];

/// Maximum length of a logged text, in characters.
const MAX_LENGTH: usize = 200;

impl RecordedRequest {
    /// Returns the path without tokens and without query values that may be personal.
    pub(crate) fn redacted_path(&self) -> String {
        if let Some(page) = SECRET_PATHS.iter().find(|page| self.path.starts_with(**page)) {
            return format!("{page}…");
        }
        let Some((path, query)) = self.path.split_once('?') else {
            return printable(&self.path);
        };
        let members = query.split('&').map(|member| match member.split_once('=') {
            Some((name, _)) if !LOGGED_PARAMETERS.contains(&name) => format!("{name}=…"),
            _ => member.to_owned(),
        });
        printable(&format!("{path}?{}", members.collect::<Vec<_>>().join("&")))
    }

    /// Returns the log line for this request, which took this time.
    pub(crate) fn line(&self, now: Duration, took: Duration, is_fault: bool) -> String {
        let outcome = self
            .status
            .map_or_else(|| "no response after".to_owned(), |status| format!("{status} in"));
        format!(
            "{} {} {} {outcome} {:.1} ms ({}{})",
            clock::time_of_day(now),
            printable(&self.method),
            self.redacted_path(),
            took.as_secs_f64() * 1000.0,
            self.request_id,
            if is_fault { ", injected fault" } else { "" }
        )
    }
}

/// Returns the log line for a request that could not be read.
pub(crate) fn unreadable_line(now: Duration, status: u16, request_id: &str) -> String {
    format!("{} unreadable request {status} ({request_id})", clock::time_of_day(now))
}

impl WebhookDelivery {
    /// Returns the log line for this attempt.
    pub(crate) fn line(&self) -> String {
        let url = self.url.split('?').next().unwrap_or_default();
        let answer =
            self.answer.map_or_else(|| "no response".to_owned(), |status| status.to_string());
        let fault = match self.fault {
            WebhookFault::Pass => String::new(),
            fault => format!(", {fault}"),
        };
        format!(
            "{} webhook {:?} to {url} {answer} (attempt {}{fault})",
            clock::time_of_day(self.sent_at),
            self.session_status,
            self.attempt
        )
    }
}

/// Replaces characters that a terminal may interpret, and limits the length.
fn printable(text: &str) -> String {
    let shown = |c: char| if c.is_ascii_graphic() || c == '…' { c } else { '?' };
    let end = if text.chars().nth(MAX_LENGTH).is_some() { "…" } else { "" };
    text.chars().take(MAX_LENGTH).map(shown).chain(end.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str) -> RecordedRequest {
        RecordedRequest {
            headers: vec![("Authorization".into(), "canary".into())],
            body: b"canary".to_vec(),
            status: Some(200),
            ..RecordedRequest::example(path)
        }
    }

    #[test]
    fn line_contains_request_and_response() {
        let (now, took) = (Duration::from_secs(1_722_508_200), Duration::from_micros(1250));
        let mut request = request("/auth/v2/session/a/decision/");
        assert_eq!(
            request.line(now, took, false),
            "10:30:00 GET /auth/v2/session/a/decision/ 200 in 1.2 ms (sandbox-7)"
        );
        request.status = None;
        assert_eq!(
            request.line(now, took, true),
            "10:30:00 GET /auth/v2/session/a/decision/ no response after 1.2 ms (sandbox-7, injected fault)"
        );
    }

    #[test]
    fn path_is_redacted_and_printable() {
        for (path, shown) in [
            ("/authorize/canary", "/authorize/…"),
            ("/session/canary/", "/session/…"),
            ("/enter/canary", "/enter/…"),
            ("/v3/session/a/decision/?include=events", "/v3/session/a/decision/?include=events"),
            (
                "/v3/sessions/?limit=2&search=canary&vendor_data=canary",
                "/v3/sessions/?limit=2&search=…&vendor_data=…",
            ),
            ("/\u{1b}[31m\u{9b}é\u{202e}", "/?[31m???"),
        ] {
            assert_eq!(request(path).redacted_path(), shown);
        }
        assert_eq!(request(&"x".repeat(60_000)).redacted_path().chars().count(), MAX_LENGTH + 1);
    }
}
