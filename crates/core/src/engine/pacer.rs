use std::collections::VecDeque;
use std::time::Duration;

use http::StatusCode;

use super::moment::Moment;
use crate::rate_limit::RateLimit;

/// Keeps requests of one rate limit under it, first come, first served.
///
/// The service counts a sliding window from the moment it accepts a request; that lies before the
/// moment its answer arrives. Counting from the latter can only err to the safe side, so a client
/// that is alone never exceeds the limit. Others who share it are seen in `X-RateLimit-Remaining`.
#[derive(Debug)]
pub(super) struct Pacer {
    window: Duration,
    budget: Option<u32>,
    learned: Option<u32>,
    /// Whether any answer has come: until then nobody knows what the limit is.
    answered: bool,
    first_sent: Option<Moment>,
    in_flight: InFlight,
    /// When the answers came, oldest first: of requests that count no longer, but may have when an
    /// answer that is on its way was written, and then of those that still count.
    spent: VecDeque<Moment>,
    /// How many of `spent` count no longer.
    lapsed: usize,
    /// What others have used up, and until when that counts.
    foreign: Option<(u32, Moment)>,
    closed_until: Option<Moment>,
    line: VecDeque<Waiter>,
    arrivals: u64,
}

/// Before the first answer has told of a limit, one request goes out alone; for every such time
/// that it takes, twice as many may be on their way.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often those who wait for the first answer look again, if nobody wakes them.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How late a waiter may come before its place in line is given away.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Waiter {
    place: u64,
    expires: Moment,
}

/// The order of a call's arrival; empty before. Who is refused later comes back to it.
pub(super) type Place = Option<u64>;

/// When a request that has to wait can ask again.
pub(super) struct Held {
    pub(super) until: Moment,
    /// Whether it cannot go any earlier, by all that is known.
    pub(super) surely: bool,
}

impl Pacer {
    pub(super) fn new(window: Duration, budget: Option<u32>) -> Self {
        Self {
            // Without any length, what was spent would be forgotten before it counts.
            window: window.max(Duration::from_millis(1)),
            budget,
            learned: None,
            answered: false,
            first_sent: None,
            in_flight: InFlight::default(),
            spent: VecDeque::new(),
            lapsed: 0,
            foreign: None,
            closed_until: None,
            line: VecDeque::new(),
            arrivals: 0,
        }
    }

    /// Lets a request go now, or says when to ask again.
    pub(super) fn admit(&mut self, place: &mut Place, now: Moment) -> Result<(), Held> {
        self.forget(now);
        let place = *place.get_or_insert_with(|| {
            self.arrivals += 1;
            self.arrivals
        });
        let found = self.find(place);
        let (Ok(ahead) | Err(ahead)) = found;
        let free = self.free(now);
        if self.closed_until.is_none() && free > ahead {
            if found.is_ok() {
                self.line.remove(ahead);
            }
            return Ok(());
        }
        let until =
            self.closed_until.unwrap_or_else(|| self.opens_for(ahead.saturating_sub(free), now));
        let waiter = Waiter { place, expires: until.after(GRACE) };
        match found {
            Ok(at) => self.line[at] = waiter,
            Err(at) => self.line.insert(at, waiter),
        }
        let surely = self.closed_until.is_some() || (self.answered && self.limit().is_some());
        Err(Held { until, surely })
    }

    /// A request goes out; without an answer by `lost_at` it counts as accepted then.
    pub(super) fn sent(&mut self, id: u64, now: Moment, lost_at: Moment) {
        self.first_sent.get_or_insert(now);
        self.in_flight.push(id, now, lost_at);
    }

    /// No answer came: the request may have been accepted at any time until now, or was never sent.
    ///
    /// Says, like the next two, whether others may go on earlier than they were told.
    pub(super) fn failed(&mut self, id: u64, now: Moment, unsent: bool) -> bool {
        if self.in_flight.land(id).is_some() && !unsent {
            self.spend(now);
        }
        unsent && self.lets_others_go(now)
    }

