use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::{Iso8601, Rfc3339};

use crate::secret::Redacted;

/// A date as the service wrote it, such as `1990-05-15`.
///
/// Two dates are equal if their texts are equal; to order them, compare
/// [`to_date`](Self::to_date).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Date(Box<str>);

impl Date {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses the text as an ISO 8601 date.
    pub fn to_date(&self) -> Option<time::Date> {
        time::Date::parse(self.as_str(), &Iso8601::DATE).ok()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Redacts the date, which may be a date of birth.
impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Date").field(&Redacted).finish()
    }
}

/// A point in time as the service wrote it, such as `2026-06-09T08:02:23.343053Z`, or without a
/// time zone `2025-06-13T00:00:00` and `2031-02-18 10:21:11`.
///
/// Two timestamps are equal if their texts are equal; to order them, compare
/// [`to_date_time_or_utc`](Self::to_date_time_or_utc).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(Box<str>);

impl Timestamp {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses a timestamp with a time zone ([RFC 3339](https://www.rfc-editor.org/rfc/rfc3339)).
    pub fn to_date_time(&self) -> Option<OffsetDateTime> {
        OffsetDateTime::parse(self.as_str(), &Rfc3339).ok()
    }

    /// Parses a timestamp, and assumes UTC if it has no time zone.
    pub fn to_date_time_or_utc(&self) -> Option<OffsetDateTime> {
        let utc = || OffsetDateTime::parse(&format!("{self}Z"), &Rfc3339).ok();
        self.to_date_time().or_else(utc)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timestamp").field(&self.as_str()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
        serde_json::from_str(&format!("{text:?}")).unwrap()
    }

    #[test]
    fn dates_keep_their_text_and_parse() {
        let date: Date = read("1990-05-15");
        assert_eq!((date.as_str(), &*date.to_string()), ("1990-05-15", "1990-05-15"));
        let parsed = date.to_date().unwrap();
        assert_eq!((parsed.year(), u8::from(parsed.month()), parsed.day()), (1990, 5, 15));
        assert_eq!(serde_json::to_string(&date).unwrap(), r#""1990-05-15""#);
        assert_eq!(format!("{date:?}"), "Date([redacted])");
        for text in ["", "1990-13-01", "900515", "15.05.1990"] {
            assert_eq!(read::<Date>(text).to_date(), None, "{text}");
        }
    }

    #[test]
    fn timestamps_keep_their_text_and_parse() {
        for (text, seconds, zone) in [
            ("2024-07-24T08:54:25.443172Z", 1_721_811_265, true),
            ("2026-05-17T08:42:11Z", 1_779_007_331, true),
            ("2026-05-17T08:42:11.000000Z", 1_779_007_331, true),
            ("2025-08-24T09:12:39.580554+00:00", 1_756_026_759, true),
            ("2025-08-24T03:12:39-06:00", 1_756_026_759, true),
            ("2025-06-13T00:00:00", 1_749_772_800, false),
            ("2031-02-18 10:21:11", 1_929_176_471, false),
        ] {
            let timestamp: Timestamp = read(text);
            assert_eq!(timestamp.to_date_time().is_some(), zone, "{text}");
            assert_eq!(
                timestamp.to_date_time_or_utc().unwrap().unix_timestamp(),
                seconds,
                "{text}"
            );
            assert_eq!(serde_json::to_string(&timestamp).unwrap(), format!("{text:?}"));
        }
        let mut times = [
            "2026-06-09T18:00:00-06:00",
            "2026-06-09T08:02:23.343053Z",
            "2026-06-09T23:00:00Z",
            "2026-06-09T08:02:23Z",
            "soon",
        ]
        .map(read::<Timestamp>);
        times.sort_by_key(Timestamp::to_date_time_or_utc);
        let hours = times.each_ref().map(|time| time.as_str().get(11..19));
        let sorted = ["08:02:23", "08:02:23", "23:00:00", "18:00:00"].map(Some);
        assert_eq!(hours, [None, sorted[0], sorted[1], sorted[2], sorted[3]]);
        assert_eq!(times[1].as_str(), "2026-06-09T08:02:23Z");
        for text in ["", "yesterday", "2025-06-13"] {
            assert_eq!(read::<Timestamp>(text).to_date_time_or_utc(), None, "{text}");
        }
    }
}
