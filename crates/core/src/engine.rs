//! The engine layer: decides when to fetch a token, send, wait, retry and give up, without a clock,
//! randomness, threads or sockets of its own.

mod builder;
mod call;
mod call_error;
mod deadline;
mod event;
mod failure;
mod fleet;
mod gate;
mod moment;
mod policy;
mod rate_limiter;
mod retry;
mod shared_store;
mod step;
mod token_cache;
mod wait_for_decision;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use http::Request;
use http::header::{HeaderValue, USER_AGENT};

pub use self::builder::EngineBuilder;
pub use self::call::Call;
pub use self::call_error::{CallError, CallErrorKind, GaveUp};
pub use self::event::{Event, EventKind};
pub use self::failure::{TransportError, TransportErrorKind, WaitReason};
use self::fleet::{Fleet, TokenShare};
pub use self::moment::Moment;
pub use self::policy::Policy;
use self::rate_limiter::RateLimiter;
pub use self::shared_store::{
    Application, GateReport, Join, QuotaAnswer, QuotaRequest, SharedLimit, SharedStore,
    SharedToken, StoreAnswer, StoreError, StoreRequest, StoreStep, TokenAnswer, TokenRequest,
};
pub use self::step::{Operation, Step, Ticket};
use self::token_cache::{TokenAccess, TokenCache, TokenClaim};
pub use self::wait_for_decision::{DecisionEndpoint, WaitForDecision};
use crate::base_url::BaseUrl;
use crate::credentials::{Authorization, ClientCredentials, Credentials};
use crate::endpoint::{Bucket, Endpoint, Host};
use crate::error::BuildError;
use crate::oauth::AccessToken;
use crate::secret::{Secret, scrub};

/// The shared state of a client's calls: access token, rate limits and policy.
///
/// It is plain data: pass it to one operation at a time, with the current time. If several threads
/// use it, hold a lock for each step, never while waiting for I/O.
///
/// ```
/// use didit_core::data_transfer::RetrieveDecision;
/// use didit_core::{Call, ClientCredentials, Engine, Moment, Operation, Step};
/// use http::Response;
///
/// let mut engine = Engine::builder(ClientCredentials::new("id", "secret")?).build()?;
/// let mut call = Call::new(RetrieveDecision::new("s-1".parse()?));
/// let now = Moment::default();
///
/// // First it fetches a token ...
/// let Step::Send { request, ticket, .. } = call.poll(&mut engine, now) else { panic!() };
/// assert_eq!(request.uri().path(), "/auth/v2/token/");
/// let body = br#"{"access_token": "t", "expires_in": 86400}"#;
/// call.handle_response(&mut engine, now, ticket, &Response::new(body));
///
/// // ... then for the decision, with it ...
/// let Step::Send { request, ticket, .. } = call.poll(&mut engine, now) else { panic!() };
/// assert_eq!(request.uri().path(), "/auth/v2/session/s-1/decision/");
/// assert_eq!(request.headers()["authorization"], "Bearer t");
/// let body = br#"{"session_id": "s-1", "status": "Confirmed"}"#;
/// call.handle_response(&mut engine, now, ticket, &Response::new(body));
///
/// // ... and is done.
/// let Step::Done(Ok(decision)) = call.poll(&mut engine, now) else { panic!() };
/// assert!(decision.status().is_final());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Engine {
    settings: Arc<Settings>,
    credentials: Credentials,
    /// The token that was fetched with client credentials.
    token_cache: TokenCache,
    /// One for each bucket that has been used so far.
    limiters: BTreeMap<Bucket, Box<RateLimiter>>,
    /// The state of the random number generator for backoff.
    random: u64,
    tickets: u64,
    /// The events since the last [`take_events`](Self::take_events), if they are recorded.
    events: Option<Vec<Event>>,
    wakes_others: bool,
    /// The exchange with the shared store, if there is one.
    fleet: Option<Box<Fleet>>,
}

/// The settings of an engine, which the engines of other tenants share.
struct Settings {
    base: BaseUrl,
    verification_base: BaseUrl,
    policy: Policy,
    user_agent: HeaderValue,
}

impl Engine {
    /// Returns the policy.
    pub fn policy(&self) -> &Policy {
        &self.settings.policy
    }

    /// Returns the base URL of token requests and the data-transfer API.
    pub fn base_url(&self) -> &BaseUrl {
        &self.settings.base
    }

    /// Returns the base URL of the verification API.
    pub fn verification_base_url(&self) -> &BaseUrl {
        &self.settings.verification_base
    }

    /// Returns whether waiting operations may have become able to continue since the last call. If
    /// so, poll them before their wait ends.
    pub fn take_wake(&mut self) -> bool {
        std::mem::take(&mut self.wakes_others)
    }

