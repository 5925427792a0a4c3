//! Many calls over one engine in virtual time: a network that delays, loses and breaks, and the
//! invariants that are checked at every step.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use didit_core::{
    Action, BaseUrl, Call, CallError, ClientCredentials, CreateSession, Engine, Failure,
    FailureKind, Moment, Operation, Policy, RetrieveDecision, Step, Ticket,
};
use http::{Request, Response};

use super::service::{Answer, Mood, Service};

/// splitmix64: the whole schedule follows from its seed.
pub(crate) struct Dice(pub u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn within(&mut self, range: std::ops::Range<Duration>) -> Duration {
        let width = u64::try_from((range.end - range.start).as_nanos()).unwrap().max(1);
        range.start + Duration::from_nanos(self.below(width))
    }
}

/// How bad the network, the service and the callers are.
pub(crate) struct Weather {
    pub(crate) latency: std::ops::Range<Duration>,
    /// In percent of the requests.
    pub(crate) faults: u64,
    /// In percent of the calls: dropped at some point, half of them without a word.
    pub(crate) dropped: u64,
    /// In percent of the calls for decisions.
    pub(crate) queued: u64,
    /// Whether others use up the same quota.
    pub(crate) shared_quota: bool,
}

#[derive(Debug)]
enum Work {
    Decision(Call<RetrieveDecision>),
    Creation(Call<CreateSession>),
}

impl Work {
    fn poll(&mut self, engine: &mut Engine, now: Moment) -> Step<()> {
        match self {
            Self::Decision(call) => without_output(call.poll(engine, now)),
            Self::Creation(call) => without_output(call.poll(engine, now)),
        }
    }

    fn as_operation(&mut self) -> &mut dyn Answerable {
        match self {
            Self::Decision(call) => call,
            Self::Creation(call) => call,
        }
    }
}

fn without_output<T>(step: Step<T>) -> Step<()> {
    match step {
        Step::Send { request, ticket, timeout } => Step::Send { request, ticket, timeout },
        Step::Wait { until, reason } => Step::Wait { until, reason },
        Step::Done(result) => Step::Done(result.map(drop)),
    }
}

/// The part of an operation that does not depend on its output.
trait Answerable {
    fn respond(&mut self, engine: &mut Engine, now: Moment, ticket: Ticket, answer: &Answer);
    fn fail(&mut self, engine: &mut Engine, now: Moment, ticket: Ticket, kind: FailureKind);
    fn give_up(&mut self, engine: &mut Engine, now: Moment);
}

impl<O: Operation> Answerable for O {
    fn respond(&mut self, engine: &mut Engine, now: Moment, ticket: Ticket, answer: &Answer) {
        let mut response = Response::new(answer.body.as_bytes());
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers.clone();
        self.handle_response(engine, now, ticket, response);
    }

    fn fail(&mut self, engine: &mut Engine, now: Moment, ticket: Ticket, kind: FailureKind) {
        self.handle_failure(engine, now, ticket, Failure::new(kind));
    }

    fn give_up(&mut self, engine: &mut Engine, now: Moment) {
        self.cancel(engine, now);
    }
}

/// One caller and what it has seen.
struct Caller {
    work: Work,
    deadline: Moment,
    done: Option<Result<(), CallError>>,
    dropped: bool,
    in_flight: Option<Flight>,
    unauthorized: usize,
    own_sent: usize,
    /// Creations that may have reached the service.
    may_have_arrived: usize,
}

struct Flight {
    id: u64,
    ticket: Option<Ticket>,
    token: bool,
    lost_at: Moment,
}

const FAR: Moment = Moment::new(Duration::MAX);

enum Happening {
    Wake(usize),
    Arrive(usize, u64, Box<Request<Vec<u8>>>),
    Answer(usize, Box<Answer>),
    Fail(usize, FailureKind),
    Drop(usize),
    Foreign,
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) service: Service,
    pub(crate) now: Moment,
    weather: Weather,
    dice: Dice,
    callers: Vec<Caller>,
    queue: BinaryHeap<Reverse<(Moment, u64)>>,
    happenings: std::collections::HashMap<u64, Happening>,
    serial: u64,
    waiting: std::collections::BTreeSet<usize>,
}

