//! Several processes, each with an engine and a clock of its own, that share one store.

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
use super::service::{Mood, Service};
use super::store::{Somewhere, Store};
use super::work::{Ask, Given, Job, Reply};

/// The weather of a schedule: the faults of the network, the service, the store and the processes.
#[derive(Clone, Debug)]
pub(crate) struct Climate {
    /// Of requests to the service.
    pub(crate) latency: Range<Duration>,
    /// In percent of the requests to the service.
    pub(crate) faults: u64,
    /// Of exchanges with the store.
    pub(crate) store_latency: Range<Duration>,
    /// In percent of the exchanges: half of them are carried out all the same.
    pub(crate) store_faults: u64,
    /// The times at which the store is down.
    pub(crate) outage: Option<Range<Duration>>,
    /// The times at which the store forgets everything.
    pub(crate) flush: Option<Duration>,
}

enum Happening {
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
    /// The time on its clock at the beginning.
    origin: Duration,
    callers: Vec<Caller>,
    waiting: BTreeSet<usize>,
    alive: bool,
    /// The time at which its engine is polled for the store.
    store_poll_at: Option<Moment>,
}

pub(crate) struct Fleet {
    processes: Vec<Process>,
    service: Service,
    store: Store,
    store_origin: Duration,
    climate: Climate,
    now: Moment,
    dice: Dice,
    /// Number of unfinished calls of processes that live.
    busy: usize,
    to_come: BTreeMap<(Moment, u64), Happening>,
    serial: u64,
    /// Until when the token requests of the processes that live are waited for.
    fetching: BTreeMap<usize, Moment>,
    most_fetching: usize,
    lost: usize,
}

impl Fleet {
    pub(crate) const BEGINNING: Moment = Moment::new(Duration::from_secs(1000));

    pub(crate) fn new(seed: u64, service: Service, climate: Climate) -> Self {
        let mut dice = Dice(seed ^ 0xf1ee7);
        let mut fleet = Self {
            processes: Vec::new(),
            service,
            store: Store::default(),
            store_origin: dice.up_to(Duration::from_secs(100_000)),
            climate,
            now: Self::BEGINNING,
            dice,
            busy: 0,
            to_come: BTreeMap::new(),
            serial: 0,
            fetching: BTreeMap::new(),
            most_fetching: 0,
            lost: 0,
        };
        if let Some(at) = fleet.climate.flush {
            fleet.at(Self::BEGINNING.after(at), Happening::Flush);
        }
        fleet
    }

    /// Adds a process, and returns its number.
    pub(crate) fn add_process(&mut self, policy: Policy) -> usize {
        let p = self.processes.len();
        let builder = Engine::builder(self.service.access.credentials()).policy(policy);
        let engine = builder.seed(self.dice.roll()).shared_store(&mut Somewhere).build().unwrap();
        self.processes.push(Process {
            engine,
            origin: self.dice.up_to(Duration::from_secs(100_000)),
            callers: Vec::new(),
            waiting: BTreeSet::new(),
            alive: true,
            store_poll_at: None,
        });
        self.at(self.now, Happening::PollStore(p));
        p
    }

    /// Adds a caller that begins `after` from now.
    pub(crate) fn begin(&mut self, p: usize, after: Duration, job: Job) {
        let begins = self.now.after(after);
        let process = &mut self.processes[p];
        let n = process.callers.len();
        let session = format!("s-{p}-{n}");
        if let Ask::Wait { decided_after, .. } = job.ask {
            self.service.decide(&session, begins.after(decided_after));
        }
        let local = begins.after(process.origin);
        let policy = process.engine.policy();
        process.callers.push(Caller::new(job, session, local, false, policy, true));
        self.busy += 1;
        self.at(begins, Happening::Wake(p, n));
    }

    /// Ends a process without a word.
    pub(crate) fn kill(&mut self, p: usize, after: Duration) {
        self.at(self.now.after(after), Happening::Kill(p));
    }

