use std::time::Duration;

use super::moment::Moment;
use super::policy::Policy;

/// Tracks when one call must be over.
///
/// The time of a queued call starts when its first request goes out, and stands still while the
/// call is in the rate limiter's queue. Nothing else stops it, refusals by the service least of all.
#[derive(Default)]
pub(super) struct Deadline {
    /// The call's own timeout, if it has one instead of the policy's.
    pub(super) timeout: Option<Duration>,
    /// The least that the policy's timeout comes to.
    least: Duration,
    /// True if the time in the rate limiter's queue does not count.
    pub(super) queued: bool,
    end: Option<Moment>,
    /// The time of entry into the rate limiter's queue, while in it.
    queued_since: Option<Moment>,
    /// The end of the time to fetch a token, while a queued call's own time has not started.
    token_end: Option<Moment>,
}

impl Deadline {
    /// Has the policy's timeout raised to that.
    pub(super) fn with_least(least: Duration) -> Self {
        Self { least, ..Self::default() }
    }

    fn time(&self, policy: &Policy) -> Duration {
        self.timeout.unwrap_or(policy.call_timeout.max(self.least))
    }

    /// Returns the end of the call's time.
    pub(super) fn end(&mut self, policy: &Policy, now: Moment) -> Moment {
        let end = now.after(self.time(policy));
        if !self.queued {
            return *self.end.get_or_insert(end);
        }
        let queued = self.queued_since.map_or(Duration::ZERO, |at| now.since(at));
        self.end.map_or(Moment::LAST, |end| end.after(queued))
    }

    /// Returns the end of the time to fetch a token.
    pub(super) fn token_end(&mut self, policy: &Policy, now: Moment) -> Moment {
        if self.queued && self.end.is_none() {
            return *self.token_end.get_or_insert(now.after(self.time(policy)));
        }
        self.end(policy, now)
    }

    /// Notes that the rate limiter lets the call go.
    pub(super) fn start(&mut self, policy: &Policy, now: Moment) {
        self.leave_queue(now);
        self.end.get_or_insert(now.after(self.time(policy)));
    }

    /// Notes that the call is in the rate limiter's queue.
    pub(super) fn enter_queue(&mut self, now: Moment) {
        if self.queued {
            self.queued_since.get_or_insert(now);
        }
    }

    /// Notes that the call is not in the queue, whatever it waits for now.
    pub(super) fn leave_queue(&mut self, now: Moment) {
        if let (Some(at), Some(end)) = (self.queued_since.take(), &mut self.end) {
            *end = end.after(now.since(at));
        }
    }

    /// Notes that the token is there.
    pub(super) fn token_fetched(&mut self) {
        self.token_end = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::new(Duration::from_secs(seconds))
    }

    #[test]
    fn only_the_queue_stops_the_time_of_a_queued_call() {
        let policy = Policy::default();
        let mut deadline = Deadline { queued: true, ..Deadline::default() };
        assert_eq!(deadline.end(&policy, at(0)), Moment::LAST);
        assert_eq!(deadline.token_end(&policy, at(5)), at(35));
        deadline.start(&policy, at(100));
        assert_eq!(deadline.end(&policy, at(110)), at(130));
        deadline.enter_queue(at(110));
        deadline.enter_queue(at(115));
        assert_eq!(deadline.end(&policy, at(120)), at(140));
        deadline.leave_queue(at(120));
        assert_eq!(deadline.end(&policy, at(135)), at(140));
        deadline.enter_queue(at(135));
        deadline.start(&policy, at(136));
        assert_eq!(deadline.end(&policy, at(137)), at(141));
        assert_eq!(deadline.token_end(&policy, at(137)), at(141));
    }

    #[test]
    fn the_policys_time_is_raised_and_the_calls_own_is_not() {
        let policy = Policy::default();
        let mut deadline = Deadline::with_least(Duration::from_secs(60));
        assert_eq!(deadline.end(&policy, at(1)), at(61));
        let mut deadline = Deadline::with_least(Duration::from_secs(60));
        deadline.timeout = Some(Duration::from_secs(2));
        assert_eq!(deadline.end(&policy, at(1)), at(3));
    }

    #[test]
    fn nothing_stops_the_time_of_another_call() {
        let policy = Policy::default();
        let mut deadline = Deadline::default();
        assert_eq!(deadline.end(&policy, at(1)), at(31));
        deadline.enter_queue(at(2));
        deadline.start(&policy, at(20));
        assert_eq!(deadline.token_end(&policy, at(25)), at(31));
    }
}
