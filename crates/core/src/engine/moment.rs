use std::time::Duration;

/// A reading of a monotonic clock: the time since an origin that the caller picks once.
///
/// It is a number of nanoseconds in a `u64`, which covers 584 years; later moments saturate.
/// The engine has no clock of its own. Any clock works as long as it never runs backwards:
/// `Instant::elapsed`, a browser's `performance.now()`, a counter in a test.
///
/// ```
/// # use std::time::{Duration, Instant};
/// # use didit_core::Moment;
/// let origin = Instant::now();
/// let now = Moment::new(origin.elapsed());
/// assert_eq!(now.after(Duration::from_secs(1)).since(now), Duration::from_secs(1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The last representable moment.
    pub(super) const LAST: Self = Self(u64::MAX);

    /// Returns the moment at this time after the origin, at most the last one.
    pub const fn new(since_origin: Duration) -> Self {
        Self(nanoseconds(since_origin))
    }

    /// Returns the time since the origin.
    pub const fn since_origin(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// Returns the moment that is later by `duration`, at most the last one.
    #[must_use]
    pub const fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanoseconds(duration)))
    }

    /// Returns the time since `earlier`; zero if `earlier` is later than this moment.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

const fn nanoseconds(duration: Duration) -> u64 {
    let whole = duration.as_secs().saturating_mul(1_000_000_000);
    whole.saturating_add(duration.subsec_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_the_last_moment() {
        let (last, nanosecond) = (Moment::new(Duration::MAX), Duration::from_nanos(1));
        assert_eq!(last.since_origin(), Duration::from_nanos(u64::MAX));
        assert_eq!(last.after(nanosecond), last);
        assert_eq!(Moment::new(last.since_origin()), last);
        let before = Moment::new(Duration::from_nanos(u64::MAX - 1));
        assert!(before < last && before.after(nanosecond) == last);
        assert_eq!(last.since(before), nanosecond);
        assert_eq!(before.since(last), Duration::ZERO);
    }
}
