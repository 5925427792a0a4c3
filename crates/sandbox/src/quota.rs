//! The sliding-window quota on the retrieval of decisions.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Limit on the decisions that each application may retrieve within a sliding window.
///
/// Every response to a valid request for a decision then has the headers `X-RateLimit-Limit`,
/// `X-RateLimit-Remaining` and `X-RateLimit-Reset` (the time at which the oldest accepted request
/// leaves the window, in seconds since 1970, rounded up). A request over the limit is answered with
/// 429 and `Retry-After` (whole seconds, rounded up) and does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Number of requests accepted within one window.
    pub limit: u32,
    /// The length of the window.
    pub window: Duration,
}

impl Quota {
    /// The documented quota: 100 retrievals within 60 seconds.
    pub const DOCUMENTED: Self = Self { limit: 100, window: Duration::from_secs(60) };
}

/// The windows of accepted requests, by client id and kind.
#[derive(Default)]
pub(crate) struct Windows(HashMap<(String, &'static str), Window>);

struct Window {
    quota: Quota,
    accepted: VecDeque<Duration>,
}

/// The decision on one request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) accepted: bool,
    pub(crate) limit: u32,
    pub(crate) remaining: usize,
    /// The time until the oldest accepted request leaves the window.
    pub(crate) until_reset: Duration,
}

impl Windows {
    /// Decides on one more request of this kind by an application.
    pub(crate) fn ask(
        &mut self,
        application: &str,
        kind: &'static str,
        quota: Quota,
        now: Duration,
    ) -> Verdict {
        let window = self.0.entry((application.to_owned(), kind));
        window.or_insert_with(|| Window::new(quota)).ask(now)
    }
}

impl Window {
    fn new(quota: Quota) -> Self {
        Self { quota, accepted: VecDeque::new() }
    }

    fn ask(&mut self, now: Duration) -> Verdict {
        let Quota { limit, window } = self.quota;
        while self.accepted.front().is_some_and(|&oldest| now.saturating_sub(oldest) >= window) {
            self.accepted.pop_front();
        }
        let room = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(self.accepted.len());
        let accepted = room > 0;
        if accepted {
            self.accepted.push_back(now);
        }
        let oldest = self.accepted.front().copied().unwrap_or(now);
        Verdict {
            accepted,
            limit,
            remaining: room.saturating_sub(1),
            until_reset: window.saturating_sub(now.saturating_sub(oldest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_requests_do_not_count_and_old_ones_leave_the_window() {
        let seconds = Duration::from_secs;
        let mut window = Window::new(Quota { limit: 2, window: seconds(10) });
        let start = seconds(1_722_508_200);
        let ask = |window: &mut Window, at| {
            let verdict = window.ask(start + seconds(at));
            (verdict.accepted, verdict.remaining, verdict.until_reset)
        };
        assert_eq!(ask(&mut window, 0), (true, 1, seconds(10)));
        assert_eq!(ask(&mut window, 4), (true, 0, seconds(6)));
        assert_eq!(ask(&mut window, 9), (false, 0, seconds(1)));
        assert_eq!(ask(&mut window, 10), (true, 0, seconds(4)));
        assert_eq!(ask(&mut window, 11), (false, 0, seconds(3)));
        assert_eq!(ask(&mut window, 30), (true, 1, seconds(10)));
    }

    #[test]
    fn zero_limit_accepts_nothing() {
        let verdict =
            Window::new(Quota { limit: 0, window: Duration::from_secs(3) }).ask(Duration::ZERO);
        assert!(!verdict.accepted);
        assert_eq!(verdict.until_reset, Duration::from_secs(3));
    }
}
