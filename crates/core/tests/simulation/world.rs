//! Many callers of one or more engines in virtual time, over a network with latency and faults.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use didit_core::{CallError, Engine, Moment, Policy, TransportErrorKind};
use http::Request;

use super::caller::{Caller, Next};
use super::dice::Dice;
use super::service::{Access, Reaction, Service};
use super::work::{Job, Output, Reply, Task};

/// The conditions of a schedule: the latency and faults of the network, the service and the callers.
#[derive(Clone)]
pub(crate) struct Conditions {
    /// The round-trip time of requests.
    pub(crate) latency: Range<Duration>,
    /// The percentage of faults, each for requests and for responses.
    pub(crate) faults: u64,
    /// The percentage of responses whose body is cut off after the head.
    pub(crate) cut_off: u64,
    /// True if cut-off responses are reported to the engine as their equivalent.
    pub(crate) normalized: bool,
    /// The percentage of calls that are dropped at some point, half of them without `cancel`.
    pub(crate) dropped: u64,
    /// The percentage of calls for decisions whose deadline starts with the first request.
    pub(crate) queued: u64,
    /// True if another client uses the same quota.
    pub(crate) shared_quota: bool,
}

impl Conditions {
    /// Returns conditions without faults, with a random latency of up to `latency`.
    pub(crate) fn ideal(latency: Duration) -> Self {
        Self {
            latency: Duration::ZERO..latency,
            faults: 0,
            cut_off: 0,
            normalized: false,
            dropped: 0,
            queued: 0,
            shared_quota: false,
        }
    }
}

enum Event {
    Wake(usize),
    Arrive(usize, u32, Box<Request<Vec<u8>>>),
    Reply(usize, Box<Reply>),
    Drop(usize),
    OtherClient,
}

pub(crate) struct World {
    /// The engines, one per client of the service.
    engines: Vec<Engine>,
    service: Service,
    now: Moment,
    conditions: Conditions,
    dice: Dice,
    callers: Vec<Caller>,
    /// The number of unfinished calls.
    busy: usize,
    /// The future events by time, and for the same time in the order in which they were scheduled.
    scheduled: BTreeMap<(Moment, u64), Event>,
    serial: u64,
    /// The waiting callers of each client.
    waiting: Vec<BTreeSet<usize>>,
    lost: usize,
}

impl World {
    pub(crate) const START: Moment = Moment::new(Duration::from_secs(1000));

    pub(crate) fn new(seed: u64, policy: Policy, service: Service, conditions: Conditions) -> Self {
        Self::with_clients(1, seed, policy, service, conditions)
    }

    /// Creates a world with several independent clients.
    pub(crate) fn with_clients(
        clients: usize,
        seed: u64,
        policy: Policy,
        service: Service,
        conditions: Conditions,
    ) -> Self {
        let policies = (seed..).zip(std::iter::repeat_n(policy, clients));
        let engines = policies.map(|(seed, policy)| {
            let builder = Engine::builder(service.access.credentials());
            builder.policy(policy).seed(seed).build().unwrap()
        });
        let engines: Vec<_> = engines.collect();
        Self {
            waiting: vec![BTreeSet::new(); engines.len()],
            engines,
            service,
            now: Self::START,
            conditions,
            dice: Dice(seed ^ 0x5eed),
            callers: Vec::new(),
            busy: 0,
            scheduled: BTreeMap::new(),
            serial: 0,
            lost: 0,
        }
    }

    /// Adds a caller that starts `after` from now.
    pub(crate) fn begin(&mut self, after: Duration, job: Job) {
        let (n, starts_at) = (self.callers.len(), self.now.after(after));
        let session = format!("s-{n}");
        if let Task::Wait { decided_after, .. } = job.task {
            self.service.decide(&session, starts_at.after(decided_after));
        }
        let queued =
            matches!(job.task, Task::Decision) && self.dice.percent(self.conditions.queued);
        let renews = matches!(self.service.access, Access::Tokens(_));
        let policy = self.engines[job.client].policy();
        let timeout = job.timeout.unwrap_or(policy.call_timeout);
        self.callers.push(Caller::new(job, session, starts_at, queued, policy, renews));
        self.busy += 1;
        self.at(starts_at, Event::Wake(n));
        if self.dice.percent(self.conditions.dropped) {
            let moment = starts_at.after(self.dice.up_to(timeout));
            self.at(moment, Event::Drop(n));
        }
    }