    /// Takes the events since the last call, oldest first, if they are
    /// [recorded](Self::record_events).
    pub fn take_events(&mut self) -> Vec<Event> {
        self.events.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Starts or stops recording events for [`take_events`](Self::take_events), which must then be
    /// called after every step. Default: off.
    pub fn record_events(&mut self, on: bool) {
        if on != self.is_recording() {
            self.events = on.then(Vec::new);
        }
    }

    fn is_recording(&self) -> bool {
        self.events.is_some()
    }

    /// Returns the next step for a call's authorization.
    fn access(&mut self, claim: &mut TokenClaim, now: Moment) -> TokenAccess {
        if self.token_cache.is_current(now) {
            self.release_lease(claim);
        }
        match &self.credentials {
            Credentials::None => TokenAccess::Ready(None, 0),
            Credentials::Token(authorization) => TokenAccess::Ready(Some(authorization.clone()), 0),
            Credentials::Client(client) => {
                let share = self.fleet.as_deref_mut().and_then(Fleet::token_share);
                let lease_time = self.settings.policy.attempt_timeout;
                self.token_cache.access(claim, client, now, lease_time, share)
            }
        }
    }

    fn store_token(&mut self, claim: &mut TokenClaim, token: &AccessToken, now: Moment) {
        let (margin, lifetime) = (self.settings.policy.token_refresh_margin, token.lifetime());
        self.token_cache.store(claim, token.authorization().clone(), lifetime, now, margin);
        if let Some(fleet) = &mut self.fleet {
            fleet.token.fetched(lifetime.map(|_| token.secret().clone()));
        }
        self.wakes_others = true;
    }

    fn release_lease(&mut self, claim: &mut TokenClaim) {
        let released = self.token_cache.release(claim);
        self.wakes_others |= released;
        if released && let Some(share) = self.token_share() {
            share.release();
        }
    }

    /// Extends the lease of a call that will fetch again at `at`.
    fn extend_lease(&mut self, claim: &TokenClaim, at: Moment, now: Moment) {
        let longest_fetch = self.settings.policy.attempt_timeout;
        let extended = self.token_cache.extend(claim, at.after(longest_fetch), now);
        if extended && let Some(share) = self.token_share() {
            share.extend(at, now);
        }
    }

    /// Records that the token endpoint accepts no requests before `until`.
    fn token_endpoint_refused(
        &mut self,
        until: Moment,
        sent_at: Moment,
        now: Moment,
        error: &CallErrorKind,
    ) {
        let probe_at = self.token_cache.refused(until, sent_at, now, error);
        self.wakes_others = true;
        if let (Some(fleet), Some(until)) = (&mut self.fleet, probe_at) {
            fleet.token.refused(until, now);
        }
    }

    /// Returns this process's part in the shared token, unless the store is lost.
    fn token_share(&mut self) -> Option<&mut TokenShare> {
        self.fleet.as_mut()?.token_share()
    }

    fn limiter(&mut self, bucket: Bucket) -> &mut RateLimiter {
        let policy = &self.settings.policy;
        self.limiters.entry(bucket).or_insert_with(|| Box::new(policy.limiter(bucket)))
    }

    /// Reports the outcome of a request to its limiter, and wakes the calls that may now be sent.
    fn report(&mut self, bucket: Bucket, outcome: impl FnOnce(&mut RateLimiter) -> bool) {
        let wakes = outcome(self.limiter(bucket));
        self.wakes_others |= wakes;
    }

    fn scrubbed_text(&self, text: String, exchanged: &[Secret]) -> String {
        self.secrets(exchanged).fold(text, |text, secret| scrub(&text, secret))
    }

    /// Returns the texts that the service may echo in an error: those of the exchange, and the
    /// client's secrets.
    fn secrets<'a>(&'a self, exchanged: &'a [Secret]) -> impl Iterator<Item = &'a str> {
        let (token, client) = match &self.credentials {
            Credentials::None => (None, None),
            Credentials::Token(token) => (Some(token), None),
            Credentials::Client(client) => (self.token_cache.authorization(), Some(client)),
        };
        let own = token.map(Authorization::secret).into_iter();
        let own = own.chain(client.into_iter().flat_map(ClientCredentials::secrets));
        exchanged.iter().map(Secret::expose).chain(own)
    }

    fn request<E: Endpoint>(
        &self,
        endpoint: &E,
        authorization: Option<&Authorization>,
    ) -> Result<Request<Vec<u8>>, BuildError> {
        let base = match E::KIND.host() {
            Host::DataTransfer => &self.settings.base,
            Host::Verification => &self.settings.verification_base,
        };
        let mut request = endpoint.request(base, authorization)?;
        request.headers_mut().insert(USER_AGENT, self.settings.user_agent.clone());
        request.extensions_mut().insert(E::KIND);
        request.extensions_mut().insert(endpoint.replay());
        Ok(request)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("base", &self.settings.base)
            .field("verification_base", &self.settings.verification_base)
            .field("policy", &self.settings.policy)
            .finish_non_exhaustive()
    }
}
