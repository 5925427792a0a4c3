//! The engine against a reference model: the same calls and replies must lead to the same decisions.
//!
//! Calls run one after another; overlapping calls are tested by the simulation.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../support/cases.rs"]
mod cases;
mod reference;

use std::time::Duration;

use didit_core::data_transfer::{CreateSession, RetrieveDecision, Scope, Scopes};
use didit_core::{
    CallError, CallErrorKind, ClientCredentials, Endpoint, EndpointKind, Engine, Moment,
    Operation as _, Policy, ResponseErrorKind, Step, TransportError, TransportErrorKind,
};
use http::Response;
use proptest::prelude::*;

use self::cases::cases;
use self::reference::{Client, Expected, Kind, Reply};

/// A call, the pause before it in milliseconds, its timeout in milliseconds, and the replies to its
/// requests, each with its latency in milliseconds. Further requests succeed.
#[derive(Clone, Debug)]
struct Job {
    kind: Kind,
    pause: u64,
    timeout: u64,
    replies: Vec<(u64, Reply)>,
}

fn reply() -> impl Strategy<Value = Reply> {
    let good = prop::option::weighted(0.9, prop_oneof![1..20_u64, 50..200_u64, Just(86_400)])
        .prop_map(|lifetime| Reply::Good { lifetime });
    let status = prop::sample::select(vec![
        400_u16, 401, 403, 404, 408, 422, 429, 429, 500, 501, 502, 503, 504, 302,
    ]);
    let failed = (status, prop::option::of(0..40_u64));
    prop_oneof![
        4 => good,
        5 => failed.prop_map(|(status, after)| Reply::Status(status, after)),
        2 => Just(Reply::Broken),
        1 => prop::sample::select(vec![
            Reply::Malformed, Reply::CutOff, Reply::Unconnected, Reply::Untrusted, Reply::Silence,
        ]),
    ]
}

fn job() -> impl Strategy<Value = Job> {
    let kind = prop_oneof![3 => Just(Kind::Decision), 1 => Just(Kind::Creation)];
    let pause = prop_oneof![Just(0), 0..5_000_u64, 0..200_000_u64];
    let replies = prop::collection::vec((0..2_000_u64, reply()), 0..8);
    (kind, pause, 500..60_000_u64, replies).prop_map(|(kind, pause, timeout, replies)| Job {
        kind,
        pause,
        timeout,
        replies,
    })
}

/// The engine and the model, side by side.
struct Pair {
    engine: Engine,
    model: Client,
    now: Moment,
    tokens: u32,
}

impl Pair {
    fn new(seed: u64) -> Self {
        let client = ClientCredentials::new("id", "secret").unwrap();
        let engine = Engine::builder(client)
            .base_url("https://h".parse().unwrap())
            .seed(seed)
            .build()
            .unwrap();
        let model = Client::new(Policy::default());
        Self { engine, model, now: Moment::default(), tokens: 0 }
    }

