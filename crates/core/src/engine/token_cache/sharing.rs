//! Exchange of tokens with other processes.

use super::{CachedToken, TokenCache};
use crate::credentials::Authorization;
use crate::engine::{Moment, SharedToken};
use crate::oauth::AccessToken;
use crate::secret::Secret;

impl TokenCache {
    /// Caches a token that was fetched elsewhere.
    pub(in crate::engine) fn adopt(
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
    pub(in crate::engine) fn current(&self, now: Moment) -> Option<AccessToken> {
        let token = self.token.as_ref().filter(|token| token.expires_at > now)?;
        AccessToken::new(token.authorization.secret(), token.expires_at.since(now)).ok()
    }

    /// Returns the cached token.
    pub(in crate::engine) fn secret(&self) -> Option<Secret> {
        self.token.as_ref().map(|token| token.authorization.secret().into())
    }

    /// Returns this token with its remaining times, if it is the cached one and has not expired.
    pub(in crate::engine) fn shared(&self, token: &Secret, now: Moment) -> Option<SharedToken> {
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
    pub(in crate::engine) fn authorization(&self) -> Option<&Authorization> {
        self.token.as_ref().map(|token| &token.authorization)
    }

    /// Returns the cached token, if it has this generation.
    pub(in crate::engine) fn secret_of(&self, generation: u64) -> Option<Secret> {
        let token = self.token.as_ref().filter(|token| token.generation == generation)?;
        Some(token.authorization.secret().into())
    }
}
