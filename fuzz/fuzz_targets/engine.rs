//! Runs several operations on one engine, with any order of polls, responses, failures and time.

#![no_main]

// Only the simulation in the core's tests uses all of it.
#[allow(dead_code)]
#[path = "../../crates/core/tests/simulation/work.rs"]
mod work;

use std::time::Duration;

use arbitrary::Arbitrary;
use didit_core::{
    CallErrorKind, Engine, Moment, Policy, Step, Ticket, TransportErrorKind, WaitReason,
};
use didit_fuzz::{SECRET, assert_plain, base, client};
use http::{HeaderMap, HeaderValue, StatusCode};
use libfuzzer_sys::fuzz_target;

use self::work::{Job, Reply, Task, Work};

#[derive(Arbitrary, Debug)]
struct Input {
    call_timeout: u16,
    attempt_timeout: u16,
    max_attempts: u8,
    backoff_base: u16,
    backoff_cap: u16,
    token_refresh_margin: u16,
    rate_limit_window: u16,
    budget: Option<u8>,
    operations: [Kind; 4],
    events: Vec<Event>,
}

#[derive(Arbitrary, Debug)]
enum Kind {
    Call,
    Wait { interval: u16 },
}

/// An event. Its first number selects the operation or the request.
#[derive(Arbitrary, Debug)]
enum Event {
    Poll(u8),
    Cancel(u8),
    Answer(u8, Answer, Hints),
    Fail(u8, Lost),
    BreakInBody(u8, Status, Hints),
    Time(u16),
    TimeOfWait(u8),
}

#[derive(Arbitrary, Debug)]
enum Answer {
    /// The right response: a token or a decision.
    Right {
        lifetime: Option<u16>,
        confirmed: bool,
    },
    Status(Status),
    Body(Vec<u8>),
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Status {
    NoContent = 204,
    Found = 302,
    Unauthorized = 401,
    NotFound = 404,
    TooManyRequests = 429,
    Unavailable = 503,
}

#[derive(Arbitrary, Debug, Clone, Copy, Default)]
struct Hints {
    retry_after: Option<u8>,
    limit: Option<u8>,
    remaining: Option<u8>,
    reset: Option<u8>,
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Lost {
    Connect,
    Certificate,
    Timeout,
    Broken,
}

fuzz_target!(|input: Input| {
    let mut world = World::new(&input);
    for event in input.events {
        world.apply(event);
    }
    world.end();
});

struct World {
    engine: Engine,
    now: Moment,
    callers: Vec<Caller>,
    requests: Vec<Sent>,
    sent: usize,
    /// The requests for a decision that the service may have counted.
    counted: Vec<Counted>,
}

struct Caller {
    work: Work,
    timeout: Duration,
    deadline: Option<Moment>,
    flight: Option<Flight>,
    wait: Option<Moment>,
    /// The time of the last request, and the number of requests at that moment.
    last_sent: (Moment, u32),
    finished: bool,
}

#[derive(Clone, Copy)]
struct Flight {
    id: usize,
    token: bool,
    until: Moment,
}

struct Sent {
    caller: usize,
    ticket: Ticket,
    flight: Flight,
}

struct Counted {
    id: usize,
    sent: Moment,
    /// The latest time at which the service may have accepted the request.
    latest: Moment,
    succeeded: bool,
}

fn millis(millis: u16) -> Duration {
    Duration::from_millis(millis.into())
}

impl World {
    fn new(input: &Input) -> Self {
        let mut policy = Policy::default();
        // Zero is refused.
        policy.call_timeout = millis(input.call_timeout.max(1));
        policy.attempt_timeout = millis(input.attempt_timeout.max(1));
        policy.max_attempts = input.max_attempts.into();
        policy.backoff_base = millis(input.backoff_base);
        policy.backoff_cap = millis(input.backoff_cap);
        policy.token_refresh_margin = millis(input.token_refresh_margin);
        policy.rate_limit_window = millis(input.rate_limit_window.max(1));
        policy.max_requests_per_window = input.budget.map(u32::from);
        let now = Moment::default();
        let caller = |kind: &Kind| {
            let timeout = policy.call_timeout;
            let task = match kind {
                Kind::Call => Task::Decision,
                // The fuzzed events determine when the session is decided.
                Kind::Wait { interval } => {
                    Task::Wait { interval: millis(*interval), decided_after: Duration::ZERO }
                }
            };
            // A single call already uses the timeout of the policy.
            let job = Job { timeout: task.interval().map(|_| timeout), ..Job::once(task) };
            Caller {
                work: Work::new(&job, "s", false),
                timeout,
                deadline: None,
                flight: None,
                wait: None,
                last_sent: (now, 0),
                finished: false,
            }
        };
        let callers = input.operations.iter().map(caller).collect();
        let builder = Engine::builder(client()).base_url(base()).policy(policy);
        let mut engine = builder.build().expect("a user agent");
        engine.record_events(true);
        Self { engine, now, callers, requests: vec![], sent: 0, counted: vec![] }
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Poll(who) => self.poll(usize::from(who) % self.callers.len()),
            Event::Cancel(who) => {
                let who = usize::from(who) % self.callers.len();
                if let Some(flight) = self.callers[who].flight {
                    self.resolve(who, flight, Some(false));
                }
                let caller = &mut self.callers[who];
                caller.work.as_receiver().give_up(&mut self.engine, self.now);
                caller.finished = true;
            }
            Event::Answer(which, answer, hints) => {
                let Some(sent) = self.take(which) else { return };
                let (status, body) = answer.write(sent.flight.token);
                let counts = (status != 429).then_some(status < 300);
                self.receive(sent, counts, hints, &Reply::Whole(respond(status, body, hints)));
            }
            Event::Fail(which, lost) => {
                let (kind, counts) = match lost {
                    Lost::Connect => (TransportErrorKind::Connect, None),
                    Lost::Certificate => (TransportErrorKind::Certificate, None),
                    Lost::Timeout => (TransportErrorKind::Timeout, Some(false)),
                    Lost::Broken => (TransportErrorKind::ConnectionLost, Some(false)),
                };
                let Some(sent) = self.take(which) else { return };
                self.receive(sent, counts, Hints::default(), &Reply::Failed(kind));
            }
            Event::BreakInBody(which, status, hints) => {
                let Some(sent) = self.take(which) else { return };
                let answer = respond(status as u16, vec![], hints);
                let reply = Reply::CutOff(TransportErrorKind::ConnectionLost, answer);
                let counts = (status as u16 != 429).then_some(false);
                self.receive(sent, counts, hints, &reply);
            }
            Event::Time(passed) => self.now = self.now.after(millis(passed)),
            Event::TimeOfWait(who) => {
                let wait = self.callers[usize::from(who) % self.callers.len()].wait;
                self.now = self.now.max(wait.unwrap_or(self.now));
            }
        }
    }

