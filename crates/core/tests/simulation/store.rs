//! A model of the shared store, with the rules of the Redis adapter's scripts.

use std::collections::BTreeMap;
use std::time::Duration;

use didit_core::{
    Application, Bucket, Moment, QuotaAnswer, QuotaRequest, SharedLimit, SharedStore, SharedToken,
    StoreAnswer, StoreError, StoreRequest, TokenAnswer, TokenRequest,
};

use super::millis;

/// The index of a process.
pub(crate) type Member = usize;

/// A placeholder that enables sharing in an engine; the fleet carries its requests to the [`Store`].
#[derive(Debug)]
pub(crate) struct Placeholder;

impl SharedStore for Placeholder {
    fn open(&mut self, application: &Application<'_>) {
        assert_eq!((application.client_id, application.secret), ("id", "secret"));
    }

    fn exchange(&mut self, _: &[StoreRequest]) -> Result<Vec<StoreAnswer>, StoreError> {
        unreachable!("the fleet carries the requests")
    }
}

/// The state of the store, in moments of its own clock.
#[derive(Default)]
pub(crate) struct Store {
    quotas: Vec<(Bucket, QuotaRecord)>,
    token: Option<StoredToken>,
    /// The holder of the lease, the end of the lease, and its start.
    fetching: Option<(Member, Moment, Moment)>,
}

struct StoredToken {
    token: SharedToken,
    at: Moment,
}

#[derive(Default)]
struct QuotaRecord {
    limit: SharedLimit,
    first_grant: Option<Moment>,
    grants_from: Moment,
    /// The end of the time for which the service refuses requests, and the time of the next probe.
    closed: Option<(Moment, Moment)>,
    /// The permit for the probe of whether the service still refuses, and its process.
    prober: Option<(Member, u64)>,
    /// The time of the last report of a refusal.
    refused_at: Option<Moment>,
    /// The time at which each permit leaves the window.
    permits: BTreeMap<(Member, u64), Moment>,
    members: BTreeMap<Member, Moment>,
    /// The number of permits that each member waits for, and the time until which that counts.
    waiting: BTreeMap<Member, (u32, Moment)>,
}

const MEMBER_TIMEOUT: Duration = Duration::from_secs(30);
const REASSEMBLY: Duration = Duration::from_secs(1);
const PROBE_INTERVAL: Duration = Duration::from_secs(15 * 60);
/// The interval if a probe showed nothing.
const PROBE_PAUSE: Duration = Duration::from_secs(5);
const GRACE: Duration = millis(100);
/// The longest time in which a refusal is reported.
const REPORTED: Duration = Duration::from_secs(1);
/// The pause before asking again for a limit that another process is about to learn, and the
/// minimum pause for a token.
const RECHECK: Duration = millis(20);
/// The longest pause before asking again for a token.
const LATEST: Duration = Duration::from_secs(1);

impl Store {
    pub(crate) fn knows_limit(&self, bucket: Bucket) -> bool {
        let known = |record: &QuotaRecord| record.limit != SharedLimit::Unknown;
        self.quotas.iter().any(|(other, record)| *other == bucket && known(record))
    }

    pub(crate) fn answer(
        &mut self,
        member: Member,
        request: &StoreRequest,
        now: Moment,
    ) -> StoreAnswer {
        match request {
            StoreRequest::Token(request) => StoreAnswer::Token(self.token(member, request, now)),
            StoreRequest::Quota(request) => {
                let found = self.quotas.iter().position(|(bucket, _)| *bucket == request.bucket);
                let at = found.unwrap_or_else(|| {
                    self.quotas.push((request.bucket, QuotaRecord::default()));
                    self.quotas.len() - 1
                });
                StoreAnswer::Quota(self.quotas[at].1.answer(member, request, now))
            }
        }
    }

