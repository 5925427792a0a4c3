//! The requests that the sandbox has received, for tests and pages.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use crate::Route;

/// A request that the sandbox has received.
///
/// `Debug` redacts credentials, the body, tokens in paths, and query values that may be personal.
#[derive(Clone)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The `X-Request-Id` of its response, even if none was sent: `sandbox-1` and so on.
    pub request_id: String,
    /// The route of its path, regardless of the method; `None` for a path that is not in the API.
    pub route: Option<Route>,
    /// The method, as sent.
    pub method: String,
    /// The path and the query, as sent.
    pub path: String,
    /// The headers, with their order and case as sent; bytes that are not UTF-8 are replaced, and so
    /// is the `Host` of a request for a whole URL, which has precedence.
    pub headers: Vec<(String, String)>,
    /// The body; empty if the request was refused or the connection reset before it was read.
    pub body: Vec<u8>,
    /// The number of its connection, counted from 1 in the order of acceptance.
    pub connection: u64,
    /// The time at which it was read, since the start of the sandbox.
    pub received: Duration,
    /// The time at which the first byte of its response was written, since the start of the sandbox.
    pub answered: Option<Duration>,
    /// Set if it came from this machine.
    pub(crate) local: bool,
    /// The status of its response; `None` before the response, or if a fault prevented one.
    pub status: Option<u16>,
}

impl RecordedRequest {
    /// Returns the first header with this name, ignoring case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Returns a `GET` request for this path from this machine, without headers.
    #[cfg(test)]
    pub(crate) fn example(path: &str) -> Self {
        Self {
            request_id: "sandbox-7".to_owned(),
            route: None,
            method: "GET".to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            connection: 1,
            received: Duration::ZERO,
            answered: None,
            local: true,
            status: None,
        }
    }

    /// Returns whether its body has this media type, ignoring parameters.
    pub(crate) fn has_type(&self, media_type: &str) -> bool {
        let content_type = self.header("Content-Type").unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case(media_type)
    }

    /// Reads its form; `None` if its body has another media type.
    pub(crate) fn form(&self) -> Option<Form> {
        let is_form = self.has_type("application/x-www-form-urlencoded");
        is_form.then(|| Form::read(&self.body))
    }
}

/// The fields of a form as sent by a browser, in their order.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL of a page contains the token of its session.
        const SECRET: [&str; 5] =
            ["authorization", "x-api-key", "data-session-token", "cookie", "referer"];
        let headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| {
                let secret = SECRET.iter().any(|known| name.eq_ignore_ascii_case(known));
                (name.as_str(), if secret { "[redacted]" } else { value })
            })
            .collect();
        f.debug_struct("RecordedRequest")
            .field("request_id", &self.request_id)
            .field("route", &self.route)
            .field("method", &self.method)
            .field("path", &self.redacted_path())
            .field("headers", &headers)
            .field("body", &format_args!("[{} bytes]", self.body.len()))
            .field("connection", &self.connection)
            .field("received", &self.received)
            .field("answered", &self.answered)
            .field("local", &self.local)
            .field("status", &self.status)
            .finish()
    }
}

/// Number of requests kept for the pages, regardless of `keep_requests`.
const SHOWN: usize = 100;

/// The latest requests, oldest first.
pub(crate) struct Journal {
    kept: VecDeque<RecordedRequest>,
    limit: usize,
}

impl Journal {
    pub(crate) fn new(limit: usize) -> Self {
        Self { kept: VecDeque::new(), limit }
    }

    pub(crate) fn record(&mut self, request: &RecordedRequest) {
        self.kept.push_back(request.clone());
        if self.kept.len() > self.limit.max(SHOWN) {
            self.kept.pop_front();
        }
    }

    pub(crate) fn answered(&mut self, request_id: &str, status: u16, at: Duration) {
        // Searched from the end, since the request was recorded recently.
        if let Some(request) =
            self.kept.iter_mut().rev().find(|request| request.request_id == request_id)
        {
            (request.status, request.answered) = (Some(status), Some(at));
        }
    }

    /// Returns the requests kept for tests, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &RecordedRequest> {
        self.kept.iter().skip(self.kept.len().saturating_sub(self.limit))
    }

    /// Returns the requests kept for the pages, newest first.
    pub(crate) fn latest(&self) -> impl Iterator<Item = &RecordedRequest> {
        self.kept.iter().rev().take(SHOWN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(number: u64) -> RecordedRequest {
        RecordedRequest {
            request_id: format!("sandbox-{number}"),
            headers: [
                "authorization",
                "X-API-KEY",
                "Data-Session-Token",
                "Cookie",
                "Referer",
                "Accept",
            ]
            .map(|name| (name.to_owned(), format!("{name}-canary")))
            .to_vec(),
            body: b"body-canary".to_vec(),
            ..RecordedRequest::example("/auth/v2/session/abc/decision/?search=canary")
        }
    }

    #[test]
    fn debug_redacts_secrets_and_body() {
        let shown = format!("{:?}", request(1));
        assert_eq!(shown.matches("canary").count(), 1, "{shown}");
        assert!(shown.contains("Accept-canary") && shown.contains("[11 bytes]"), "{shown}");
    }

    #[test]
    fn oldest_requests_are_dropped_first() {
        let mut journal = Journal::new(2);
        (1..=3).for_each(|number| journal.record(&request(number)));
        journal.answered("sandbox-3", 200, Duration::ZERO);
        journal.answered("sandbox-1", 200, Duration::ZERO);
        let kept: Vec<_> =
            journal.iter().map(|request| (request.request_id.as_str(), request.status)).collect();
        assert_eq!(kept, [("sandbox-2", None), ("sandbox-3", Some(200))]);
        (4..=300).for_each(|number| journal.record(&request(number)));
        assert_eq!((journal.iter().count(), journal.latest().count()), (2, SHOWN));
        assert!(journal.latest().next().is_some_and(|latest| latest.request_id == "sandbox-300"));
    }
}
