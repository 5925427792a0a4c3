//! Handles failed attempts: decides whether to retry.

use std::time::Duration;

use super::{Attempt, Call, Purpose, State};
use crate::credentials::Credentials;
use crate::endpoint::{Endpoint, Replay};
use crate::engine::retry::{self, Attempts};
use crate::engine::{CallErrorKind, Engine, EventKind, GaveUp, Moment};

impl<E: Endpoint> Call<E> {
    /// Handles a failed attempt: plans the next one, or ends the call.
    pub(super) fn attempt_failed(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        attempt: &Attempt,
        error: CallErrorKind,
    ) {
        if let Purpose::Request(token, _) = &attempt.purpose {
            self.last_token.clone_from(token);
        }
        if self.recovers_without_retry(engine, now, attempt, &error) {
            return;
        }
        let purpose = &attempt.purpose;
        if error.is_rate_limited() {
            self.refusals += 1;
            *self.attempts(purpose) -= 1;
        }
        let mut refused = self.refusals;
        if purpose.is_token() {
            refused = refused.max(engine.token_cache.record_error(&self.claim, &error));
        }
        let attempts = Attempts {
            failed: *self.attempts(purpose),
            refused,
            deadline: self.deadline_of(purpose, engine, now),
        };
        let random = retry::next_random(&mut engine.random);
        let endpoint = attempt.endpoint;
        let replay = self.replay_of(endpoint);
        let policy = &engine.settings.policy;
        let decision = retry::decide(policy, &attempts, &error, replay, now, random);
        let closed_for = match decision {
            Ok((at, _)) if error.is_rate_limited() => Some(at.since(now)),
            Err(_) if error.is_rate_limited() && purpose.is_token() => {
                let longest = retry::longest_backoff(policy, attempts.failures());
                Some(error.retry_after().unwrap_or(longest))
            }
            _ => error.retry_after(),
        };
        close_gate::<E>(engine, now, attempt, &error, closed_for);
        match decision {
            Ok((at, reason)) => {
                engine.extend_lease(&self.claim, at, now);
                let is_harmless = purpose.is_token() || error.is_retryable(Replay::OnlyIfUnsent);
                self.may_have_taken_effect |= !is_harmless;
                self.last = Some((endpoint, error));
                self.state = State::Paused { until: at, reason };
                self.record(engine, EventKind::Waiting { duration: at.since(now), reason });
            }
            Err(gave_up) => {
                // The deadline is this call's own; all other failures would affect every call.
                if purpose.is_token() && gave_up != GaveUp::DeadlineExceeded {
                    engine.token_cache.fail_lease(&self.claim, &error, now);
                }
                let error = self.error(endpoint, error, gave_up);
                self.finish(engine, now, Err(error));
            }
        }
    }

    /// Returns whether the call continues without a retry: with another token, or with the old one.
    fn recovers_without_retry(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        attempt: &Attempt,
        error: &CallErrorKind,
    ) -> bool {
        let purpose = &attempt.purpose;
        if self.tries_another_token(engine, now, purpose, error) {
            self.last = Some((E::KIND, error.clone()));
            self.record(engine, EventKind::TokenRefused);
            return true;
        }
        if !purpose.is_token() {
            return false;
        }
        if engine.token_cache.is_retired(&self.claim) {
            return true;
        }
        let keeps_token = engine.token_cache.keep(now);
        if keeps_token {
            engine.release_lease(&mut self.claim);
            close_gate::<E>(engine, now, attempt, error, error.retry_after());
            self.token_attempts = 0;
        }
        keeps_token
    }

    /// Returns whether the call tries again with another token, as it does once after a 401.
    fn tries_another_token(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        purpose: &Purpose,
        error: &CallErrorKind,
    ) -> bool {
        let (Purpose::Request(_, generation), Credentials::Client(_)) =
            (purpose, &engine.credentials)
        else {
            return false;
        };
        if !E::AUTHORIZED || !error.is_unauthorized() {
            return false;
        }
        let cache = &mut engine.token_cache;
        if self.renewed_after_401 {
            cache.renewal_refused(*generation, now);
            return false;
        }
        let refused = cache.secret_of(*generation);
        self.renewed_after_401 = cache.discard(*generation, now);
        if self.renewed_after_401 {
            if let (Some(fleet), Some(token)) = (&mut engine.fleet, refused) {
                fleet.token.discard(token);
            }
            self.request_attempts = 0;
        }
        self.renewed_after_401
    }
}

/// Keeps all calls from sending requests like the refused one for the time `wait`, if there is one:
/// the time that the service named, or else this call's own pause, which does not shorten an
/// earlier refusal.
fn close_gate<E: Endpoint>(
    engine: &mut Engine,
    now: Moment,
    attempt: &Attempt,
    error: &CallErrorKind,
    wait: Option<Duration>,
) {
    let (until, named) = (wait.map(|wait| now.after(wait)), error.retry_after().is_some());
    match (&attempt.purpose, until) {
        (Purpose::Token(_), Some(until)) if error.is_overload() => {
            engine.token_endpoint_refused(until, attempt.sent_at, now, error);
        }
        (Purpose::Token(_), _) => engine.token_cache.inconclusive(attempt.sent_at, now),
        (Purpose::Request(..), Some(until)) if error.is_rate_limited() => {
            engine.report(E::BUCKET, |limiter| limiter.close(until, named, attempt.sent_at, now));
        }
        (Purpose::Request(..), _) => {}
    }
}
