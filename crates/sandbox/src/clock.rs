//! The sandbox's clock, and the time formats of its responses. No time is before 1970.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::Date;
use time::format_description::well_known::Iso8601;

/// The furthest that the clock can be moved: a thousand years, so that every year has four digits.
const MAX_OFFSET: Duration = Duration::from_secs(1000 * 365 * 86_400);

/// The system's clock, plus the offset set by tests.
#[derive(Default)]
pub(crate) struct Clock {
    ahead: Mutex<Duration>,
}

impl Clock {
    /// Returns the time since 1970-01-01 00:00 UTC.
    pub(crate) fn now(&self) -> Duration {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        system.saturating_add(*self.ahead.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn advance(&self, by: Duration) {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        *ahead = ahead.saturating_add(by).min(MAX_OFFSET);
    }
}

/// Returns the whole seconds, rounded up.
pub(crate) fn seconds_up(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0))
}

/// Formats a time like the `Date` header: `Thu, 01 Aug 2024 10:30:00 GMT`.
pub(crate) fn http_date(since_1970: Duration) -> String {
    let date = date(since_1970);
    let (weekday, month) = (date.weekday().to_string(), date.month().to_string());
    format!(
        "{weekday:.3}, {:02} {month:.3} {:04} {} GMT",
        date.day(),
        date.year(),
        time_of_day(since_1970)
    )
}

/// Formats a time like `created_at`: `2024-08-01T10:30:00.000Z`.
pub(crate) fn rfc3339(since_1970: Duration) -> String {
    let millis = since_1970.subsec_millis();
    format!("{}T{}.{millis:03}Z", date(since_1970), time_of_day(since_1970))
}

/// Formats the time of day in UTC: `10:30:00`.
pub(crate) fn time_of_day(since_1970: Duration) -> String {
    let seconds = since_1970.as_secs();
    format!("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}

/// Returns the date in UTC; at most the last day of the year 9999.
fn date(since_1970: Duration) -> Date {
    let since_1970 = time::Duration::try_from(since_1970).unwrap_or(time::Duration::MAX);
    time::UtcDateTime::UNIX_EPOCH.saturating_add(since_1970).date()
}

/// Returns whether a text is a date of the form `2026-06-09`.
pub(crate) fn is_date(text: &str) -> bool {
    let date = Date::parse(text, &Iso8601::DATE).ok();
    // The parser also accepts other forms, such as the week and its day.
    date.is_some_and(|date| date.year() > 0 && date.to_string() == text)
}

/// Serializes a time since 1970 as whole milliseconds.
pub(crate) mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_formatted() {
        let sample = Duration::from_secs(1_722_508_200);
        assert_eq!(rfc3339(sample), "2024-08-01T10:30:00.000Z");
        assert_eq!(http_date(sample), "Thu, 01 Aug 2024 10:30:00 GMT");
        assert_eq!(http_date(Duration::ZERO), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(rfc3339(Duration::from_millis(951_782_399_999)), "2000-02-28T23:59:59.999Z");
        assert_eq!(rfc3339(Duration::from_secs(951_782_400)), "2000-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(Duration::from_secs(4_107_542_400)), "2100-03-01T00:00:00.000Z");
        assert_eq!(&rfc3339(Duration::MAX)[..10], "9999-12-31");
    }

    #[test]
    fn only_existing_dates_are_accepted() {
        assert!(is_date("2026-06-09") && is_date("2024-02-29"));
        for text in ["", "2026-6-09", "2026-13-01", "2026-06-32", "2026-06-09T", "26-06-09"] {
            assert!(!is_date(text), "{text}");
        }
        for text in ["2026-02-31", "2025-02-29", "20260609", "2026-160", "2026-W24-2", "0000-01-01"]
        {
            assert!(!is_date(text), "{text}");
        }
    }

    #[test]
    fn seconds_are_rounded_up() {
        assert_eq!(seconds_up(Duration::from_millis(1)), 1);
        assert_eq!(seconds_up(Duration::from_secs(2)), 2);
    }
}