impl World {
    pub(crate) fn new(seed: u64, policy: Policy, service: Service, weather: Weather) -> Self {
        let client = ClientCredentials::new("id", "secret").unwrap();
        let mut engine = Engine::with_policy(BaseUrl::production(), client, policy);
        engine.set_seed(seed);
        Self {
            engine,
            service,
            now: Moment::new(Duration::from_secs(1000)),
            weather,
            dice: Dice(seed ^ 0x5eed),
            callers: Vec::new(),
            queue: BinaryHeap::new(),
            happenings: std::collections::HashMap::new(),
            serial: 0,
            waiting: std::collections::BTreeSet::new(),
        }
    }

    /// Adds a caller that begins `after` from now.
    pub(crate) fn call(&mut self, after: Duration, create: bool, timeout: Option<Duration>) {
        let n = self.callers.len();
        // The clock of a queued call stands still while the rate limit holds it up.
        let queued = !create && self.dice.percent(self.weather.queued);
        let work = if create {
            let call = Call::new(CreateSession::new("names".parse().unwrap()));
            Work::Creation(timeout.into_iter().fold(call, Call::with_timeout))
        } else {
            let call = Call::new(RetrieveDecision::new(format!("s-{n}").parse().unwrap()));
            let call = timeout.into_iter().fold(call, Call::with_timeout);
            Work::Decision(if queued { call.queued() } else { call })
        };
        let timeout = timeout.unwrap_or(self.engine.policy().call_timeout);
        self.callers.push(Caller {
            work,
            deadline: if queued { FAR } else { self.now.after(after).after(timeout) },
            done: None,
            dropped: false,
            in_flight: None,
            unauthorized: 0,
            own_sent: 0,
            may_have_arrived: 0,
        });
        self.at(self.now.after(after), Happening::Wake(n));
        if self.dice.percent(self.weather.dropped) {
            let moment = self.now.after(after).after(self.dice.within(Duration::ZERO..timeout));
            self.at(moment, Happening::Drop(n));
        }
    }

    fn at(&mut self, moment: Moment, happening: Happening) {
        self.serial += 1;
        self.happenings.insert(self.serial, happening);
        self.queue.push(Reverse((moment.max(self.now), self.serial)));
    }

    /// Runs until every caller is done; gives the results in order, nothing for dropped ones.
    pub(crate) fn run(mut self) -> Outcome {
        if self.weather.shared_quota {
            self.at(self.now, Happening::Foreign);
        }
        while self.callers.iter().any(|caller| caller.done.is_none() && !caller.dropped) {
            let Reverse((moment, serial)) = self.queue.pop().expect("somebody waits for something");
            assert!(moment >= self.now);
            self.now = moment;
            let Some(happening) = self.happenings.remove(&serial) else { continue };
            self.happen(happening);
            if self.engine.take_wake() {
                for n in std::mem::take(&mut self.waiting) {
                    self.at(self.now, Happening::Wake(n));
                }
            }
        }
        Outcome {
            ended: self.now,
            results: self.callers.into_iter().map(|caller| caller.done).collect(),
            service: self.service,
        }
    }

