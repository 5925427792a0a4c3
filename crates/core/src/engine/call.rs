use std::fmt;
use std::time::Duration;

use http::Response;

use super::call_error::{CallError, Cause, Stopped, Trouble};
use super::clock::Clock;
use super::event::Event;
use super::flight::{Flight, Purpose};
use super::moment::Moment;
use super::pacer::{Held, Place};
use super::retry::{self, History, Verdict};
use super::step::{Failure, FailureKind, Operation, Reason, Step, Ticket};
use super::token_slot::{Pass, Share};
use super::{Access, Engine};
use crate::credentials::Authorization;
use crate::endpoint::{AccessToken, Endpoint, Replay};
use crate::error::{Action, ResponseError, ResponseErrorKind};
use crate::rate_limit::RateLimit;

/// One call of an [`Endpoint`], carried through: with a token, under the rate limit, retried, and
/// over by its deadline.
///
/// Its clock starts with the first poll.
pub struct Call<E: Endpoint> {
    endpoint: E,
    clock: Clock,
    state: State<E::Output>,
    share: Share,
    place: Place,
    token_attempts: u32,
    own_attempts: u32,
    /// Refusals by rate limit, which are no attempts.
    refusals: u32,
    sent: u32,
    /// The wait that was told last.
    announced: Option<(Moment, Reason)>,
    renewed_after_401: bool,
    last: Option<(Action, Trouble)>,
    /// The answer to a request of that ticket, if it was read ahead.
    read: Option<(u64, Result<E::Output, ResponseError>)>,
    events: Vec<Event>,
}

/// Longer than any answer takes, and short enough for every HTTP library's arithmetic.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

enum State<T> {
    Ready,
    Paused { until: Moment, reason: Reason },
    InFlight(Flight),
    Finished(Option<Result<T, CallError>>),
}

impl<E: Endpoint> Call<E> {
    /// A call with the policy's timeout.
    pub fn new(endpoint: E) -> Self {
        Self {
            endpoint,
            clock: Clock::default(),
            state: State::Ready,
            share: Share::default(),
            place: None,
            token_attempts: 0,
            own_attempts: 0,
            refusals: 0,
            sent: 0,
            announced: None,
            renewed_after_401: false,
            last: None,
            read: None,
            events: Vec::new(),
        }
    }