    fn at(&mut self, moment: Moment, happening: Happening) {
        self.serial += 1;
        self.to_come.insert((moment.max(self.now), self.serial), happening);
    }

    /// Runs until every call of every process that lives is over.
    pub(crate) fn run(mut self) -> Outcome {
        while self.busy > 0 {
            let ((moment, _), happening) =
                self.to_come.pop_first().expect("somebody waits for something");
            self.now = moment;
            self.happen(happening);
        }
        let survivors = self.processes.into_iter().filter(|process| process.alive);
        Outcome {
            taken: self.now.since(Self::BEGINNING),
            results: survivors.flat_map(|it| it.callers).filter_map(|it| it.done).collect(),
            service: self.service,
            most_fetching: self.most_fetching,
            lost: self.lost,
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Wake(p, n) => self.poll(p, n),
            Happening::Arrive(p, n, flight, request) => self.arrive(p, n, flight, &request),
            Happening::Reply(p, n, reply) if self.processes[p].alive => {
                let now = self.clock(p);
                let process = &mut self.processes[p];
                let flight = process.callers[n].in_flight.as_ref();
                if flight.is_some_and(|flight| flight.token) {
                    self.fetching.remove(&p);
                }
                process.callers[n].receive(&reply, &mut process.engine, now);
                self.poll(p, n);
            }
            Happening::PollStore(p) => {
                let now = self.now;
                self.processes[p].store_poll_at.take_if(|at| *at <= now);
                self.settle(p);
            }
            Happening::Exchange(p, requests) => self.exchange(p, &requests),
            Happening::Answers(p, answers) if self.processes[p].alive => {
                let now = self.clock(p);
                self.processes[p].engine.handle_store(now, answers);
                self.settle(p);
            }
            Happening::Kill(p) if self.processes[p].alive => {
                let process = &mut self.processes[p];
                process.alive = false;
                // It may be the one that would have told the others the limit.
                let asked = process.callers.iter().any(Caller::has_sent);
                if asked && !self.store.knows_limit(Bucket::Decisions) {
                    self.lost += 1;
                }
                self.busy -= process.callers.iter().filter(|caller| !caller.is_over()).count();
                self.fetching.remove(&p);
            }
            Happening::Flush => self.store = Store::default(),
            Happening::Reply(..) | Happening::Answers(..) | Happening::Kill(_) => {}
        }
    }

    fn clock(&self, p: usize) -> Moment {
        self.now.after(self.processes[p].origin)
    }

    /// Translates a moment of a process's clock.
    fn true_time(&self, p: usize, moment: Moment) -> Moment {
        Moment::new(moment.since_origin().saturating_sub(self.processes[p].origin))
    }

