//! A sliding-window rate limiter with slow start and a first-come, first-served queue.

mod permits;
mod sharing;
mod usage;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use http::StatusCode;

use self::permits::Permits;
use self::usage::Others;
use super::failure::WaitReason;
use super::gate::Gate;
use super::moment::Moment;
use super::shared_store;
use crate::rate_limit::RateLimit;

/// Keeps the requests of one [`Bucket`](crate::Bucket) under its limit, first come, first served.
///
/// The service counts a request in its sliding window from the moment it accepts it, which is
/// before the response arrives. Counting from the arrival errs on the safe side, so a client that
/// is alone does not exceed a limit that it knows. The use by other clients is derived from
/// `X-RateLimit-Remaining`.
///
/// If processes share the limit through a store, the store's permits decide instead, and the counts
/// of this limiter are only used while the store is lost.
#[derive(Debug, Default)]
pub(super) struct RateLimiter {
    window: Duration,
    /// The maximum number of requests in a window that the policy allows this client.
    budget: Option<u32>,
    /// The limit that the service named last.
    learned: Option<u32>,
    /// The time of the first response since then that named no limit.
    unnamed_since: Option<Moment>,
    /// True once a response has shown whether there is a limit.
    limit_is_known: bool,
    first_sent: Option<Moment>,
    /// The requests that were sent and not yet answered, in the order in which they were sent.
    in_flight: BTreeMap<u64, Sent>,
    /// The requests that have ended, oldest first, including those that have left the window but that
    /// the service may still have counted for a response that is yet to arrive.
    completed: VecDeque<Completed>,
    others: Others,
    /// True if the service reported its last count with a refusal.
    counted_on_refusal: bool,
    gate: Gate,
    /// The positions of the waiting calls in order, each with the time at which it expires.
    queue: VecDeque<(u64, Moment)>,
    arrivals: u64,
    permits: Option<Permits>,
}

/// The interval of slow start: until a response shows the limit, one request may be in flight, and
/// the number doubles with each interval.
const SLOW_START: Duration = Duration::from_millis(500);
/// The maximum number of doublings, so that slow responses do not let all calls exceed the limit.
const MAX_DOUBLINGS: u128 = 3;
/// The polling interval of calls that wait for the first response, if nothing wakes them.
const RECHECK: Duration = Duration::from_millis(100);
/// The time by which a call may be late before it loses its place in the queue.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Sent {
    sent_at: Moment,
    lost_at: Moment,
}

/// Whether the service counts a request.
#[derive(Clone, Copy, PartialEq)]
enum Counts {
    Yes,
    Perhaps,
    No,
}

#[derive(Debug)]
struct Completed {
    /// The arrival of the response.
    at: Moment,
    /// The latest time at which it leaves the window.
    leaves: Moment,
    /// True if the service may not have counted it.
    is_unclear: bool,
}

/// The answer to a request that must wait until it may ask again.
pub(super) struct Deferred {
    pub(super) until: Moment,
    /// The reason for the wait.
    pub(super) reason: WaitReason,
    /// True if, as far as is known, it cannot be sent earlier.
    pub(super) certain: bool,
    /// True if the service refuses all requests until then.
    pub(super) refused: bool,
    /// True if the service named the end of that refusal.
    pub(super) named: bool,
}

impl RateLimiter {
    pub(super) fn new(window: Duration, budget: Option<u32>) -> Self {
        Self {
            // In a window of length zero, requests would expire before they count.
            window: window.max(Duration::from_millis(1)),
            budget,
            ..Self::default()
        }
    }