    /// The same call with a budget of its own for token, waits, retries and bodies.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.clock.timeout = Some(timeout);
        self
    }

    /// The same call, but its clock starts when the rate limit lets its first request go: for jobs
    /// that have more to ask than the limit allows in a call's time.
    #[must_use]
    pub fn queued(mut self) -> Self {
        self.clock.queued = true;
        self
    }

    /// Takes the next step of a call that is neither in flight nor over.
    fn advance(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        deadline: Moment,
    ) -> Result<Step<E::Output>, CallError> {
        let (authorization, generation) =
            match E::AUTHORIZED.then(|| engine.pass(&mut self.share, now)) {
                None => (Authorization::none(), 0),
                Some(Pass::Ready(authorization, generation)) => (authorization, generation),
                Some(Pass::Fetch) => {
                    return self.send(engine, now, Purpose::Token, Authorization::none());
                }
                Some(Pass::Wait(until)) => {
                    return Ok(self.wait(engine, now, deadline.min(until), Reason::Token));
                }
                Some(Pass::Failed(trouble)) => {
                    return Err(self.error(Action::FetchToken, trouble, Stopped::Final));
                }
            };
        match engine.admit(E::ACTION, &mut self.place, now) {
            Ok(()) => {
                self.clock.start();
                self.send(engine, now, Purpose::Own(generation), authorization)
            }
            Err(Held { until, surely }) if surely && until >= deadline => {
                Err(self.out_of_time(Reason::Pacing))
            }
            Err(held) => Ok(self.wait(engine, now, deadline.min(held.until), Reason::Pacing)),
        }
    }

    fn send(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        purpose: Purpose,
        authorization: Authorization,
    ) -> Result<Step<E::Output>, CallError> {
        let action = purpose.action(E::ACTION);
        let request = match (purpose, &engine.access) {
            (Purpose::Token, Access::Client { endpoint, .. }) => {
                engine.ready(endpoint, &authorization)
            }
            _ => engine.ready(&self.endpoint, &authorization),
        };
        let request = request.map_err(|error| {
            CallError::new(action, Cause::Build(error), Stopped::Final, self.sent)
        })?;
        let deadline = self.clock.deadline(purpose, &engine.policy, now);
        let timeout = engine.policy.attempt_timeout.min(deadline.since(now)).min(LONGEST_TIMEOUT);
        if timeout.is_zero() {
            return Err(self.out_of_time(Reason::Response));
        }
        let (ticket, until) = (engine.ticket(), now.after(timeout));
        if let Some(pacer) = engine.pacer(action) {
            pacer.sent(ticket, now, until);
        }
        self.sent += 1;
        self.announced = None;
        let attempts = self.attempts(purpose);
        *attempts += 1;
        let attempt = *attempts;
        self.record(engine, Event::Sent { action, attempt });
        if purpose != Purpose::Token {
            self.share.used();
        }
        self.state = State::InFlight(Flight { ticket, purpose, authorization, until });
        Ok(Step::Send { request, ticket: Ticket(ticket), timeout })
    }

    fn wait(
        &mut self,
        engine: &Engine,
        now: Moment,
        until: Moment,
        reason: Reason,
    ) -> Step<E::Output> {
        // Asked again before its time, a call has nothing new to tell.
        let told = self.announced.is_some_and(|(until, last)| last == reason && now < until);
        if !told {
            self.announced = Some((until, reason));
            self.record(engine, Event::Waiting { duration: until.since(now), reason });
        }
        Step::Wait { until, reason }
    }

    /// The flight that `ticket` stands for, if it is still the one under way.
    fn land(&mut self, ticket: &Ticket) -> Option<Flight> {
        match std::mem::replace(&mut self.state, State::Ready) {
            State::InFlight(flight) if flight.ticket == ticket.0 => Some(flight),
            other => {
                self.state = other;
                None
            }
        }
    }

    fn token_fetched(&mut self, engine: &mut Engine, now: Moment, token: &AccessToken) {
        engine.store_token(&mut self.share, token, now);
        self.token_attempts = 0;
        self.clock.token_fetched();
        self.last = None;
        self.record(engine, Event::TokenFetched { lifetime: token.lifetime() });
    }

    #[cold]
    fn failed(&mut self, engine: &mut Engine, now: Moment, purpose: Purpose, trouble: Trouble) {
        let action = purpose.action(E::ACTION);
        if let (Purpose::Own(generation), Trouble::Response(error)) = (purpose, &trouble) {
            let unauthorized = *error.kind() == ResponseErrorKind::Unauthorized;
            let slot =
                engine.slot().filter(|_| unauthorized && E::AUTHORIZED && !self.renewed_after_401);
            if let Some(slot) = slot {
                slot.discard(generation);
                self.renewed_after_401 = true;
                self.own_attempts = 0;
                self.record(engine, Event::TokenRefused);
                return;
            }
        }
        if purpose == Purpose::Token && engine.keep_token(&mut self.share, now) {
            self.token_attempts = 0;
            return;
        }
        if trouble.is_refusal() {
            self.refusals += 1;
            *self.attempts(purpose) -= 1;
            self.clock.hold();
            if let (Some(pacer), Some(wait)) = (engine.pacer(action), trouble.retry_after()) {
                pacer.close(now.after(wait));
            }
        }
        let deadline = self.clock.deadline(purpose, &engine.policy, now);
        let attempts = *self.attempts(purpose);
        let history = History { attempts, refusals: self.refusals, deadline };
        let replay = if purpose == Purpose::Token { Replay::Safe } else { E::REPLAY };
        let random = engine.jitter.next();
        match retry::decide(&engine.policy, &history, &trouble, replay, now, random) {
            Verdict::Again { at, reason } => {
                if let (true, Some(pacer)) = (trouble.is_refusal(), engine.pacer(action)) {
                    pacer.close(at);
                }
                let lease_until = at.after(engine.policy.attempt_timeout);
                if let Some(slot) = engine.slot() {
                    slot.extend(&self.share, lease_until);
                }
                self.last = Some((action, trouble));
                self.state = State::Paused { until: at, reason };
                self.record(engine, Event::Waiting { duration: at.since(now), reason });
            }
            Verdict::Stop(stopped) => {
                // Only what would meet the other calls as well is theirs to share.
                if purpose == Purpose::Token && stopped != Stopped::Deadline {
                    engine.share_failure(&mut self.share, &trouble);
                }
                let error = self.error(action, trouble, stopped);
                self.finish(engine, now, Err(error));
            }
        }
    }

    fn attempts(&mut self, purpose: Purpose) -> &mut u32 {
        match purpose {
            Purpose::Token => &mut self.token_attempts,
            Purpose::Own(_) => &mut self.own_attempts,
        }
    }

    fn error(&self, action: Action, trouble: Trouble, stopped: Stopped) -> CallError {
        CallError::new(action, trouble.into(), stopped, self.sent)
    }

    /// The error of a call whose time ran out in a wait: what went wrong before, if anything did.
    fn out_of_time(&mut self, reason: Reason) -> CallError {
        match self.last.take() {
            Some((action, trouble)) => self.error(action, trouble, Stopped::Deadline),
            None => CallError::new(E::ACTION, Cause::Waiting(reason), Stopped::Deadline, self.sent),
        }
    }

    fn finish(&mut self, engine: &mut Engine, now: Moment, result: Result<E::Output, CallError>) {
        self.cancel(engine, now);
        self.state = State::Finished(Some(result));
    }

    fn record(&mut self, engine: &Engine, event: Event) {
        if engine.records_events {
            self.events.push(event);
        }
    }
}

