//! Several processes that share one store, each with its own engine and clock.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use didit_core::{
    Bucket, CallError, Engine, Moment, Policy, StoreAnswer, StoreError, StoreRequest, StoreStep,
    TransportErrorKind,
};
use http::Request;

use super::caller::{Caller, Next};
use super::dice::Dice;
use super::service::{Reaction, Service};
use super::store::{Placeholder, Store};
use super::work::{Job, Output, Reply, Task};

/// The conditions of a schedule: the latencies and faults of the network, the service and the store.
#[derive(Clone, Debug)]
pub(crate) struct FleetConditions {
    /// The round-trip time of requests to the service.
    pub(crate) latency: Range<Duration>,
    /// The percentage of faults, each for requests and for responses of the service.
    pub(crate) faults: u64,
    /// The round-trip time of exchanges with the store.
    pub(crate) store_latency: Range<Duration>,
    /// The percentage of failed exchanges; the store still carries out half of them.
    pub(crate) store_faults: u64,
    /// The period in which the store is down.
    pub(crate) outage: Option<Range<Duration>>,
    /// The only process that cannot reach the store in that period; if none, no process can.
    pub(crate) cut_off: Option<usize>,
    /// The time at which the store loses all data.
    pub(crate) flush: Option<Duration>,
}

enum Event {
    Wake(usize, usize),
    Arrive(usize, usize, u32, Box<Request<Vec<u8>>>),
    Reply(usize, usize, Box<Reply>),
    PollStore(usize),
    Exchange(usize, Vec<StoreRequest>),
    Answers(usize, Result<Vec<StoreAnswer>, StoreError>),
    Kill(usize),
    Flush,
}

struct Process {
    engine: Engine,
    /// The reading of its clock at time zero.
    origin: Duration,
    callers: Vec<Caller>,
    waiting: BTreeSet<usize>,
    alive: bool,
    /// The next time at which its engine is polled for store requests.
    store_poll_at: Option<Moment>,
}

pub(crate) struct Fleet {
    processes: Vec<Process>,
    pub(crate) service: Service,
    store: Store,
    store_origin: Duration,
    conditions: FleetConditions,
    now: Moment,
    dice: Dice,
    /// The number of unfinished calls of running processes.
    busy: usize,
    scheduled: BTreeMap<(Moment, u64), Event>,
    serial: u64,
    /// The end of the timeout of each running process's token request.
    fetching: BTreeMap<usize, Moment>,
    max_fetching: usize,
    lost: usize,
}

impl Fleet {
    pub(crate) const START: Moment = Moment::new(Duration::from_secs(1000));

    pub(crate) fn new(seed: u64, service: Service, conditions: FleetConditions) -> Self {
        let mut dice = Dice(seed ^ 0xf1ee7);
        let mut fleet = Self {
            processes: Vec::new(),
            service,
            store: Store::default(),
            store_origin: dice.up_to(Duration::from_secs(100_000)),
            conditions,
            now: Self::START,
            dice,
            busy: 0,
            scheduled: BTreeMap::new(),
            serial: 0,
            fetching: BTreeMap::new(),
            max_fetching: 0,
            lost: 0,
        };
        if let Some(at) = fleet.conditions.flush {
            fleet.at(Self::START.after(at), Event::Flush);
        }
        fleet
    }

    /// Adds a process and returns its index.
    pub(crate) fn add_process(&mut self, policy: Policy) -> usize {
        let p = self.processes.len();
        let builder = Engine::builder(self.service.access.credentials()).policy(policy);
        let engine = builder.seed(self.dice.roll()).build_shared(&mut Placeholder).unwrap();
        self.processes.push(Process {
            engine,
            origin: self.dice.up_to(Duration::from_secs(100_000)),
            callers: Vec::new(),
            waiting: BTreeSet::new(),
            alive: true,
            store_poll_at: None,
        });
        self.at(self.now, Event::PollStore(p));
        p
    }

    /// Adds a caller that starts `after` from now.
    pub(crate) fn begin(&mut self, p: usize, after: Duration, job: Job) {
        let starts_at = self.now.after(after);
        let process = &mut self.processes[p];
        let n = process.callers.len();
        let session = format!("s-{p}-{n}");
        if let Task::Wait { decided_after, .. } = job.task {
            self.service.decide(&session, starts_at.after(decided_after));
        }
        let local = starts_at.after(process.origin);
        let policy = process.engine.policy();
        process.callers.push(Caller::new(job, session, local, false, policy, true));
        self.busy += 1;
        self.at(starts_at, Event::Wake(p, n));
    }

    /// Kills a process, which cleans up nothing.
    pub(crate) fn kill(&mut self, p: usize, after: Duration) {
        self.at(self.now.after(after), Event::Kill(p));
    }

