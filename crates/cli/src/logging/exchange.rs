//! The log of an operation's requests and responses.

use didit_blocking_adapter::core::Moment;
use http::{HeaderMap, HeaderName, Request, Response, Uri, header};
use tracing::{debug, enabled, trace};

use super::REQUESTS;
use super::line::Time;
use crate::observed::Observer;

/// The replacement for text that must not be shown.
const REDACTED: &str = "[redacted]";

/// The headers whose values are shown; others may contain secrets.
const SHOWN: [&str; 22] = [
    "accept",
    "allow",
    "cache-control",
    "cf-ray",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "date",
    "location",
    "retry-after",
    "server",
    "transfer-encoding",
    "user-agent",
    "vary",
    "via",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
    "x-timestamp",
];

#[derive(Default)]
pub(crate) struct Exchanges {
    sent: Option<Sent>,
    /// The last failed request, and its attempt number.
    failed: Option<(String, u32)>,
}

/// The request in flight.
struct Sent {
    what: String,
    at: Moment,
    attempt: u32,
    /// The values of its authorization headers.
    secrets: Vec<String>,
}

impl Sent {
    fn new(request: &Request<Vec<u8>>, at: Moment, failed: Option<(String, u32)>) -> Self {
        let what = format!("{} {}", request.method(), without_query(request.uri()));
        let attempt = failed.filter(|(failed, _)| *failed == what).map_or(1, |(_, last)| last + 1);
        let secret = |(name, value): (&HeaderName, &http::HeaderValue)| {
            let secret = value.is_sensitive() || *name == header::AUTHORIZATION;
            let text = value.to_str().ok().filter(|_| secret)?;
            Some(text.trim_start_matches("Bearer ").trim_start_matches("Basic ").to_owned())
        };
        Self { what, at, attempt, secrets: request.headers().iter().filter_map(secret).collect() }
    }

    /// Returns the value of a header, redacted if it may be secret.
    fn shown<'a>(&self, name: &HeaderName, value: &'a http::HeaderValue) -> &'a str {
        let text = value.to_str().ok().filter(|_| SHOWN.contains(&name.as_str()));
        let text = text.filter(|text| !self.secrets.iter().any(|secret| text.contains(&**secret)));
        text.filter(|_| !value.is_sensitive()).unwrap_or(REDACTED)
    }

    fn log_headers(&self, direction: char, headers: &HeaderMap) {
        for (name, value) in headers {
            trace!(target: REQUESTS, "{direction} {name}: {}", self.shown(name, value));
        }
    }

    fn log_end(&self, end: &str, now: Moment, request_id: Option<&str>) {
        let Self { what, attempt, .. } = self;
        let milliseconds = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let id = request_id.map(|id| format!(", request id {id}")).unwrap_or_default();
        let time = Time(milliseconds);
        debug!(target: REQUESTS, "{what} -> {end} ({time}{id}, attempt {attempt})");
    }
}

/// Returns the URL with its query redacted, since a query may contain personal data.
fn without_query(uri: &Uri) -> String {
    let text = uri.to_string();
    match text.split_once('?') {
        Some((path, _)) => format!("{path}?{REDACTED}"),
        None => text,
    }
}

impl Observer for Exchanges {
    fn on_request(&mut self, request: &Request<Vec<u8>>, now: Moment) {
        if enabled!(target: REQUESTS, tracing::Level::DEBUG) {
            let sent = Sent::new(request, now, self.failed.take());
            trace!(target: REQUESTS, "> {}", sent.what);
            sent.log_headers('>', request.headers());
            self.sent = Some(sent);
        }
    }

    fn on_response<B: AsRef<[u8]>>(&mut self, response: &Response<B>, now: Moment) {
        if let Some(sent) = self.sent.take() {
            let name = HeaderName::from_static("x-request-id");
            let id = response.headers().get(&name).map(|value| sent.shown(&name, value));
            sent.log_end(&response.status().to_string(), now, id);
            trace!(target: REQUESTS, "< {}", response.status());
            sent.log_headers('<', response.headers());
            self.failed = (!response.status().is_success()).then_some((sent.what, sent.attempt));
        }
    }

    fn on_failure(&mut self, now: Moment) {
        if let Some(sent) = self.sent.take() {
            // The engine logs the reason.
            sent.log_end("no response", now, None);
            self.failed = Some((sent.what, sent.attempt));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_queries_are_redacted() {
        let request = Request::get("https://h/v3/sessions/?search=Ana")
            .header("authorization", "Bearer canary-token")
            .header("accept", "application/json")
            .body(Vec::new())
            .unwrap();
        let sent = Sent::new(&request, Moment::default(), None);
        assert_eq!(sent.what, "GET https://h/v3/sessions/?[redacted]");
        let shown = |name: &'static str, value: &'static str| {
            sent.shown(&HeaderName::from_static(name), &http::HeaderValue::from_static(value))
                .to_owned()
        };
        assert_eq!(shown("accept", "application/json"), "application/json");
        assert_eq!(shown("x-request-id", "r-1"), "r-1");
        assert_eq!(shown("authorization", "Bearer canary-token"), REDACTED);
        assert_eq!(shown("set-cookie", "a=b"), REDACTED);
        assert_eq!(shown("x-request-id", "was canary-token"), REDACTED);
    }
}
