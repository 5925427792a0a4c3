//! Driving a call: [`Operation`] for [`Call`].

use http::Response;

use super::{Attempt, Call, Purpose, State};
use crate::credentials::Credentials;
use crate::endpoint::{Endpoint, triage};
use crate::engine::{
    CallErrorKind, Engine, EventKind, GaveUp, Moment, Operation, Step, Ticket, TransportError,
    TransportErrorKind, WaitReason,
};
use crate::error::ResponseError;
use crate::json::is_object;
use crate::rate_limit::RateLimit;

impl<E: Endpoint> Operation for Call<E> {
    type Output = E::Output;

    fn poll(&mut self, engine: &mut Engine, now: Moment) -> Step<E::Output> {
        self.started_at.get_or_insert(now);
        let deadline = self.deadline.end(&engine.settings.policy, now);
        let cache = &engine.token_cache;
        let has_changed = cache.is_current(now) || cache.is_retired(&self.claim);
        let is_paused = now < deadline && matches!(self.state, State::Paused { .. });
        if has_changed && is_paused && self.fetch_failed() {
            // With another token, or other credentials, the pause before the next fetch ends.
            (self.state, self.last) = (State::Ready, None);
        }
        let waited_for = match &mut self.state {
            State::Finished(result) => {
                let result = result.take();
                let finished =
                    || self.error(E::KIND, CallErrorKind::Finished, GaveUp::NotRetryable);
                return Step::Done(result.unwrap_or_else(|| Err(finished())));
            }
            State::InFlight(attempt) if now < attempt.until => {
                return Step::Wait { until: attempt.until, reason: WaitReason::Response };
            }
            State::InFlight(attempt) => {
                let ticket = Ticket(attempt.ticket);
                let timeout = TransportError::new(TransportErrorKind::Timeout);
                self.handle_failure(engine, now, ticket, timeout);
                return self.poll(engine, now);
            }
            State::Paused { until, reason } if now < *until => {
                return Step::Wait { until: *until, reason: *reason };
            }
            State::Paused { reason, .. } => *reason,
            State::Ready => self.announced.map_or(WaitReason::Response, |(_, reason)| reason),
        };
        let step = if now < deadline {
            self.advance(engine, now)
        } else {
            Err(self.out_of_time(engine, waited_for))
        };
        step.unwrap_or_else(|error| {
            self.finish(engine, now, Err(error));
            self.poll(engine, now)
        })
    }

    fn handle_response<B: AsRef<[u8]>>(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        response: &Response<B>,
    ) {
        let Some(attempt) = self.take_attempt(&ticket) else { return };
        let (status, headers) = (response.status(), response.headers());
        let body = response.body().as_ref();
        let request_id = engine.is_recording().then(|| triage::request_id(headers)).flatten();
        let request_id = request_id
            .map(|id| engine.scrubbed_text(id, &self.private_texts(&attempt.purpose, body)));
        let (endpoint, elapsed) = (attempt.endpoint, now.since(attempt.sent_at));
        self.record(engine, EventKind::Answered { endpoint, status, request_id, elapsed });
        let reported = RateLimit::from_headers(headers);
        if let (Some(limit), Some(remaining)) = (reported.limit, reported.remaining) {
            self.record(engine, EventKind::RateLimit { limit, remaining });
        }
        let error = match &attempt.purpose {
            Purpose::Token(endpoint) => match endpoint.parse(response) {
                Ok(token) => return self.token_fetched(engine, now, &token),
                Err(error) => error,
            },
            Purpose::Request(..) => {
                engine.report(E::BUCKET, |limiter| {
                    limiter.answered(attempt.ticket, now, &reported, status)
                });
                let already_done = |error: &ResponseError| {
                    self.endpoint.already_done(error).filter(|_| self.may_have_taken_effect)
                };
                match self.endpoint.parse(response).or_else(|e| already_done(&e).ok_or(e)) {
                    Ok(output) => return self.finish(engine, now, Ok(output)),
                    Err(error) => error,
                }
            }
        };
        let private = self.private_texts(&attempt.purpose, body);
        let mut error = engine.secrets(&private).fold(error, ResponseError::scrubbed);
        error.0.by_client = matches!(engine.credentials, Credentials::Client(_));
        self.attempt_failed(engine, now, &attempt, CallErrorKind::Response(error));
    }

    fn handle_failure(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        error: TransportError,
    ) {
        let TransportError { mut kind, partial } = error;
        // A server that sent the head of a response has seen the request.
        if partial.is_some() && kind.is_unsent() {
            kind = TransportErrorKind::ConnectionLost;
        }
        let is_usable = |partial: &Response<Vec<u8>>| {
            !partial.status().is_success() || is_object(partial.body())
        };
        if let Some(response) = partial.filter(|partial| is_usable(partial)) {
            return self.handle_response(engine, now, ticket, &response);
        }
        let Some(attempt) = self.take_attempt(&ticket) else { return };
        let (endpoint, elapsed) = (attempt.endpoint, now.since(attempt.sent_at));
        self.record(engine, EventKind::Failed { endpoint, error: kind, elapsed });
        if !attempt.purpose.is_token() {
            let unsent = kind.is_unsent();
            engine.report(E::BUCKET, |limiter| limiter.failed(attempt.ticket, now, unsent));
        }
        self.attempt_failed(engine, now, &attempt, CallErrorKind::Transport(kind));
    }

    fn cancel(&mut self, engine: &mut Engine, now: Moment) {
        let state = std::mem::replace(&mut self.state, State::Finished(None));
        if let State::InFlight(Attempt { ticket, purpose, sent_at, .. }) = state {
            match purpose {
                Purpose::Token(_) => engine.token_cache.inconclusive(sent_at, now),
                Purpose::Request(..) => {
                    engine.report(E::BUCKET, |limiter| limiter.failed(ticket, now, false));
                }
            }
        }
        engine.report(E::BUCKET, |limiter| limiter.leave(self.position, now));
        engine.release_lease(&mut self.claim);
    }
}
