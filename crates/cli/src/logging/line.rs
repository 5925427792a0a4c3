//! Formats a log line: the time of day in UTC, and the event as a sentence.

use std::fmt::{self, Write as _};
use std::time::Duration;

use time::OffsetDateTime;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::duration::clock;
use crate::terminal;

pub(super) struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let (hour, minute, second, milli) = OffsetDateTime::now_utc().time().as_hms_milli();
        write!(writer, "{hour:02}:{minute:02}:{second:02}.{milli:03}Z ")?;
        let level = event.metadata().level();
        if *level <= Level::WARN {
            write!(writer, "{}: ", level.as_str().to_ascii_lowercase())?;
        }
        writeln!(writer, "{}", terminal::escape(&fields.sentence()))
    }
}

/// The fields of an event: those that the engine's sentences use by name, and `others`.
#[derive(Default)]
struct Fields {
    message: String,
    event: String,
    session_id: String,
    attempt: u64,
    reason: String,
    error: String,
    milliseconds: u64,
    others: String,
}

impl Fields {
    fn sentence(self) -> String {
        let about = if self.session_id.is_empty() {
            String::new()
        } else {
            format!("{}: ", self.session_id)
        };
        let time = Time(self.milliseconds);
        let what = match &*self.event {
            "sent" => format!("trying again, attempt {}", self.attempt),
            "failed" => format!("the request failed after {time}: {}", self.error),
            "waiting" => format!("waiting up to {time} for {}", self.reason),
            "token fetched" if self.milliseconds == 0 => "fetched an access token".to_owned(),
            "token fetched" => format!("fetched an access token, valid for {time}"),
            "token refused" => "the access token was refused; fetching another".to_owned(),
            "" => self.message,
            other => other.to_owned(),
        };
        format!("{about}{what}{}", self.others)
    }
}

/// A time in milliseconds, displayed in a suitable unit.
pub(super) struct Time(pub(super) u64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            milliseconds @ 0..1000 => write!(f, "{milliseconds} ms"),
            milliseconds @ 1000..60_000 => {
                write!(f, "{}.{} s", milliseconds / 1000, milliseconds / 100 % 10)
            }
            milliseconds => f.write_str(&clock(Duration::from_millis(milliseconds))),
        }
    }
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "attempt" => self.attempt = value,
            "milliseconds" => self.milliseconds = value,
            _ => self.record_debug(field, &value),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            "event" => value.clone_into(&mut self.event),
            "session_id" => value.clone_into(&mut self.session_id),
            "reason" => value.clone_into(&mut self.reason),
            "error" => value.clone_into(&mut self.error),
            "method" | "url" | "request_id" => {}
            _ => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            "endpoint" | "status" => Ok(()),
            name => write!(self.others, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_events_become_sentences() {
        let waiting = Fields {
            event: "waiting".into(),
            session_id: "s-1".into(),
            reason: "the next attempt".into(),
            milliseconds: 1234,
            ..Fields::default()
        };
        assert_eq!(waiting.sentence(), "s-1: waiting up to 1.2 s for the next attempt");
        let retry = Fields { event: "sent".into(), attempt: 2, ..Fields::default() };
        assert_eq!(retry.sentence(), "trying again, attempt 2");
        let token =
            Fields { event: "token fetched".into(), milliseconds: 86_400_000, ..Fields::default() };
        assert_eq!(token.sentence(), "fetched an access token, valid for 1d00h");
    }
}