    fn receive(&mut self, sent: Sent, counts: Option<bool>, hints: Hints, reply: &Reply) {
        if self.resolve(sent.caller, sent.flight, counts) && !sent.flight.token {
            self.report(hints);
        }
        let receiver = self.callers[sent.caller].work.as_receiver();
        receiver.receive(&mut self.engine, self.now, sent.ticket, reply);
    }

    fn poll(&mut self, who: usize) {
        let (now, policy) = (self.now, self.engine.policy().clone());
        let fetches_token =
            |caller: &Caller| caller.flight.is_some_and(|f| f.token && f.until > now);
        let token_in_flight = self.callers.iter().any(fetches_token);
        let caller = &mut self.callers[who];
        let deadline = *caller.deadline.get_or_insert(now.after(caller.timeout));
        caller.flight = caller.flight.filter(|flight| flight.until > now);
        caller.wait = None;
        match caller.work.poll(&mut self.engine, now) {
            Step::Send { request, ticket, timeout } => {
                assert!(!caller.finished && caller.flight.is_none() && now < deadline);
                assert!(timeout <= policy.attempt_timeout && now.after(timeout) <= deadline);
                assert!(request.headers()["authorization"].is_sensitive());
                let sent_before = if caller.last_sent.0 == now { caller.last_sent.1 } else { 0 };
                caller.last_sent = (now, sent_before + 1);
                // A token request and the request, each repeated after a 401. Anything else must
                // wait.
                assert!(sent_before < 4, "a loop without a pause");
                let token = request.uri().path().ends_with("/token/");
                assert!(!(token && token_in_flight), "two token requests at once");
                let until = now.after(timeout);
                self.sent += 1;
                let (id, flight) = (self.sent, Flight { id: self.sent, token, until });
                caller.flight = Some(flight);
                self.requests.push(Sent { caller: who, ticket, flight });
                if !token {
                    self.counted.push(Counted { id, sent: now, latest: until, succeeded: false });
                }
            }
            Step::Wait { until, reason } => {
                assert!(!caller.finished && now < until && until <= deadline, "{reason:?}");
                assert_eq!(caller.flight.is_some(), reason == WaitReason::Response);
                caller.wait = Some(until);
                let Step::Wait { until: again, reason: same } =
                    caller.work.poll(&mut self.engine, now)
                else {
                    panic!("the wait for {reason:?} ended without an event")
                };
                assert_eq!((until, reason), (again, same));
            }
            Step::Done(result) => {
                let finished =
                    matches!(&result, Err(e) if matches!(e.kind(), CallErrorKind::Finished));
                assert_eq!(caller.finished, finished);
                caller.finished = true;
                if let Err(error) = result {
                    assert_plain(&error.to_string());
                    assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
                }
            }
        }
        assert!(caller.finished || now < deadline, "late");
    }