    fn at(&mut self, moment: Moment, event: Event) {
        self.serial += 1;
        self.scheduled.insert((moment.max(self.now), self.serial), event);
    }

    /// Runs until every call of every running process has finished.
    pub(crate) fn run(mut self) -> Outcome {
        while self.busy > 0 {
            let ((moment, _), event) =
                self.scheduled.pop_first().expect("an event for the unfinished calls");
            self.now = moment;
            self.handle(event);
        }
        let survivors = self.processes.into_iter().filter(|process| process.alive);
        Outcome {
            taken: self.now.since(Self::START),
            results: survivors
                .flat_map(|process| process.callers)
                .filter_map(|caller| caller.done)
                .collect(),
            service: self.service,
            max_fetching: self.max_fetching,
            lost: self.lost,
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Wake(p, n) => self.poll(p, n),
            Event::Arrive(p, n, flight, request) => self.arrive(p, n, flight, &request),
            Event::Reply(p, n, reply) if self.processes[p].alive => {
                let now = self.clock(p);
                let process = &mut self.processes[p];
                let flight = process.callers[n].in_flight.as_ref();
                if flight.is_some_and(|flight| flight.token) {
                    self.fetching.remove(&p);
                }
                process.callers[n].receive(&reply, &mut process.engine, now);
                self.poll(p, n);
            }
            Event::PollStore(p) => {
                let now = self.now;
                self.processes[p].store_poll_at.take_if(|at| *at <= now);
                self.settle(p);
            }
            Event::Exchange(p, requests) => self.exchange(p, &requests),
            Event::Answers(p, answers) if self.processes[p].alive => {
                let now = self.clock(p);
                self.processes[p].engine.handle_store(now, answers);
                self.settle(p);
            }
            Event::Kill(p) if self.processes[p].alive => {
                let process = &mut self.processes[p];
                process.alive = false;
                // The process may have been about to report the limit to the others.
                let sent = process.callers.iter().any(Caller::has_sent);
                if sent && !self.store.knows_limit(Bucket::Decisions) {
                    self.lost += 1;
                }
                self.busy -= process.callers.iter().filter(|caller| !caller.is_finished()).count();
                self.fetching.remove(&p);
            }
            Event::Flush => self.store = Store::default(),
            Event::Reply(..) | Event::Answers(..) | Event::Kill(_) => {}
        }
    }

    fn clock(&self, p: usize) -> Moment {
        self.now.after(self.processes[p].origin)
    }

    /// Converts a moment of a process's clock to simulation time.
    fn true_time(&self, p: usize, moment: Moment) -> Moment {
        Moment::new(moment.since_origin().saturating_sub(self.processes[p].origin))
    }

    fn poll(&mut self, p: usize, n: usize) {
        let now = self.clock(p);
        let process = &mut self.processes[p];
        if !process.alive || process.callers[n].is_finished() {
            return;
        }
        match process.callers[n].poll(&mut process.engine, now) {
            Next::Send(request) => self.send(p, n, request),
            Next::WakeAt(until) => {
                process.waiting.insert(n);
                let until = self.true_time(p, until);
                self.at(until, Event::Wake(p, n));
            }
            Next::Nothing if process.callers[n].is_finished() => {
                self.busy -= 1;
                if let Some(job) = process.callers[n].job.next() {
                    let pause = self.dice.up_to(job.think);
                    self.begin(p, pause, job);
                }
            }
            Next::Nothing => {}
        }
        self.settle(p);
    }

    /// Follows up on a step of an engine: wakes other callers and polls for store requests.
    fn settle(&mut self, p: usize) {
        let now = self.clock(p);
        let process = &mut self.processes[p];
        if !process.alive {
            return;
        }
        if process.engine.take_wake() {
            for n in std::mem::take(&mut process.waiting) {
                self.at(self.now, Event::Wake(p, n));
            }
        }
        match self.processes[p].engine.poll_store(now) {
            StoreStep::Exchange(requests) => {
                let at = self.now.after(self.store_travel());
                self.at(at, Event::Exchange(p, requests));
            }
            StoreStep::Wait { until } => {
                assert!(until > now, "wait ends in the past");
                let until = self.true_time(p, until);
                let process = &mut self.processes[p];
                if process.store_poll_at.is_none_or(|at| until < at) {
                    process.store_poll_at = Some(until);
                    self.at(until, Event::PollStore(p));
                }
            }
        }
    }

