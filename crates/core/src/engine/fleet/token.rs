use std::time::Duration;

use crate::engine::shared_store::RECHECK;
use crate::engine::token_cache::TokenCache;
use crate::engine::{Moment, SharedToken, TokenAnswer, TokenRequest};
use crate::secret::Secret;

/// Single flight among processes: the store leases the fetching of the token to one of them.
#[derive(Debug, Default)]
pub(in crate::engine) struct TokenShare {
    /// The longest time that a fetch can take.
    longest_fetch: Duration,
    lease: Lease,
    hold: Option<Hold>,
    /// The time until which a waiting call is assumed to need the token, unless it is polled again.
    waits_until: Moment,
    /// The messages that are sent to the store before the next `Get`, in this order.
    outgoing: Vec<Message>,
    /// The messages in the exchange in progress.
    sent: Vec<Message>,
}

/// A message to the store, which is repeated until an exchange with it succeeds.
#[derive(Debug)]
enum Message {
    /// Shares this token, which was fetched, and releases the lease.
    Put(Secret),
    Release,
    Discard(Secret),
}

/// The state of the store's lease, as this process knows it.
#[derive(Debug, Default)]
enum Lease {
    #[default]
    None,
    /// To be requested from the store.
    Needed,
    /// Requested; released as soon as it is granted, if it is no longer `needed`.
    Requested { needed: bool },
    /// Held by this process. A fetch must start before `until`, or the lease is released then.
    Held { until: Moment, started: bool },
    /// Held by another process; requested again at `ask_at` if a call still waits.
    Elsewhere { ask_at: Moment },
}

/// The time for which this process keeps the store's lease. It is extended in small steps, so that
/// it soon ends if the process dies.
#[derive(Debug)]
struct Hold {
    /// The time at which a fetch failed.
    since: Moment,
    until: Moment,
    extend_at: Moment,
}

/// The time within which a fetch must start under a lease.
const UNUSED: Duration = Duration::from_secs(5);
/// The time after which a waiting call that is not polled again is assumed not to need the token.
const DROPPED: Duration = RECHECK.saturating_mul(2);
/// The maximum number of messages that may be queued for the store before refused tokens are no
/// longer reported.
const MAX_OUTGOING: usize = 16;

impl TokenShare {
    pub(super) fn new(longest_fetch: Duration) -> Self {
        Self { longest_fetch, ..Self::default() }
    }

    /// Returns the duration of a lease in the store.
    fn term(&self) -> Duration {
        self.longest_fetch.saturating_add(UNUSED)
    }

    /// Returns whether a fetch may start now, and requests the lease if not. `waits` is true if the
    /// call has no other token to use meanwhile.
    pub(in crate::engine) fn may_fetch(&mut self, waits: bool, now: Moment) -> bool {
        if waits {
            self.waits_until = now.after(DROPPED);
        }
        match &mut self.lease {
            Lease::Held { until, started } if now < *until => {
                *started = true;
                return true;
            }
            Lease::None | Lease::Held { .. } => self.lease = Lease::Needed,
            Lease::Requested { needed } => *needed = true,
            Lease::Elsewhere { ask_at } if *ask_at <= now => self.lease = Lease::Needed,
            Lease::Needed | Lease::Elsewhere { .. } => {}
        }
        false
    }

    /// Shares the token that was just fetched; one without a lifetime is for a single request.
    pub(in crate::engine) fn fetched(&mut self, token: Option<Secret>) {
        (self.lease, self.hold) = (Lease::None, None);
        self.outgoing.retain(|message| matches!(message, Message::Discard(_)));
        self.outgoing.push(token.map_or(Message::Release, Message::Put));
    }

    /// Releases the lease, or withdraws the request for it.
    pub(in crate::engine) fn release(&mut self) {
        match &mut self.lease {
            Lease::Requested { needed } => return *needed = false,
            Lease::Held { .. } => {
                self.hold = None;
                self.outgoing.push(Message::Release);
            }
            Lease::None | Lease::Needed | Lease::Elsewhere { .. } => {}
        }
        self.lease = Lease::None;
    }

    /// Extends the lease for another fetch, which starts at `at`.
    pub(in crate::engine) fn extend(&mut self, at: Moment, now: Moment) {
        if let Lease::Held { .. } = self.lease {
            let until = at.after(UNUSED);
            self.lease = Lease::Held { until, started: false };
            let until = until.after(self.longest_fetch);
            self.hold = Some(Hold { since: now, until, extend_at: now });
        }
    }

    /// Keeps all processes from fetching before `until`, because the service refused.
    pub(in crate::engine) fn refused(&mut self, until: Moment, now: Moment) {
        self.lease = Lease::None;
        self.hold = Some(Hold { since: now, until, extend_at: now });
    }

    /// Returns the request that extends the lease, if it is due.
    fn extension(&mut self, now: Moment) -> Option<TokenRequest> {
        let term = self.term();
        let hold = self.hold.as_mut().filter(|hold| hold.extend_at <= now)?;
        let rest = hold.until.since(now);
        hold.extend_at = if rest > term { now.after(term / 3) } else { hold.until };
        Some(TokenRequest::Hold { lease: rest.min(term), age: now.since(hold.since) })
    }

