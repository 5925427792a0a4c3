//! Durations as people write them: `500ms`, `30s`, `1.5m`, `2h`.

use std::fmt::Write as _;
use std::time::Duration;

pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let problem = || format!("{text:?} is not a duration like 500ms, 30s, 2m or 1h");
    let digits =
        text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(problem()),
    };
    let whole = !number.starts_with('.') && !number.ends_with('.');
    let number = number.parse::<f64>().ok().filter(|_| whole).ok_or_else(problem)?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| problem())
}

/// Returns a duration in its two largest units, or in milliseconds if it is short.
pub(crate) fn precise(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        return format!("{} ms", duration.as_millis());
    }
    clock(duration)
}

/// A duration that lasts.
pub(crate) fn parse_positive(text: &str) -> Result<Duration, String> {
    let duration = parse(text)?;
    if duration.is_zero() { Err(format!("{text:?} is no time at all")) } else { Ok(duration) }
}

/// A duration in its two largest units.
pub(crate) fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let mut text = String::new();
    let _ = match (days, hours, minutes) {
        (0, 0, 0) => write!(text, "{seconds}s"),
        (0, 0, _) => write!(text, "{minutes}m{:02}s", seconds % 60),
        (0, _, _) => write!(text, "{hours}h{minutes:02}m"),
        _ => write!(text, "{days}d{hours:02}h"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read() {
        for (text, milliseconds) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("1.5s", 1500),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "30",
            "s",
            "-1s",
            "+1s",
            " 1s",
            "1s ",
            "1 s",
            "1S",
            "1d",
            "1e3s",
            ".5s",
            "1.s",
            "1.2.3s",
            ".",
            "1m30s",
            "infs",
            "1µs",
            "99999999999999999999h",
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains("is not a duration like"), "{error}");
        }
        assert!(parse_positive("0ms").is_err() && parse_positive("1ms").is_ok());
    }

    #[test]
    fn times_have_two_units() {
        let cases = [(0, "0s"), (59, "59s"), (61, "1m01s"), (3_661, "1h01m"), (180_000, "2d02h")];
        for (seconds, text) in cases {
            assert_eq!(clock(Duration::from_secs(seconds)), text);
        }
    }
}
