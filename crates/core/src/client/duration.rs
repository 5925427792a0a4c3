//! Durations in human-readable form: `500ms`, `30s`, `1.5m`, `2h`.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Parses a decimal number with one of the units `ms`, `s`, `m` and `h`.
///
/// ```
/// # use std::time::Duration;
/// assert_eq!(didit_core::client::duration::parse("1.5s"), Ok(Duration::from_millis(1500)));
/// ```
///
/// # Errors
/// The text has another form, or the duration is too long for a [`Duration`].
pub fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    let problem = || InvalidDuration::Malformed { text: text.to_owned() };
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

/// Parses a duration that is not zero.
///
/// # Errors
/// Those of [`parse`], and [`InvalidDuration::Zero`].
pub fn parse_positive(text: &str) -> Result<Duration, InvalidDuration> {
    let duration = parse(text)?;
    if duration.is_zero() {
        return Err(InvalidDuration::Zero { text: text.to_owned() });
    }
    Ok(duration)
}

/// Error parsing a duration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidDuration {
    /// The text is not a number with a unit.
    Malformed {
        /// The text.
        text: String,
    },
    /// The duration is zero.
    Zero {
        /// The text.
        text: String,
    },
}

impl fmt::Display for InvalidDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { text } => {
                write!(f, "{text:?} is not a duration like 500ms, 30s, 2m or 1h")
            }
            Self::Zero { text } => write!(f, "{text:?} is zero; give a longer duration"),
        }
    }
}

impl Error for InvalidDuration {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_every_unit() {
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
    fn refuses_malformed_durations() {
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
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains("is not a duration like"), "{error}");
        }
        assert!(parse_positive("0ms").is_err() && parse_positive("1ms").is_ok());
    }
}
