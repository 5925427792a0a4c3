use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Moment;
use crate::endpoint::Bucket;
use crate::engine::shared_store::{Join, QuotaAnswer, QuotaRequest, SharedLimit};

/// This process's part of a quota that is shared through a store.
#[derive(Debug)]
pub(super) struct Permits {
    /// The longest time for which a request can be under way.
    longest_request: Duration,
    membership: Membership,
    next: u64,
    /// The numbers of the permits that no request has used, and until when one may.
    on_hand: VecDeque<(u64, Moment)>,
    /// The permits of the requests under way, by their tickets.
    in_use: BTreeMap<u64, u64>,
    /// The requests that count, with the time they ended, oldest first.
    completed: VecDeque<Completed>,
    unused: Vec<u64>,
    /// The request to the store that is under way.
    asked: Option<Asked>,
    /// The time at which to ask the store for more.
    ask_at: Moment,
    /// The limit that the store named last.
    told: SharedLimit,
    members: u32,
    gate_news: Option<GateNews>,
    /// The part that is left to this process while the store is lost.
    lost: Option<Lost>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Membership {
    /// No call has needed the quota.
    Idle,
    New,
    Member,
    Former,
}

#[derive(Debug)]
struct Completed {
    permit: u64,
    at: Moment,
    told: bool,
}

#[derive(Debug)]
struct Asked {
    at: Moment,
    first: u64,
    wanted: u32,
}

#[derive(Clone, Copy, Debug)]
enum GateNews {
    Closed(Moment),
    Opened,
}

#[derive(Debug)]
struct Lost {
    /// While the others' use of the window is unknown, no more than this process had.
    held: Option<(usize, Moment)>,
}

/// The limiter's state that is reported to the store beside its permits.
pub(super) struct State {
    pub(super) bucket: Bucket,
    pub(super) window: Duration,
    pub(super) budget: Option<u32>,
    pub(super) limit: SharedLimit,
    /// Number of calls that wait for a permit.
    pub(super) waiting: usize,
    pub(super) closed_until: Option<Moment>,
}

/// The time after which an unused permit is given back.
const HOLD: Duration = Duration::from_secs(1);
/// The most permits that are asked for at once.
const MOST: usize = 1000;

impl Permits {
    pub(super) fn new(longest_request: Duration) -> Self {
        Self {
            longest_request,
            membership: Membership::Idle,
            next: 0,
            on_hand: VecDeque::new(),
            in_use: BTreeMap::new(),
            completed: VecDeque::new(),
            unused: Vec::new(),
            asked: None,
            ask_at: Moment::default(),
            told: SharedLimit::Unknown,
            members: 1,
            gate_news: None,
            lost: None,
        }
    }

    /// Notes that a call needs the quota.
    pub(super) fn need(&mut self) {
        if self.membership == Membership::Idle {
            self.membership = Membership::New;
        }
    }

    /// Returns how many requests may go at once; `None` while the store is lost.
    pub(super) fn free(&self) -> Option<usize> {
        self.lost.is_none().then_some(self.on_hand.len())
    }

    /// Returns the part of `whole` that is left to this process while the store is lost.
    pub(super) fn share_of(&self, whole: usize) -> Option<usize> {
        let lost = self.lost.as_ref()?;
        let share = whole / self.members.max(1) as usize;
        let share = lost.held.map_or(share, |(held, _)| share.min(held));
        Some(share.max(1))
    }

    /// Takes a permit for the request with that ticket. While the store is lost it is one that
    /// nobody granted, so that the store hears of the request later.
    pub(super) fn take(&mut self, ticket: u64) {
        let permit = match self.on_hand.pop_front() {
            Some((permit, _)) => permit,
            None => self.number(1),
        };
        self.in_use.insert(ticket, permit);
    }

    /// Ends the use of a permit.
    pub(super) fn end(&mut self, ticket: u64, counts: bool, now: Moment) {
        match self.in_use.remove(&ticket) {
            Some(permit) if counts => {
                self.completed.push_back(Completed { permit, at: now, told: false });
            }
            Some(permit) if self.lost.is_none() => self.unused.push(permit),
            // A process that joins again tells all of its permits.
            _ => {}
        }
    }

    pub(super) fn gate_closed(&mut self, until: Moment) {
        self.gate_news = Some(GateNews::Closed(until));
    }

    pub(super) fn gate_opened(&mut self) {
        self.gate_news = Some(GateNews::Opened);
    }

