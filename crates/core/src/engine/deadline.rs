use std::time::Duration;

use super::moment::Moment;
use super::policy::Policy;

/// The deadline of one call.
///
/// The time of a queued call starts when its first request is sent, less the time that it has waited
/// for a token before, and is paused while the call is in the rate limiter's queue. Nothing else pauses
/// it, in particular not refusals by the service.
#[derive(Default)]
pub(super) struct Deadline {
    /// The call's own timeout, if it has one instead of the policy's.
    pub(super) timeout: Option<Duration>,
    /// The minimum to which the policy's timeout is raised.
    minimum: Duration,
    /// True if the time in the rate limiter's queue does not count.
    pub(super) excludes_queue: bool,
    end: Option<Moment>,
    /// The time of entry into the rate limiter's queue, while the call is in it.
    queued_since: Option<Moment>,
    /// The start of the wait for a token, while the time of a queued call has not started.
    token_since: Option<Moment>,
    /// The time spent on such waits that have ended.
    spent: Duration,
}

impl Deadline {
    /// Creates a deadline that raises the policy's timeout to `minimum`.
    pub(super) fn with_minimum(minimum: Duration) -> Self {
        Self { minimum, ..Self::default() }
    }

    fn time(&self, policy: &Policy) -> Duration {
        self.timeout.unwrap_or(policy.call_timeout.max(self.minimum))
    }

    /// Returns the end of the call's time.
    pub(super) fn end(&mut self, policy: &Policy, now: Moment) -> Moment {
        let end = now.after(self.time(policy));
        if !self.excludes_queue {
            return *self.end.get_or_insert(end);
        }
        let queued = self.queued_since.map_or(Duration::ZERO, |at| now.since(at));
        self.end.map_or(Moment::LAST, |end| end.after(queued))
    }

    /// Returns the end of the time to get a token.
    pub(super) fn token_end(&mut self, policy: &Policy, now: Moment) -> Moment {
        if self.excludes_queue && self.end.is_none() {
            let since = *self.token_since.get_or_insert(now);
            return since.after(self.time(policy).saturating_sub(self.spent));
        }
        self.end(policy, now)
    }

    /// Records that the rate limiter admits the call.
    pub(super) fn admitted(&mut self, policy: &Policy, now: Moment) {
        self.leave_queue(now);
        self.end.get_or_insert(now.after(self.time(policy).saturating_sub(self.spent)));
    }

    /// Records that the call is in the rate limiter's queue.
    pub(super) fn enter_queue(&mut self, now: Moment) {
        if self.excludes_queue {
            self.queued_since.get_or_insert(now);
        }
    }

    /// Records that the call is not in the queue.
    pub(super) fn leave_queue(&mut self, now: Moment) {
        if let (Some(at), Some(end)) = (self.queued_since.take(), &mut self.end) {
            *end = end.after(now.since(at));
        }
    }

    /// Records that the call does not wait for a token.
    pub(super) fn has_token(&mut self, now: Moment) {
        self.spent += self.token_since.take().map_or(Duration::ZERO, |since| now.since(since));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::new(Duration::from_secs(seconds))
    }

    #[test]
    fn queued_call_pauses_its_time_only_in_the_queue() {
        let policy = Policy::default();
        let mut deadline = Deadline { excludes_queue: true, ..Deadline::default() };
        assert_eq!(deadline.end(&policy, at(0)), Moment::LAST);
        deadline.enter_queue(at(1));
        deadline.leave_queue(at(5));
        assert_eq!(deadline.token_end(&policy, at(5)), at(35));
        deadline.has_token(at(5));
        deadline.admitted(&policy, at(100));
        assert_eq!(deadline.end(&policy, at(110)), at(130));
        deadline.enter_queue(at(110));
        deadline.enter_queue(at(115));
        assert_eq!(deadline.end(&policy, at(120)), at(140));
        deadline.leave_queue(at(120));
        assert_eq!(deadline.end(&policy, at(135)), at(140));
        deadline.enter_queue(at(135));
        deadline.admitted(&policy, at(136));
        assert_eq!(deadline.end(&policy, at(137)), at(141));
        assert_eq!(deadline.token_end(&policy, at(137)), at(141));
    }

    #[test]
    fn time_of_a_queued_call_includes_the_wait_for_a_token() {
        let policy = Policy::default();
        let mut deadline = Deadline { excludes_queue: true, ..Deadline::default() };
        assert_eq!(deadline.token_end(&policy, at(5)), at(35));
        assert_eq!(deadline.token_end(&policy, at(10)), at(35));
        deadline.has_token(at(15));
        deadline.enter_queue(at(15));
        deadline.leave_queue(at(60));
        assert_eq!(deadline.token_end(&policy, at(60)), at(80));
        deadline.has_token(at(65));
        deadline.enter_queue(at(65));
        deadline.admitted(&policy, at(100));
        assert_eq!(deadline.end(&policy, at(100)), at(115));
    }

    #[test]
    fn minimum_raises_the_policy_timeout_but_not_the_calls_own() {
        let policy = Policy::default();
        let mut deadline = Deadline::with_minimum(Duration::from_secs(60));
        assert_eq!(deadline.end(&policy, at(1)), at(61));
        let mut deadline = Deadline::with_minimum(Duration::from_secs(60));
        deadline.timeout = Some(Duration::from_secs(2));
        assert_eq!(deadline.end(&policy, at(1)), at(3));
    }

    #[test]
    fn ordinary_call_never_pauses_its_time() {
        let policy = Policy::default();
        let mut deadline = Deadline::default();
        assert_eq!(deadline.end(&policy, at(1)), at(31));
        deadline.enter_queue(at(2));
        deadline.admitted(&policy, at(20));
        assert_eq!(deadline.token_end(&policy, at(25)), at(31));
    }
}
