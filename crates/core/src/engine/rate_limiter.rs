//! A sliding-window rate limiter with slow start and a first-come, first-served queue.

mod in_flight;
mod others;
mod permits;
mod sharing;

use std::collections::VecDeque;
use std::time::Duration;

use http::StatusCode;

use self::in_flight::InFlight;
use self::others::Others;
use self::permits::Permits;
use super::gate::Gate;
use super::moment::Moment;
use crate::rate_limit::RateLimit;

/// Keeps the requests of one [`Bucket`](crate::Bucket) under its limit, first come, first served.
///
/// The service counts a sliding window from the moment it accepts a request, which is before the
/// moment its response arrives. Counting from the arrival errs on the safe side, so a client that
/// is alone never exceeds the limit. Other clients that share the limit show in
/// `X-RateLimit-Remaining`.
///
/// If processes share the limit through a store, the store's permits decide instead, and these
/// counts only while the store is lost.
#[derive(Debug)]
pub(super) struct RateLimiter {
    window: Duration,
    /// The most requests in a window that the caller wants of this client.
    budget: Option<u32>,
    /// The limit that the service named last, and when.
    learned: Option<(u32, Moment)>,
    /// True once a response has come; until then the limit is unknown.
    answered: bool,
    first_sent: Option<Moment>,
    in_flight: InFlight,
    /// Arrivals of responses, oldest first. The first `expired` entries have left the window, but
    /// may have been inside it when a response that is still in flight was produced.
    completed: VecDeque<Moment>,
    expired: usize,
    others: Others,
    gate: Gate,
    queue: VecDeque<Waiter>,
    arrivals: u64,
    permits: Option<Permits>,
}

/// Slow start: before the first response has named a limit one request goes out alone; each time
/// this long passes, twice as many may be in flight.
const SLOW_START: Duration = Duration::from_secs(1);
/// The polling interval of calls that wait for the first response, if nothing wakes them.
const RECHECK: Duration = Duration::from_millis(100);
/// The polling interval of calls that wait for the permit of a store, if nothing wakes them.
const STORE_RECHECK: Duration = Duration::from_secs(1);
/// The longest delay before a call's place in the queue is given away.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Waiter {
    position: u64,
    expires: Moment,
}

/// The order of a call's arrival; `None` before. A call that is refused later returns to it.
pub(super) type QueuePosition = Option<u64>;

/// The wait of a request until it can ask again.
pub(super) struct Deferred {
    pub(super) until: Moment,
    /// True if, as far as is known, it cannot go earlier.
    pub(super) certain: bool,
    /// True if the service refuses requests until then, as opposed to mere pacing.
    pub(super) refused: bool,
}

impl RateLimiter {
    pub(super) fn new(window: Duration, budget: Option<u32>) -> Self {
        Self {
            // With no length at all, requests would be forgotten before they count.
            window: window.max(Duration::from_millis(1)),
            budget,
            learned: None,
            answered: false,
            first_sent: None,
            in_flight: InFlight::default(),
            completed: VecDeque::new(),
            expired: 0,
            others: Others::default(),
            gate: Gate::default(),
            queue: VecDeque::new(),
            arrivals: 0,
            permits: None,
        }
    }

    /// Lets a request go now, or says when to ask again.
    pub(super) fn admit(
        &mut self,
        position: &mut QueuePosition,
        now: Moment,
    ) -> Result<(), Deferred> {
        self.forget(now);
        if let Some(permits) = &mut self.permits {
            permits.need();
        }
        let position = *position.get_or_insert_with(|| {
            self.arrivals += 1;
            self.arrivals
        });
        let found = self.find(position);
        let (Ok(ahead) | Err(ahead)) = found;
        let free = self.free(now);
        let closed_until = self.gate.closed_until(now);
        if closed_until.is_none() && free > ahead {
            if found.is_ok() {
                self.queue.remove(ahead);
            }
            return Ok(());
        }
        let until = closed_until.unwrap_or_else(|| self.opens_for(ahead.saturating_sub(free), now));
        let waiter = Waiter { position, expires: until.after(GRACE) };
        match found {
            Ok(at) => self.queue[at] = waiter,
            Err(at) => self.queue.insert(at, waiter),
        }
        let refused = closed_until.is_some();
        let known = self.answered && self.limit().is_some();
        let certain = refused || (known && self.granted().is_none());
        Err(Deferred { until, certain, refused })
    }

