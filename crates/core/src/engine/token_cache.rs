use std::time::Duration;

use super::call_error::CallErrorKind;
use super::fleet::TokenShare;
use super::gate::Gate;
use super::moment::Moment;
use super::shared_store::{self, SharedToken};
use crate::credentials::{Authorization, ClientCredentials};
use crate::endpoint::Replay;
use crate::oauth::{AccessToken, FetchToken};
use crate::secret::Secret;

/// A token cache with single flight: one call fetches, and all calls of the engine share the result.
///
/// A call that finds no usable token takes the lease and fetches; the others wait for it. A lease
/// expires, so a call that is dropped never blocks the others for long. Refusals of the token
/// endpoint apply to all calls.
#[derive(Default)]
pub(super) struct TokenCache {
    token: Option<CachedToken>,
    lease: Option<Lease>,
    /// The last failure that every other call would meet as well.
    failed: Option<LeaseFailure>,
    /// The error of the last token request, and its lease.
    last_error: Option<(u64, CallErrorKind)>,
    /// The number of consecutive refusals by the token endpoint's rate limit.
    refusals: u32,
    leases: u64,
    /// The last lease of the previous credentials; tokens fetched under it or earlier ones are not
    /// cached.
    retired: u64,
    /// Closed after a refusal by the token endpoint, whose error is in `refusal`.
    gate: Gate,
    refusal: Option<CallErrorKind>,
    /// The time before which a refused token is not replaced, because a new one was just refused.
    no_renewal_before: Moment,
}

/// The pause before the next replacement, after a token was refused right after it was fetched.
const RENEWAL_PAUSE: Duration = Duration::from_secs(10);

/// The pause after a failure that a retry would not change, such as that of refused credentials.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// The time for which the call that fetched a token uses it even if it has expired. To replace a token
/// that expires at once would never end.
const MIN_USE: Duration = Duration::from_secs(1);

/// Returns the age at which a token is renewed: `refresh_margin` before it expires, but at most a
/// tenth of its lifetime early.
pub(super) fn renew_after(lifetime: Duration, refresh_margin: Duration) -> Duration {
    lifetime.saturating_sub(refresh_margin.min(lifetime / 10))
}

struct CachedToken {
    authorization: Authorization,
    generation: u64,
    renew_at: Moment,
    expires_at: Moment,
}

struct Lease {
    id: u64,
    until: Moment,
}

/// The failure of a lease, for the calls that waited for it and for all calls until `until`.
struct LeaseFailure {
    lease: u64,
    error: CallErrorKind,
    until: Moment,
}

/// One call's part in fetching tokens.
#[derive(Default)]
pub(super) struct TokenClaim {
    /// The lease under which this call fetches.
    lease: Option<u64>,
    /// The lease for which this call waits.
    waits_for: Option<u64>,
    /// The token that this call fetched and has not used yet.
    pub(super) fresh: Option<FreshToken>,
}

/// A token for the next request of the call that fetched it.
pub(super) struct FreshToken {
    authorization: Authorization,
    generation: u64,
    /// The end of its use; `None` for a token without a lifetime, which is valid for one request.
    until: Option<Moment>,
}

/// The next step for a call's authorization.
pub(super) enum TokenAccess {
    /// Use this token, if any, which has this generation.
    Ready(Option<Authorization>, u64),
    /// Fetch a token with this request.
    Fetch(FetchToken),
    /// Wait for the call that fetches, at most until the end of its lease.
    Wait(Moment),
    /// Fail with the error of the call that fetched.
    Failed(CallErrorKind),
    /// Wait until the token endpoint may be called again, a time that the service may have `named`,
    /// or fail with this error.
    Refused { until: Moment, named: bool, error: CallErrorKind },
}

