//! The log of an operation's requests and responses.

use didit_blocking_adapter::core::Moment;
use didit_blocking_adapter::core::client::ArrivalDate;
use http::header::DATE;
use http::{HeaderName, HeaderValue, Request, Response, Uri};
use tracing::{debug, enabled, trace};

use super::REQUESTS;
use super::line::Time;
use crate::observed::Observer;

/// The replacement for text that must not be shown.
const REDACTED: &str = "[redacted]";

/// The headers whose values are shown; others may contain secrets or personal data, like a
/// `Location` with a session token in its path.
const SHOWN: [&str; 13] = [
    "accept",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "retry-after",
    "transfer-encoding",
    "user-agent",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

/// The values of response headers that are shown, besides short numbers and dates: the service may
/// repeat a secret or personal data in any header and any encoding.
const PLAIN: [&str; 12] = [
    "application/json",
    "application/json; charset=utf-8",
    "application/pdf",
    "chunked",
    "close",
    "gzip",
    "keep-alive",
    "no-cache",
    "no-store",
    "text/html",
    "text/html; charset=utf-8",
    "text/plain",
];

/// The other headers of responses whose names are shown: the service may repeat a secret or personal
/// data in a name as well.
const NAMED: [&str; 24] = [
    "age",
    "allow",
    "alt-svc",
    "cf-cache-status",
    "cf-ray",
    "content-disposition",
    "content-language",
    "content-security-policy",
    "etag",
    "expires",
    "last-modified",
    "link",
    "location",
    "nel",
    "referrer-policy",
    "report-to",
    "server",
    "set-cookie",
    "strict-transport-security",
    "vary",
    "via",
    "www-authenticate",
    "x-frame-options",
    "x-request-id",
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
}

impl Sent {
    fn new(request: &Request<Vec<u8>>, at: Moment, failed: Option<(String, u32)>) -> Self {
        let what = format!("{} {}", request.method(), without_query(request.uri()));
        let attempt = failed.filter(|(failed, _)| *failed == what).map_or(1, |(_, last)| last + 1);
        Self { what, at, attempt }
    }

    fn log_end(&self, end: &str, now: Moment, request_id: Option<&str>) {
        let Self { what, attempt, .. } = self;
        let milliseconds = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let id = request_id.map(|id| format!(", request id {id}")).unwrap_or_default();
        let time = Time(milliseconds);
        debug!(target: REQUESTS, "{what} -> {end} ({time}{id}, attempt {attempt})");
    }
}

/// Returns the value of a header of a request, redacted if it may be secret.
fn shown<'a>(name: &HeaderName, value: &'a HeaderValue) -> &'a str {
    let is_shown = SHOWN.contains(&name.as_str()) && !value.is_sensitive();
    value.to_str().ok().filter(|_| is_shown).unwrap_or(REDACTED)
}

/// Returns the value of a header of a response, redacted unless it is certain to hold no secret.
fn received<'a>(name: &HeaderName, value: &'a HeaderValue) -> &'a str {
    let text = shown(name, value);
    // Telephone numbers have more digits than this. The time of a reset has ten.
    let longest = if name == "x-ratelimit-reset" { 10 } else { 7 };
    let is_short_number = text.len() <= longest && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = is_short_number
        || PLAIN.iter().any(|plain| plain.eq_ignore_ascii_case(text))
        || httpdate::parse_http_date(text).is_ok();
    if is_plain { text } else { REDACTED }
}

/// Returns the name of a header of a response, redacted unless it is a known one.
fn name_of(name: &HeaderName) -> &str {
    let name = name.as_str();
    let is_known = SHOWN.contains(&name) || NAMED.contains(&name);
    if is_known { name } else { REDACTED }
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
            for (name, value) in request.headers() {
                trace!(target: REQUESTS, "> {name}: {}", shown(name, value));
            }
            self.sent = Some(sent);
        }
    }

    fn needs_request_id(&self) -> bool {
        self.sent.is_some()
    }

    fn on_response<B: AsRef<[u8]>>(
        &mut self,
        response: &Response<B>,
        request_id: Option<&str>,
        now: Moment,
    ) {
        if let Some(sent) = self.sent.take() {
            sent.log_end(&response.status().to_string(), now, request_id);
            trace!(target: REQUESTS, "< {}", response.status());
            let has_own_date = response.extensions().get::<ArrivalDate>().is_none();
            let was_sent = |name: &HeaderName| name != DATE || has_own_date;
            for (name, value) in response.headers().iter().filter(|(name, _)| was_sent(name)) {
                trace!(target: REQUESTS, "< {}: {}", name_of(name), received(name, value));
            }
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
        let request = Request::get("https://h/v3/sessions/?search=Ana").body(Vec::new()).unwrap();
        let what = Sent::new(&request, Moment::default(), None).what;
        assert_eq!(what, "GET https://h/v3/sessions/?[redacted]");
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (name, value, in_request, in_response) in [
            ("accept", "application/json", true, true),
            ("user-agent", "didit-cli/1", true, false),
            ("authorization", "close", false, false),
            ("content-type", "Application/JSON; charset=UTF-8", true, true),
            ("content-type", "canary", true, false),
            ("content-length", "1234567", true, true),
            ("content-length", "34123456", true, false),
            ("x-ratelimit-reset", "1796012345", true, true),
            ("x-ratelimit-limit", "1796012345", true, false),
            ("date", date, true, true),
            ("last-modified", date, false, false),
            ("server", "canary", false, false),
            ("x-request-id", "12", false, false),
        ] {
            let name = HeaderName::from_static(name);
            let mut header = HeaderValue::from_static(value);
            let expected = |is_shown| if is_shown { value } else { REDACTED };
            assert_eq!(shown(&name, &header), expected(in_request), "{name}");
            assert_eq!(received(&name, &header), expected(in_response), "{name}");
            header.set_sensitive(true);
            assert_eq!([shown(&name, &header), received(&name, &header)], [REDACTED; 2], "{name}");
        }
    }
}
