use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Moment;
use crate::endpoint::Bucket;
use crate::engine::shared_store::{GateReport, Join, QuotaAnswer, QuotaRequest, SharedLimit};

/// This process's part of a quota that is shared through a store.
#[derive(Debug, Default)]
pub(super) struct Permits {
    /// The length of the sliding window.
    window: Duration,
    /// The longest time that a request can be in flight.
    longest_request: Duration,
    membership: Membership,
    next: u64,
    /// The numbers of the permits that no request has used, each with the time it expires.
    available: VecDeque<(u64, Moment)>,
    /// The permits of the requests in flight, by the requests' tickets.
    in_use: BTreeMap<u64, u64>,
    /// The requests that have ended and count, oldest first.
    completed: VecDeque<Completed>,
    /// The permits to give back to the store.
    unused: Vec<u64>,
    /// The request to the store that has not been answered.
    asked: Option<Asked>,
    /// The earliest time to ask the store for more permits.
    next_request_at: Moment,
    /// The limit that the store named last.
    store_limit: SharedLimit,
    members: u32,
    gate_change: Option<GateChange>,
    /// True if, as far as this process knows, the service may be refusing requests, so that an
    /// accepted request must be reported to the store. A permit granted as a probe does not change
    /// it.
    refused: bool,
    /// Set while the store is lost.
    lost: Option<Lost>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Membership {
    /// No call has needed the quota so far.
    #[default]
    Idle,
    New,
    Member,
    Former,
}

#[derive(Debug)]
struct Completed {
    permit: u64,
    at: Moment,
    reported: bool,
}

#[derive(Debug)]
struct Asked {
    at: Moment,
    first: u64,
    wanted: u32,
    gate_change: Option<GateChange>,
}

/// A change of the gate that has not been reported to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct GateChange {
    /// `None` if the gate has opened.
    closed_until: Option<Moment>,
    /// True if the service named that time, so that it replaces a longer one.
    named: bool,
    /// The time of the request that showed it.
    sent_at: Moment,
}

#[derive(Debug)]
struct Lost {
    /// The number of requests that this process had in the window, and the time until which it may
    /// have no more, since the other processes' use of the window is unknown.
    held: Option<(usize, Moment)>,
}

/// The limiter's state that is reported to the store in addition to its permits.
pub(super) struct LimiterState {
    pub(super) bucket: Bucket,
    pub(super) budget: Option<u32>,
    pub(super) limit: SharedLimit,
    /// Number of calls that wait for a permit.
    pub(super) waiting: usize,
    pub(super) closed_until: Option<Moment>,
    /// The end of the time that the service set, which may be after the next probe.
    pub(super) refused_until: Option<Moment>,
}

/// The time after which an unused permit is given back.
const PERMIT_TTL: Duration = Duration::from_secs(1);
/// The time after the return of the store in which the other processes report their requests.
const REASSEMBLY: Duration = Duration::from_secs(1);
/// The maximum number of permits in one request.
const MAX_WANTED: usize = 1000;

impl Permits {
    pub(super) fn new(window: Duration, longest_request: Duration) -> Self {
        Self { window, longest_request, members: 1, refused: true, ..Self::default() }
    }

    /// Records that a call needs the quota.
    pub(super) fn activate(&mut self) {
        if self.membership == Membership::Idle {
            self.membership = Membership::New;
        }
    }

    /// Returns the number of available permits; `None` while the store is lost.
    pub(super) fn free(&self) -> Option<usize> {
        self.lost.is_none().then_some(self.available.len())
    }

    /// Returns this process's share of the limit `whole` while the store is lost.
    pub(super) fn share_of(&self, whole: usize) -> Option<usize> {
        let lost = self.lost.as_ref()?;
        let share = whole / self.members.max(1) as usize;
        let share = lost.held.map_or(share, |(held, _)| share.min(held));
        Some(share.max(1))
    }

    /// Takes a permit for the request with this ticket. If none is available, because the store is
    /// lost, takes a new number, under which the request is reported to the store later.
    pub(super) fn take(&mut self, ticket: u64) {
        let permit = match self.available.pop_front() {
            Some((permit, _)) => permit,
            None => self.take_numbers(1),
        };
        self.in_use.insert(ticket, permit);
    }