impl TokenCache {
    /// Returns the next step of `claim`'s call. If it takes the lease, it does so for `lease_time`;
    /// `share` decides whether this process may fetch.
    pub(super) fn access(
        &mut self,
        claim: &mut TokenClaim,
        client: &ClientCredentials,
        now: Moment,
        lease_time: Duration,
        share: Option<&mut TokenShare>,
    ) -> TokenAccess {
        self.lease.take_if(|lease| lease.until <= now);
        self.token.take_if(|token| token.expires_at <= now);
        if let Some(fresh) = &claim.fresh
            && fresh.generation > self.retired
            && fresh.until.is_none_or(|until| now < until)
        {
            return TokenAccess::Ready(Some(fresh.authorization.clone()), fresh.generation);
        }
        let old = match &self.token {
            Some(token) if token.renew_at > now => return token.access(),
            token => token.as_ref().map(CachedToken::access),
        };
        if let (Some(until), Some(refusal)) = (self.gate.closed_until(now), &self.refusal) {
            return old.unwrap_or_else(|| TokenAccess::Refused {
                until,
                named: self.gate.is_certain(),
                error: refusal.clone(),
            });
        }
        // One call renews early; the others continue to use the old token.
        if let Some(lease) = self.lease.as_ref().filter(|lease| claim.lease != Some(lease.id)) {
            return old.unwrap_or_else(|| {
                claim.waits_for = Some(lease.id);
                TokenAccess::Wait(lease.until)
            });
        }
        if let Some(error) = self.shared_failure(claim, now).filter(|_| old.is_none()) {
            return TokenAccess::Failed(error);
        }
        let undecided = share.is_some_and(|share| !share.may_fetch(old.is_none(), now));
        if let Some(access) = old.filter(|_| undecided) {
            return access;
        }
        let id = claim.lease.filter(|id| *id > self.retired).unwrap_or_else(|| {
            self.leases += 1;
            self.leases
        });
        claim.lease = Some(id);
        self.lease = Some(Lease { id, until: now.after(lease_time) });
        if undecided {
            return TokenAccess::Wait(now.after(shared_store::RECHECK));
        }
        self.gate.passed(now);
        TokenAccess::Fetch(FetchToken::new(client.clone()))
    }

    /// Returns whether there is a token that is not due for renewal.
    pub(super) fn is_current(&self, now: Moment) -> bool {
        self.token.as_ref().is_some_and(|token| token.renew_at > now)
    }

    /// Returns whether there is a token that has not expired.
    pub(super) fn is_valid(&self, now: Moment) -> bool {
        self.token.as_ref().is_some_and(|token| token.expires_at > now)
    }

    fn shared_failure(&self, claim: &mut TokenClaim, now: Moment) -> Option<CallErrorKind> {
        let waited_for = claim.waits_for.take();
        let LeaseFailure { lease, error, until } = self.failed.as_ref()?;
        (waited_for == Some(*lease) || now < *until).then(|| error.clone())
    }

    /// Records the error of a token request, and returns the number of consecutive refusals.
    pub(super) fn record_error(&mut self, claim: &TokenClaim, error: &CallErrorKind) -> u32 {
        self.refusals = if error.is_rate_limited() { self.refusals.saturating_add(1) } else { 0 };
        self.last_error = claim.lease.map(|lease| (lease, error.clone()));
        self.refusals
    }

    /// Returns the last error of the token request that `claim`'s call waits for.
    pub(super) fn error_waited_for(&self, claim: &TokenClaim) -> Option<&CallErrorKind> {
        let (lease, error) = self.last_error.as_ref()?;
        (claim.waits_for == Some(*lease)).then_some(error)
    }

    /// Stores the token that was fetched under `claim`'s lease, even if the lease has expired.
    pub(super) fn store(
        &mut self,
        claim: &mut TokenClaim,
        authorization: Authorization,
        lifetime: Option<Duration>,
        now: Moment,
        refresh_margin: Duration,
    ) {
        let generation = claim.lease.unwrap_or_default();
        self.release(claim);
        let is_retired = generation <= self.retired;
        if !is_retired {
            self.open_gate(now);
        }
        claim.fresh = Some(FreshToken {
            authorization: authorization.clone(),
            generation,
            until: lifetime.map(|lifetime| now.after(lifetime.max(MIN_USE))),
        });
        if let Some(lifetime) = lifetime.filter(|_| !is_retired) {
            let renew_at = now.after(renew_after(lifetime, refresh_margin));
            let expires_at = now.after(lifetime);
            self.token = Some(CachedToken { authorization, generation, renew_at, expires_at });
        }
    }

    /// Records that the token endpoint accepted requests at the time `at`.
    pub(super) fn open_gate(&mut self, at: Moment) {
        self.gate.open(at);
        self.refusals = 0;
    }

    /// Returns an empty cache for new credentials, which ignores tokens fetched under the leases of
    /// this one.
    pub(super) fn for_new_credentials(&self) -> Self {
        Self { leases: self.leases, retired: self.leases, ..Self::default() }
    }

    /// Records that the token endpoint accepts no requests before `until`, because it refused one
    /// sent at `sent_at`. Returns when the next one may be sent, if only as a probe.
    pub(super) fn refused(
        &mut self,
        until: Moment,
        sent_at: Moment,
        now: Moment,
        error: &CallErrorKind,
    ) -> Option<Moment> {
        self.gate.close(until, error.retry_after().is_some(), sent_at, now);
        self.refusal = Some(error.clone());
        self.gate.closed_until(now)
    }