impl<E: Endpoint> Operation for Call<E> {
    type Output = E::Output;

    fn poll(&mut self, engine: &mut Engine, now: Moment) -> Step<E::Output> {
        let deadline = self.clock.deadline(Purpose::Own(0), &engine.policy, now);
        let waited_for = match &mut self.state {
            State::Finished(result) => {
                let over = || CallError::new(E::ACTION, Cause::Finished, Stopped::Final, self.sent);
                return Step::Done(result.take().unwrap_or_else(|| Err(over())));
            }
            State::InFlight(flight) if now < flight.until => {
                return Step::Wait { until: flight.until, reason: Reason::Response };
            }
            State::InFlight(flight) => {
                let ticket = Ticket(flight.ticket);
                self.handle_failure(engine, now, ticket, Failure::new(FailureKind::Timeout));
                return self.poll(engine, now);
            }
            State::Paused { until, reason } if now < *until => {
                return Step::Wait { until: *until, reason: *reason };
            }
            State::Paused { reason, .. } => *reason,
            State::Ready => self.announced.map_or(Reason::Response, |(_, reason)| reason),
        };
        let step = if now < deadline {
            self.advance(engine, now, deadline)
        } else {
            Err(self.out_of_time(waited_for))
        };
        step.unwrap_or_else(|error| {
            self.finish(engine, now, Err(error));
            self.poll(engine, now)
        })
    }

    fn read_ahead(&mut self, ticket: &Ticket, response: &Response<&[u8]>) {
        // How a token's answer is read, the engine knows.
        if let State::InFlight(Flight { ticket: sent, purpose: Purpose::Own(_), .. }) = self.state
            && sent == ticket.0
        {
            self.read = Some((sent, self.endpoint.read(response)));
        }
    }

    fn handle_response(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        response: Response<&[u8]>,
    ) {
        let Some(flight) = self.land(&ticket) else { return };
        let (action, status) = (flight.purpose.action(E::ACTION), response.status());
        self.record(engine, Event::Answered { action, status });
        let told = RateLimit::from_headers(response.headers());
        engine.account(action, |pacer| pacer.answered(flight.ticket, now, &told, status));
        if let (Some(limit), Some(remaining)) = (told.limit, told.remaining) {
            self.record(engine, Event::RateLimit { limit, remaining });
        }
        let read = self.read.take().filter(|(ticket, _)| *ticket == flight.ticket);
        let trouble = match (flight.purpose, &engine.access) {
            (Purpose::Token, Access::Client { endpoint, .. }) => match endpoint.read(&response) {
                Ok(token) => return self.token_fetched(engine, now, &token),
                Err(error) => error,
            },
            _ => match read.map_or_else(|| self.endpoint.read(&response), |(_, result)| result) {
                Ok(output) => return self.finish(engine, now, Ok(output)),
                Err(error) => error,
            },
        };
        let trouble = engine.scrubbed(trouble.scrubbed(flight.authorization.secret()));
        self.failed(engine, now, flight.purpose, Trouble::Response(trouble));
    }

    fn handle_failure(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        failure: Failure,
    ) {
        let Failure { kind, head } = failure;
        // Whoever sent the head of an answer has seen the request.
        let kind = if head.is_some() && kind.is_unsent() { FailureKind::Broken } else { kind };
        if let Some(head) = head.filter(|head| !head.status().is_success()) {
            return self.handle_response(engine, now, ticket, head.map(|()| &[][..]));
        }
        let Some(flight) = self.land(&ticket) else { return };
        let action = flight.purpose.action(E::ACTION);
        self.record(engine, Event::Failed { action, failure: kind });
        engine.account(action, |pacer| pacer.failed(flight.ticket, now, kind.is_unsent()));
        self.failed(engine, now, flight.purpose, Trouble::Failure(kind));
    }

    fn cancel(&mut self, engine: &mut Engine, now: Moment) {
        if let State::InFlight(flight) = std::mem::replace(&mut self.state, State::Finished(None)) {
            let action = flight.purpose.action(E::ACTION);
            engine.account(action, |pacer| pacer.failed(flight.ticket, now, false));
        }
        engine.account(E::ACTION, |pacer| pacer.leave(self.place, now));
        engine.release_lease(&mut self.share);
    }

    fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }
}

impl<E: Endpoint> fmt::Debug for Call<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("action", &E::ACTION)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}
