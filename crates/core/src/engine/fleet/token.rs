use std::time::Duration;

use crate::engine::token_cache::TokenCache;
use crate::engine::{Moment, SharedToken, TokenAnswer, TokenRequest};
use crate::secret::Secret;

/// Single flight among processes: the store leases the fetching of the token to one of them.
#[derive(Debug)]
pub(in crate::engine) struct TokenShare {
    /// The longest time that a fetch can take.
    longest_fetch: Duration,
    lease: Lease,
    hold: Option<Hold>,
    /// The time until which a call waits for the token, if it is not polled again.
    waits_until: Moment,
    /// The messages that are sent to the store before the next `Get`, in this order.
    outgoing: Vec<TokenRequest>,
}

/// The state of the store's lease, as this process knows it.
#[derive(Debug)]
enum Lease {
    None,
    /// To be requested from the store.
    Needed,
    /// Requested; released when it is granted, if it is not `needed` any more.
    Requested {
        needed: bool,
    },
    /// Held by this process; a fetch must start before `until`.
    Held {
        until: Moment,
    },
    /// Held by another process; requested again at `ask_at` if a call still waits.
    Elsewhere {
        ask_at: Moment,
    },
}

/// The time for which this process extends the store's lease, bit by bit, so that it soon ends if
/// the process dies.
#[derive(Debug)]
struct Hold {
    until: Moment,
    extend_at: Moment,
}

/// The time after which a lease under which no fetch has started is no longer used.
const UNUSED: Duration = Duration::from_secs(5);
/// The time after which a call that waits for the token and is not polled again does not need it any
/// more. It is polled every second.
const DROPPED: Duration = Duration::from_secs(2);
/// The maximum number of messages that may be queued for the store before refused tokens are no
/// longer reported.
const MAX_OUTGOING: usize = 16;

impl TokenShare {
    pub(super) fn new(longest_fetch: Duration) -> Self {
        Self {
            longest_fetch,
            lease: Lease::None,
            hold: None,
            waits_until: Moment::default(),
            outgoing: Vec::new(),
        }
    }

    /// Returns the duration of a lease in the store.
    fn term(&self) -> Duration {
        self.longest_fetch.saturating_add(UNUSED)
    }

    /// Returns whether a fetch may start now, and requests the lease if not. The call that asks has
    /// no other token if it `waits`.
    pub(in crate::engine) fn may_fetch(&mut self, waits: bool, now: Moment) -> bool {
        if waits {
            self.waits_until = now.after(DROPPED);
        }
        match &mut self.lease {
            Lease::Held { until } if now < *until => return true,
            Lease::None | Lease::Held { .. } => self.lease = Lease::Needed,
            Lease::Requested { needed } => *needed = true,
            Lease::Elsewhere { ask_at } if *ask_at <= now => self.lease = Lease::Needed,
            Lease::Needed | Lease::Elsewhere { .. } => {}
        }
        false
    }

    /// Shares the token that was just fetched; one without a lifetime is for a single request.
    pub(in crate::engine) fn fetched(&mut self, token: Option<SharedToken>) {
        (self.lease, self.hold) = (Lease::None, None);
        self.outgoing.push(token.map_or(TokenRequest::Release, TokenRequest::Put));
    }

    /// Releases the lease, or withdraws the request for it.
    pub(in crate::engine) fn release(&mut self) {
        match &mut self.lease {
            Lease::Requested { needed } => return *needed = false,
            Lease::Held { .. } => {
                self.hold = None;
                self.outgoing.push(TokenRequest::Release);
            }
            Lease::None | Lease::Needed | Lease::Elsewhere { .. } => {}
        }
        self.lease = Lease::None;
    }

    /// Extends the lease for another fetch, which starts at `at`.
    pub(in crate::engine) fn extend(&mut self, at: Moment, now: Moment) {
        if let Lease::Held { until } = &mut self.lease {
            *until = at.after(UNUSED);
            self.hold = Some(Hold { until: until.after(self.longest_fetch), extend_at: now });
        }
    }

    /// Keeps all processes from fetching before `until`, because the service refused.
    pub(in crate::engine) fn refused(&mut self, until: Moment, now: Moment) {
        self.lease = Lease::None;
        self.hold = Some(Hold { until, extend_at: now });
    }

    /// Returns the request that extends the lease, if it is due.
    fn extension(&mut self, now: Moment) -> Option<TokenRequest> {
        let term = self.term();
        self.hold.take_if(|hold| hold.until <= now);
        let hold = self.hold.as_mut().filter(|hold| hold.extend_at <= now)?;
        let rest = hold.until.since(now);
        hold.extend_at = if rest > term { now.after(term / 3) } else { hold.until };
        Some(TokenRequest::Hold(rest.min(term)))
    }

    /// Reports a token that the service refused.
    pub(in crate::engine) fn discard(&mut self, token: Secret) {
        if self.outgoing.len() < MAX_OUTGOING {
            self.outgoing.push(TokenRequest::Discard(token));
        }
    }

    /// Returns the requests to the store.
    pub(super) fn requests(&mut self, cache: &TokenCache, now: Moment) -> Vec<TokenRequest> {
        let mut requests = std::mem::take(&mut self.outgoing);
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

    /// Returns when there is something to request, unless a step changes that.
    pub(super) fn asks_at(&self) -> Option<Moment> {
        let ask_at = match self.lease {
            Lease::Elsewhere { ask_at } if ask_at < self.waits_until => Some(ask_at),
            _ => None,
        };
        self.hold.iter().map(|hold| hold.extend_at).chain(ask_at).min()
    }

    /// Handles an answer of the store; returns the token in it.
    pub(super) fn answered(
        &mut self,
        answer: TokenAnswer,
        asked_at: Moment,
        now: Moment,
    ) -> Option<SharedToken> {
        let Lease::Requested { needed } = self.lease else { return None };
        self.lease = match answer {
            TokenAnswer::Done => return None,
            TokenAnswer::Token(_) => Lease::None,
            TokenAnswer::Fetch => {
                self.hold = None;
                Lease::Held { until: asked_at.after(UNUSED) }
            }
            TokenAnswer::Wait(wait) => Lease::Elsewhere { ask_at: now.after(wait) },
        };
        if !needed {
            self.release();
        }
        match answer {
            TokenAnswer::Token(token) => Some(token),
            _ => None,
        }
    }

    /// Handles the loss of the store: this process now fetches its own token.
    pub(super) fn lose(&mut self) {
        // A refusal still applies when the store returns.
        self.hold.take_if(|_| matches!(self.lease, Lease::Held { .. }));
        if let Some(hold) = &mut self.hold {
            hold.extend_at = Moment::default();
        }
        self.lease = Lease::None;
        self.outgoing.retain(|request| matches!(request, TokenRequest::Discard(_)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