    /// Admits a request, or returns when to ask again.
    pub(super) fn admit(
        &mut self,
        position: &mut Option<u64>,
        now: Moment,
    ) -> Result<(), Deferred> {
        self.forget(now);
        if let Some(permits) = &mut self.permits {
            permits.activate();
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
        let waiter = (position, until.after(GRACE));
        match found {
            Ok(at) => self.queue[at] = waiter,
            Err(at) => self.queue.insert(at, waiter),
        }
        let refused = closed_until.is_some();
        let known = refused || self.limit_is_known;
        let reason = if known { WaitReason::Pacing } else { WaitReason::FirstResponse };
        // With a store, other processes may leave room, or a lost store return, at any time. A count
        // that only refusals report may be outdated.
        let certain = refused || (known && self.permits.is_none() && !self.counted_on_refusal);
        let named = refused && self.gate.is_certain();
        Err(Deferred { until, reason, certain, refused, named })
    }

    /// Records that a request was sent; without a response it counts as accepted at `lost_at`.
    pub(super) fn sent(&mut self, id: u64, now: Moment, lost_at: Moment) {
        self.first_sent.get_or_insert(now);
        self.gate.passed(now);
        self.in_flight.insert(id, Sent { sent_at: now, lost_at });
        if let Some(permits) = &mut self.permits {
            permits.take(id);
        }
    }

    /// Records that no response arrived: the request was accepted at some time until now, or, if
    /// `unsent`, never left.
    ///
    /// Returns whether waiting calls should be polled.
    pub(super) fn failed(&mut self, id: u64, now: Moment, unsent: bool) -> bool {
        let mut probe_ended = false;
        if let Some(Sent { sent_at, .. }) = self.in_flight.remove(&id) {
            self.finish(id, if unsent { Counts::No } else { Counts::Perhaps }, now);
            probe_ended = self.inconclusive(sent_at, now);
        }
        probe_ended || (unsent && self.can_admit_queued(now))
    }

    /// Records that a response arrived; a request that the rate limit refused does not count.
    ///
    /// Returns whether waiting calls should be polled.
    pub(super) fn answered(
        &mut self,
        id: u64,
        now: Moment,
        reported: &RateLimit,
        status: StatusCode,
    ) -> bool {
        let limit = self.limit();
        // A failing gateway or a refused token does not show whether there is a limit.
        let conclusive = !status.is_server_error() && status != StatusCode::UNAUTHORIZED;
        let first = !self.limit_is_known && (conclusive || reported.limit.is_some());
        self.limit_is_known |= first;
        let refused = status == StatusCode::TOO_MANY_REQUESTS;
        self.learn(reported.limit, conclusive && !refused, now);
        let (mut opened, mut probe_ended, mut sooner) = (false, false, false);
        if let Some(Sent { sent_at, .. }) = self.in_flight.remove(&id) {
            let counts = match status {
                _ if refused => Counts::No,
                _ if status.is_success() => Counts::Yes,
                _ => Counts::Perhaps,
            };
            self.finish(id, counts, now);
            sooner = self.observe(sent_at, now, reported, refused);
            let unreported = conclusive && !refused && reported.remaining.is_none();
            if unreported && self.counted_on_refusal && self.gate.is_newer(sent_at) {
                self.others = Others::default(); // Their count would never be corrected.
            }
            if refused {
                self.gate.refused(sent_at);
            }
            if let Some(reset) = reported.reset_after.filter(|_| refused && reported.is_used_up()) {
                let named = reset <= self.window;
                sooner |= self.close(now.after(reset.min(self.window)), named, sent_at, now);
            }
            opened = conclusive && !refused && self.open(sent_at);
            probe_ended = !conclusive && self.inconclusive(sent_at, now);
        }
        let changed = first || refused || self.limit() != limit;
        sooner || probe_ended || opened || (changed && self.can_admit_queued(now))
    }

    fn can_admit_queued(&mut self, now: Moment) -> bool {
        self.forget(now);
        !self.queue.is_empty() && self.gate.closed_until(now).is_none() && self.free(now) > 0
    }

    /// Admits nothing before `until`, because the service refused a request sent at `sent_at`. If it
    /// has not `named` that time, a longer refusal stays in effect.
    ///
    /// Returns whether waiting calls should be polled, because they can be sent earlier.
    pub(super) fn close(
        &mut self,
        until: Moment,
        named: bool,
        sent_at: Moment,
        now: Moment,
    ) -> bool {
        let before = self.gate.closed_until(now);
        let until = self.gate.close(until, named, sent_at, now);
        if let Some(permits) = &mut self.permits {
            permits.gate_changed(Some(until), named, sent_at);
        }
        before > self.gate.closed_until(now)
    }

    /// Ends a refusal, because the service accepted a request sent at `sent_at`; returns whether
    /// there was one. While the store answers, the store decides when a refusal ends.
    fn open(&mut self, sent_at: Moment) -> bool {
        let is_newer = self.gate.is_newer(sent_at);
        if let Some(permits) = self.permits.as_mut().filter(|_| is_newer) {
            permits.accepted(sent_at);
        }
        self.granted().is_none() && self.gate.open(sent_at)
    }

    /// Records that a request sent at `sent_at` did not show whether the service accepts requests;
    /// returns whether the next may be sent earlier because of that.
    fn inconclusive(&mut self, sent_at: Moment, now: Moment) -> bool {
        let repeats = self.counted_on_refusal && self.gate.is_newer(sent_at);
        if repeats {
            // The request took the place that was free after the refusal.
            self.others.first_leaves_by(now);
        }
        let probe_ended = self.granted().is_none() && self.gate.inconclusive(sent_at, now);
        repeats || probe_ended
    }

    /// Gives up a place in the queue, or the slot of an admitted call; returns whether waiting
    /// calls should be polled.
    pub(super) fn leave(&mut self, position: Option<u64>, now: Moment) -> bool {
        let Some(position) = position else { return false };
        let found = self.find(position);
        if let Ok(at) = found {
            self.queue.remove(at);
        }
        // Those behind it may be sent at the time of the place before theirs.
        found.is_ok_and(|at| at < self.queue.len()) || self.can_admit_queued(now)
    }

    /// Returns the index of a position in the queue, or else where it would be inserted.
    fn find(&self, position: u64) -> Result<usize, usize> {
        self.queue.binary_search_by_key(&position, |(position, _)| *position)
    }

    /// Returns the maximum number of this client's requests in a window: the minimum of its budget,
    /// the part of the limit that others leave, and its share while the store is lost.
    fn limit(&self) -> Option<usize> {
        // At least one: without responses, it would never be noticed that the others stopped.
        let left = |limit| (limit as usize).saturating_sub(self.others.count()).max(1);
        let budget = self.budget.map(|budget| budget.max(1) as usize);
        let whole = budget.into_iter().chain(self.learned.map(|limit| limit as usize)).min();
        let share =
            self.permits.as_ref().zip(whole).and_then(|(permits, whole)| permits.share_of(whole));
        budget.into_iter().chain(self.learned.map(left)).chain(share).min()
    }

    /// Returns the number of requests that may be sent now.
    fn free(&self, now: Moment) -> usize {
        if let Some(granted) = self.granted() {
            return granted;
        }
        let limit = self.limit().unwrap_or(usize::MAX);
        let limit = if self.limit_is_known { limit } else { limit.min(self.slow_start(now)) };
        limit.saturating_sub(self.in_window(now) + self.in_flight.len())
    }

    /// Returns the number of available permits of a shared quota; `None` if this limiter decides.
    fn granted(&self) -> Option<usize> {
        self.permits.as_ref()?.free()
    }

    /// Returns the number of completed requests that have left the window by the time `at`.
    fn expired(&self, at: Moment) -> usize {
        self.completed.partition_point(|request| request.leaves <= at)
    }

    /// Returns the number of completed requests that have not.
    fn in_window(&self, at: Moment) -> usize {
        self.completed.len() - self.expired(at)
    }

    /// Returns the maximum number of requests in flight before the limit is known.
    fn slow_start(&self, now: Moment) -> usize {
        let waited = self.first_sent.map_or(Duration::ZERO, |sent| now.since(sent));
        1 << (waited.as_millis() / SLOW_START.as_millis()).min(MAX_DOUBLINGS)
    }

    /// Returns the earliest time for the n-th (from 0) of the requests that must wait.
    fn opens_for(&self, n: usize, now: Moment) -> Moment {
        if self.granted().is_some() {
            return now.after(shared_store::RECHECK);
        }
        let Some(limit) = self.limit().filter(|_| self.limit_is_known) else {
            return now.after(RECHECK);
        };
        let own = match self.completed.get(self.expired(now) + n) {
            Some(request) => request.leaves,
            // Beyond those, only requests in flight make room, a window after their responses.
            None => {
                let rounds = u32::try_from((n - self.in_window(now)) / limit).unwrap_or(u32::MAX);
                now.after(self.window.saturating_mul(rounds.saturating_add(1)))
            }
        };
        self.others.first_leaves().map_or(own, |leaves| own.min(leaves))
    }

    /// Records that a request has ended, and whether it counts.
    fn finish(&mut self, id: u64, counts: Counts, now: Moment) {
        if let Some(permits) = &mut self.permits {
            permits.finish(id, counts != Counts::No, now);
        }
        let limited = self.budget.is_some() || self.learned.is_some();
        if counts != Counts::No && limited {
            let leaves = now.after(self.window);
            let is_unclear = counts == Counts::Perhaps;
            self.completed.push_back(Completed { at: now, leaves, is_unclear });
        }
    }

    /// Drops the entries that no longer count.
    fn forget(&mut self, now: Moment) {
        let oldest = self.in_flight.first_key_value().map_or(now, |(_, sent)| sent.sent_at);
        self.completed.drain(..self.expired(oldest));
        while let Some(lost) = self.in_flight.first_entry().filter(|it| it.get().lost_at <= now) {
            let (id, Sent { sent_at, lost_at }) = lost.remove_entry();
            self.finish(id, Counts::Perhaps, now);
            self.inconclusive(sent_at, lost_at);
        }
        while self.queue.front().is_some_and(|(_, expires)| *expires <= now) {
            self.queue.pop_front();
        }
        self.others.forget(now);
        if let Some(permits) = &mut self.permits {
            permits.forget(now);
        }
    }
}

#[cfg(test)]
mod tests;