    fn token(&mut self, member: Member, request: &TokenRequest, now: Moment) -> TokenAnswer {
        self.fetching.take_if(|(_, until, _)| *until <= now);
        self.token.take_if(|stored| stored.at.after(stored.token.lifetime) <= now);
        let available = self.fetching.is_none_or(|(holder, ..)| holder == member);
        let (until, since) = self.fetching.map_or((now, now), |(_, until, since)| (until, since));
        match request {
            TokenRequest::Get { lease, known } => match &self.token {
                Some(stored) if stored.at.after(stored.token.renew_after) > now => {
                    stored.answer(now)
                }
                _ if available => {
                    self.fetching = Some((member, now.after(*lease), now));
                    TokenAnswer::Fetch
                }
                Some(stored)
                    if known
                        .as_ref()
                        .is_none_or(|known| known.expose() != stored.token.token.expose()) =>
                {
                    stored.answer(now)
                }
                _ => {
                    let pause = (now.since(since) / 8).clamp(RECHECK, LATEST);
                    TokenAnswer::Wait(pause.min(until.since(now)).max(millis(1)))
                }
            },
            TokenRequest::Hold { lease, age } => {
                if let Some(stored) = self.token.as_ref().filter(|it| now.since(it.at) < *age) {
                    return stored.answer(now);
                }
                if available {
                    self.fetching = Some((member, now.after(*lease), since));
                }
                TokenAnswer::Done
            }
            TokenRequest::Put(token) => {
                let renewal = |stored: &StoredToken| stored.at.after(stored.token.renew_after);
                let current = self.token.as_ref().map(renewal).filter(|at| *at > now);
                if current.is_none_or(|at| at < now.after(token.renew_after)) {
                    self.token = Some(StoredToken { token: token.clone(), at: now });
                }
                self.fetching.take_if(|_| available);
                TokenAnswer::Done
            }
            TokenRequest::Release => {
                self.fetching.take_if(|_| available);
                TokenAnswer::Done
            }
            TokenRequest::Discard(refused) => {
                self.token.take_if(|stored| stored.token.token.expose() == refused.expose());
                TokenAnswer::Done
            }
        }
    }
}

impl StoredToken {
    fn answer(&self, now: Moment) -> TokenAnswer {
        let age = now.since(self.at);
        TokenAnswer::Token(SharedToken {
            token: self.token.token.clone(),
            lifetime: self.token.lifetime.saturating_sub(age),
            renew_after: self.token.renew_after.saturating_sub(age),
        })
    }
}

impl QuotaRecord {
    fn answer(&mut self, member: Member, request: &QuotaRequest, now: Moment) -> QuotaAnswer {
        self.permits.retain(|_, leaves| *leaves > now);
        self.members.retain(|_, seen| seen.after(MEMBER_TIMEOUT) > now);
        self.waiting.retain(|_, (_, until)| *until > now);
        let mut answer = QuotaAnswer {
            bucket: request.bucket,
            member: false,
            granted: 0,
            wait: Duration::ZERO,
            closed: false,
            limit: self.limit,
            members: 0,
        };
        if let Some(join) = &request.join {
            if self.members.is_empty() && join.again {
                self.grants_from = now.after(REASSEMBLY);
            }
            self.permits.retain(|(holder, _), _| *holder != member);
            for permit in &join.in_flight {
                let leaves = now.after(request.lease + request.window);
                self.permits.insert((member, *permit), leaves);
            }
        } else if !self.members.contains_key(&member) {
            return answer;
        }
        self.members.insert(member, now);
        self.learn(member, request, now);
        (answer.member, answer.limit) = (true, self.limit);
        answer.members = u32::try_from(self.members.len()).unwrap();
        if let Some((until, probe)) = self.closed.filter(|closed| closed.0.min(closed.1) > now) {
            (answer.closed, answer.wait) = (true, until.min(probe).since(now));
            return answer;
        }
        if self.grants_from > now {
            answer.wait = self.grants_from.since(now);
            return answer;
        }
        (answer.granted, answer.wait) = self.grant(member, request, now);
        answer
    }

