//! The client's judgement without clock, randomness, thread or socket: when to fetch a token, when
//! to send, when to wait, when to try again and when to give up.

mod call;
mod call_error;
mod clock;
mod event;
mod flight;
mod moment;
mod pacer;
mod policy;
mod retry;
mod step;
mod token_slot;
mod wait_for_decision;

use std::fmt;

use http::Request;
use http::header::{HeaderValue, USER_AGENT};

pub use self::call::Call;
use self::call_error::Trouble;
pub use self::call_error::{CallError, Cause, Stopped};
pub use self::event::Event;
pub use self::moment::Moment;
use self::pacer::{Held, Pacer, Place};
pub use self::policy::Policy;
use self::retry::Jitter;
pub use self::step::{Failure, FailureKind, Operation, Reason, Step, Ticket};
use self::token_slot::{Pass, Share, TokenSlot};
pub use self::wait_for_decision::WaitForDecision;
use crate::base_url::BaseUrl;
use crate::credentials::{Authorization, Credentials};
use crate::endpoint::{AccessToken, ClientToken, Endpoint};
use crate::error::{Action, BuildError, ResponseError};

/// What the calls of one client share: the access token, the rate limit, and the policy.
///
/// It is plain data. Give it to one operation at a time, with the time it is; behind a lock if
/// several threads do. The lock is needed for each step, and never while waiting for I/O.
///
/// ```
/// use didit_core::{BaseUrl, Call, ClientCredentials, Engine, Moment, Operation, RetrieveDecision, Step};
/// use http::Response;
///
/// let mut engine = Engine::new(BaseUrl::production(), ClientCredentials::new("id", "secret")?);
/// let mut call = Call::new(RetrieveDecision::new("s-1".parse()?));
/// let now = Moment::default();
///
/// // First it asks for a token ...
/// let Step::Send { request, ticket, .. } = call.poll(&mut engine, now) else { panic!() };
/// assert_eq!(request.uri().path(), "/auth/v2/token/");
/// let answer = br#"{"access_token": "t", "expires_in": 86400}"#;
/// call.handle_response(&mut engine, now, ticket, Response::new(answer));
///
/// // ... then for the decision, with it ...
/// let Step::Send { request, ticket, .. } = call.poll(&mut engine, now) else { panic!() };
/// assert_eq!(request.uri().path(), "/auth/v2/session/s-1/decision/");
/// assert_eq!(request.headers()["authorization"], "Bearer t");
/// let answer = br#"{"session_id": "s-1", "status": "Confirmed"}"#;
/// call.handle_response(&mut engine, now, ticket, Response::new(answer));
///
/// // ... and is done.
/// let Step::Done(Ok(decision)) = call.poll(&mut engine, now) else { panic!() };
/// assert!(decision.status().is_final());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Engine {
    base: BaseUrl,
    access: Access,
    pacers: [Pacer; 3],
    policy: Policy,
    user_agent: HeaderValue,
    jitter: Jitter,
    tickets: u64,
    records_events: bool,
    wakes_others: bool,
}

enum Access {
    Held(Authorization),
    Client { endpoint: ClientToken, slot: TokenSlot },
}

const DEFAULT_USER_AGENT: &str = concat!("didit-rust/", env!("CARGO_PKG_VERSION"));

impl Engine {
    /// An engine with the default policy.
    pub fn new(base: BaseUrl, credentials: impl Into<Credentials>) -> Self {
        Self::with_policy(base, credentials, Policy::default())
    }

    /// An engine with a policy of the caller's.
    pub fn with_policy(base: BaseUrl, credentials: impl Into<Credentials>, policy: Policy) -> Self {
        let user_agent = HeaderValue::from_static(DEFAULT_USER_AGENT);
        let access = match credentials.into() {
            Credentials::Held(authorization) => {
                Access::Held(authorization.with_user_agent(&user_agent))
            }
            Credentials::Client(client) => {
                Access::Client { endpoint: ClientToken::new(client), slot: TokenSlot::default() }
            }
        };
        Self {
            base,
            access,
            pacers: [policy.budget, None, None]
                .map(|budget| Pacer::new(policy.rate_window, budget)),
            policy,
            user_agent,
            jitter: Jitter::new(0),
            tickets: 0,
            records_events: false,
            wakes_others: false,
        }
    }