    fn run(&mut self, job: &Job) {
        self.now = self.now.after(Duration::from_millis(job.pause));
        match job.kind {
            Kind::Decision => {
                let endpoint = RetrieveDecision::new("s-1".parse().unwrap());
                self.compare(endpoint, job, r#"{"session_id":"s-1","status":"Confirmed"}"#);
            }
            Kind::Creation => {
                let endpoint = CreateSession::new(Scopes::new([Scope::NAMES]).unwrap());
                let body = r#"{"session_id":"s-1","session_token":"t","url":"https://h/s"}"#;
                self.compare(endpoint, job, body);
            }
        }
    }

    fn compare<E: Endpoint>(&mut self, endpoint: E, job: &Job, good: &str) {
        let timeout = Duration::from_millis(job.timeout);
        let mut call = didit_core::Call::new(endpoint).with_timeout(timeout);
        let mut model = Client::begin(job.kind, timeout, self.now);
        let mut replies = job.replies.iter().copied();
        let mut refused = false;
        loop {
            let expected = self.model.next(&mut model, self.now);
            match (call.poll(&mut self.engine, self.now), expected) {
                (Step::Send { request, ticket, timeout }, expected) => {
                    let of_token = request.uri().path().ends_with("/token/");
                    let bearer = request.headers()["authorization"].to_str().unwrap();
                    let sent = match bearer.strip_prefix("Bearer ") {
                        Some(token) if !of_token => Expected::Ask(token.to_owned()),
                        _ => Expected::FetchToken,
                    };
                    assert_eq!(sent, expected);
                    let left = self.model.left(&model, of_token, self.now);
                    // A creation has one attempt, which may take all the time.
                    let whole = !of_token && job.kind == Kind::Creation;
                    assert_eq!(
                        timeout,
                        if whole { left } else { left.min(Duration::from_secs(10)) }
                    );
                    let (took, reply) =
                        replies.next().unwrap_or((1, Reply::Good { lifetime: Some(86_400) }));
                    let took = Duration::from_millis(took)
                        .min(timeout.saturating_sub(Duration::from_nanos(1)));
                    let took = if reply == Reply::Silence { timeout } else { took };
                    self.now = self.now.after(took);
                    refused = matches!(reply, Reply::Status(429, _)) && !of_token;
                    self.tokens += 1;
                    let name = format!("t-{}", self.tokens);
                    let body = if of_token { token(reply, &name) } else { good.to_owned() };
                    if let Some(result) = response(reply, &body) {
                        match result {
                            Ok(response) => {
                                call.handle_response(&mut self.engine, self.now, ticket, &response);
                            }
                            Err(kind) => {
                                let failure = TransportError::new(kind);
                                call.handle_failure(&mut self.engine, self.now, ticket, failure);
                            }
                        }
                    }
                    if of_token {
                        self.model.token_answered(&mut model, reply, &name, self.now);
                    } else {
                        self.model.answered(&mut model, reply, self.now);
                    }
                }
                (Step::Wait { until, reason }, Expected::Wait(shortest, longest)) => {
                    let wait = until.since(self.now);
                    assert!(
                        shortest < wait && wait <= longest,
                        "{wait:?} of {shortest:?} to {longest:?}: {reason:?}"
                    );
                    if std::mem::take(&mut refused) {
                        self.model.close(&model, until);
                    }
                    Client::waited(&mut model);
                    self.now = until;
                }
                (Step::Done(Ok(_)), Expected::Succeed) => return,
                (Step::Done(Err(error)), Expected::Fail(reply)) => {
                    return assert!(is_caused_by(&error, reply), "{error:?} {reply:?}");
                }
                // The random pause is unknown, except that it was too long.
                (Step::Done(Err(error)), Expected::Wait(..)) => {
                    assert!(self.model.gives_up(&mut model, self.now), "{error}");
                    return;
                }
                (Step::Done(result), expected) => {
                    panic!("{expected:?}, not {:?}", result.map(drop))
                }
                (Step::Wait { until, reason }, expected) => {
                    panic!("{expected:?}, not {until:?} {reason:?}")
                }
            }
        }
    }
}

fn token(reply: Reply, name: &str) -> String {
    match reply {
        Reply::Good { lifetime: Some(seconds) } => {
            format!(r#"{{"access_token":"{name}","expires_in":{seconds}}}"#)
        }
        _ => format!(r#"{{"access_token":"{name}"}}"#),
    }
}

type Replied<'a> = Result<Response<&'a [u8]>, TransportErrorKind>;

/// Returns the response that an adapter passes to the engine; `None` for silence, for which the call
/// times out by itself.
fn response(reply: Reply, good: &str) -> Option<Replied<'_>> {
    let answer = |status: u16, body| Response::builder().status(status).body(body).unwrap();
    Some(match reply {
        Reply::Good { .. } => Ok(answer(200, good.as_bytes())),
        Reply::Malformed => Ok(answer(200, b"[]")),
        Reply::CutOff => Ok(answer(200, &good.as_bytes()[..good.len() / 2])),
        Reply::Status(status, after) => {
            let mut response = answer(status, b"");
            if let Some(seconds) = after {
                response.headers_mut().insert("retry-after", seconds.into());
            }
            Ok(response)
        }
        Reply::Unconnected => Err(TransportErrorKind::Connect),
        Reply::Untrusted => Err(TransportErrorKind::Certificate),
        Reply::Broken => Err(TransportErrorKind::ConnectionLost),
        Reply::Silence => return None,
    })
}

fn is_caused_by(error: &CallError, reply: Option<Reply>) -> bool {
    match (error.kind(), reply) {
        (CallErrorKind::Waiting(_), None) => true,
        (CallErrorKind::Response(answer), Some(Reply::Status(status, _))) => {
            answer.status() == status
        }
        (CallErrorKind::Response(answer), Some(Reply::Malformed | Reply::CutOff)) => {
            matches!(answer.kind(), ResponseErrorKind::Malformed(_))
        }
        (CallErrorKind::Transport(kind), Some(reply)) => {
            let expected = match reply {
                Reply::Unconnected => TransportErrorKind::Connect,
                Reply::Untrusted => TransportErrorKind::Certificate,
                Reply::Broken => TransportErrorKind::ConnectionLost,
                _ => TransportErrorKind::Timeout,
            };
            *kind == expected && error.endpoint() != EndpointKind::ReadStatus
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn engine_matches_the_model(
        seed in any::<u64>(),
        jobs in prop::collection::vec(job(), 1..8),
    ) {
        let mut pair = Pair::new(seed);
        for job in &jobs {
            pair.run(job);
        }
    }
}
