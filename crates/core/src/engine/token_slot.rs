use std::time::Duration;

use super::call_error::Trouble;
use super::moment::Moment;
use crate::credentials::Authorization;

/// The one access token that all calls of an engine share, and the right to fetch the next.
///
/// Whoever finds no usable token takes the lease and fetches; the others wait for it. A lease ends
/// on its own, so that a call that vanished never strands the others.
#[derive(Default)]
pub(super) struct TokenSlot {
    token: Option<Slotted>,
    lease: Option<Lease>,
    /// The lease that ended in a failure which would meet every other call as well.
    failed: Option<(u64, Trouble)>,
    leases: u64,
}

struct Slotted {
    authorization: Authorization,
    generation: u64,
    renew_at: Moment,
    expires_at: Moment,
}

struct Lease {
    id: u64,
    until: Moment,
}

/// One call's part in the fetching of tokens.
#[derive(Default)]
pub(super) struct Share {
    /// The lease this call fetches under.
    pub(super) lease: Option<u64>,
    /// The lease this call waits for.
    waits_for: Option<u64>,
    /// The token this call fetched and has not used yet. It may be good for this one request
    /// alone; and however short it lives, fetching another before using it would never end.
    fresh: Option<Box<(Authorization, u64)>>,
}

impl Share {
    /// The call's request has gone out.
    pub(super) fn used(&mut self) {
        self.fresh = None;
    }
}

/// What a call may do about its authorization.
pub(super) enum Pass {
    /// Use this token; the generation tells it from later ones.
    Ready(Authorization, u64),
    /// Fetch a token, under [`Share::lease`].
    Fetch,
    /// Another call is fetching; its lease ends then.
    Wait(Moment),
    /// The call that fetched failed in a way that this one would, too.
    Failed(Trouble),
}

impl TokenSlot {
    /// A token for `share`'s call. A lease that is taken lasts for `lease_time`.
    pub(super) fn pass(&mut self, share: &mut Share, now: Moment, lease_time: Duration) -> Pass {
        self.lease.take_if(|lease| lease.until <= now);
        self.token.take_if(|token| token.expires_at <= now);
        if self.token.as_ref().is_some_and(|token| token.renew_at > now) {
            self.release(share);
        }
        if let Some(fresh) = &share.fresh {
            return Pass::Ready(fresh.0.clone(), fresh.1);
        }
        let leased = self.lease.as_ref().filter(|lease| share.lease != Some(lease.id));
        match (&self.token, leased) {
            (Some(token), _) if token.renew_at > now => token.pass(),
            // One call renews early; the others go on with the old token meanwhile.
            (Some(token), Some(_)) => token.pass(),
            (None, Some(lease)) => {
                share.waits_for = Some(lease.id);
                Pass::Wait(lease.until)
            }
            (_, None) => match self.shared_failure(share) {
                Some(trouble) => Pass::Failed(trouble),
                None => self.take_lease(share, now.after(lease_time)),
            },
        }
    }

    /// What requests carry now.
    pub(super) fn authorization(&mut self) -> Option<&mut Authorization> {
        self.token.as_mut().map(|token| &mut token.authorization)
    }

    fn shared_failure(&self, share: &mut Share) -> Option<Trouble> {
        let waited_for = share.waits_for.take()?;
        let (failed, trouble) = self.failed.as_ref()?;
        (*failed == waited_for).then(|| trouble.clone())
    }

    fn take_lease(&mut self, share: &mut Share, until: Moment) -> Pass {
        let id = match share.lease {
            Some(id) => id,
            None => {
                self.leases += 1;
                self.leases
            }
        };
        share.lease = Some(id);
        self.lease = Some(Lease { id, until });
        Pass::Fetch
    }

    /// Takes the token that was fetched under `share`'s lease, even if that has ended by now.
    pub(super) fn store(
        &mut self,
        share: &mut Share,
        authorization: Authorization,
        lifetime: Option<Duration>,
        now: Moment,
        renew_before: Duration,
    ) {
        let generation = share.lease.unwrap_or_default();
        self.release(share);
        share.fresh = Some(Box::new((authorization.clone(), generation)));
        if let Some(lifetime) = lifetime {
            let early = renew_before.min(lifetime / 10);
            self.token = Some(Slotted {
                authorization,
                generation,
                renew_at: now.after(lifetime.saturating_sub(early)),
                expires_at: now.after(lifetime),
            });
        }
    }

    /// Keeps the lease of a call that will try again.
    pub(super) fn extend(&mut self, share: &Share, until: Moment) {
        if let Some(lease) = self.lease.as_mut().filter(|lease| share.lease == Some(lease.id)) {
            lease.until = until;
        }
    }

    /// Remembers the failure of `share`'s lease for those who wait for it.
    pub(super) fn fail(&mut self, share: &Share, trouble: &Trouble) {
        self.failed = share.lease.map(|lease| (lease, trouble.clone()));
    }

    /// Uses the old token up to its end, without a renewal; says whether it is still good.
    pub(super) fn keep(&mut self, now: Moment) -> bool {
        let good = self.token.as_mut().filter(|token| token.expires_at > now);
        good.map(|token| token.renew_at = token.expires_at).is_some()
    }

    /// Ends `share`'s lease; says whether it had one, which another call may now take.
    pub(super) fn release(&mut self, share: &mut Share) -> bool {
        let id = share.lease.take();
        self.lease.take_if(|lease| id == Some(lease.id)).is_some()
    }

    /// Drops the token that the service refused, unless a newer one has come since.
    pub(super) fn discard(&mut self, generation: u64) {
        self.token.take_if(|token| token.generation == generation);
    }
}

impl Slotted {
    fn pass(&self) -> Pass {
        Pass::Ready(self.authorization.clone(), self.generation)
    }
}