    /// Drops what no longer counts.
    pub(super) fn forget(&mut self, now: Moment, window: Duration) {
        while self.completed.front().is_some_and(|done| done.at.after(window) <= now) {
            self.completed.pop_front();
        }
        while let Some(&(permit, _)) = self.on_hand.front().filter(|(_, until)| *until <= now) {
            self.on_hand.pop_front();
            self.unused.push(permit);
        }
        if let Some(lost) = &mut self.lost {
            lost.held.take_if(|(_, until)| *until <= now);
        }
    }

    /// Returns what to tell and to ask the store now, if there is anything; `anyway` asks for a
    /// sign of life as well.
    pub(super) fn request(
        &mut self,
        state: &State,
        now: Moment,
        anyway: bool,
    ) -> Option<QuotaRequest> {
        self.forget(now, state.window);
        // Nobody will use these.
        let waiting = if state.closed_until.is_some() { 0 } else { state.waiting };
        while self.on_hand.len() > waiting {
            self.unused.extend(self.on_hand.pop_back().map(|(permit, _)| permit));
        }
        let join = match self.membership {
            Membership::Idle => return None,
            Membership::Member => None,
            Membership::New | Membership::Former => Some(Join {
                again: self.membership == Membership::Former,
                in_flight: self.in_use.values().copied().collect(),
            }),
        };
        let joins = join.is_some();
        let completed: Vec<_> = self
            .completed
            .iter()
            .filter(|done| joins || !done.told)
            .map(|done| (done.permit, now.since(done.at)))
            .collect();
        let learned = (state.limit != self.told && state.limit != SharedLimit::Unknown)
            .then_some(state.limit);
        let wanted = (waiting - self.on_hand.len()).min(MOST);
        let wanted = if now < self.ask_at { 0 } else { u32::try_from(wanted).unwrap_or(u32::MAX) };
        let news = self.gate_news.take();
        if !joins
            && !anyway
            && completed.is_empty()
            && self.unused.is_empty()
            && learned.is_none()
            && news.is_none()
            && wanted == 0
        {
            return None;
        }
        let closed_until = match news {
            Some(GateNews::Closed(until)) => Some(until),
            _ if joins => state.closed_until,
            _ => None,
        };
        let first = self.number(wanted.into());
        self.asked = Some(Asked { at: now, first, wanted });
        for done in &mut self.completed {
            done.told = true;
        }
        Some(QuotaRequest {
            bucket: state.bucket,
            window: state.window,
            lease: HOLD + self.longest_request,
            budget: state.budget,
            join,
            completed,
            unused: std::mem::take(&mut self.unused),
            learned,
            closed_for: closed_until.map(|until| until.since(now)),
            opened: matches!(news, Some(GateNews::Opened)),
            first,
            wanted,
        })
    }

    /// Returns when there may be something to ask, if no step changes that.
    pub(super) fn ask_at(&self, waiting: usize, closed_until: Option<Moment>) -> Option<Moment> {
        let held = self.on_hand.front().map(|(_, until)| *until);
        let ask_at = closed_until.map_or(self.ask_at, |until| until.max(self.ask_at));
        (waiting > self.on_hand.len()).then_some(ask_at).into_iter().chain(held).min()
    }

    /// Takes the store's answer. Returns the limit, where it is news.
    pub(super) fn answered(&mut self, answer: &QuotaAnswer, now: Moment) -> Option<SharedLimit> {
        let asked = self.asked.take()?;
        self.lost = None;
        if !answer.member {
            self.leave();
            return None;
        }
        self.membership = Membership::Member;
        self.members = answer.members;
        self.ask_at = now.after(answer.wait);
        let usable_until = asked.at.after(HOLD);
        let granted = u64::from(answer.granted.min(asked.wanted));
        self.on_hand.extend((asked.first..asked.first + granted).map(|n| (n, usable_until)));
        let news = answer.limit != self.told;
        self.told = answer.limit;
        news.then_some(answer.limit)
    }

    /// Takes that the store is lost: `held` requests of this process are in the window.
    pub(super) fn lose(&mut self, held: usize, now: Moment, window: Duration) {
        self.asked = None;
        if self.lost.is_none() {
            let known = self.membership == Membership::Member;
            self.lost = Some(Lost { held: known.then_some((held, now.after(window))) });
        }
        self.ask_at = now;
        self.leave();
    }

    /// Forgets what the store has been told: a process that joins again tells it everything.
    fn leave(&mut self) {
        if self.membership == Membership::Member {
            self.membership = Membership::Former;
        }
        self.told = SharedLimit::Unknown;
        self.on_hand.clear();
        self.unused.clear();
    }

    fn number(&mut self, count: u64) -> u64 {
        let first = self.next;
        self.next += count;
        first
    }
}
