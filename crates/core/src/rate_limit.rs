use std::time::{Duration, SystemTime};

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue};

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// The caller's rate limit, as stated in a response's headers.
///
/// All times are relative to the response's own `Date` header, so that no local clock is needed. If
/// that header is missing, a client with a clock adds it, with the time of arrival
/// ([RFC 9110 §6.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-6.6.1)): see
/// [`stamp_arrival`](RateLimit::stamp_arrival).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// `X-RateLimit-Limit`: the number of requests allowed per window.
    pub limit: Option<u32>,
    /// `X-RateLimit-Remaining`: the number of requests left in the window.
    pub remaining: Option<u32>,
    /// `X-RateLimit-Reset` (fractions are rounded up) minus `Date`: the time until more requests are
    /// allowed.
    pub reset_after: Option<Duration>,
    /// `Retry-After`: either seconds (fractions are rounded up), or an HTTP date minus `Date`.
    pub retry_after: Option<Duration>,
}

impl RateLimit {
    /// Reads the headers of one response; absent and malformed headers are `None`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let mut headers = http::HeaderMap::new();
    /// headers.insert("retry-after", http::HeaderValue::from_static("7"));
    /// let limit = didit_core::RateLimit::from_headers(&headers);
    /// assert_eq!(limit.retry_after, Some(Duration::from_secs(7)));
    /// ```
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let get = |name| headers.get(name).map(text);
        let until = |then: Duration| Some(then.saturating_sub(get(DATE).and_then(http_date)?));
        Self {
            limit: get(LIMIT).and_then(|value| value.parse().ok()),
            remaining: get(REMAINING).and_then(|value| value.parse().ok()),
            reset_after: get(RESET).and_then(seconds).and_then(until),
            retry_after: (headers.get_all(RETRY_AFTER).iter().map(text))
                .filter_map(|value| seconds(value).or_else(|| http_date(value).and_then(until)))
                .max(),
        }
    }

    /// Returns whether no requests are left, and only the reset says for how long.
    pub(crate) fn is_used_up(&self) -> bool {
        self.remaining == Some(0) && self.retry_after.is_none_or(|wait| wait.is_zero())
    }

    /// Adds a `Date` header with the time of arrival to a response whose headers may depend on it,
    /// unless the server sent a valid one. Returns whether it did.
    pub fn stamp_arrival(headers: &mut HeaderMap, arrived: SystemTime) -> bool {
        if !headers.contains_key(RESET) && !headers.contains_key(RETRY_AFTER) {
            return false;
        }
        // The range that an HTTP date can represent.
        let valid = SystemTime::UNIX_EPOCH..SystemTime::UNIX_EPOCH + YEAR_9999;
        if headers.get(DATE).map(text).and_then(http_date).is_none()
            && valid.contains(&arrived)
            && let Ok(date) = HeaderValue::try_from(httpdate::fmt_http_date(arrived))
        {
            headers.insert(DATE, date);
            return true;
        }
        false
    }
}

/// The time from 1970 to the year 9999.
const YEAR_9999: Duration = Duration::from_secs(253_370_764_800);

/// Parses a number of seconds, rounded up and saturating.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let up = u64::from(fraction.bytes().any(|byte| byte != b'0'));
    Some(Duration::from_secs(whole.parse().unwrap_or(u64::MAX).saturating_add(up)))
}

fn text(value: &HeaderValue) -> &str {
    value.to_str().map_or("", str::trim_ascii)
}

/// Parses an HTTP date in any of its three forms (RFC 9110 §5.6.7) to the time since 1970.
fn http_date(text: &str) -> Option<Duration> {
    httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &'static str)]) -> RateLimit {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        RateLimit::from_headers(&headers)
    }

    #[test]
    fn parses_the_documented_headers() {
        let limit = read(&[
            ("date", "Thu, 01 Jan 1970 00:01:40 GMT"),
            ("x-ratelimit-limit", "100"),
            ("x-ratelimit-remaining", " 99 "),
            ("x-ratelimit-reset", "160"),
        ]);
        let expected = RateLimit {
            limit: Some(100),
            remaining: Some(99),
            reset_after: Some(Duration::from_secs(60)),
            retry_after: None,
        };
        assert_eq!(limit, expected);
    }

    #[test]
    fn parses_retry_after_in_each_form() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let cases: [(&str, Option<u64>); 13] = [
            ("0", Some(0)),
            ("120", Some(120)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sunday, 06-Nov-94 08:49:47 GMT", Some(10)),
            ("Sun Nov  6 08:49:47 1994", Some(10)),
            ("Sun, 06 Nov 1994 08:49:27 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
            ("18446744073709551616", Some(u64::MAX)),
            ("29.997", Some(30)),
            ("30.0", Some(30)),
            ("1.", None),
            (".5", None),
        ];
        for (value, seconds) in cases {
            let limit = read(&[date, ("retry-after", value)]);
            assert_eq!(limit.retry_after, seconds.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn longest_of_several_waits_counts() {
        let limit = read(&[("retry-after", "1"), ("retry-after", "7"), ("retry-after", "soon")]);
        assert_eq!(limit.retry_after, Some(Duration::from_secs(7)));
    }

    #[test]
    fn reset_with_a_fraction_is_rounded_up() {
        let date = ("date", "Thu, 01 Jan 1970 00:01:40 GMT");
        let cases = [("102.001", Some(3)), ("3", Some(0)), ("-5", None), ("1e3", None)];
        for (value, seconds) in cases {
            let limit = read(&[date, ("x-ratelimit-reset", value)]);
            assert_eq!(limit.reset_after, seconds.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn arrival_time_replaces_a_missing_date() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT".parse().unwrap());
        let arrived = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert!(RateLimit::stamp_arrival(&mut headers, arrived));
        let wait = Some(Duration::from_secs(10));
        assert_eq!(RateLimit::from_headers(&headers).retry_after, wait);
        assert!(!RateLimit::stamp_arrival(&mut headers, arrived + Duration::from_secs(5)));
        assert_eq!(RateLimit::from_headers(&headers).retry_after, wait);
        headers.remove(DATE);
        RateLimit::stamp_arrival(&mut headers, SystemTime::UNIX_EPOCH + YEAR_9999);
        RateLimit::stamp_arrival(&mut headers, SystemTime::UNIX_EPOCH - Duration::from_secs(1));
        assert!(!headers.contains_key(DATE));
        headers.clear();
        RateLimit::stamp_arrival(&mut headers, arrived);
        assert!(headers.is_empty(), "no header depends on the date");
    }

    #[test]
    fn absolute_times_require_a_date_header() {
        let limit = read(&[
            ("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT"),
            ("x-ratelimit-reset", "1800000000"),
        ]);
        assert_eq!(limit, RateLimit::default());
    }
}
