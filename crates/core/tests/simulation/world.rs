//! Many callers over one engine in virtual time, and a network that delays, loses and breaks.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use didit_core::{CallError, Engine, Moment, Policy, TransportErrorKind};
use http::Request;

use super::caller::{Caller, Next};
use super::dice::Dice;
use super::service::{Access, Mood, Service};
use super::work::{Ask, Given, Job, Reply};

/// The weather of a schedule: the faults of the network, the service and the callers.
#[derive(Clone)]
pub(crate) struct Weather {
    pub(crate) latency: Range<Duration>,
    /// In percent of the requests.
    pub(crate) faults: u64,
    /// In percent of the answers: the head comes, the body does not.
    pub(crate) cut_off: u64,
    /// True if those are reported by their meaning, not as they occurred.
    pub(crate) in_other_words: bool,
    /// In percent of the calls: dropped at some point, half of them without a word.
    pub(crate) dropped: u64,
    /// In percent of the calls for decisions.
    pub(crate) queued: u64,
    /// True if others use up the same quota.
    pub(crate) shared_quota: bool,
}

impl Weather {
    /// Every request takes its own time, up to `latency`; otherwise all is well.
    pub(crate) fn clear(latency: Duration) -> Self {
        Self {
            latency: Duration::ZERO..latency,
            faults: 0,
            cut_off: 0,
            in_other_words: false,
            dropped: 0,
            queued: 0,
            shared_quota: false,
        }
    }
}

enum Happening {
    Wake(usize),
    Arrive(usize, u32, Box<Request<Vec<u8>>>),
    Reply(usize, Box<Reply>),
    Drop(usize),
    Foreign,
}

pub(crate) struct World {
    /// One for each client of the service.
    engines: Vec<Engine>,
    service: Service,
    now: Moment,
    weather: Weather,
    dice: Dice,
    callers: Vec<Caller>,
    /// Number of callers that are not done.
    busy: usize,
    /// The coming events in order; those of one moment, in the order in which they were scheduled.
    to_come: BTreeMap<(Moment, u64), Happening>,
    serial: u64,
    /// The callers that wait, by client.
    waiting: Vec<BTreeSet<usize>>,
    lost: usize,
}

impl World {
    pub(crate) const BEGINNING: Moment = Moment::new(Duration::from_secs(1000));

    pub(crate) fn new(seed: u64, policy: Policy, service: Service, weather: Weather) -> Self {
        Self::with_clients(1, seed, policy, service, weather)
    }

