//! One call: authorize, wait for the rate limit, send, and finish.

mod failed;
mod operation;

use std::fmt;
use std::time::Duration;

use super::deadline::Deadline;
use super::event::without_query;
use super::rate_limiter::Deferred;
use super::shared_store::RECHECK;
use super::token_cache::{TokenAccess, TokenClaim};
use super::{
    CallError, CallErrorKind, Engine, Event, EventKind, GaveUp, Moment, Operation as _, Step,
    Ticket, WaitReason,
};
use crate::credentials::Authorization;
use crate::endpoint::sealed::Sealed as _;
use crate::endpoint::{Bucket, Endpoint, EndpointKind, Replay, echo};
use crate::oauth::{AccessToken, FetchToken};
use crate::secret::Secret;

/// One call of an [`Endpoint`], from start to finish: with a token, within the rate limit, with
/// retries, and finished by its deadline.
///
/// Its time starts with the first poll.
pub struct Call<E: Endpoint> {
    endpoint: E,
    deadline: Deadline,
    state: State<E::Output>,
    claim: TokenClaim,
    /// The position in the order of arrival; `None` before the first request. A call that is refused
    /// later returns to its position.
    position: Option<u64>,
    token_attempts: u32,
    request_attempts: u32,
    /// Refusals by the rate limit, which do not count as attempts.
    refusals: u32,
    sent: u32,
    started_at: Option<Moment>,
    /// The wait for which an event was recorded last.
    announced: Option<(Moment, WaitReason)>,
    renewed_after_401: bool,
    /// The token of the last failed attempt, which the service may echo after it was replaced.
    last_token: Option<Authorization>,
    /// Set by failed attempts.
    may_have_taken_effect: bool,
    last: Option<(EndpointKind, CallErrorKind)>,
}

/// Longer than any response takes, and short enough not to overflow in any HTTP library.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

enum State<T> {
    Ready,
    Paused { until: Moment, reason: WaitReason },
    InFlight(Attempt),
    Finished(Option<Result<T, CallError>>),
}

/// One request that was sent.
struct Attempt {
    ticket: u64,
    endpoint: EndpointKind,
    purpose: Purpose,
    sent_at: Moment,
    /// The attempt's deadline.
    until: Moment,
}

/// The purpose of a request, with the credentials it is sent with.
enum Purpose {
    /// To fetch a token.
    Token(FetchToken),
    /// The call's own request, with a token of this generation.
    Request(Option<Authorization>, u64),
}

impl Purpose {
    fn is_token(&self) -> bool {
        matches!(self, Self::Token(_))
    }
}

impl<E: Endpoint> Call<E> {
    /// Creates a call with the policy's timeout, or the endpoint's minimum if that is longer.
    pub fn new(endpoint: E) -> Self {
        Self {
            endpoint,
            deadline: Deadline::with_minimum(E::BUCKET.min_timeout()),
            state: State::Ready,
            claim: TokenClaim::default(),
            position: None,
            token_attempts: 0,
            request_attempts: 0,
            refusals: 0,
            sent: 0,
            started_at: None,
            announced: None,
            renewed_after_401: false,
            last_token: None,
            may_have_taken_effect: false,
            last: None,
        }
    }

