//! Shares the quotas and the token of an application through a store.

mod token;

use std::time::Duration;

pub(super) use self::token::{Fetching, TokenShare};
use super::Engine;
use super::event::EventKind;
use super::moment::Moment;
use super::shared_store::{StoreAnswer, StoreError, StoreRequest, StoreStep, TokenAnswer};
use crate::credentials::Authorization;
use crate::endpoint::Bucket;
use crate::secret::Secret;

/// The state of the exchange with the store.
#[derive(Debug, Default)]
pub(super) struct Fleet {
    /// Since when an exchange is under way.
    asked_at: Option<Moment>,
    /// The time of the next attempt, while the store is lost.
    retry_at: Option<Moment>,
    /// The time of the next heartbeat.
    sign_at: Moment,
    token: TokenShare,
    /// The event that the next call reports.
    news: Option<EventKind>,
}

/// The time after which a store that does not answer counts as lost.
const PATIENCE: Duration = Duration::from_secs(1);
/// The time between two attempts to reach a lost store.
const RETRY: Duration = Duration::from_millis(500);
/// The interval of the heartbeats by which the processes count each other.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

impl Fleet {
    fn is_lost(&self) -> bool {
        self.retry_at.is_some()
    }

    /// Returns this process's part in the shared token, while the store is there.
    pub(super) fn token_share(&mut self) -> Option<&mut TokenShare> {
        (!self.is_lost()).then_some(&mut self.token)
    }
}

impl Engine {
    /// Returns what to ask the store, if a store is [shared](crate::EngineBuilder::shared). Poll
    /// again after each step of an operation, and at the moment that a wait names.
    pub fn poll_store(&mut self, now: Moment) -> StoreStep {
        self.check_store(now);
        let known = self.token_cache().and_then(|cache| cache.secret());
        let Some(fleet) = self.fleet.as_mut().filter(|fleet| fleet.asked_at.is_none()) else {
            return StoreStep::Wait { until: Moment::LAST };
        };
        if let Some(until) = fleet.retry_at.filter(|at| now < *at) {
            return StoreStep::Wait { until };
        }
        let sign = fleet.sign_at <= now;
        let about_token = fleet.token.requests(known, now).into_iter();
        let mut requests: Vec<_> = about_token.map(StoreRequest::Token).collect();
        let quotas = Bucket::ALL.iter().zip(&mut self.limiters).filter_map(|(bucket, limiter)| {
            limiter.as_mut()?.store_request(*bucket, now, sign).map(StoreRequest::Quota)
        });
        requests.extend(quotas);
        if sign {
            fleet.sign_at = now.after(SIGN_OF_LIFE);
        }
        if requests.is_empty() {
            let asks =
                self.limiters.iter().flatten().filter_map(|limiter| limiter.asks_store_at(now));
            let until = asks.chain(fleet.token.asks_at()).fold(fleet.sign_at, Moment::min);
            return StoreStep::Wait { until };
        }
        fleet.asked_at = Some(now);
        StoreStep::Exchange(requests)
    }

    /// Takes the store's answers, or that it gave none.
    pub fn handle_store(&mut self, now: Moment, answers: Result<Vec<StoreAnswer>, StoreError>) {
        let Some(fleet) = &mut self.fleet else { return };
        let Some(asked_at) = fleet.asked_at.take() else { return };
        match answers {
            Ok(answers) => {
                if fleet.retry_at.take().is_some() {
                    fleet.news = Some(EventKind::StoreJoined);
                    self.wakes_others = true;
                }
                for answer in answers {
                    self.store_answered(answer, asked_at, now);
                }
            }
            Err(error) => self.lose_store(error, now),
        }
    }

    fn store_answered(&mut self, answer: StoreAnswer, asked_at: Moment, now: Moment) {
        let answer = match answer {
            StoreAnswer::Quota(answer) => {
                return self.account(answer.bucket, |it| it.store_answered(&answer, now));
            }
            StoreAnswer::Token(answer) => answer,
        };
        self.wakes_others |= matches!(answer, TokenAnswer::Token(_) | TokenAnswer::Fetch);
        let Some(fleet) = &mut self.fleet else { return };
        let Some(shared) = fleet.token.answered(answer, asked_at, now) else { return };
        if let Some(cache) = self.token_cache()
            && let Ok(authorization) = Authorization::bearer(shared.token)
        {
            // Its times began when the store answered, which was not before it was asked.
            let (renew_at, expires_at) =
                (asked_at.after(shared.renew_after), asked_at.after(shared.lifetime));
            cache.adopt(authorization, renew_at, expires_at);
        }
    }

    /// Gives a store up that did not answer in time.
    pub(super) fn check_store(&mut self, now: Moment) {
        let Some(fleet) = &self.fleet else { return };
        let asked_at = fleet.asked_at.filter(|_| !fleet.is_lost());
        if asked_at.is_some_and(|at| at.after(PATIENCE) <= now) {
            self.lose_store(StoreError::new("the shared store does not answer"), now);
        }
    }

    fn lose_store(&mut self, error: StoreError, now: Moment) {
        for limiter in self.limiters.iter_mut().flatten() {
            limiter.store_lost(now);
        }
        if let Some(fleet) = &mut self.fleet {
            if !fleet.is_lost() {
                fleet.news = Some(EventKind::StoreLost { error });
            }
            fleet.retry_at = Some(now.after(RETRY));
            fleet.token.lose();
        }
        self.wakes_others = true;
    }

    /// Takes the news of the store, which one call tells.
    pub(super) fn store_news(&mut self) -> Option<EventKind> {
        self.fleet.as_mut()?.news.take()
    }

    /// Returns this process's part in the shared token, while the store is there.
    pub(super) fn token_share(&mut self) -> Option<&mut TokenShare> {
        self.fleet.as_mut()?.token_share()
    }

    /// Forgets a token that the service refused, for all processes.
    pub(super) fn discard_shared(&mut self, token: Option<Secret>) {
        if let (Some(fleet), Some(token)) = (&mut self.fleet, token) {
            fleet.token.discard(token);
        }
    }
}