    /// An answer came; one that refuses by the rate limit used nothing up.
    pub(super) fn answered(
        &mut self,
        id: u64,
        now: Moment,
        told: &RateLimit,
        status: StatusCode,
    ) -> bool {
        let (learned, foreign) = (self.learned, self.foreign);
        // A gateway's failure, or a token that is refused, says nothing of a limit.
        let telling = !status.is_server_error() && status != StatusCode::UNAUTHORIZED;
        let first = !self.answered && (telling || told.limit.is_some());
        self.answered |= first;
        self.learned = told.limit.or(self.learned);
        let refused = status == StatusCode::TOO_MANY_REQUESTS;
        if let Some(sent_at) = self.in_flight.land(id) {
            if !refused {
                self.spend(now);
            }
            self.see_others(sent_at, now, told);
        }
        let changed = first || refused || self.learned != learned || self.foreign != foreign;
        changed && self.lets_others_go(now)
    }

    /// What the service counts beyond this client's own requests was used up by others.
    fn see_others(&mut self, sent_at: Moment, now: Moment, told: &RateLimit) {
        let (Some(limit), Some(remaining)) = (told.limit, told.remaining) else { return };
        // It counted after the request was sent, so all that counted then may be in it.
        let before = self.spent.partition_point(|answered| answered.after(self.window) <= sent_at);
        let own = self.spent.len() - before + self.in_flight.len();
        let own = u32::try_from(own).unwrap_or(u32::MAX);
        let foreign = limit.saturating_sub(remaining).saturating_sub(own);
        let reset = told.reset_after.unwrap_or(self.window).min(self.window.saturating_mul(2));
        // Own requests that the service has not seen yet hide others': an earlier count stands.
        let earlier = self.foreign.filter(|(count, until)| *count > foreign && *until > now);
        let seen = (foreign > 0).then(|| (foreign, now.after(reset.max(self.window))));
        self.foreign = earlier.or(seen);
        if foreign > 0 && remaining == 0 {
            self.close(now.after(reset.max(LOOK_AGAIN)));
        }
    }

    fn lets_others_go(&mut self, now: Moment) -> bool {
        self.forget(now);
        !self.line.is_empty() && self.closed_until.is_none() && self.free(now) > 0
    }

    /// Nothing goes out before then: the service said so.
    pub(super) fn close(&mut self, until: Moment) {
        self.closed_until = self.closed_until.max(Some(until));
    }

    /// Gives up a place in line.
    pub(super) fn leave(&mut self, place: Place, now: Moment) -> bool {
        let Some(Ok(at)) = place.map(|place| self.find(place)) else { return false };
        self.line.remove(at);
        self.lets_others_go(now)
    }

    /// Where that place is in the line, or would be.
    fn find(&self, place: u64) -> Result<usize, usize> {
        // Mostly nobody waits.
        if self.line.is_empty() {
            return Err(0);
        }
        self.line.binary_search_by_key(&place, |waiter| waiter.place)
    }

    /// The tightest limit known.
    fn limit(&self) -> Option<usize> {
        self.budget.into_iter().chain(self.learned).min().map(|limit| limit.max(1) as usize)
    }

    /// How many may go at once.
    fn free(&self, now: Moment) -> usize {
        let foreign = self.foreign.map_or(0, |(count, _)| count as usize);
        let limit = match self.limit() {
            // At least one, or nobody would ever learn that the others have gone.
            Some(limit) => limit.saturating_sub(foreign).max(1),
            None => usize::MAX,
        };
        let limit = if self.answered { limit } else { limit.min(self.before_first_answer(now)) };
        limit.saturating_sub(self.counting() + self.in_flight.len())
    }

    /// How many answered requests still count.
    fn counting(&self) -> usize {
        self.spent.len() - self.lapsed
    }

