use std::time::Duration;

use super::super::moment::Moment;
use super::super::shared_store::{SharedToken, TokenAnswer, TokenRequest};
use crate::secret::Secret;

/// Single flight among processes: the right to fetch the token, which the store gives to one.
#[derive(Debug, Default)]
pub(in crate::engine) struct TokenShare {
    right: Right,
    /// The messages to the store that precede any request, in this order.
    to_tell: Vec<TokenRequest>,
}

#[derive(Debug, Default)]
enum Right {
    #[default]
    None,
    /// To be asked for.
    Needed { longest_fetch: Duration },
    /// Asked for; given back if nobody needs it any more.
    Asked { longest_fetch: Duration, needed: bool },
    /// To begin a fetch before then.
    Held { until: Moment },
    /// Another process has it.
    Elsewhere { longest_fetch: Duration, ask_at: Moment },
}

/// The right of this process to fetch a token.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::engine) enum Fetching {
    Allowed,
    /// The store's answer is yet to come.
    Undecided,
}

/// The time after which an unused right is given back.
const UNUSED: Duration = Duration::from_secs(5);
/// The most refused tokens that a lost store is told of when it is back.
const MOST_REFUSED: usize = 16;

impl TokenShare {
    /// Asks for the right to begin a fetch now.
    pub(in crate::engine) fn fetching(&mut self, longest_fetch: Duration, now: Moment) -> Fetching {
        match &mut self.right {
            Right::Held { until } if now < *until => return Fetching::Allowed,
            Right::None | Right::Held { .. } => self.right = Right::Needed { longest_fetch },
            Right::Asked { needed, .. } => *needed = true,
            Right::Needed { .. } | Right::Elsewhere { .. } => {}
        }
        Fetching::Undecided
    }

    /// Shares the token that was just fetched; one without a lifetime is for a single request.
    pub(in crate::engine) fn fetched(&mut self, token: Option<SharedToken>) {
        self.right = Right::None;
        self.to_tell.push(token.map_or(TokenRequest::Release, TokenRequest::Put));
    }

    /// Gives up the right to fetch, or the wish for it.
    pub(in crate::engine) fn release(&mut self) {
        match &mut self.right {
            Right::Asked { needed, .. } => return *needed = false,
            Right::Held { .. } => self.to_tell.push(TokenRequest::Release),
            Right::None | Right::Needed { .. } | Right::Elsewhere { .. } => {}
        }
        self.right = Right::None;
    }

    /// Keeps the right for another fetch, which begins at that time.
    pub(in crate::engine) fn extend(&mut self, at: Moment, longest_fetch: Duration, now: Moment) {
        if let Right::Held { until } = &mut self.right {
            *until = at.after(UNUSED);
            self.to_tell.push(TokenRequest::Hold(until.after(longest_fetch).since(now)));
        }
    }

    /// Keeps everybody from fetching until then: the service said so.
    pub(in crate::engine) fn refused(&mut self, until: Moment, now: Moment) {
        self.right = Right::None;
        self.to_tell.push(TokenRequest::Hold(until.since(now)));
    }

    /// Forgets a token that the service refused.
    pub(in crate::engine) fn discard(&mut self, token: Secret) {
        if self.to_tell.len() < MOST_REFUSED {
            self.to_tell.push(TokenRequest::Discard(token));
        }
    }

    /// Returns whether there is something to ask now.
    fn asks(&self, now: Moment) -> Option<Duration> {
        match self.right {
            Right::Needed { longest_fetch } => Some(longest_fetch),
            Right::Elsewhere { longest_fetch, ask_at } if ask_at <= now => Some(longest_fetch),
            _ => None,
        }
    }

    /// Returns what to tell and to ask the store now; `known` is the cached token.
    pub(super) fn requests(&mut self, known: Option<Secret>, now: Moment) -> Vec<TokenRequest> {
        let mut requests = std::mem::take(&mut self.to_tell);
        if let Some(longest_fetch) = self.asks(now) {
            self.right = Right::Asked { longest_fetch, needed: true };
            let lease = longest_fetch.saturating_add(UNUSED);
            requests.push(TokenRequest::Get { lease, known });
        }
        requests
    }

    /// Returns when to ask again, if no step changes that.
    pub(super) fn asks_at(&self) -> Option<Moment> {
        match self.right {
            Right::Elsewhere { ask_at, .. } => Some(ask_at),
            _ => None,
        }
    }

    /// Takes an answer of the store; returns the token that it gave.
    pub(super) fn answered(
        &mut self,
        answer: TokenAnswer,
        asked_at: Moment,
        now: Moment,
    ) -> Option<SharedToken> {
        let Right::Asked { longest_fetch, needed } = self.right else { return None };
        self.right = match answer {
            TokenAnswer::Done => return None,
            TokenAnswer::Token(_) => Right::None,
            TokenAnswer::Fetch => Right::Held { until: asked_at.after(UNUSED) },
            TokenAnswer::Wait(wait) => Right::Elsewhere { longest_fetch, ask_at: now.after(wait) },
        };
        if !needed {
            self.release();
        }
        match answer {
            TokenAnswer::Token(token) => Some(token),
            _ => None,
        }
    }

    /// Takes that the store is lost: this process fetches a token of its own.
    pub(super) fn lose(&mut self) {
        self.right = Right::None;
        self.to_tell.retain(|request| matches!(request, TokenRequest::Discard(_)));
    }
}