    /// Notes that a request goes out; without a response by `lost_at` it counts as accepted then.
    pub(super) fn sent(&mut self, id: u64, now: Moment, lost_at: Moment) {
        self.first_sent.get_or_insert(now);
        self.gate.pass(now);
        self.in_flight.push(id, now, lost_at);
        if let Some(permits) = &mut self.permits {
            permits.take(id);
        }
    }

    /// Notes that no response arrived: the request may have been accepted at any time until now, or
    /// was never sent.
    ///
    /// Returns whether other calls may go earlier than they were told, like the next two.
    pub(super) fn failed(&mut self, id: u64, now: Moment, unsent: bool) -> bool {
        if self.in_flight.remove(id).is_some() {
            self.end(id, !unsent, now);
        }
        unsent && self.lets_others_go(now)
    }

    /// Notes that a response arrived; one that refuses by the rate limit used nothing up.
    pub(super) fn answered(
        &mut self,
        id: u64,
        now: Moment,
        told: &RateLimit,
        status: StatusCode,
    ) -> bool {
        let limit = self.limit();
        // A gateway's failure, or a token that is refused, says nothing about a limit.
        let telling = !status.is_server_error() && status != StatusCode::UNAUTHORIZED;
        let first = !self.answered && (telling || told.limit.is_some());
        self.answered |= first;
        self.learn(told.limit, telling, now);
        let refused = status == StatusCode::TOO_MANY_REQUESTS;
        if telling && !refused {
            self.open(now);
        }
        if let Some(sent_at) = self.in_flight.remove(id) {
            self.end(id, !refused, now);
            self.see_others(sent_at, now, told, refused);
        }
        let changed = first || refused || self.limit() != limit;
        changed && self.lets_others_go(now)
    }

    /// Learns the limit, and unlearns it when responses stop naming one for a window.
    fn learn(&mut self, limit: Option<u32>, telling: bool, now: Moment) {
        match (limit, self.learned) {
            (Some(limit), _) => self.learned = Some((limit, now)),
            (None, Some((_, at))) if telling && at.after(self.window) <= now => self.learned = None,
            (None, _) => {}
        }
    }

    /// Compares what the service counts with this client's own requests: the rest was used by
    /// others.
    fn see_others(&mut self, sent_at: Moment, now: Moment, told: &RateLimit, refused: bool) {
        let (Some(limit), Some(remaining)) = (told.limit, told.remaining) else { return };
        if self.granted().is_some() {
            return;
        }
        let used = limit.saturating_sub(remaining) as usize;
        // The service counted at some time between `sent_at` and `now`.
        let (window, elapsed) = (self.window, now.since(sent_at));
        let counts_at = |at: Moment| move |done: &Moment| done.after(window) <= at;
        let possible = self.completed.len() - self.completed.partition_point(counts_at(sent_at));
        let most = possible + self.in_flight.len();
        let certain = self.completed.partition_point(|done| *done <= sent_at);
        let left = self.completed.partition_point(counts_at(now.after(elapsed)));
        let least = certain.saturating_sub(left) + usize::from(!refused);
        let reset = told.reset_after.filter(|reset| !reset.is_zero()).unwrap_or(window).min(window);
        self.others.observe(used.saturating_sub(most), used.saturating_sub(least), now, window);
        if remaining == 0 {
            self.others.first_leaves_by(now.after(reset));
        }
    }

    fn lets_others_go(&mut self, now: Moment) -> bool {
        self.forget(now);
        !self.queue.is_empty() && self.gate.closed_until(now).is_none() && self.free(now) > 0
    }

    /// Sends nothing before `until`: the service said so.
    pub(super) fn close(&mut self, until: Moment, now: Moment) {
        self.gate.close(until, now);
        if let Some(permits) = &mut self.permits {
            permits.gate_closed(until);
        }
    }

    fn open(&mut self, now: Moment) {
        if let Some(permits) = self.permits.as_mut().filter(|_| self.gate.is_closed(now)) {
            permits.gate_opened();
        }
        self.gate.open();
    }

