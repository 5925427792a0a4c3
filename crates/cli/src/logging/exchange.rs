//! The log of an operation's requests and responses.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use didit_blocking_adapter::core::{Moment, Secret};
use http::{HeaderName, HeaderValue, Request, Response, Uri, header};
use serde::Deserialize;
use tracing::{debug, enabled, trace};

use super::REQUESTS;
use super::line::Time;
use crate::observed::Observer;

/// The replacement for text that must not be shown.
const REDACTED: &str = "[redacted]";

/// The headers whose values are shown; others may contain secrets or personal data, like a
/// `Location` with a session token in its path.
const SHOWN: [&str; 21] = [
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
    /// The secrets in its headers, and then those in its response.
    secrets: Vec<Secret>,
    /// Set if it asks for an access token: of its response, only numbers and dates are shown.
    fetches_token: bool,
}

/// The secrets in the body of a response.
#[derive(Default, Deserialize)]
struct Received {
    access_token: Option<Secret>,
    session_token: Option<Secret>,
}

impl Sent {
    fn new(request: &Request<Vec<u8>>, at: Moment, failed: Option<(String, u32)>) -> Self {
        let what = format!("{} {}", request.method(), without_query(request.uri()));
        let attempt = failed.filter(|(failed, _)| *failed == what).map_or(1, |(_, last)| last + 1);
        let (mut secrets, mut fetches_token) = (Vec::new(), false);
        for (name, value) in request.headers() {
            let is_secret = value.is_sensitive() || *name == header::AUTHORIZATION;
            let Some(text) = value.to_str().ok().filter(|_| is_secret) else { continue };
            if let Some(pair) = text.strip_prefix("Basic ") {
                fetches_token = true;
                secrets.extend(client_secret(pair));
            }
            secrets.extend(text.rsplit(' ').next().map(Secret::from));
        }
        Self { what, at, attempt, secrets, fetches_token }
    }

    /// Remembers the secrets in the body of the response.
    fn receive(&mut self, body: &[u8]) {
        let Received { access_token, session_token } =
            serde_json::from_slice(body).unwrap_or_default();
        self.secrets.extend([access_token, session_token].into_iter().flatten());
    }

    /// Returns the value of a header, redacted if it may be secret.
    fn shown<'a>(&self, name: &HeaderName, value: &'a HeaderValue) -> &'a str {
        let is_shown = SHOWN.contains(&name.as_str()) && !value.is_sensitive();
        let text = value.to_str().ok().filter(|_| is_shown);
        let holds = |text: &str, secret: &Secret| {
            !secret.expose().is_empty() && text.contains(secret.expose())
        };
        let text = text.filter(|text| !self.secrets.iter().any(|secret| holds(text, secret)));
        text.unwrap_or(REDACTED)
    }

    /// Returns the value of a header of the response.
    fn received<'a>(&self, name: &HeaderName, value: &'a HeaderValue) -> &'a str {
        let shown = self.shown(name, value);
        if self.fetches_token && !is_number_or_date(shown) { REDACTED } else { shown }
    }

    fn log_end(&self, end: &str, now: Moment, request_id: Option<&str>) {
        let Self { what, attempt, .. } = self;
        let milliseconds = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let id = request_id.map(|id| format!(", request id {id}")).unwrap_or_default();
        let time = Time(milliseconds);
        debug!(target: REQUESTS, "{what} -> {end} ({time}{id}, attempt {attempt})");
    }
}

/// Returns the secret in a client id and secret encoded for a token request.
fn client_secret(encoded: &str) -> Option<Secret> {
    let pair = Secret::from(String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?);
    let secret = pair.expose().split(':').nth(1)?;
    let (secret, _) = form_urlencoded::parse(secret.as_bytes()).next()?;
    Some(Secret::from(secret.into_owned()))
}

fn is_number_or_date(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) || httpdate::parse_http_date(text).is_ok()
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
                trace!(target: REQUESTS, "> {name}: {}", sent.shown(name, value));
            }
            self.sent = Some(sent);
        }
    }

    fn on_response<B: AsRef<[u8]>>(&mut self, response: &Response<B>, now: Moment) {
        if let Some(mut sent) = self.sent.take() {
            sent.receive(response.body().as_ref());
            let name = HeaderName::from_static("x-request-id");
            let id = response.headers().get(&name).map(|value| sent.shown(&name, value));
            sent.log_end(&response.status().to_string(), now, id);
            trace!(target: REQUESTS, "< {}", response.status());
            for (name, value) in response.headers() {
                trace!(target: REQUESTS, "< {name}: {}", sent.received(name, value));
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
        let request = Request::get("https://h/v3/sessions/?search=Ana")
            .header("authorization", "Bearer canary-token")
            .header("accept", "application/json")
            .body(Vec::new())
            .unwrap();
        let sent = Sent::new(&request, Moment::default(), None);
        assert_eq!(sent.what, "GET https://h/v3/sessions/?[redacted]");
        let shown = |name: &'static str, value: &'static str| {
            sent.shown(&HeaderName::from_static(name), &HeaderValue::from_static(value)).to_owned()
        };
        assert_eq!(shown("accept", "application/json"), "application/json");
        assert_eq!(shown("x-request-id", "r-1"), "r-1");
        assert_eq!(shown("authorization", "Bearer canary-token"), REDACTED);
        assert_eq!(shown("set-cookie", "a=b"), REDACTED);
        assert_eq!(shown("x-request-id", "was canary-token"), REDACTED);
        assert_eq!(shown("location", "https://h/authorize/t"), REDACTED);
    }

    #[test]
    fn response_of_a_token_request_shows_numbers_and_dates_only() {
        // printf 'id:canary+%2B' | base64
        let request = Request::post("https://h/auth/v2/token/")
            .header("authorization", "Basic aWQ6Y2FuYXJ5KyUyQg==")
            .body(Vec::new())
            .unwrap();
        let mut sent = Sent::new(&request, Moment::default(), None);
        sent.receive(br#"{"access_token":"tok","expires_in":9}"#);
        let name = |name: &'static str| HeaderName::from_static(name);
        for (header, value, shown) in [
            ("content-length", "12", "12"),
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("server", "a", REDACTED),
            ("age", "12", REDACTED),
        ] {
            let value = HeaderValue::from_static(value);
            assert_eq!(sent.received(&name(header), &value), shown, "{header}");
        }
        for (id, shown) in [("r-1", "r-1"), ("a canary +", REDACTED), ("tok", REDACTED)] {
            let id = HeaderValue::from_str(id).unwrap();
            assert_eq!(sent.shown(&name("x-request-id"), &id), shown);
        }
    }
}