    /// Sets the time for the whole call: token, waits, retries and bodies. Default: the policy's.
    #[must_use]
    pub fn with_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.deadline.timeout = timeout.into();
        self
    }

    /// Starts the call's time when the rate limiter admits its first request, and stops it while
    /// the call is in the limiter's queue: for jobs with more requests than the limit allows within
    /// one call's time. Refusals by the service do not stop it, and an earlier wait for a token counts.
    #[must_use]
    pub fn deadline_from_first_send(mut self) -> Self {
        self.deadline.excludes_queue = true;
        self
    }

    /// Takes the next step of a call that is neither in flight nor finished.
    fn advance(&mut self, engine: &mut Engine, now: Moment) -> Result<Step<E::Output>, CallError> {
        self.deadline.leave_queue(now);
        if engine.fleet.is_some()
            && let Some(event) = engine.store_event(now)
        {
            self.record(engine, event);
        }
        // In the queue a call needs no token, which might expire. The permits of a store are requested
        // together with its token.
        if engine.fleet.is_none()
            && self.position.is_some()
            && let Some(step) = self.deferred(engine, now)?
        {
            engine.release_lease(&mut self.claim);
            return Ok(step);
        }
        if engine.token_cache.is_retired(&self.claim) {
            self.token_attempts = 0;
        }
        let access = if E::AUTHORIZED {
            engine.access(&mut self.claim, now)
        } else {
            TokenAccess::Ready(None, 0)
        };
        match access {
            TokenAccess::Ready(authorization, generation) => {
                // A 401 for the replaced token, and a failure to fetch one, no longer matter.
                let fetch_failed = self.fetch_failed();
                self.last.take_if(|(_, error)| fetch_failed || error.is_unauthorized());
                self.deadline.has_token(now);
                if let Some(step) = self.deferred(engine, now)? {
                    return Ok(step);
                }
                self.deadline.admitted(&engine.settings.policy, now);
                self.send(engine, now, Purpose::Request(authorization, generation))
            }
            TokenAccess::Fetch(endpoint) => self.send(engine, now, Purpose::Token(endpoint)),
            TokenAccess::Wait(until) => {
                let end = self.deadline.token_end(&engine.settings.policy, now);
                if now >= end {
                    return Err(self.out_of_time(engine, WaitReason::Token));
                }
                Ok(self.wait(engine, now, end.min(until), WaitReason::Token))
            }
            TokenAccess::Refused { until, named, error } => {
                if until < self.deadline.token_end(&engine.settings.policy, now) {
                    return Ok(self.wait(engine, now, until, WaitReason::RetryAfter));
                }
                let error = self.error(EndpointKind::FetchToken, error, GaveUp::DeadlineExceeded);
                Err(error.with_closed_for(until.since(now), named))
            }
            TokenAccess::Failed(error) => {
                Err(self.error(EndpointKind::FetchToken, error, GaveUp::NotRetryable))
            }
        }
    }

    /// Returns the wait for the rate limiter, unless it admits the call's own request.
    fn deferred(
        &mut self,
        engine: &mut Engine,
        now: Moment,
    ) -> Result<Option<Step<E::Output>>, CallError> {
        let admitted = engine.limiter(E::BUCKET).admit(&mut self.position, now);
        let Err(Deferred { until, reason, certain, refused, named }) = admitted else {
            return Ok(None);
        };
        // Neither the queue nor a refusal is a wait for a token.
        self.deadline.has_token(now);
        if !refused {
            self.deadline.enter_queue(now);
        }
        let deadline = self.deadline.end(&engine.settings.policy, now);
        // The deadline of a queued call moves on while it is in the queue.
        let bounded = refused || !self.deadline.excludes_queue;
        if bounded && certain && until >= deadline {
            let error = self.out_of_time(engine, reason);
            return Err(error.with_closed_for(until.since(now), named));
        }
        let until = if bounded { deadline.min(until) } else { until };
        Ok(Some(self.wait(engine, now, until, reason)))
    }

    fn send(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        purpose: Purpose,
    ) -> Result<Step<E::Output>, CallError> {
        let (endpoint, bucket, request) = match &purpose {
            Purpose::Token(fetch) => {
                (EndpointKind::FetchToken, Bucket::Token, engine.request(fetch, None))
            }
            Purpose::Request(authorization, _) => {
                (E::KIND, E::BUCKET, engine.request(&self.endpoint, authorization.as_ref()))
            }
        };
        let request = request.map_err(|error| {
            self.error(endpoint, CallErrorKind::Build(error), GaveUp::NotRetryable)
        })?;
        let deadline = self.deadline_of(&purpose, engine, now);
        let mut left = deadline.since(now).min(LONGEST_TIMEOUT);
        if purpose.is_token() && engine.token_cache.is_valid(now) {
            // A renewal leaves time to use the old token.
            left /= 2;
        }
        let timeout = match self.replay_of(endpoint) {
            Replay::Safe => engine.settings.policy.attempt_timeout_of(bucket).min(left),
            // There is no second attempt to leave time for.
            Replay::OnlyIfUnsent => left,
        };
        if timeout.is_zero() {
            return Err(self.out_of_time(engine, WaitReason::Token));
        }
        engine.tickets += 1;
        let (ticket, until) = (engine.tickets, now.after(timeout));
        if !purpose.is_token() {
            engine.limiter(E::BUCKET).sent(ticket, now, until);
            self.claim.fresh = None;
        }
        self.sent += 1;
        self.announced = None;
        let attempts = self.attempts(&purpose);
        *attempts += 1;
        let attempt = *attempts;
        if engine.is_recording() {
            let (method, uri) = (request.method().clone(), without_query(request.uri()));
            self.record(engine, EventKind::Sent { endpoint, method, uri, attempt });
        }
        self.state = State::InFlight(Attempt { ticket, endpoint, purpose, sent_at: now, until });
        Ok(Step::Send { request, ticket: Ticket(ticket), timeout })
    }

    /// Returns the deadline of requests with this purpose.
    fn deadline_of(&mut self, purpose: &Purpose, engine: &Engine, now: Moment) -> Moment {
        match purpose {
            Purpose::Token(_) => self.deadline.token_end(&engine.settings.policy, now),
            Purpose::Request(..) => self.deadline.end(&engine.settings.policy, now),
        }
    }

    /// Returns the counter of attempts of the current request with this purpose.
    fn attempts(&mut self, purpose: &Purpose) -> &mut u32 {
        match purpose {
            Purpose::Token(_) => &mut self.token_attempts,
            Purpose::Request(..) => &mut self.request_attempts,
        }
    }

    /// Takes the attempt with this ticket, if it is still in flight.
    fn take_attempt(&mut self, ticket: &Ticket) -> Option<Attempt> {
        match std::mem::replace(&mut self.state, State::Ready) {
            State::InFlight(attempt) if attempt.ticket == ticket.0 => Some(attempt),
            other => {
                self.state = other;
                None
            }
        }
    }

    /// Returns the secrets of an exchange and the caller's data in it, which must not appear in an
    /// error or an event: those that were sent, and those in the response.
    fn private_texts(&self, purpose: &Purpose, body: &[u8]) -> Vec<Secret> {
        let mut texts: Vec<_> = match purpose {
            Purpose::Token(fetch) => fetch.private_texts(),
            Purpose::Request(authorization, _) => {
                let tokens = authorization.iter().chain(&self.last_token);
                let tokens = tokens.map(|token| token.secret().into());
                tokens.chain(self.endpoint.private_texts()).collect()
            }
        };
        texts.extend(echo::issued(body));
        texts
    }

    fn token_fetched(&mut self, engine: &mut Engine, now: Moment, token: &AccessToken) {
        engine.store_token(&mut self.claim, token, now);
        self.token_attempts = 0;
        self.last = None;
        self.record(engine, EventKind::TokenFetched { lifetime: token.lifetime() });
    }

    fn wait(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        until: Moment,
        reason: WaitReason,
    ) -> Step<E::Output> {
        // A call that is polled before the end of its wait, or only to look again, does not record the
        // wait again.
        let looks_again = until <= now.after(RECHECK);
        let announced =
            self.announced.is_some_and(|(end, last)| last == reason && (now < end || looks_again));
        if !announced {
            self.announced = Some((until, reason));
            self.record(engine, EventKind::Waiting { duration: until.since(now), reason });
        }
        Step::Wait { until, reason }
    }

    /// Returns whether a request may be sent again: the call's own, or one for a token.
    fn replay_of(&self, endpoint: EndpointKind) -> Replay {
        if endpoint == E::KIND { self.endpoint.replay() } else { Replay::Safe }
    }

    fn error(&self, endpoint: EndpointKind, kind: CallErrorKind, gave_up: GaveUp) -> CallError {
        CallError::new(kind)
            .with_endpoint(endpoint)
            .with_replay(self.replay_of(endpoint))
            .with_gave_up(gave_up)
            .with_attempts(self.sent)
    }

    /// Returns whether the last attempt failed to fetch a token for the call's request.
    fn fetch_failed(&self) -> bool {
        E::AUTHORIZED && matches!(self.last, Some((EndpointKind::FetchToken, _)))
    }

    /// Returns the number of requests sent so far, including those for tokens.
    pub(super) fn sent(&self) -> u32 {
        self.sent
    }

    /// Returns the error of a call whose time ran out during a wait: its last failure, or that of
    /// the call that fetches its token; if nothing has failed, the wait.
    fn out_of_time(&mut self, engine: &Engine, reason: WaitReason) -> CallError {
        let of_token = || {
            let cache = Some(&engine.token_cache).filter(|_| reason == WaitReason::Token)?;
            Some((EndpointKind::FetchToken, cache.error_waited_for(&self.claim)?.clone()))
        };
        match self.last.take().or_else(of_token) {
            Some((endpoint, error)) => self.error(endpoint, error, GaveUp::DeadlineExceeded),
            None => {
                // Until a call sends its own request, all responses are to token requests.
                let of_token = reason == WaitReason::Response && self.request_attempts == 0;
                let endpoint =
                    if of_token && self.sent > 0 { EndpointKind::FetchToken } else { E::KIND };
                self.error(endpoint, CallErrorKind::Waiting(reason), GaveUp::DeadlineExceeded)
            }
        }
    }

    fn finish(&mut self, engine: &mut Engine, now: Moment, result: Result<E::Output, CallError>) {
        let (succeeded, attempts) = (result.is_ok(), self.sent);
        let elapsed = now.since(self.started_at.unwrap_or(now));
        self.cancel(engine, now);
        self.state = State::Finished(Some(result));
        self.record(engine, EventKind::Finished { succeeded, attempts, elapsed });
    }

    fn record(&self, engine: &mut Engine, kind: EventKind) {
        if let Some(events) = &mut engine.events {
            let session_id = self.endpoint.session_id().cloned();
            events.push(Event { endpoint: E::KIND, session_id, kind });
        }
    }
}

impl<E: Endpoint> fmt::Debug for Call<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("endpoint", &E::KIND)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}