    /// Reports a token that the service refused.
    pub(in crate::engine) fn discard(&mut self, token: Secret) {
        if self.outgoing.len() < MAX_OUTGOING {
            self.outgoing.push(Message::Discard(token));
        }
    }

    /// Returns the requests to the store.
    pub(super) fn requests(&mut self, cache: &TokenCache, now: Moment) -> Vec<TokenRequest> {
        if self.unused_at().is_some_and(|at| at <= now) {
            self.release();
        }
        let over = self.hold.take_if(|hold| hold.until <= now);
        if over.is_some_and(|hold| hold.extend_at <= hold.since) {
            // The lease was not extended, so it would last longer than this refusal.
            self.outgoing.push(Message::Release);
        }
        self.sent = std::mem::take(&mut self.outgoing);
        let messages = self.sent.iter().map(|message| message.request(cache, now));
        let mut requests: Vec<_> = messages.collect();
        requests.extend(self.extension(now));
        let asks = match self.lease {
            Lease::Needed => true,
            Lease::Elsewhere { ask_at } => ask_at <= now && now < self.waits_until,
            Lease::None | Lease::Requested { .. } | Lease::Held { .. } => false,
        };
        if asks {
            self.lease = Lease::Requested { needed: true };
            requests.push(TokenRequest::Get { lease: self.term(), known: cache.secret() });
        }
        requests
    }

    /// Returns when the next exchange is due, unless a step makes an earlier one necessary.
    pub(super) fn next_exchange_at(&self, now: Moment) -> Option<Moment> {
        let ask_at = match self.lease {
            Lease::Elsewhere { ask_at } if ask_at.max(now) < self.waits_until => Some(ask_at),
            _ => None,
        };
        let extend_at = self.hold.as_ref().map(|hold| hold.extend_at);
        [ask_at, extend_at, self.unused_at()].into_iter().flatten().min()
    }

    /// Returns when the lease is released, if no fetch starts under it.
    fn unused_at(&self) -> Option<Moment> {
        match self.lease {
            Lease::Held { until, started: false } => Some(until),
            _ => None,
        }
    }

    /// Handles the success of an exchange.
    pub(super) fn exchanged(&mut self) {
        self.sent.clear();
    }

    /// Handles an answer of the store; returns the token in it.
    pub(super) fn answered(
        &mut self,
        answer: TokenAnswer,
        asked_at: Moment,
        now: Moment,
    ) -> Option<SharedToken> {
        if let TokenAnswer::Token(token) = answer {
            (self.lease, self.hold) = (Lease::None, None);
            return Some(token);
        }
        let Lease::Requested { needed } = self.lease else { return None };
        self.lease = match answer {
            TokenAnswer::Done | TokenAnswer::Token(_) => return None,
            TokenAnswer::Fetch => {
                self.hold = None;
                Lease::Held { until: asked_at.after(UNUSED), started: false }
            }
            TokenAnswer::Wait(wait) => Lease::Elsewhere { ask_at: now.after(wait) },
        };
        if !needed {
            self.release();
        }
        None
    }

    /// Handles the loss of the store: this process now fetches its own token, and shares it when the
    /// store returns.
    pub(super) fn lose(&mut self) {
        // A refusal still applies when the store returns.
        self.hold.take_if(|_| matches!(self.lease, Lease::Held { .. }));
        if let Some(hold) = &mut self.hold {
            hold.extend_at = Moment::default();
        }
        self.lease = Lease::None;
        self.sent.append(&mut self.outgoing);
        let surplus = self.sent.len().saturating_sub(MAX_OUTGOING);
        self.outgoing = self.sent.drain(..).skip(surplus).collect();
    }
}

impl Message {
    fn request(&self, cache: &TokenCache, now: Moment) -> TokenRequest {
        match self {
            // A token that has expired, or is no longer cached, is not shared.
            Self::Put(token) => {
                cache.shared(token, now).map_or(TokenRequest::Release, TokenRequest::Put)
            }
            Self::Release => TokenRequest::Release,
            Self::Discard(token) => TokenRequest::Discard(token.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lease_is_released_after_a_refusal_that_was_not_reported() {
        let at = |seconds| Moment::new(Duration::from_secs(seconds));
        for (next_exchange, released) in [(at(2), true), (at(0), false)] {
            let mut share = TokenShare::new(Duration::from_secs(10));
            share.lease = Lease::Held { until: at(5), started: true };
            share.refused(at(1), at(0));
            let requests = share.requests(&TokenCache::default(), next_exchange);
            assert_eq!(matches!(requests[..], [TokenRequest::Release]), released, "{requests:?}");
            if released {
                share.lose();
                let repeated = share.requests(&TokenCache::default(), at(3));
                assert!(matches!(repeated[..], [TokenRequest::Release]), "{repeated:?}");
            }
            share.exchanged();
            assert_eq!(share.requests(&TokenCache::default(), at(4)).len(), 0);
        }
    }

    #[test]
    fn refused_tokens_are_reported_up_to_a_limit() {
        let mut share = TokenShare::new(Duration::from_secs(10));
        for _ in 0..20 {
            share.discard("token".into());
        }
        let requests = share.requests(&TokenCache::default(), Moment::default());
        assert_eq!(requests.len(), MAX_OUTGOING);
    }
}
