//! One attempt of a call.

use super::{Call, State};
use crate::credentials::Authorization;
use crate::endpoint::{Endpoint, EndpointKind};
use crate::engine::{Engine, EventKind, Moment, Ticket};
use crate::oauth::{AccessToken, FetchToken};

/// One request that was sent.
pub(super) struct Attempt {
    pub(super) ticket: u64,
    pub(super) purpose: Purpose,
    pub(super) sent_at: Moment,
    /// The attempt's deadline.
    pub(super) until: Moment,
}

/// The purpose of a request, with the credentials it is sent with.
pub(super) enum Purpose {
    /// To fetch a token.
    Token(FetchToken),
    /// The call's own request, with a token of this generation.
    Request(Option<Authorization>, u64),
}

impl Purpose {
    /// Returns the endpoint of the request, given that of the call.
    pub(super) fn endpoint(&self, own: EndpointKind) -> EndpointKind {
        match self {
            Self::Token(_) => EndpointKind::FetchToken,
            Self::Request(..) => own,
        }
    }

    pub(super) fn is_token(&self) -> bool {
        matches!(self, Self::Token(_))
    }

    /// Returns the secrets that it is sent with, which must not appear in errors.
    pub(super) fn secrets(&self) -> Vec<&str> {
        match self {
            Self::Token(endpoint) => endpoint.client().secrets().into(),
            Self::Request(authorization, _) => {
                authorization.iter().map(Authorization::secret).collect()
            }
        }
    }
}

impl<E: Endpoint> Call<E> {
    /// Takes the attempt with this ticket, if it is still in flight.
    pub(super) fn take_attempt(&mut self, ticket: &Ticket) -> Option<Attempt> {
        match std::mem::replace(&mut self.state, State::Ready) {
            State::InFlight(attempt) if attempt.ticket == ticket.0 => Some(attempt),
            other => {
                self.state = other;
                None
            }
        }
    }

    /// Stores the token that was fetched.
    pub(super) fn token_fetched(&mut self, engine: &mut Engine, now: Moment, token: &AccessToken) {
        engine.store_token(&mut self.claim, token, now);
        self.token_attempts = 0;
        self.last = None;
        self.record(engine, EventKind::TokenFetched { lifetime: token.lifetime() });
    }

    /// Returns the deadline of requests with this purpose.
    pub(super) fn deadline_of(
        &mut self,
        purpose: &Purpose,
        engine: &Engine,
        now: Moment,
    ) -> Moment {
        match purpose {
            Purpose::Token(_) => self.deadline.token_end(&engine.settings.policy, now),
            Purpose::Request(..) => self.deadline.end(&engine.settings.policy, now),
        }
    }

    /// Returns the counter of attempts of the current request with this purpose.
    pub(super) fn attempts(&mut self, purpose: &Purpose) -> &mut u32 {
        match purpose {
            Purpose::Token(_) => &mut self.token_attempts,
            Purpose::Request(..) => &mut self.request_attempts,
        }
    }
}
