use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue};

/// What an answer's headers say about the caller's rate limit.
///
/// Everything is relative: moments of the server's clock are measured against the answer's own
/// `Date` header, so that no clock of this machine is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// `X-RateLimit-Limit`: how many requests a window holds.
    pub limit: Option<u32>,
    /// `X-RateLimit-Remaining`: how many of them are left.
    pub remaining: Option<u32>,
    /// `X-RateLimit-Reset` less `Date`: how long until more are left.
    pub reset_after: Option<Duration>,
    /// `Retry-After`, in seconds or as an HTTP date less `Date`.
    pub retry_after: Option<Duration>,
}

impl RateLimit {
    /// Reads the headers of one answer; what is absent or unreadable is `None`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let mut headers = http::HeaderMap::new();
    /// headers.insert("retry-after", http::HeaderValue::from_static("7"));
    /// let limit = didit_core::RateLimit::from_headers(&headers);
    /// assert_eq!(limit.retry_after, Some(Duration::from_secs(7)));
    /// ```
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let (mut limit, mut remaining, mut reset) = (None, None, None);
        let (mut retry, mut date) = (None, None);
        // One look at each header takes less than a search for each name.
        for (name, value) in headers {
            let found = match name.as_str() {
                "x-ratelimit-limit" => &mut limit,
                "x-ratelimit-remaining" => &mut remaining,
                "x-ratelimit-reset" => &mut reset,
                "retry-after" => &mut retry,
                "date" => &mut date,
                _ => continue,
            };
            found.get_or_insert(value);
        }
        let now = || date.and_then(|value| http_date(text(value)));
        let until = |then: Duration| now().map(|now| then.saturating_sub(now));
        let reset = reset.and_then(|value| text(value).parse().ok());
        Self {
            limit: limit.and_then(|value| text(value).parse().ok()),
            remaining: remaining.and_then(|value| text(value).parse().ok()),
            reset_after: reset.map(Duration::from_secs).and_then(until),
            retry_after: retry.map(text).and_then(|value| match value.parse() {
                Ok(seconds) => Some(Duration::from_secs(seconds)),
                Err(_) => http_date(value).and_then(until),
            }),
        }
    }
}

fn text(value: &HeaderValue) -> &str {
    value.to_str().map_or("", str::trim_ascii)
}

/// An HTTP date in any of its three forms (RFC 9110 §5.6.7), as the time since 1970.
fn http_date(text: &str) -> Option<Duration> {
    httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &'static str)]) -> RateLimit {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        RateLimit::from_headers(&headers)
    }

    #[test]
    fn reads_the_documented_headers() {
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
    fn retry_after_in_each_form() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let cases: [(&str, Option<u64>); 9] = [
            ("0", Some(0)),
            ("120", Some(120)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sunday, 06-Nov-94 08:49:47 GMT", Some(10)),
            ("Sun Nov  6 08:49:47 1994", Some(10)),
            ("Sun, 06 Nov 1994 08:49:27 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
            ("18446744073709551616", None),
        ];
        for (value, seconds) in cases {
            let limit = read(&[date, ("retry-after", value)]);
            assert_eq!(limit.retry_after, seconds.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn moments_need_the_date_of_the_answer() {
        let limit = read(&[
            ("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT"),
            ("x-ratelimit-reset", "1800000000"),
        ]);
        assert_eq!(limit, RateLimit::default());
    }
}