    fn happen(&mut self, happening: Happening) {
        let now = self.now;
        match happening {
            Happening::Wake(n) => self.poll(n),
            Happening::Arrive(n, flight, request) => self.arrive(n, flight, &request),
            Happening::Answer(n, answer) => {
                let caller = &mut self.callers[n];
                let Some(flight) = caller.in_flight.take() else { return };
                if !flight.token && answer.status == 401 {
                    caller.unauthorized += 1;
                }
                let Some(ticket) = flight.ticket else { return };
                caller.work.as_operation().respond(&mut self.engine, now, ticket, &answer);
                self.poll(n);
            }
            Happening::Fail(n, kind) => {
                let caller = &mut self.callers[n];
                let Some(ticket) = caller.in_flight.take().and_then(|flight| flight.ticket) else {
                    return;
                };
                caller.work.as_operation().fail(&mut self.engine, now, ticket, kind);
                self.poll(n);
            }
            Happening::Drop(n) => {
                let silently = self.dice.percent(50);
                let caller = &mut self.callers[n];
                if caller.done.is_none() {
                    caller.dropped = true;
                    if !silently {
                        caller.in_flight = None;
                        caller.work.as_operation().give_up(&mut self.engine, now);
                    }
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
        let now = self.now;
        let caller = &mut self.callers[n];
        if caller.dropped || caller.done.is_some() || caller.in_flight.is_some() {
            return;
        }
        let deadline = caller.deadline;
        assert!(
            now <= deadline,
            "caller {n} goes on {:?} after its deadline {deadline:?} {:?}",
            now.since(deadline),
            caller.work
        );
        match caller.work.poll(&mut self.engine, now) {
            Step::Done(result) => {
                caller.done = Some(result);
                let again = caller.work.poll(&mut self.engine, now);
                assert!(matches!(again, Step::Done(Err(_))), "caller {n} goes on after its end");
            }
            Step::Wait { until, .. } => {
                assert!(until > now, "caller {n} waits for the past");
                assert!(until <= deadline, "caller {n} waits beyond its deadline");
                self.waiting.insert(n);
                self.at(until, Happening::Wake(n));
            }
            Step::Send { request, ticket, timeout } => self.send(n, request, ticket, timeout),
        }
    }

    fn send(&mut self, n: usize, request: Request<Vec<u8>>, ticket: Ticket, timeout: Duration) {
        let now = self.now;
        let token = request.uri().path() == "/auth/v2/token/";
        if token {
            let fetching = self.callers.iter().filter_map(|caller| caller.in_flight.as_ref());
            let live = fetching.filter(|flight| flight.token && flight.lost_at > now).count();
            assert_eq!(live, 0, "two token requests at once");
        }
        let lost_at = now.after(timeout);
        self.serial += 1;
        let id = self.serial;
        let caller = &mut self.callers[n];
        assert!(!timeout.is_zero() && lost_at <= caller.deadline, "caller {n}");
        caller.in_flight = Some(Flight { id, ticket: Some(ticket), token, lost_at });
        if !token {
            caller.own_sent += 1;
            assert!(caller.unauthorized < 2, "caller {n} goes on after a second 401");
            if matches!(caller.work, Work::Creation(_)) {
                assert_eq!(caller.may_have_arrived, 0, "caller {n} creates a second session");
            }
        }
        let travel = self.dice.within(self.weather.latency.clone()) / 2;
        let faulty = self.dice.percent(self.weather.faults);
        match if faulty { self.dice.below(4) } else { 9 } {
            0 => self.at(now.after(travel).min(lost_at), Happening::Fail(n, FailureKind::Connect)),
            1 => {
                self.callers[n].may_have_arrived += usize::from(!token);
                self.at(lost_at, Happening::Fail(n, FailureKind::Timeout));
            }
            2 => {
                self.callers[n].may_have_arrived += usize::from(!token);
                self.at(now.after(travel).min(lost_at), Happening::Fail(n, FailureKind::Broken));
            }
            _ => {
                if now.after(travel) >= lost_at {
                    self.callers[n].may_have_arrived += usize::from(!token);
                    self.at(lost_at, Happening::Fail(n, FailureKind::Timeout));
                }
                self.at(now.after(travel), Happening::Arrive(n, id, Box::new(request)));
            }
        }
    }

    fn arrive(&mut self, n: usize, id: u64, request: &Request<Vec<u8>>) {
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
        let under_way = |flight: &&Flight| flight.id == id && flight.lost_at > now;
        let Some(flight) = self.callers[n].in_flight.as_ref().filter(under_way) else {
            return;
        };
        let refused = [401, 429].contains(&answer.status.as_u16());
        let (token, lost_at) = (flight.token, flight.lost_at);
        if !token && !refused {
            self.callers[n].may_have_arrived += 1;
        }
        let back = now.after(self.dice.within(self.weather.latency.clone()) / 2);
        // The adapter's timeout strikes before an answer that comes too late.
        if back < lost_at {
            self.at(back, Happening::Answer(n, Box::new(answer)));
        } else {
            self.callers[n].may_have_arrived += usize::from(!token && refused);
            self.at(lost_at, Happening::Fail(n, FailureKind::Timeout));
        }
    }
}

pub(crate) struct Outcome {
    pub(crate) ended: Moment,
    pub(crate) results: Vec<Option<Result<(), CallError>>>,
    pub(crate) service: Service,
}

impl Outcome {
    pub(crate) fn succeeded(&self) -> usize {
        self.results.iter().filter(|result| matches!(result, Some(Ok(())))).count()
    }

    /// The failures, to be shown.
    pub(crate) fn failures(&self) -> Vec<(Action, String)> {
        let errors = self.results.iter().filter_map(|result| result.as_ref()?.as_ref().err());
        errors.map(|error| (error.action(), error.to_string())).collect()
    }
}