    /// Says who is calling, in front of this library's own name and version.
    ///
    /// # Errors
    /// [`BuildError::UserAgent`] for what no header may carry.
    pub fn set_user_agent(&mut self, name: &str) -> Result<(), BuildError> {
        let visible = name.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        let value = HeaderValue::try_from(format!("{name} {DEFAULT_USER_AGENT}"));
        self.user_agent = value.ok().filter(|_| visible).ok_or(BuildError::UserAgent)?;
        let held = match &mut self.access {
            Access::Held(authorization) => Some(authorization),
            Access::Client { slot, .. } => slot.authorization(),
        };
        if let Some(authorization) = held {
            *authorization = authorization.clone().with_user_agent(&self.user_agent);
        }
        Ok(())
    }

    /// Gives the jitter of retries another sequence, so that many clients do not retry in step.
    pub fn set_seed(&mut self, seed: u64) {
        self.jitter = Jitter::new(seed);
    }

    /// Whether operations keep [`Event`]s for [`Operation::take_events`]; they do not at first.
    pub fn record_events(&mut self, on: bool) {
        self.records_events = on;
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Where requests go.
    pub fn base_url(&self) -> &BaseUrl {
        &self.base
    }

    /// Whether other operations may go on earlier than they were told, since this was last asked:
    /// poll those that wait for [`Reason::Token`] or [`Reason::Pacing`] again.
    pub fn take_wake(&mut self) -> bool {
        std::mem::take(&mut self.wakes_others)
    }

    fn pass(&mut self, share: &mut Share, now: Moment) -> Pass {
        match &mut self.access {
            Access::Held(authorization) => Pass::Ready(authorization.clone(), 0),
            Access::Client { slot, .. } => slot.pass(share, now, self.policy.attempt_timeout),
        }
    }

    /// The slot of the token, if there is one.
    fn slot(&mut self) -> Option<&mut TokenSlot> {
        match &mut self.access {
            Access::Held(_) => None,
            Access::Client { slot, .. } => Some(slot),
        }
    }

    fn store_token(&mut self, share: &mut Share, token: &AccessToken, now: Moment) {
        let renew_before = self.policy.renew_before;
        let authorization = token.authorization().clone().with_user_agent(&self.user_agent);
        if let Some(slot) = self.slot() {
            slot.store(share, authorization, token.lifetime(), now, renew_before);
        }
        self.wakes_others = true;
    }

    /// Goes on with the old token, if there is one that is still good, though it was not renewed.
    fn keep_token(&mut self, share: &mut Share, now: Moment) -> bool {
        let kept = self.slot().is_some_and(|slot| slot.keep(now));
        if kept {
            self.release_lease(share);
        }
        kept
    }

    /// Ends a lease with a failure that would meet those who wait for it as well.
    fn share_failure(&mut self, share: &mut Share, trouble: &Trouble) {
        if let Some(slot) = self.slot() {
            slot.fail(share, trouble);
        }
        self.release_lease(share);
    }

    fn release_lease(&mut self, share: &mut Share) {
        let released = self.slot().is_some_and(|slot| slot.release(share));
        self.wakes_others |= released;
    }

    /// The rate limit that requests of that kind count against; the token's is left to itself,
    /// since there is no more than one of them at a time.
    fn pacer(&mut self, action: Action) -> Option<&mut Pacer> {
        let [decisions, reads, writes] = &mut self.pacers;
        match action {
            Action::FetchToken => None,
            Action::RetrieveDecision => Some(decisions),
            Action::ReadStatus => Some(reads),
            Action::CreateSession => Some(writes),
        }
    }

    /// Lets a request of that kind go now, or says when to ask again.
    fn admit(&mut self, action: Action, place: &mut Place, now: Moment) -> Result<(), Held> {
        self.pacer(action).map_or(Ok(()), |pacer| pacer.admit(place, now))
    }

    /// Tells the rate limit of that kind what became of a request, and wakes whom that lets go.
    fn account(&mut self, action: Action, account: impl FnOnce(&mut Pacer) -> bool) {
        let wakes = self.pacer(action).is_some_and(account);
        self.wakes_others |= wakes;
    }

    /// The error without the client's secret, which a service may send back in its own words.
    fn scrubbed(&self, error: ResponseError) -> ResponseError {
        match &self.access {
            Access::Held(_) => error,
            Access::Client { endpoint, .. } => {
                endpoint.client().secrets().into_iter().fold(error, ResponseError::scrubbed)
            }
        }
    }

    fn ready<E: Endpoint>(
        &self,
        endpoint: &E,
        authorization: &Authorization,
    ) -> Result<Request<Vec<u8>>, BuildError> {
        let request = endpoint.request(&self.base, authorization);
        // The authorized ones tell who is calling already.
        if E::AUTHORIZED {
            return request;
        }
        request.map(|mut request| {
            request.headers_mut().insert(USER_AGENT, self.user_agent.clone());
            request
        })
    }

    fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("base", &self.base)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