    fn learn(&mut self, member: Member, request: &QuotaRequest, now: Moment) {
        for (permit, age) in &request.completed {
            // Not computed from the time of completion, which may precede the clock's origin.
            let leaves = now.after(request.window.saturating_sub(*age));
            self.permits.insert((member, *permit), leaves);
        }
        for permit in &request.unused {
            self.permits.remove(&(member, *permit));
        }
        let completed = request.completed.iter().map(|(permit, _)| permit);
        let mut ended = completed.chain(&request.unused).map(|permit| (member, *permit));
        if ended.any(|permit| self.prober == Some(permit)) {
            self.prober = None;
            if let Some((_, probe)) = &mut self.closed {
                *probe = now.after(PROBE_PAUSE);
            }
        }
        self.limit = request.learned.unwrap_or(self.limit);
        if let Some(gate) = &request.gate {
            let is_newer =
                self.refused_at.is_none_or(|at| gate.age.saturating_add(REPORTED) <= now.since(at));
            let known = self.closed.filter(|_| !is_newer || !gate.named);
            self.closed.take_if(|_| is_newer);
            // A report of unknown age, or from before the gate opened, has no effect.
            let counts = is_newer || (self.closed.is_some() && gate.age <= PROBE_INTERVAL);
            if !gate.closed_for.is_zero() && counts {
                let until = now.after(gate.closed_for);
                let closed = self.closed.get_or_insert((until, now.after(PROBE_INTERVAL)));
                closed.0 = known.map_or(until, |(end, _)| end.max(until));
                if is_newer {
                    self.refused_at = Some(now);
                }
            }
        }
        self.closed.take_if(|(until, _)| *until <= now);
    }

    fn grant(&mut self, member: Member, request: &QuotaRequest, now: Moment) -> (u32, Duration) {
        let limit = match self.limit {
            SharedLimit::Unknown => {
                let waited = self.first_grant.map_or(Duration::ZERO, |first| now.since(first));
                1 << waited.as_secs().min(30)
            }
            SharedLimit::Unlimited => u32::MAX,
            SharedLimit::Of(limit) => limit,
        };
        let limit = limit.min(request.budget.unwrap_or(u32::MAX)).max(1);
        let free = limit.saturating_sub(u32::try_from(self.permits.len()).unwrap());
        let demand = self.waiting.remove(&member);
        let share = limit / (u32::try_from(self.waiting.len()).unwrap() + 1);
        let share = share.max(1);
        let held = |member: Member| {
            u32::try_from(self.permits.range((member, 0)..=(member, u64::MAX)).count()).unwrap()
        };
        let due = |member: Member| share.saturating_sub(held(member));
        let reserved: u32 = self.waiting.iter().map(|(it, (want, _))| due(*it).min(*want)).sum();
        let most = due(member).min(free).max(free.saturating_sub(reserved));
        let mut granted = request.wanted.min(most);
        if let Some(closed) = self.closed.as_mut().filter(|_| granted > 0) {
            closed.1 = now.after((request.lease + PROBE_PAUSE).min(PROBE_INTERVAL));
            self.prober = Some((member, request.first));
            granted = 1;
        }
        if granted > 0 {
            self.first_grant.get_or_insert(now);
        }
        if limit < u32::MAX {
            for permit in request.first..request.first + u64::from(granted) {
                let leaves = now.after(request.lease + request.window);
                self.permits.insert((member, permit), leaves);
            }
        }
        if request.wanted == 0 {
            self.waiting.extend(demand.map(|demand| (member, demand)));
        }
        if granted == request.wanted {
            return (granted, Duration::ZERO);
        }
        let next = self.permits.values().min().copied().filter(|_| granted == free);
        let wait = match self.limit {
            SharedLimit::Unknown => RECHECK,
            _ => {
                let wait = next.unwrap_or(now).since(now).min(request.window / 20);
                wait.max(request.window / 500).max(millis(1))
            }
        };
        self.waiting.insert(member, (request.wanted - granted, now.after(wait + GRACE)));
        (granted, wait)
    }
}
