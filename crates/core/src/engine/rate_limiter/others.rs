use std::collections::VecDeque;
use std::time::Duration;

use super::Moment;

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