    fn before_first_answer(&self, now: Moment) -> usize {
        let waited = self.first_sent.map_or(Duration::ZERO, |sent| now.since(sent));
        1 << (waited.as_secs() / PATIENCE.as_secs()).min(30)
    }

    /// When the n-th (from 0) of those who must wait can go at the earliest.
    fn opens_for(&self, n: usize, now: Moment) -> Moment {
        let Some(limit) = self.limit().filter(|_| self.answered) else {
            return now.after(LOOK_AGAIN);
        };
        let own = match self.spent.get(self.lapsed + n) {
            Some(answered) => answered.after(self.window),
            // Whatever is on its way counts for a window from its answer on, which is yet to come.
            None => {
                let rounds = u32::try_from((n - self.counting()) / limit).unwrap_or(u32::MAX);
                now.after(self.window.saturating_mul(rounds.saturating_add(1)))
            }
        };
        self.foreign.map_or(own, |(_, until)| own.min(until))
    }

    fn spend(&mut self, now: Moment) {
        if self.budget.is_some() || self.learned.is_some() {
            self.spent.push_back(now);
        }
    }

    /// Drops what no longer counts.
    fn forget(&mut self, now: Moment) {
        let lapses = |answered: &Moment, by: Moment| answered.after(self.window) <= by;
        while self.spent.get(self.lapsed).is_some_and(|answered| lapses(answered, now)) {
            self.lapsed += 1;
        }
        let oldest = self.in_flight.oldest().unwrap_or(now);
        while self.lapsed > 0 && self.spent.front().is_some_and(|answered| lapses(answered, oldest))
        {
            self.spent.pop_front();
            self.lapsed -= 1;
        }
        while self.in_flight.pop_lost(now) {
            self.spend(now);
        }
        while self.line.front().is_some_and(|waiter| waiter.expires <= now) {
            self.line.pop_front();
        }
        self.foreign = self.foreign.filter(|(_, until)| *until > now);
        self.closed_until = self.closed_until.filter(|until| *until > now);
    }
}

/// The requests that are on their way, in the order they were sent.
#[derive(Debug, Default)]
struct InFlight {
    sent: VecDeque<Sent>,
    /// How many of `sent` have landed, and wait only for the ones before them.
    landed: usize,
}

#[derive(Debug)]
struct Sent {
    id: u64,
    at: Moment,
    lost_at: Moment,
    landed: bool,
}

impl InFlight {
    fn len(&self) -> usize {
        self.sent.len() - self.landed
    }

    fn push(&mut self, id: u64, sent_at: Moment, lost_at: Moment) {
        self.sent.push_back(Sent { id, at: sent_at, lost_at, landed: false });
    }

    /// Takes a request out, if it was there; when it was sent.
    fn land(&mut self, id: u64) -> Option<Moment> {
        // Mostly it is the first one.
        let at = if self.sent.front()?.id == id {
            0
        } else {
            self.sent.binary_search_by_key(&id, |sent| sent.id).ok()?
        };
        let there = !std::mem::replace(&mut self.sent[at].landed, true);
        let sent_at = self.sent[at].at;
        self.landed += usize::from(there);
        self.pop_landed();
        there.then_some(sent_at)
    }

    /// When the first of them was sent.
    fn oldest(&self) -> Option<Moment> {
        self.sent.front().map(|sent| sent.at)
    }

    /// Takes out the first request if its answer will not come any more; whether it did.
    fn pop_lost(&mut self, now: Moment) -> bool {
        let lost = self.sent.front().filter(|sent| sent.lost_at <= now).map(|sent| sent.id);
        lost.is_some_and(|id| self.land(id).is_some())
    }

    fn pop_landed(&mut self) {
        while self.sent.front().is_some_and(|sent| sent.landed) {
            self.sent.pop_front();
            self.landed -= 1;
        }
    }
}

#[cfg(test)]
mod tests;