    /// Records that a token request sent at `sent_at` did not show whether the endpoint still
    /// refuses.
    pub(super) fn inconclusive(&mut self, sent_at: Moment, now: Moment) {
        self.gate.inconclusive(sent_at, now);
    }

    /// Extends the lease of a call that will try again, at most until another call may send a
    /// probe; returns whether it has one.
    pub(super) fn extend(&mut self, claim: &TokenClaim, until: Moment, now: Moment) -> bool {
        let until = self.gate.closed_until(now).map_or(until, |probe| probe.min(until));
        let lease = self.lease.as_mut().filter(|lease| claim.lease == Some(lease.id));
        lease.map(|lease| lease.until = until).is_some()
    }

    /// Returns whether `claim`'s call fetches a token with credentials that were replaced.
    pub(super) fn is_retired(&self, claim: &TokenClaim) -> bool {
        claim.lease.is_some_and(|lease| lease <= self.retired)
    }

    /// Records the failure of `claim`'s lease for the calls that wait for it. A failure that a retry
    /// would not change fails all calls for [`FAILURE_PAUSE`].
    pub(super) fn fail_lease(&mut self, claim: &TokenClaim, error: &CallErrorKind, now: Moment) {
        let lasts = !error.is_retryable(Replay::Safe);
        let until = if lasts { now.after(FAILURE_PAUSE) } else { Moment::default() };
        self.failed = claim.lease.map(|lease| LeaseFailure { lease, error: error.clone(), until });
    }

    /// Uses the old token until it expires, without a renewal; returns whether it is still valid.
    pub(super) fn keep(&mut self, now: Moment) -> bool {
        let valid = self.token.as_mut().filter(|token| token.expires_at > now);
        valid.map(|token| token.renew_at = token.expires_at).is_some()
    }

    /// Ends `claim`'s lease; returns whether it had one, so that another call may now take it.
    pub(super) fn release(&mut self, claim: &mut TokenClaim) -> bool {
        let id = claim.lease.take();
        self.lease.take_if(|lease| id == Some(lease.id)).is_some()
    }

    /// Drops the token that the service refused, unless it was already replaced or a new token was
    /// just refused. Returns whether the call may try again with another token.
    pub(super) fn discard(&mut self, generation: u64, now: Moment) -> bool {
        if now < self.no_renewal_before {
            return self.token.as_ref().is_some_and(|token| token.generation > generation);
        }
        self.token.take_if(|token| token.generation <= generation);
        true
    }

    /// Records that the service refused the replacement of a token that it had refused.
    pub(super) fn renewal_refused(&mut self, generation: u64, now: Moment) {
        if generation > self.retired && now >= self.no_renewal_before {
            self.no_renewal_before = now.after(RENEWAL_PAUSE);
        }
    }

    /// Caches a token that was fetched elsewhere.
    pub(super) fn adopt(
        &mut self,
        authorization: Authorization,
        renew_at: Moment,
        expires_at: Moment,
    ) {
        self.leases += 1;
        let generation = self.leases;
        self.token = Some(CachedToken { authorization, generation, renew_at, expires_at });
    }

    /// Returns the cached token with its remaining lifetime.
    pub(super) fn current(&self, now: Moment) -> Option<AccessToken> {
        let token = self.token.as_ref().filter(|token| token.expires_at > now)?;
        AccessToken::new(token.authorization.secret(), token.expires_at.since(now)).ok()
    }

    /// Returns the cached token.
    pub(super) fn secret(&self) -> Option<Secret> {
        self.token.as_ref().map(|token| token.authorization.secret().into())
    }

    /// Returns this token with its remaining times, if it is the cached one and has not expired.
    pub(super) fn shared(&self, token: &Secret, now: Moment) -> Option<SharedToken> {
        let cached = self.token.as_ref().filter(|cached| {
            cached.authorization.secret() == token.expose() && cached.expires_at > now
        })?;
        Some(SharedToken {
            token: token.clone(),
            lifetime: cached.expires_at.since(now),
            renew_after: cached.renew_at.since(now),
        })
    }

    /// Returns the authorization with the cached token.
    pub(super) fn authorization(&self) -> Option<&Authorization> {
        self.token.as_ref().map(|token| &token.authorization)
    }

    /// Returns the cached token, if it has this generation.
    pub(super) fn secret_of(&self, generation: u64) -> Option<Secret> {
        let token = self.token.as_ref().filter(|token| token.generation == generation)?;
        Some(token.authorization.secret().into())
    }
}

impl CachedToken {
    fn access(&self) -> TokenAccess {
        TokenAccess::Ready(Some(self.authorization.clone()), self.generation)
    }
}