    fn take(&mut self, which: u8) -> Option<Sent> {
        let at = usize::from(which).checked_rem(self.requests.len())?;
        Some(self.requests.swap_remove(at))
    }

    /// Ends a request, unless its caller has already abandoned it; returns whether it ended. If the
    /// service `counts` it, it does so certainly, or perhaps.
    fn resolve(&mut self, who: usize, flight: Flight, counts: Option<bool>) -> bool {
        let caller = &mut self.callers[who];
        if caller.finished || caller.flight.is_none_or(|current| current.id != flight.id) {
            return false;
        }
        caller.flight = None;
        let latest = self.now.min(flight.until);
        self.counted.retain(|request| counts.is_some() || request.id != flight.id);
        for request in self.counted.iter_mut().filter(|request| request.id == flight.id) {
            (request.latest, request.succeeded) = (latest, counts == Some(true));
        }
        true
    }

    /// Drops the requests that may be sent once more because of the service's count: failed ones that
    /// it does not include, and the first that leaves a used-up limit.
    fn report(&mut self, hints: Hints) {
        let (Some(limit), Some(remaining)) = (hints.limit, hints.remaining) else { return };
        let (now, window) = (self.now, self.engine.policy().rate_limit_window);
        let is_inside = |request: &Counted| request.latest.after(window) > now;
        let used = usize::from(limit.saturating_sub(remaining));
        let mut surplus = self.counted.iter().filter(|it| is_inside(it)).count();
        self.counted.retain(|request| {
            let failed = !request.succeeded && request.latest <= now;
            let dropped = surplus > used && failed && is_inside(request);
            surplus -= usize::from(dropped);
            !dropped
        });
        let first = self.counted.iter().position(is_inside).filter(|_| remaining == 0);
        first.map(|first| self.counted.remove(first));
    }

    fn end(mut self) {
        for who in 0..self.callers.len() {
            self.poll(who);
            self.now = self.callers[who].deadline.map_or(self.now, |end| end.max(self.now));
            self.poll(who);
            let events = self.engine.take_events();
            assert!(!format!("{events:?} {:?}", self.engine).contains(SECRET));
        }
        let policy = self.engine.policy();
        if let Some(budget) = policy.max_requests_per_window {
            let max = budget.max(1) as usize;
            let sent = self.counted.iter().map(|request| request.sent).collect();
            let latest = self.counted.iter().map(|request| request.latest).collect();
            assert_within(policy.rate_limit_window, max, sent);
            assert_within(policy.rate_limit_window, max, latest);
        }
    }
}

/// Asserts that no sliding window contains more than `max` moments.
fn assert_within(window: Duration, max: usize, mut moments: Vec<Moment>) {
    moments.sort();
    for window_moments in moments.windows(max + 1) {
        assert!(
            window_moments[max] >= window_moments[0].after(window),
            "{max} a {window:?}: {moments:?}"
        );
    }
}

impl Answer {
    fn write(self, token: bool) -> (u16, Vec<u8>) {
        match self {
            Self::Right { lifetime, .. } if token => {
                let lifetime = lifetime.map(|millis| f64::from(millis) / 1000.0);
                let answer = serde_json::json!({"access_token": "token", "expires_in": lifetime});
                (200, answer.to_string().into())
            }
            Self::Right { confirmed, .. } => {
                let status = if confirmed { "Confirmed" } else { "Retrieved" };
                let answer = serde_json::json!({"session_id": "s", "status": status});
                (200, answer.to_string().into())
            }
            Self::Status(status) => {
                (status as u16, format!(r#"{{"message":"not with {SECRET}"}}"#).into())
            }
            Self::Body(body) => (200, body),
        }
    }
}

fn respond(status: u16, body: Vec<u8>, hints: Hints) -> work::Answer {
    let mut headers = HeaderMap::new();
    headers.insert("date", HeaderValue::from_static(EPOCH));
    let hints = [
        ("retry-after", hints.retry_after),
        ("x-ratelimit-limit", hints.limit),
        ("x-ratelimit-remaining", hints.remaining),
        ("x-ratelimit-reset", hints.reset),
    ];
    for (name, value) in hints {
        if let Some(value) = value {
            headers.insert(name, u16::from(value).into());
        }
    }
    let status = StatusCode::from_u16(status).expect("a valid status");
    work::Answer { status, headers, body, undecided: false }
}

const EPOCH: &str = "Thu, 01 Jan 1970 00:00:00 GMT";
