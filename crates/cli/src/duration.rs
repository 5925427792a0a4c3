//! Durations as people write and read them: `90s`, `1m01s`, `2h05m`.

use std::time::Duration;

pub(crate) use didit_blocking_adapter::core::client::duration::{parse, parse_positive};

/// Returns a duration in its two largest units, or in milliseconds if it is less than a minute and
/// not in whole seconds.
pub(crate) fn precise(duration: Duration) -> String {
    if duration < Duration::from_secs(60) && duration.subsec_millis() > 0 {
        return format!("{} ms", duration.as_millis());
    }
    clock(duration)
}

/// Returns a duration in its two largest units.
pub(crate) fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m{:02}s", seconds % 60),
        (0, _, _) => format!("{hours}h{minutes:02}m"),
        _ => format!("{days}d{hours:02}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_shows_the_two_largest_units() {
        let cases = [(0, "0s"), (59, "59s"), (61, "1m01s"), (3_661, "1h01m"), (180_000, "2d02h")];
        for (seconds, text) in cases {
            assert_eq!(clock(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn precise_keeps_milliseconds() {
        for (millis, text) in [(0, "0s"), (300, "300 ms"), (2500, "2500 ms"), (61_500, "1m01s")] {
            assert_eq!(precise(Duration::from_millis(millis)), text);
        }
    }
}