    /// Creates a world whose clients know nothing of each other.
    pub(crate) fn with_clients(
        clients: usize,
        seed: u64,
        policy: Policy,
        service: Service,
        weather: Weather,
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
            now: Self::BEGINNING,
            weather,
            dice: Dice(seed ^ 0x5eed),
            callers: Vec::new(),
            busy: 0,
            to_come: BTreeMap::new(),
            serial: 0,
            lost: 0,
        }
    }

    /// Adds a caller that begins `after` from now.
    pub(crate) fn begin(&mut self, after: Duration, job: Job) {
        let (n, begins) = (self.callers.len(), self.now.after(after));
        let session = format!("s-{n}");
        if let Ask::Wait { decided_after, .. } = job.ask {
            self.service.decide(&session, begins.after(decided_after));
        }
        // The clock of a queued call stands still while the rate limit holds it up.
        let queued = matches!(job.ask, Ask::Decision) && self.dice.percent(self.weather.queued);
        let renews = matches!(self.service.access, Access::Tokens(_));
        let policy = self.engines[job.client].policy();
        let lasts = job.timeout.unwrap_or(policy.call_timeout);
        self.callers.push(Caller::new(job, session, begins, queued, policy, renews));
        self.busy += 1;
        self.at(begins, Happening::Wake(n));
        if self.dice.percent(self.weather.dropped) {
            let moment = begins.after(self.dice.up_to(lasts));
            self.at(moment, Happening::Drop(n));
        }
    }

    fn at(&mut self, moment: Moment, happening: Happening) {
        self.serial += 1;
        self.to_come.insert((moment.max(self.now), self.serial), happening);
    }

    /// Runs until every caller is done.
    pub(crate) fn run(mut self) -> Outcome {
        if self.weather.shared_quota {
            self.at(self.now, Happening::Foreign);
        }
        while self.busy > 0 {
            let ((moment, _), happening) =
                self.to_come.pop_first().expect("somebody waits for something");
            assert!(moment >= self.now);
            self.now = moment;
            self.happen(happening);
            for client in 0..self.engines.len() {
                if self.engines[client].take_wake() {
                    for n in std::mem::take(&mut self.waiting[client]) {
                        self.at(self.now, Happening::Wake(n));
                    }
                }
            }
        }
        Outcome {
            taken: self.now.since(Self::BEGINNING),
            results: self.callers.into_iter().map(|caller| caller.done).collect(),
            service: self.service,
            lost: self.lost,
        }
    }

    fn happen(&mut self, happening: Happening) {
        let now = self.now;
        match happening {
            Happening::Wake(n) => self.poll(n),
            Happening::Arrive(n, flight, request) => self.arrive(n, flight, &request),
            Happening::Reply(n, reply) => {
                let caller = &mut self.callers[n];
                caller.receive(&reply, &mut self.engines[caller.job.client], now);
                self.poll(n);
            }
            Happening::Drop(n) => {
                let silently = self.dice.percent(50);
                let caller = &mut self.callers[n];
                if !caller.is_over() {
                    caller.drop_call(silently, &mut self.engines[caller.job.client], now);
                    self.go_on(n);
                }
            }
            Happening::Foreign => {
                if let Some(quota) = &mut self.service.quota {
                    let _ = quota.take(now);
                    let pause = quota.window / u32::try_from(quota.limit).unwrap();
                    let pause = self.dice.within(pause..pause * 3);
                    self.at(now.after(pause), Happening::Foreign);
                }
            }
        }
    }

    fn poll(&mut self, n: usize) {
        if self.callers[n].is_over() {
            return;
        }
        let client = self.callers[n].job.client;
        match self.callers[n].poll(&mut self.engines[client], self.now) {
            Next::Send(request) => self.send(n, request),
            Next::WakeAt(until) => {
                self.waiting[client].insert(n);
                self.at(until, Happening::Wake(n));
            }
            Next::Nothing if self.callers[n].is_over() => self.go_on(n),
            Next::Nothing => {}
        }
    }

    /// A call is over; the caller's next one begins.
    fn go_on(&mut self, n: usize) {
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
        let flight = self.callers[n].in_flight.as_ref().expect("it was sent");
        let (id, lost_at) = (flight.id, flight.lost_at);
        if flight.token {
            let live = flights.filter(|flight| flight.token && flight.lost_at > now).count();
            assert_eq!(live, 1, "two token requests at once");
        }
        let arrives = now.after(self.travel());
        let faulty = self.dice.percent(self.weather.faults);
        match if faulty { self.dice.below(4) } else { 9 } {
            0 => self.fail(n, arrives.min(lost_at), TransportErrorKind::Connect),
            1 => self.fail(n, lost_at, TransportErrorKind::Timeout),
            2 => self.fail(n, arrives.min(lost_at), TransportErrorKind::ConnectionLost),
            _ => {
                if arrives >= lost_at {
                    self.lost += 1;
                    self.fail(n, lost_at, TransportErrorKind::Timeout);
                }
                // A timeout does not call back what is on its way.
                self.at(arrives, Happening::Arrive(n, id, request));
            }
        }
    }

    fn fail(&mut self, n: usize, at: Moment, kind: TransportErrorKind) {
        if kind != TransportErrorKind::Connect {
            self.may_have_arrived(n);
        }
        self.at(at, Happening::Reply(n, Box::new(Reply::Failed(kind))));
    }

    fn arrive(&mut self, n: usize, id: u32, request: &Request<Vec<u8>>) {
        let now = self.now;
        let mood = match if self.dice.percent(self.weather.faults) { self.dice.below(6) } else { 9 }
        {
            0 => Mood::Status(500),
            1 => Mood::Status(503),
            2 => Mood::Status(429),
            3 => Mood::Truncated,
            4 => Mood::Revoking,
            5 if self.dice.percent(20) => Mood::Status(404),
            _ => Mood::Well,
        };
        let answer = self.service.answer(request, now, mood);
        // A request that took too long to arrive has been given up, perhaps for another.
        let flight = self.callers[n].in_flight.as_ref();
        let Some(flight) = flight.filter(|flight| flight.id == id && flight.lost_at > now) else {
            return;
        };
        let lost_at = flight.lost_at;
        if ![401, 429].contains(&answer.status.as_u16()) {
            self.may_have_arrived(n);
        }
        let back = now.after(self.travel());
        // The adapter's timeout strikes before an answer that comes too late.
        if back >= lost_at {
            self.lost += 1;
            return self.fail(n, lost_at, TransportErrorKind::Timeout);
        }
        let cut_off = self.dice.percent(self.weather.cut_off);
        let kind = cut_off.then(|| self.dice.one_of(&FAILURES));
        let reply = match kind {
            Some(kind) => Reply::CutOff(kind, answer),
            None => Reply::Whole(answer),
        };
        // A body that does not go on is noticed when the time is over.
        let at = if kind == Some(TransportErrorKind::Timeout) { lost_at } else { back };
        let reply = if self.weather.in_other_words { reply.in_other_words() } else { reply };
        self.at(at, Happening::Reply(n, Box::new(reply)));
    }

    /// One way's time.
    fn travel(&mut self) -> Duration {
        self.dice.within(self.weather.latency.clone()) / 2
    }

    fn may_have_arrived(&mut self, n: usize) {
        let caller = &mut self.callers[n];
        if caller.in_flight.as_ref().is_some_and(|flight| !flight.token) {
            caller.tries.may_have_arrived = true;
        }
    }
}

/// The failures that an adapter may report for a broken body.
const FAILURES: [TransportErrorKind; 4] = [
    TransportErrorKind::Connect,
    TransportErrorKind::Certificate,
    TransportErrorKind::Timeout,
    TransportErrorKind::ConnectionLost,
];

pub(crate) struct Outcome {
    pub(crate) taken: Duration,
    /// In the order in which the calls began; nothing for dropped ones.
    pub(crate) results: Vec<Option<Result<Given, CallError>>>,
    pub(crate) service: Service,
    /// Number of requests or answers that took longer than they were waited for.
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