    /// Gives up a place in the queue.
    pub(super) fn leave(&mut self, position: QueuePosition, now: Moment) -> bool {
        let Some(Ok(at)) = position.map(|position| self.find(position)) else { return false };
        self.queue.remove(at);
        self.lets_others_go(now)
    }

    /// Returns where that position is in the queue, or would be.
    fn find(&self, position: u64) -> Result<usize, usize> {
        self.queue.binary_search_by_key(&position, |waiter| waiter.position)
    }

    /// Returns the most requests that this client may have in a window: its budget, or what the
    /// others leave of the limit.
    fn limit(&self) -> Option<usize> {
        // At least one, or nobody would ever learn that the others are gone.
        let left = |(limit, _)| (limit as usize).saturating_sub(self.others.count()).max(1);
        let budget = self.budget.map(|budget| budget.max(1) as usize);
        let whole = budget.into_iter().chain(self.learned.map(|(limit, _)| limit as usize)).min();
        let share = self.permits.as_ref().zip(whole).and_then(|(it, whole)| it.share_of(whole));
        budget.into_iter().chain(self.learned.map(left)).chain(share).min()
    }

    /// Returns how many requests may go at once.
    fn free(&self, now: Moment) -> usize {
        if let Some(granted) = self.granted() {
            return granted;
        }
        let limit = self.limit().unwrap_or(usize::MAX);
        let limit = if self.answered { limit } else { limit.min(self.slow_start(now)) };
        limit.saturating_sub(self.counting() + self.in_flight.len())
    }

    /// Returns how many completed requests are inside the window.
    fn counting(&self) -> usize {
        self.completed.len() - self.expired
    }

    fn slow_start(&self, now: Moment) -> usize {
        let waited = self.first_sent.map_or(Duration::ZERO, |sent| now.since(sent));
        1 << (waited.as_secs() / SLOW_START.as_secs()).min(30)
    }

    /// Returns when the n-th (from 0) of the requests that must wait can go at the earliest.
    fn opens_for(&self, n: usize, now: Moment) -> Moment {
        if self.granted().is_some() {
            return now.after(STORE_RECHECK);
        }
        let Some(limit) = self.limit().filter(|_| self.answered) else {
            return now.after(RECHECK);
        };
        let own = match self.completed.get(self.expired + n) {
            Some(done) => done.after(self.window),
            // A request in flight counts for a window from its response on, which is yet to come.
            None => {
                let rounds = u32::try_from((n - self.counting()) / limit).unwrap_or(u32::MAX);
                now.after(self.window.saturating_mul(rounds.saturating_add(1)))
            }
        };
        self.others.first_leaves().map_or(own, |leaves| own.min(leaves))
    }

    /// Notes that a request is over, and whether it counts.
    fn end(&mut self, id: u64, counts: bool, now: Moment) {
        if let Some(permits) = &mut self.permits {
            permits.end(id, counts, now);
        }
        if counts {
            self.complete(now);
        }
    }

    /// Notes that a request counts from now on, if anybody counts.
    fn complete(&mut self, now: Moment) {
        if self.budget.is_some() || self.learned.is_some() {
            self.completed.push_back(now);
        }
    }

    /// Drops what no longer counts.
    fn forget(&mut self, now: Moment) {
        let left_window = |done: &Moment, by: Moment| done.after(self.window) <= by;
        while self.completed.get(self.expired).is_some_and(|done| left_window(done, now)) {
            self.expired += 1;
        }
        let oldest = self.in_flight.oldest().unwrap_or(now);
        while self.expired > 0
            && self.completed.front().is_some_and(|done| left_window(done, oldest))
        {
            self.completed.pop_front();
            self.expired -= 1;
        }
        while let Some(id) = self.in_flight.pop_lost(now) {
            self.end(id, true, now);
        }
        while self.queue.front().is_some_and(|waiter| waiter.expires <= now) {
            self.queue.pop_front();
        }
        self.others.forget(now);
        if let Some(permits) = &mut self.permits {
            permits.forget(now, self.window);
        }
    }
}

#[cfg(test)]
mod tests;
