use std::fmt;
use std::time::Duration;

use http::{Response, StatusCode};

use super::call_error::{CallError, Cause, Stopped, Trouble};
use super::event::Event;
use super::flight::{Flight, Purpose};
use super::moment::Moment;
use super::pacer::Place;
use super::retry::{self, History, Verdict};
use super::step::{Failure, FailureKind, Operation, Reason, Step, Ticket};
use super::token_slot::{Pass, Share};
use super::{Access, Engine};
use crate::credentials::Authorization;
use crate::endpoint::{Endpoint, Replay};
use crate::error::{Action, ResponseErrorKind};
use crate::rate_limit::RateLimit;

/// One call of an [`Endpoint`], carried through: with a token, under the rate limit, retried, and
/// over by its deadline.
///
/// Its clock starts with the first poll.
pub struct Call<E: Endpoint> {
    endpoint: E,
    timeout: Option<Duration>,
    /// Whether the clock stands still until the rate limit lets the first request go.
    queued: bool,
    deadline: Option<Moment>,
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
    events: Vec<Event>,
}

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
            timeout: None,
            queued: false,
            deadline: None,
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
            events: Vec::new(),
        }
    }

    /// The same call with a budget of its own for token, waits, retries and bodies.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The same call, but its clock starts when the rate limit lets its first request go: for jobs
    /// that have more to ask than the limit allows in a call's time.
    #[must_use]
    pub fn queued(mut self) -> Self {
        self.queued = true;
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
                    return self.send(engine, now, deadline, Purpose::Token, Authorization::none());
                }
                Some(Pass::Wait(until)) => {
                    return self.wait(engine, now, deadline, until, Reason::Token);
                }
                Some(Pass::Failed(trouble)) => {
                    return Err(self.error(Action::FetchToken, trouble, Stopped::Final));
                }
            };
        match engine.admit(E::ACTION, &mut self.place, now) {
            Ok(()) => {
                self.queued = false;
                let deadline = self.deadline(engine, now);
                self.send(engine, now, deadline, Purpose::Own(generation), authorization)
            }
            Err(until) => self.wait(engine, now, deadline, until, Reason::Pacing),
        }
    }

    fn deadline(&mut self, engine: &Engine, now: Moment) -> Moment {
        if self.queued {
            return now.after(Duration::MAX);
        }
        let timeout = self.timeout.unwrap_or(engine.policy.call_timeout);
        *self.deadline.get_or_insert(now.after(timeout))
    }

    fn send(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        deadline: Moment,
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
        let timeout = engine.policy.attempt_timeout.min(deadline.since(now));
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

    /// Waits, unless that cannot end in time.
    fn wait(
        &mut self,
        engine: &Engine,
        now: Moment,
        deadline: Moment,
        until: Moment,
        reason: Reason,
    ) -> Result<Step<E::Output>, CallError> {
        if until >= deadline && reason == Reason::Pacing {
            return Err(self.out_of_time(reason));
        }
        let until = until.min(deadline);
        // Asked again before its time, a call has nothing new to tell.
        if self.announced.replace((until, reason)) != Some((until, reason)) {
            self.record(engine, Event::Waiting { duration: until.since(now), reason });
        }
        Ok(Step::Wait { until, reason })
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
                self.last = Some((action, trouble));
                self.record(engine, Event::TokenRefused);
                return;
            }
        }
        let refused = trouble.is_refusal();
        if refused {
            self.refusals += 1;
            *self.attempts(purpose) -= 1;
        }
        let deadline = self.deadline(engine, now);
        let attempts = *self.attempts(purpose);
        let history = History { attempts, refusals: self.refusals, deadline };
        let replay = if purpose == Purpose::Token { Replay::Safe } else { E::REPLAY };
        let random = engine.jitter.next();
        match retry::decide(&engine.policy, &history, &trouble, replay, now, random) {
            Verdict::Again { at, reason } => {
                if let (true, Some(pacer)) = (refused, engine.pacer(action)) {
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
                let shared = purpose == Purpose::Token && stopped != Stopped::Deadline;
                if shared
                    && engine.slot().is_some_and(|slot| slot.fail(&mut self.share, &trouble, now))
                {
                    self.token_attempts = 0;
                    return;
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
        let deadline = self.deadline(engine, now);
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
        if let Some(pacer) = engine.pacer(action) {
            let told = RateLimit::from_headers(response.headers());
            let refused = status == StatusCode::TOO_MANY_REQUESTS;
            let first = pacer.answered(flight.ticket, now, &told, refused);
            engine.wakes_others |= first;
            if let (Some(limit), Some(remaining)) = (told.limit, told.remaining) {
                self.record(engine, Event::RateLimit { limit, remaining });
            }
        }
        let trouble = match (flight.purpose, &engine.access) {
            (Purpose::Token, Access::Client { endpoint, .. }) => match endpoint.parse(response) {
                Ok(token) => {
                    engine.store_token(&mut self.share, &token, now);
                    self.token_attempts = 0;
                    self.record(engine, Event::TokenFetched { lifetime: token.lifetime() });
                    return;
                }
                Err(error) => error,
            },
            _ => match self.endpoint.parse(response) {
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
        if let Some(head) = head.filter(|head| !head.status().is_success()) {
            return self.handle_response(engine, now, ticket, head.map(|()| &[][..]));
        }
        let Some(flight) = self.land(&ticket) else { return };
        let action = flight.purpose.action(E::ACTION);
        self.record(engine, Event::Failed { action, failure: kind });
        match engine.pacer(action) {
            Some(pacer) if kind.is_unsent() => pacer.unsent(flight.ticket),
            Some(pacer) => pacer.lost(flight.ticket, now),
            None => {}
        }
        self.failed(engine, now, flight.purpose, Trouble::Failure(kind));
    }

    fn cancel(&mut self, engine: &mut Engine, now: Moment) {
        if let State::InFlight(flight) = std::mem::replace(&mut self.state, State::Finished(None))
            && let Some(pacer) = engine.pacer(flight.purpose.action(E::ACTION))
        {
            pacer.lost(flight.ticket, now);
        }
        if let Some(pacer) = engine.pacer(E::ACTION) {
            pacer.leave(self.place);
        }
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
            .field("deadline", &self.deadline)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}
