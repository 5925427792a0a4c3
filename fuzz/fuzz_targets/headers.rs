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
    let number = |name| text(name).and_then(|text| text.parse::<u32>().ok());
    // Decimals are rounded up; here, only whole numbers are compared exactly.
    let whole = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    let seconds = |name| text(name).and_then(whole);
    let waits = headers.get_all("retry-after").iter();
    let waits: Vec<&str> = waits.map(|wait| wait.to_str().map_or("", str::trim)).collect();
    assert_eq!(read.limit, number("x-ratelimit-limit"));
    assert_eq!(read.remaining, number("x-ratelimit-remaining"));
    if let Some(waits) = waits.iter().map(|wait| whole(wait)).collect::<Option<Vec<_>>>() {
        assert_eq!(read.retry_after, waits.into_iter().max().map(Duration::from_secs));
    }
    if let Some(after) = read.reset_after {
        let reset = text("x-ratelimit-reset").expect("the header that was read");
        assert!(text("date").is_some());
        match seconds("x-ratelimit-reset") {
            Some(seconds) => assert!(after <= Duration::from_secs(seconds)),
            None => assert!(reset.contains('.'), "{reset:?}"),
        }
    }
    if let (Some(AT_100_SECONDS), Some(reset)) = (text("date"), seconds("x-ratelimit-reset")) {
        assert_eq!(read.reset_after, Some(Duration::from_secs(reset.saturating_sub(100))));
    }
    // A time of the server's clock is meaningless without the server's date.
    if text("date").is_none() {
        assert_eq!(read.reset_after, None);
        let digits = |c: char| c.is_ascii_digit() || c == '.';
        let number = waits.iter().any(|wait| wait.chars().all(digits));
        assert!(read.retry_after.is_none() || number);
    }
});

const AT_100_SECONDS: &str = "Thu, 01 Jan 1970 00:01:40 GMT";

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let name = HeaderName::from_bytes(&line[..colon]).ok()?;
    Some((name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?))
}
