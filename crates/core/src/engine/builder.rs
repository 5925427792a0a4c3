//! Builds engines, and replaces their credentials.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::header::HeaderValue;

use super::shared_store::{Application, SharedStore};
use super::token_cache::{TokenCache, renew_after};
use super::{Engine, Moment, Policy, Settings};
use crate::base_url::BaseUrl;
use crate::credentials::Credentials;
use crate::error::BuildError;
use crate::oauth::AccessToken;
use crate::secret::is_visible;

/// The settings of an [`Engine`].
#[derive(Clone, Debug)]
pub struct EngineBuilder {
    credentials: Credentials,
    base: BaseUrl,
    verification_base: Option<BaseUrl>,
    policy: Policy,
    user_agent: Option<String>,
    seed: u64,
}

const DEFAULT_USER_AGENT: &str = concat!("didit-rust/", env!("CARGO_PKG_VERSION"));

impl EngineBuilder {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            base: BaseUrl::production(),
            verification_base: None,
            policy: Policy::default(),
            user_agent: None,
            seed: 0,
        }
    }

    /// Sets the base URL of token requests and the data-transfer API. Default: the live service.
    #[must_use]
    pub fn base_url(mut self, base: BaseUrl) -> Self {
        self.base = base;
        self
    }

    /// Sets the base URL of the verification API. Default: the host that belongs to
    /// [`base_url`](Self::base_url), which is the same host unless that is the live or the staging
    /// service.
    #[must_use]
    pub fn verification_base_url(mut self, base: BaseUrl) -> Self {
        self.verification_base = Some(base);
        self
    }

    /// Sets the timeouts, retries and rate limits.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Edits the policy.
    #[must_use]
    pub fn edit_policy(mut self, edit: impl FnOnce(&mut Policy)) -> Self {
        edit(&mut self.policy);
        self
    }

    /// Sets the name of your application, which precedes this library's name in `User-Agent`.
    #[must_use]
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = Some(name.into());
        self
    }

    /// Sets the seed of the retry jitter. Different seeds keep clients from retrying in lockstep.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Builds the engine.
    ///
    /// # Errors
    /// [`BuildError::UserAgent`] if the name contains a character other than visible ASCII or a space,
    /// and [`BuildError::ZeroTimeout`] if a timeout of the policy is zero.
    pub fn build(self) -> Result<Engine, BuildError> {
        let Policy { call_timeout, attempt_timeout, .. } = self.policy;
        for (name, timeout) in
            [("call_timeout", call_timeout), ("attempt_timeout", attempt_timeout)]
        {
            if timeout.is_zero() {
                return Err(BuildError::ZeroTimeout { name });
            }
        }
        let user_agent = match self.user_agent {
            None => HeaderValue::from_static(DEFAULT_USER_AGENT),
            Some(name) => {
                let value = HeaderValue::try_from(format!("{name} {DEFAULT_USER_AGENT}"));
                value.ok().filter(|_| is_visible(&name)).ok_or(BuildError::UserAgent)?
            }
        };
        let verification_base =
            self.verification_base.unwrap_or_else(|| self.base.verification_counterpart());
        let (base, policy) = (self.base, self.policy);
        let settings = Settings { base, verification_base, policy, user_agent };
        Ok(Engine::new(Arc::new(settings), self.credentials, self.seed))
    }

    /// Builds an engine that shares the quotas and the token with other processes of the same
    /// application through this store, and opens it for the application: the credentials and the
    /// base URLs. [`Engine::poll_store`] returns the requests to send to it.
    ///
    /// The budgets of the policy apply to all processes together.
    ///
    /// # Errors
    /// Those of [`build`](Self::build).
    pub fn build_shared(self, store: &mut dyn SharedStore) -> Result<Engine, BuildError> {
        let mut engine = self.build()?;
        let Settings { base, verification_base, .. } = &*engine.settings;
        store.open(&Application::of(&engine.credentials, base, verification_base));
        engine.join_fleet();
        Ok(engine)
    }
}

impl Engine {
    /// Returns a builder for an engine with these credentials.
    pub fn builder(credentials: impl Into<Credentials>) -> EngineBuilder {
        EngineBuilder::new(credentials.into())
    }

    /// Creates an engine with the same settings and other credentials, which shares no token, no rate
    /// limit and no events with this one, and [records](Self::record_events) events if this one does. It
    /// has no [shared](EngineBuilder::build_shared) store.
    #[must_use]
    pub fn with_credentials(&self, credentials: impl Into<Credentials>, seed: u64) -> Self {
        let mut engine = Self::new(Arc::clone(&self.settings), credentials.into(), seed);
        engine.record_events(self.is_recording());
        engine
    }

    fn new(settings: Arc<Settings>, credentials: Credentials, seed: u64) -> Self {
        Self {
            settings,
            credentials,
            token_cache: TokenCache::default(),
            limiters: BTreeMap::new(),
            random: seed,
            tickets: 0,
            events: None,
            wakes_others: false,
            fleet: None,
        }
    }

    /// Replaces the credentials of all calls, for example to rotate a bearer token or a secret. The
    /// cached token is dropped; requests in flight keep theirs. An engine with a
    /// [shared](EngineBuilder::build_shared) store stops using it, since the store belongs to the old
    /// credentials; calls that wait for its permits may then be sent in another order.
    pub fn set_credentials(&mut self, credentials: impl Into<Credentials>) {
        self.credentials = credentials.into();
        self.token_cache = self.token_cache.for_new_credentials();
        if self.fleet.take().is_some() {
            self.limiters.clear();
        }
        self.wakes_others = true;
    }

    /// Returns the token that was fetched with client credentials and its remaining lifetime, for
    /// use in another process.
    pub fn access_token(&self, now: Moment) -> Option<AccessToken> {
        self.token_cache.current(now)
    }

    /// Uses a token that was fetched elsewhere with the same client credentials, and renews it before
    /// it expires. Returns false and ignores the token if it has no lifetime, or the engine has no
    /// client credentials.
    pub fn set_access_token(&mut self, token: &AccessToken, now: Moment) -> bool {
        let lifetime = token.lifetime().unwrap_or_default();
        if lifetime.is_zero() || !matches!(self.credentials, Credentials::Client(_)) {
            return false;
        }
        let renew_after = renew_after(lifetime, self.settings.policy.token_refresh_margin);
        let authorization = token.authorization().clone();
        self.token_cache.adopt(authorization, now.after(renew_after), now.after(lifetime));
        self.wakes_others = true;
        true
    }
}
