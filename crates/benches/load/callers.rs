//! The callers and the results of their calls.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use didit_core::data_transfer::{Decision, Scope, Scopes, Session};
use didit_core::{
    CallError, CallErrorKind, ClientCredentials, Policy, ResponseErrorKind, SessionId,
    TransportErrorKind,
};
use didit_redis_adapter::RedisStore;
use serde::{Deserialize, Serialize};

use crate::service::{Upstream, WINDOW};

pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Tally {
    pub(crate) started: u64,
    pub(crate) finished: u64,
    pub(crate) failed: u64,
    pub(crate) creations: usize,
    /// Errors that the faults of the service cannot cause.
    pub(crate) unexpected: u64,
    /// Decisions of another session than the one asked for.
    pub(crate) mismatched: u64,
    pub(crate) longest: Duration,
}

/// A call.
enum Job {
    Decision(SessionId),
    Creation(String),
}

static NEXT: AtomicU64 = AtomicU64::new(0);

impl Job {
    /// Every tenth call creates a session.
    fn next() -> Self {
        let (process, n) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        if n.is_multiple_of(10) {
            Self::Creation(format!("order {process}-{n}"))
        } else {
            Self::Decision(format!("s-{process}-{n}").parse().unwrap())
        }
    }
}

impl Tally {
    fn decided(&mut self, session_id: &SessionId, result: Result<Decision, impl Into<CallError>>) {
        match result {
            Ok(decision) if decision.session_id() == session_id.as_str() => {}
            Ok(_) => self.mismatched += 1,
            Err(error) => self.failed(&error.into()),
        }
    }

    fn created(&mut self, result: Result<Session, impl Into<CallError>>) {
        self.creations += 1;
        if let Err(error) = result {
            self.failed(&error.into());
        }
    }

    fn failed(&mut self, error: &CallError) {
        self.failed += 1;
        let known = match error.kind() {
            CallErrorKind::Response(error) => matches!(
                error.kind(),
                ResponseErrorKind::Unauthorized
                    | ResponseErrorKind::RateLimited
                    | ResponseErrorKind::ServerError
            ),
            CallErrorKind::Transport(kind) => {
                matches!(kind, TransportErrorKind::ConnectionLost | TransportErrorKind::Timeout)
            }
            CallErrorKind::Waiting(_) => true,
            _ => false,
        };
        self.unexpected += u64::from(!known);
    }

    fn record_duration(&mut self, start: Instant) {
        self.finished += 1;
        self.longest = self.longest.max(start.elapsed());
    }

    pub(crate) fn merge(self, other: &Self) -> Self {
        Self {
            started: self.started + other.started,
            finished: self.finished + other.finished,
            failed: self.failed + other.failed,
            creations: self.creations + other.creations,
            unexpected: self.unexpected + other.unexpected,
            mismatched: self.mismatched + other.mismatched,
            longest: self.longest.max(other.longest),
        }
    }
}

fn credentials(upstream: &Upstream) -> ClientCredentials {
    ClientCredentials::new(&upstream.client_id, upstream.client_secret.as_str()).unwrap()
}

fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.call_timeout = CALL_TIMEOUT;
    policy.attempt_timeout = Duration::from_millis(500);
    policy.backoff_base = Duration::from_millis(10);
    policy.rate_limit_window = WINDOW;
    policy
}

fn scopes() -> Scopes {
    Scopes::new([Scope::NAMES]).unwrap()
}

pub(crate) fn run_async(upstream: &Upstream, callers: usize, time: Duration) -> Tally {
    let builder = didit_async_adapter::Client::builder(credentials(upstream));
    let builder = builder.base_url(upstream.url.parse().unwrap()).policy(policy());
    let builder = match &upstream.redis {
        Some(redis) => builder.shared_store(RedisStore::connect(redis).unwrap()),
        None => builder,
    };
    let client = builder.build().unwrap();
    let end = Instant::now() + time;
    let caller = |client: didit_async_adapter::Client| async move {
        let mut tally = Tally::default();
        while Instant::now() < end {
            tally.started += 1;
            let start = Instant::now();
            match Job::next() {
                Job::Decision(id) => tally.decided(&id, client.decision(&id).await),
                Job::Creation(data) => {
                    tally.created(client.create_session(scopes(), Some(&data)).await);
                }
            }
            tally.record_duration(start);
        }
        tally
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let callers: Vec<_> = (0..callers).map(|_| tokio::spawn(caller(client.clone()))).collect();
        let mut tally = Tally::default();
        for caller in callers {
            tally = tally.merge(&caller.await.unwrap());
        }
        tally
    })
}

pub(crate) fn run_blocking(upstream: &Upstream, callers: usize, time: Duration) -> Tally {
    let builder = didit_blocking_adapter::Client::builder(credentials(upstream));
    let builder = builder.base_url(upstream.url.parse().unwrap()).policy(policy());
    let client = builder.build().unwrap();
    let end = Instant::now() + time;
    let caller = || {
        let mut tally = Tally::default();
        while Instant::now() < end {
            tally.started += 1;
            let start = Instant::now();
            match Job::next() {
                Job::Decision(id) => tally.decided(&id, client.decision(&id)),
                Job::Creation(data) => {
                    tally.created(client.create_session(scopes(), Some(&data)));
                }
            }
            tally.record_duration(start);
        }
        tally
    };
    thread::scope(|scope| {
        let callers: Vec<_> = (0..callers).map(|_| scope.spawn(caller)).collect();
        let ended = callers.into_iter().map(|caller| caller.join().unwrap());
        ended.fold(Tally::default(), |all, tally| all.merge(&tally))
    })
}