    fn poll(&mut self, p: usize, n: usize) {
        let now = self.clock(p);
        let process = &mut self.processes[p];
        if !process.alive || process.callers[n].is_over() {
            return;
        }
        match process.callers[n].poll(&mut process.engine, now) {
            Next::Send(request) => self.send(p, n, request),
            Next::WakeAt(until) => {
                process.waiting.insert(n);
                let until = self.true_time(p, until);
                self.at(until, Happening::Wake(p, n));
            }
            Next::Nothing if process.callers[n].is_over() => {
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

    /// Does what follows a step of an engine: wakes others, and asks the store.
    fn settle(&mut self, p: usize) {
        let now = self.clock(p);
        let process = &mut self.processes[p];
        if !process.alive {
            return;
        }
        if process.engine.take_wake() {
            for n in std::mem::take(&mut process.waiting) {
                self.at(self.now, Happening::Wake(p, n));
            }
        }
        match self.processes[p].engine.poll_store(now) {
            StoreStep::Exchange(requests) => {
                let at = self.now.after(self.store_travel());
                self.at(at, Happening::Exchange(p, requests));
            }
            StoreStep::Wait { until } => {
                assert!(until > now, "it waits for the past");
                let until = self.true_time(p, until);
                let process = &mut self.processes[p];
                if process.store_poll_at.is_none_or(|at| until < at) {
                    process.store_poll_at = Some(until);
                    self.at(until, Happening::PollStore(p));
                }
            }
        }
    }

    /// Carries an exchange out, also for a process that has gone meanwhile.
    fn exchange(&mut self, p: usize, requests: &[StoreRequest]) {
        let back = self.now.after(self.store_travel());
        let fails = |it: &mut Self| {
            it.at(back, Happening::Answers(p, Err(StoreError::new("it is not there"))));
        };
        let since_beginning = self.now.since(Self::BEGINNING);
        let away = self.climate.outage.as_ref().is_some_and(|it| it.contains(&since_beginning));
        let faulty = self.dice.percent(self.climate.store_faults);
        if away || (faulty && self.dice.percent(50)) {
            return fails(self);
        }
        let now = self.now.after(self.store_origin);
        let answers = requests.iter().map(|request| self.store.answer(p, request, now)).collect();
        if faulty {
            return fails(self);
        }
        self.at(back, Happening::Answers(p, Ok(answers)));
    }

    fn send(&mut self, p: usize, n: usize, request: Box<Request<Vec<u8>>>) {
        let flight = self.processes[p].callers[n].in_flight.as_ref().expect("it was sent");
        let (id, token) = (flight.id, flight.token);
        let lost_at = self.true_time(p, flight.lost_at);
        if token {
            let now = self.now;
            self.fetching.retain(|_, lost_at| *lost_at > now);
            let other = self.fetching.insert(p, lost_at);
            assert!(other.is_none(), "two token requests of one process at once");
            self.most_fetching = self.most_fetching.max(self.fetching.len());
        }
        let arrives = self.now.after(self.travel());
        let faulty = self.dice.percent(self.climate.faults);
        match if faulty { self.dice.below(3) } else { 9 } {
            0 => self.fail(p, n, arrives.min(lost_at), TransportErrorKind::Connect),
            1 => self.fail(p, n, lost_at, TransportErrorKind::Timeout),
            _ => {
                if arrives >= lost_at {
                    self.lost += 1;
                    self.fail(p, n, lost_at, TransportErrorKind::Timeout);
                }
                // Neither a timeout nor the end of a process calls back what is on its way.
                self.at(arrives, Happening::Arrive(p, n, id, request));
            }
        }
    }

    fn fail(&mut self, p: usize, n: usize, at: Moment, kind: TransportErrorKind) {
        if kind != TransportErrorKind::Connect {
            self.may_have_arrived(p, n);
        }
        self.at(at, Happening::Reply(p, n, Box::new(Reply::Failed(kind))));
    }

    fn arrive(&mut self, p: usize, n: usize, id: u32, request: &Request<Vec<u8>>) {
        let faulty = self.dice.percent(self.climate.faults);
        let mood = match if faulty { self.dice.below(4) } else { 9 } {
            0 => Mood::Status(503),
            1 => Mood::Status(429),
            2 => Mood::Truncated,
            3 => Mood::Revoking,
            _ => Mood::Well,
        };
        let answer = self.service.answer(request, self.now, mood);
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
        self.at(back, Happening::Reply(p, n, Box::new(Reply::Whole(answer))));
    }

    fn travel(&mut self) -> Duration {
        self.dice.within(self.climate.latency.clone()) / 2
    }

    fn store_travel(&mut self) -> Duration {
        self.dice.within(self.climate.store_latency.clone()) / 2
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
    /// Of the processes that were not killed.
    pub(crate) results: Vec<Result<Given, CallError>>,
    pub(crate) service: Service,
    /// The most token requests that were on their way at once.
    pub(crate) most_fetching: usize,
    /// Number of requests or answers that took longer than they were waited for, and of processes
    /// that ended after they had asked, and before the store knew the limit.
    pub(crate) lost: usize,
}

impl Outcome {
    pub(crate) fn assert_all_succeeded(&self) {
        let failures: Vec<_> = self.results.iter().filter_map(|it| it.as_ref().err()).collect();
        assert!(failures.is_empty(), "{failures:?}");
    }
}
