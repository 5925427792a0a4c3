//! The use of a limit as the service reports it.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Moment, RateLimiter};
use crate::rate_limit::RateLimit;

/// The requests of other clients that share the limit, as derived from the service's count.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// Groups of requests that were first seen together: their number, and the latest time at which
    /// they leave the window.
    seen: VecDeque<(usize, Moment)>,
}

impl Others {
    /// Returns the number of others' requests inside the window.
    pub(super) fn count(&self) -> usize {
        self.seen.iter().map(|(count, _)| count).sum()
    }

    /// Records that the service counts between `least` and `most` requests of other clients.
    pub(super) fn observe(&mut self, least: usize, most: usize, now: Moment, window: Duration) {
        let known = self.count();
        if least > known {
            self.seen.push_back((least - known, now.after(window)));
        }
        self.remove(known.saturating_sub(most));
    }

    /// Records that the first of them leaves the window at `at` or earlier.
    pub(super) fn first_leaves_by(&mut self, at: Moment) {
        if let Some((count, leaves)) = self.seen.front_mut().filter(|(_, leaves)| *leaves > at) {
            *count -= 1;
            let rest = (*count, *leaves);
            self.seen.pop_front();
            if rest.0 > 0 {
                self.seen.push_front(rest);
            }
            self.seen.push_front((1, at));
        }
    }

    /// Returns when the first of them leaves the window.
    pub(super) fn first_leaves(&self) -> Option<Moment> {
        self.seen.front().map(|(_, leaves)| *leaves)
    }

    /// Drops the requests that have left the window.
    pub(super) fn forget(&mut self, now: Moment) {
        while self.seen.front().is_some_and(|(_, leaves)| *leaves <= now) {
            self.seen.pop_front();
        }
    }

    fn remove(&mut self, mut surplus: usize) {
        while let Some((count, _)) = self.seen.front_mut().filter(|_| surplus > 0) {
            let taken = surplus.min(*count);
            *count -= taken;
            surplus -= taken;
            if *count == 0 {
                self.seen.pop_front();
            }
        }
    }
}

impl RateLimiter {
    /// Learns the limit, and unlearns it when responses stop naming one for a window.
    pub(super) fn learn(&mut self, limit: Option<u32>, conclusive: bool, now: Moment) {
        if limit.is_some() {
            (self.learned, self.unnamed_since) = (limit, None);
        } else if conclusive {
            let since = *self.unnamed_since.get_or_insert(now);
            self.learned.take_if(|_| since.after(self.window) <= now);
        }
    }

    /// Corrects the number of requests in the window by the service's count: those that it counts in
    /// addition to this client's own are of other clients, and failed ones of this client that it does
    /// not count are free again.
    ///
    /// Returns whether waiting calls should be polled.
    pub(super) fn observe(
        &mut self,
        sent_at: Moment,
        now: Moment,
        reported: &RateLimit,
        refused: bool,
    ) -> bool {
        let (Some(limit), Some(remaining)) = (reported.limit, reported.remaining) else {
            return false;
        };
        if self.granted().is_some() {
            return false;
        }
        self.others.forget(now);
        let used = limit.saturating_sub(remaining) as usize;
        // The service counted at an unknown time between `sent_at` and `now`.
        let (window, elapsed) = (self.window, now.since(sent_at));
        let most = self.in_window(sent_at) + self.in_flight.len();
        let certain = self.completed.partition_point(|request| request.at < sent_at);
        let left = self.expired(now.after(elapsed));
        let least = certain.saturating_sub(left) + usize::from(!refused);
        let times = [reported.retry_after.filter(|_| refused), reported.reset_after];
        let named = times.into_iter().flatten().find(|time| !time.is_zero());
        // The times are in whole seconds, so zero stands for up to one.
        let soon = refused && times.iter().any(Option::is_some);
        let next = named.unwrap_or(if soon { Duration::from_secs(1) } else { window }).min(window);
        self.counted_on_refusal = refused;
        let opens = self.opens_for(0, now);
        let oldest = self.expired(now);
        let uncounted = self.drop_unclear(oldest, least.saturating_sub(used));
        self.others.observe(used.saturating_sub(most), used.saturating_sub(least), now, window);
        if remaining == 0 {
            self.first_leaves_by(now.after(next), sent_at);
        }
        self.opens_for(0, now) < opens || (uncounted > 0 && self.can_admit_queued(now))
    }

    /// Drops as many requests from the `oldest` on as the service may not have counted, at most `most`;
    /// returns how many.
    fn drop_unclear(&mut self, oldest: usize, most: usize) -> usize {
        let unclear = self.completed.range_mut(oldest..).filter(|request| request.is_unclear);
        let dropped = unclear.take(most).map(|request| request.is_unclear = false).count();
        // The oldest leave first, whichever were not counted.
        self.completed.drain(oldest..oldest + dropped);
        dropped
    }

    /// Records that the first request that was in the window at `then` leaves it at `at` or earlier.
    fn first_leaves_by(&mut self, at: Moment, then: Moment) {
        let first = self.expired(then);
        match self.completed.get_mut(first).filter(|_| self.others.count() == 0) {
            Some(request) => request.leaves = request.leaves.min(at),
            None => self.others.first_leaves_by(at),
        }
    }
}