    /// Ends the use of a permit.
    pub(super) fn finish(&mut self, ticket: u64, counts: bool, now: Moment) {
        match self.in_use.remove(&ticket) {
            Some(permit) if counts => {
                self.completed.push_back(Completed { permit, at: now, reported: false });
            }
            Some(permit) if self.lost.is_none() || self.asked.is_some() => self.unused.push(permit),
            // When the process joins again, the store forgets permits that are not in its report.
            _ => {}
        }
    }

    /// Records that a request sent at `sent_at` showed the gate to be closed until `closed_until`,
    /// a time that the service may have `named`, or to be open.
    pub(super) fn gate_changed(
        &mut self,
        closed_until: Option<Moment>,
        named: bool,
        sent_at: Moment,
    ) {
        let mut change = GateChange { closed_until, named, sent_at };
        if let Some(earlier) = self.gate_change {
            change.named |= earlier.named;
            change.sent_at = sent_at.max(earlier.sent_at);
        }
        self.gate_change = Some(change);
        self.refused |= closed_until.is_some();
    }

    /// Records that the service accepted a request sent at `sent_at`.
    pub(super) fn accepted(&mut self, sent_at: Moment) {
        if self.refused {
            self.gate_changed(None, true, sent_at);
        }
    }

    /// Returns whether a change of the gate has not been reported to the store.
    pub(super) fn has_gate_change(&self) -> bool {
        self.gate_change.is_some()
    }

    /// Drops the entries that no longer count.
    pub(super) fn forget(&mut self, now: Moment) {
        while self.completed.front().is_some_and(|done| done.at.after(self.window) <= now) {
            self.completed.pop_front();
        }
        while let Some(&(permit, _)) = self.available.front().filter(|(_, until)| *until <= now) {
            self.available.pop_front();
            self.unused.push(permit);
        }
        if let Some(lost) = &mut self.lost {
            lost.held.take_if(|(_, until)| *until <= now);
        }
    }

    /// Returns the request to the store. `None` if there is nothing to report or to ask, unless a
    /// `heartbeat` is due.
    pub(super) fn request(
        &mut self,
        state: &LimiterState,
        now: Moment,
        heartbeat: bool,
    ) -> Option<QuotaRequest> {
        self.forget(now);
        let waiting = if state.closed_until.is_some() { 0 } else { state.waiting };
        self.give_back_surplus(waiting);
        let join = match self.membership {
            Membership::Idle => return None,
            Membership::Member => None,
            Membership::New | Membership::Former => Some(Join {
                again: self.membership == Membership::Former,
                in_flight: self.in_use.values().copied().collect(),
            }),
        };
        let joins = join.is_some();
        let completed = self.unreported(joins, now);
        let learned = (state.limit != self.store_limit && state.limit != SharedLimit::Unknown)
            .then_some(state.limit);
        let wanted = (waiting - self.available.len()).min(MAX_WANTED);
        let wanted =
            if now < self.next_request_at { 0 } else { u32::try_from(wanted).unwrap_or(u32::MAX) };
        let gate_change = self.gate_change;
        if !joins
            && !heartbeat
            && completed.is_empty()
            && self.unused.is_empty()
            && learned.is_none()
            && gate_change.is_none()
            && wanted == 0
        {
            return None;
        }
        let report = |change: GateChange| GateReport {
            closed_for: change.closed_until.unwrap_or_default().since(now),
            named: change.named,
            age: now.since(change.sent_at),
        };
        // The store may have named this time itself, so it is no newer than what the store knows.
        let known = state.refused_until.filter(|_| joins);
        let known = known.map(|until| GateReport {
            closed_for: until.since(now),
            named: true,
            age: Duration::MAX,
        });
        let first = self.take_numbers(wanted.into());
        self.asked = Some(Asked { at: now, first, wanted, gate_change });
        for done in &mut self.completed {
            done.reported = true;
        }
        Some(QuotaRequest {
            bucket: state.bucket,
            window: self.window,
            lease: PERMIT_TTL.saturating_add(self.longest_request),
            budget: state.budget,
            join,
            completed,
            unused: std::mem::take(&mut self.unused),
            learned,
            gate: gate_change.map(report).or(known),
            first,
            wanted,
        })
    }