    /// Carries out an exchange, even if the process has been killed meanwhile.
    fn exchange(&mut self, p: usize, requests: &[StoreRequest]) {
        let back = self.now.after(self.store_travel());
        let fails = |fleet: &mut Self| {
            fleet.at(back, Event::Answers(p, Err(StoreError::new("the store is down"))));
        };
        let since_start = self.now.since(Self::START);
        let outage = self.conditions.outage.as_ref();
        let down = outage.is_some_and(|outage| outage.contains(&since_start))
            && self.conditions.cut_off.is_none_or(|only| only == p);
        let faulty = self.dice.percent(self.conditions.store_faults);
        if down || (faulty && self.dice.percent(50)) {
            return fails(self);
        }
        let now = self.now.after(self.store_origin);
        let answers = requests.iter().map(|request| self.store.answer(p, request, now)).collect();
        if faulty {
            return fails(self);
        }
        self.at(back, Event::Answers(p, Ok(answers)));
    }

    fn send(&mut self, p: usize, n: usize, request: Box<Request<Vec<u8>>>) {
        let flight = self.processes[p].callers[n].in_flight.as_ref().expect("a request in flight");
        let (id, token) = (flight.id, flight.token);
        let lost_at = self.true_time(p, flight.lost_at);
        if token {
            let now = self.now;
            self.fetching.retain(|_, lost_at| *lost_at > now);
            let other = self.fetching.insert(p, lost_at);
            assert!(other.is_none(), "two token requests of one process at once");
            self.max_fetching = self.max_fetching.max(self.fetching.len());
        }
        let arrives = self.now.after(self.travel());
        let faulty = self.dice.percent(self.conditions.faults);
        match if faulty { self.dice.below(3) } else { 9 } {
            0 => self.fail(p, n, arrives.min(lost_at), TransportErrorKind::Connect),
            1 => self.fail(p, n, lost_at, TransportErrorKind::Timeout),
            _ => {
                if arrives >= lost_at {
                    self.lost += 1;
                    self.fail(p, n, lost_at, TransportErrorKind::Timeout);
                }
                // The request arrives even after a timeout or the end of the process.
                self.at(arrives, Event::Arrive(p, n, id, request));
            }
        }
    }

    fn fail(&mut self, p: usize, n: usize, at: Moment, kind: TransportErrorKind) {
        if kind != TransportErrorKind::Connect {
            self.may_have_arrived(p, n);
        }
        self.at(at, Event::Reply(p, n, Box::new(Reply::Failed(kind))));
    }

    fn arrive(&mut self, p: usize, n: usize, id: u32, request: &Request<Vec<u8>>) {
        let faulty = self.dice.percent(self.conditions.faults);
        let reaction = match if faulty { self.dice.below(4) } else { 9 } {
            0 => Reaction::Status(503),
            1 => Reaction::Status(429),
            2 => Reaction::Truncated,
            3 => Reaction::Revoking,
            _ => Reaction::Normal,
        };
        let answer = self.service.answer(request, self.now, reaction);
        let flight = self.processes[p].callers[n].in_flight.as_ref();
        let Some(flight) = flight.filter(|flight| flight.id == id) else { return };
        let lost_at = self.true_time(p, flight.lost_at);
        if lost_at <= self.now {
            return;
        }
        if ![401, 429].contains(&answer.status.as_u16()) {
            self.may_have_arrived(p, n);
        }
        let back = self.now.after(self.travel());
        if back >= lost_at {
            self.lost += 1;
            return self.fail(p, n, lost_at, TransportErrorKind::Timeout);
        }
        self.at(back, Event::Reply(p, n, Box::new(Reply::Whole(answer))));
    }

    fn travel(&mut self) -> Duration {
        self.dice.within(self.conditions.latency.clone()) / 2
    }

    fn store_travel(&mut self) -> Duration {
        self.dice.within(self.conditions.store_latency.clone()) / 2
    }

    fn may_have_arrived(&mut self, p: usize, n: usize) {
        let caller = &mut self.processes[p].callers[n];
        if caller.in_flight.as_ref().is_some_and(|flight| !flight.token) {
            caller.tries.may_have_arrived = true;
        }
    }
}

pub(crate) struct Outcome {
    pub(crate) taken: Duration,
    /// The results of the calls of all processes that were not killed.
    pub(crate) results: Vec<Result<Output, CallError>>,
    pub(crate) service: Service,
    /// The maximum number of concurrent token requests.
    pub(crate) max_fetching: usize,
    /// The number of requests and responses that took longer than the timeout, and of processes that
    /// were killed after sending requests, but before the store knew the limit.
    pub(crate) lost: usize,
}

impl Outcome {
    pub(crate) fn assert_all_succeeded(&self) {
        let failures: Vec<_> =
            self.results.iter().filter_map(|result| result.as_ref().err()).collect();
        assert!(failures.is_empty(), "{failures:?}");
    }
}