    fn at(&mut self, moment: Moment, event: Event) {
        self.serial += 1;
        self.scheduled.insert((moment.max(self.now), self.serial), event);
    }

    /// Runs until every call has finished.
    pub(crate) fn run(mut self) -> Outcome {
        if self.conditions.shared_quota {
            self.at(self.now, Event::OtherClient);
        }
        while self.busy > 0 {
            let ((moment, _), event) =
                self.scheduled.pop_first().expect("an event for the unfinished calls");
            assert!(moment >= self.now);
            self.now = moment;
            self.handle(event);
            for client in 0..self.engines.len() {
                if self.engines[client].take_wake() {
                    for n in std::mem::take(&mut self.waiting[client]) {
                        self.at(self.now, Event::Wake(n));
                    }
                }
            }
        }
        Outcome {
            taken: self.now.since(Self::START),
            results: self.callers.into_iter().map(|caller| caller.done).collect(),
            service: self.service,
            lost: self.lost,
        }
    }

    fn handle(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::Wake(n) => self.poll(n),
            Event::Arrive(n, flight, request) => self.arrive(n, flight, &request),
            Event::Reply(n, reply) => {
                let caller = &mut self.callers[n];
                caller.receive(&reply, &mut self.engines[caller.job.client], now);
                self.poll(n);
            }
            Event::Drop(n) => {
                let silently = self.dice.percent(50);
                let caller = &mut self.callers[n];
                if !caller.is_finished() {
                    caller.drop_call(silently, &mut self.engines[caller.job.client], now);
                    self.start_next(n);
                }
            }
            Event::OtherClient => {
                if let Some(quota) = &mut self.service.quota {
                    let _ = quota.take(now);
                    let pause = quota.window / u32::try_from(quota.limit).unwrap();
                    let pause = self.dice.within(pause..pause * 3);
                    self.at(now.after(pause), Event::OtherClient);
                }
            }
        }
    }

    fn poll(&mut self, n: usize) {
        if self.callers[n].is_finished() {
            return;
        }
        let client = self.callers[n].job.client;
        match self.callers[n].poll(&mut self.engines[client], self.now) {
            Next::Send(request) => self.send(n, request),
            Next::WakeAt(until) => {
                self.waiting[client].insert(n);
                self.at(until, Event::Wake(n));
            }
            Next::Nothing if self.callers[n].is_finished() => self.start_next(n),
            Next::Nothing => {}
        }
    }

    /// Starts the next call of a caller whose call has finished.
    fn start_next(&mut self, n: usize) {
        self.busy -= 1;
        if let Some(job) = self.callers[n].job.next() {
            let pause = self.dice.up_to(job.think);
            self.begin(pause, job);
        }
    }

    fn send(&mut self, n: usize, request: Box<Request<Vec<u8>>>) {
        let now = self.now;
        let client = self.callers[n].job.client;
        let callers = self.callers.iter().filter(|caller| caller.job.client == client);
        let flights = callers.filter_map(|caller| caller.in_flight.as_ref());
        let flight = self.callers[n].in_flight.as_ref().expect("a request in flight");
        let (id, lost_at) = (flight.id, flight.lost_at);
        if flight.token {
            let live = flights.filter(|flight| flight.token && flight.lost_at > now).count();
            assert_eq!(live, 1, "two token requests at once");
        }
        let arrives = now.after(self.travel());
        let faulty = self.dice.percent(self.conditions.faults);
        match if faulty { self.dice.below(4) } else { 9 } {
            0 => self.fail(n, arrives.min(lost_at), TransportErrorKind::Connect),
            1 => self.fail(n, lost_at, TransportErrorKind::Timeout),
            2 => self.fail(n, arrives.min(lost_at), TransportErrorKind::ConnectionLost),
            _ => {
                if arrives >= lost_at {
                    self.lost += 1;
                    self.fail(n, lost_at, TransportErrorKind::Timeout);
                }
                // The request arrives even after a timeout.
                self.at(arrives, Event::Arrive(n, id, request));
            }
        }
    }

    fn fail(&mut self, n: usize, at: Moment, kind: TransportErrorKind) {
        if kind != TransportErrorKind::Connect {
            self.may_have_arrived(n);
        }
        self.at(at, Event::Reply(n, Box::new(Reply::Failed(kind))));
    }

    fn arrive(&mut self, n: usize, id: u32, request: &Request<Vec<u8>>) {
        let now = self.now;
        let reaction =
            match if self.dice.percent(self.conditions.faults) { self.dice.below(6) } else { 9 } {
                0 => Reaction::Status(500),
                1 => Reaction::Status(503),
                2 => Reaction::Status(429),
                3 => Reaction::Truncated,
                4 => Reaction::Revoking,
                5 if self.dice.percent(20) => Reaction::Status(404),
                _ => Reaction::Normal,
            };
        let answer = self.service.answer(request, now, reaction);
        // The caller has given up a request that arrives after the timeout.
        let flight = self.callers[n].in_flight.as_ref();
        let Some(flight) = flight.filter(|flight| flight.id == id && flight.lost_at > now) else {
            return;
        };
        let lost_at = flight.lost_at;
        if ![401, 429].contains(&answer.status.as_u16()) {
            self.may_have_arrived(n);
        }
        let back = now.after(self.travel());
        // The adapter reports a timeout instead of a response that arrives too late.
        if back >= lost_at {
            self.lost += 1;
            return self.fail(n, lost_at, TransportErrorKind::Timeout);
        }
        let cut_off = self.dice.percent(self.conditions.cut_off);
        let kind = cut_off.then(|| self.dice.choose(&FAILURES));
        let reply = match kind {
            Some(kind) => Reply::CutOff(kind, answer),
            None => Reply::Whole(answer),
        };
        // A body that stalls is noticed at the end of the timeout.
        let at = if kind == Some(TransportErrorKind::Timeout) { lost_at } else { back };
        let reply = if self.conditions.normalized { reply.normalized() } else { reply };
        self.at(at, Event::Reply(n, Box::new(reply)));
    }

    /// Returns the time for one direction.
    fn travel(&mut self) -> Duration {
        self.dice.within(self.conditions.latency.clone()) / 2
    }

    fn may_have_arrived(&mut self, n: usize) {
        let caller = &mut self.callers[n];
        if caller.in_flight.as_ref().is_some_and(|flight| !flight.token) {
            caller.tries.may_have_arrived = true;
        }
    }
}

/// The errors that an adapter may report for a body that was cut off.
const FAILURES: [TransportErrorKind; 4] = [
    TransportErrorKind::Connect,
    TransportErrorKind::Certificate,
    TransportErrorKind::Timeout,
    TransportErrorKind::ConnectionLost,
];

pub(crate) struct Outcome {
    pub(crate) taken: Duration,
    /// The results in the order in which the calls were added; `None` for dropped calls.
    pub(crate) results: Vec<Option<Result<Output, CallError>>>,
    pub(crate) service: Service,
    /// The number of requests and responses that took longer than the timeout.
    pub(crate) lost: usize,
}

impl Outcome {
    pub(crate) fn succeeded(&self) -> usize {
        self.results.iter().filter(|result| matches!(result, Some(Ok(_)))).count()
    }

    pub(crate) fn failures(&self) -> Vec<&CallError> {
        self.results.iter().filter_map(|result| result.as_ref()?.as_ref().err()).collect()
    }

    pub(crate) fn assert_all_succeeded(&self) {
        assert_eq!(self.succeeded(), self.results.len(), "{:?}", self.failures());
    }
}
