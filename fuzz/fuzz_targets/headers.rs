//! Rate-limit headers are parsed exactly or ignored. The input is the headers, one per line.

#![no_main]

use std::time::Duration;

use didit_core::RateLimit;
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let headers: HeaderMap = input.split(|&byte| byte == b'\n').filter_map(header).collect();
    let read = RateLimit::from_headers(&headers);

    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let seconds = |name| text(name).and_then(|text| text.parse::<u64>().ok());
    let number = |name| seconds(name).and_then(|number| u32::try_from(number).ok());
    assert_eq!(read.limit, number("x-ratelimit-limit"));
    assert_eq!(read.remaining, number("x-ratelimit-remaining"));
    if let Some(seconds) = seconds("retry-after") {
        assert_eq!(read.retry_after, Some(Duration::from_secs(seconds)));
    }
    match (read.reset_after, seconds("x-ratelimit-reset")) {
        (Some(after), Some(reset)) => {
            assert!(after <= Duration::from_secs(reset) && text("date").is_some());
        }
        (after, _) => assert_eq!(after, None),
    }
    if text("date") == Some(AT_100_SECONDS) {
        let after = seconds("x-ratelimit-reset").map(|reset| reset.saturating_sub(100));
        assert_eq!(read.reset_after, after.map(Duration::from_secs));
    }
    // A time of the server's clock is meaningless without the server's date.
    if text("date").is_none() {
        assert_eq!(read.reset_after, None);
        let digits = |c: char| c.is_ascii_digit() || c == '.';
        let number = text("retry-after").is_some_and(|text| text.chars().all(digits));
        assert!(read.retry_after.is_none() || number);
    }
});

const AT_100_SECONDS: &str = "Thu, 01 Jan 1970 00:01:40 GMT";

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let name = HeaderName::from_bytes(&line[..colon]).ok()?;
    Some((name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?))
}
