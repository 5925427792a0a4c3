use std::sync::Arc;

use http::header::HeaderValue;

use super::shared_store::{Application, SharedStore};
use super::{Engine, Policy, Settings};
use crate::base_url::BaseUrl;
use crate::credentials::Credentials;
use crate::error::BuildError;
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
    shared: bool,
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
            shared: false,
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

    /// Sets the name of your application, which precedes that of this library in `User-Agent`.
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

    /// Shares the quotas and the token with other processes of the same application through this
    /// store, and opens it for the application. [`Engine::poll_store`] then returns the requests to
    /// send to it.
    ///
    /// The budgets of the policy then apply to all processes together.
    #[must_use]
    pub fn shared_store(mut self, store: &mut dyn SharedStore) -> Self {
        store.open(&Application::of(&self.credentials));
        self.shared = true;
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
        let mut engine = Engine::new(Arc::new(settings), self.credentials, self.seed);
        if self.shared {
            engine.join_fleet();
        }
        Ok(engine)
    }
}
