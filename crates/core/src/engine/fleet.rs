//! Shares the quotas and the token of an application through a store.

mod token;

use std::time::Duration;

pub(super) use self::token::TokenShare;
use super::Engine;
use super::event::EventKind;
use super::moment::Moment;
use super::policy::Policy;
use super::shared_store::{StoreAnswer, StoreError, StoreRequest, StoreStep, TokenAnswer};
use crate::credentials::Authorization;
use crate::endpoint::Bucket;

/// The state of the exchange with the store.
#[derive(Debug, Default)]
pub(super) struct Fleet {
    /// The start of the exchange in progress.
    exchange_started_at: Option<Moment>,
    /// The time of the next attempt, while the store is lost.
    retry_at: Option<Moment>,
    /// The time of the next heartbeat.
    heartbeat_at: Moment,
    pub(super) token: TokenShare,
    /// The event that the next call to take a step records.
    pending_event: Option<EventKind>,
}

/// The time after which a store that does not answer counts as lost.
const STORE_TIMEOUT: Duration = Duration::from_secs(1);
/// The time between two attempts to reach a lost store.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);
/// The interval of the heartbeats that let the store count the processes.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);

impl Fleet {
    /// Creates the state; fetching a token takes at most `longest_fetch`.
    pub(super) fn new(longest_fetch: Duration) -> Self {
        Self { token: TokenShare::new(longest_fetch), ..Self::default() }
    }

    fn is_lost(&self) -> bool {
        self.retry_at.is_some()
    }

    /// Returns this process's part in the shared token, unless the store is lost.
    pub(super) fn token_share(&mut self) -> Option<&mut TokenShare> {
        (!self.is_lost()).then_some(&mut self.token)
    }

    /// Sets the pending event. A loss and the return of the store cancel out.
    fn changed(&mut self, event: EventKind) {
        self.pending_event = self.pending_event.take().is_none().then_some(event);
    }
}

impl Engine {
    /// Starts to share the quotas and the token.
    pub(super) fn join_fleet(&mut self) {
        let policy = &self.settings.policy;
        let limiter = |bucket| {
            let limiter = policy.limiter(bucket).with_permits(longest_attempt(policy, bucket));
            (bucket, Box::new(limiter))
        };
        self.limiters = Bucket::ALL.map(limiter).into();
        self.fleet = Some(Box::new(Fleet::new(policy.attempt_timeout)));
    }

    /// Returns the requests to the [shared](crate::EngineBuilder::build_shared) store, if there is one.
    /// Poll again after each step of an operation, and at the moment that a wait gives.
    pub fn poll_store(&mut self, now: Moment) -> StoreStep {
        self.check_store(now);
        let Some(fleet) = self.fleet.as_mut().filter(|fleet| fleet.exchange_started_at.is_none())
        else {
            return StoreStep::Wait { until: Moment::LAST };
        };
        if let Some(until) = fleet.retry_at.filter(|at| now < *at) {
            return StoreStep::Wait { until };
        }
        let heartbeat = fleet.heartbeat_at <= now;
        let token_requests = fleet.token.requests(&self.token_cache, now).into_iter();
        let mut requests: Vec<_> = token_requests.map(StoreRequest::Token).collect();
        let quotas = self.limiters.iter_mut().filter_map(|(bucket, limiter)| {
            limiter.store_request(*bucket, now, heartbeat).map(StoreRequest::Quota)
        });
        requests.extend(quotas);
        if heartbeat {
            fleet.heartbeat_at = now.after(HEARTBEAT_INTERVAL);
        }
        if requests.is_empty() {
            let next_quotas =
                self.limiters.values().filter_map(|limiter| limiter.next_exchange_at(now));
            let until = next_quotas
                .chain(fleet.token.next_exchange_at(now))
                .fold(fleet.heartbeat_at, Moment::min);
            return StoreStep::Wait { until };
        }
        fleet.exchange_started_at = Some(now);
        StoreStep::Exchange(requests)
    }

    /// Handles the store's answers, or its failure to answer.
    pub fn handle_store(&mut self, now: Moment, answers: Result<Vec<StoreAnswer>, StoreError>) {
        let Some(fleet) = &mut self.fleet else { return };
        let Some(started_at) = fleet.exchange_started_at.take() else { return };
        match answers {
            Ok(answers) => {
                if fleet.retry_at.is_some_and(|at| started_at < at) {
                    // A late answer, to a request from before the loss, has no effect.
                    return;
                }
                if fleet.retry_at.take().is_some() {
                    fleet.changed(EventKind::StoreJoined);
                    for limiter in self.limiters.values_mut() {
                        limiter.store_returned(now);
                    }
                    self.wakes_others = true;
                }
                fleet.token.exchanged();
                for answer in answers {
                    self.store_answered(answer, started_at, now);
                }
            }
            Err(error) => self.lose_store(error, now),
        }
    }

    fn store_answered(&mut self, answer: StoreAnswer, started_at: Moment, now: Moment) {
        let answer = match answer {
            StoreAnswer::Quota(answer) => {
                return self.report(answer.bucket, |limiter| limiter.store_answered(&answer, now));
            }
            StoreAnswer::Token(answer) => answer,
        };
        self.wakes_others |= matches!(answer, TokenAnswer::Token(_) | TokenAnswer::Fetch);
        let Some(fleet) = &mut self.fleet else { return };
        let Some(shared) = fleet.token.answered(answer, started_at, now) else { return };
        if let Ok(authorization) = Authorization::bearer(shared.token) {
            // Counted from the request: the store answered later, so this errs on the safe side.
            let (renew_at, expires_at) =
                (started_at.after(shared.renew_after), started_at.after(shared.lifetime));
            self.token_cache.adopt(authorization, renew_at, expires_at);
            self.token_cache.open_gate(started_at);
        }
    }

    /// Declares the store lost if it did not answer in time.
    fn check_store(&mut self, now: Moment) {
        let Some(fleet) = &self.fleet else { return };
        let started_at = fleet.exchange_started_at.filter(|_| !fleet.is_lost());
        if started_at.is_some_and(|at| at.after(STORE_TIMEOUT) <= now) {
            self.lose_store(StoreError::new("the shared store does not respond"), now);
        }
    }

    fn lose_store(&mut self, error: StoreError, now: Moment) {
        for limiter in self.limiters.values_mut() {
            limiter.store_lost(now);
        }
        if let Some(fleet) = &mut self.fleet {
            if !fleet.is_lost() {
                fleet.changed(EventKind::StoreLost { error });
            }
            fleet.retry_at = Some(now.after(RETRY_INTERVAL));
            fleet.token.lose();
        }
        self.wakes_others = true;
    }

    /// Checks the store, and takes the pending event about it, which one call records.
    pub(super) fn store_event(&mut self, now: Moment) -> Option<EventKind> {
        self.check_store(now);
        self.fleet.as_mut()?.pending_event.take()
    }
}

/// Returns the longest time for one attempt of any request in this bucket, of a call without a
/// timeout of its own.
fn longest_attempt(policy: &Policy, bucket: Bucket) -> Duration {
    let repeatable = policy.attempt_timeout_of(bucket);
    match bucket {
        // Some of these must not be repeated, and have all the time of their call.
        Bucket::Writes
        | Bucket::VerificationWrites
        | Bucket::VerificationCreates
        | Bucket::VerificationOther => repeatable.max(policy.call_timeout),
        Bucket::Token
        | Bucket::Decisions
        | Bucket::Reads
        | Bucket::VerificationReads
        | Bucket::VerificationPdfs => repeatable,
    }
}