    /// Gives back the permits that no waiting call can use.
    fn give_back_surplus(&mut self, waiting: usize) {
        while self.available.len() > waiting {
            self.unused.extend(self.available.pop_back().map(|(permit, _)| permit));
        }
    }

    /// Returns the permits whose requests have ended, each with the time since then: those that
    /// were not reported, or `all`.
    fn unreported(&self, all: bool, now: Moment) -> Vec<(u64, Duration)> {
        let unreported = self.completed.iter().filter(|done| all || !done.reported);
        unreported.map(|done| (done.permit, now.since(done.at))).collect()
    }

    /// Returns when the next exchange is due, unless a step makes an earlier one necessary.
    pub(super) fn next_exchange_at(
        &self,
        waiting: usize,
        closed_until: Option<Moment>,
    ) -> Option<Moment> {
        let expires_at = self.available.front().map(|(_, until)| *until);
        let ask_at =
            closed_until.map_or(self.next_request_at, |until| until.max(self.next_request_at));
        (waiting > self.available.len()).then_some(ask_at).into_iter().chain(expires_at).min()
    }

    /// Handles the store's answer. Returns the limit if it has changed.
    pub(super) fn answered(&mut self, answer: &QuotaAnswer, now: Moment) -> Option<SharedLimit> {
        let asked = self.asked.take()?;
        // Requests that were sent during the exchange, while the store was lost, are not in its report.
        let reported = asked.first + u64::from(asked.wanted);
        let sent_since = self.in_use.values().next_back().is_some_and(|permit| *permit >= reported);
        if !answer.member || sent_since {
            self.leave();
            return None;
        }
        // A change after the request was sent has yet to be reported.
        self.gate_change.take_if(|change| Some(*change) == asked.gate_change);
        let opened = asked.gate_change.is_some_and(|change| change.closed_until.is_none());
        self.refused = answer.closed || (self.refused && !opened);
        self.membership = Membership::Member;
        self.members = answer.members;
        // If the quota is closed, the gate holds the wait.
        if asked.wanted > 0 && !answer.closed {
            self.next_request_at = now.after(answer.wait);
        }
        let usable_until = asked.at.after(PERMIT_TTL);
        let granted = u64::from(answer.granted.min(asked.wanted));
        self.available.extend((asked.first..asked.first + granted).map(|n| (n, usable_until)));
        let changed = answer.limit != self.store_limit;
        self.store_limit = answer.limit;
        changed.then_some(answer.limit)
    }

    /// Handles the return of the store, even for a quota that no call has needed. Requests no
    /// permit until the other processes, which may have lost it too, have reported their requests.
    pub(super) fn store_returned(&mut self, now: Moment) {
        if self.lost.take().is_some() {
            self.next_request_at = now.after(REASSEMBLY);
        }
    }

    /// Handles the loss of the store: this process has `held` requests in the window.
    pub(super) fn store_lost(&mut self, held: usize, now: Moment) {
        self.asked = None;
        if self.lost.is_none() {
            let known = self.membership == Membership::Member;
            self.lost = Some(Lost { held: known.then_some((held, now.after(self.window))) });
        }
        self.next_request_at = Moment::LAST;
        self.leave();
    }

    /// Forgets what the store knows: a process that joins again reports everything.
    fn leave(&mut self) {
        if self.membership == Membership::Member {
            self.membership = Membership::Former;
        }
        (self.store_limit, self.refused) = (SharedLimit::Unknown, true);
        self.available.clear();
        self.unused.clear();
    }

    /// Takes `count` unused permit numbers and returns the first.
    fn take_numbers(&mut self, count: u64) -> u64 {
        let first = self.next;
        self.next += count;
        first
    }
}

#[cfg(test)]
mod tests;
