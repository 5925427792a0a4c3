//! The interface to the store through which processes of one application share its quotas and token.

use std::fmt;
use std::time::Duration;

use crate::base_url::BaseUrl;
use crate::credentials::Credentials;
use crate::endpoint::Bucket;
use crate::secret::Secret;

/// The polling interval of a call that waits for the store, if nothing wakes it.
pub(super) const RECHECK: Duration = Duration::from_secs(1);

/// A store through which processes share the quotas and the token of one application.
///
/// An [`Engine`](crate::Engine) decides what to request, and an adapter passes it to the store: see
/// [`Engine::poll_store`](crate::Engine::poll_store). The store keeps the accounts of permits and
/// leases. It carries out each request atomically, and measures all times by its own clock.
pub trait SharedStore: fmt::Debug + Send {
    /// Receives the application whose state is shared. Called once, before any exchange.
    fn open(&mut self, application: &Application<'_>);

    /// Carries out the requests in their order, and returns an answer for each. It may block, but
    /// should fail after a second: by then the engine has stopped waiting.
    ///
    /// # Errors
    /// The store could not be reached or did not answer. The requests may still have been carried
    /// out.
    fn exchange(&mut self, requests: &[StoreRequest]) -> Result<Vec<StoreAnswer>, StoreError>;
}

/// An application of a service, to which quotas and tokens belong: the same credentials for another
/// base URL are another application.
#[derive(Clone, Copy)]
pub struct Application<'a> {
    /// The client id; empty if the application has only a token or key.
    pub client_id: &'a str,
    /// The client secret, or the token or key; empty without credentials.
    pub secret: &'a str,
    /// The base URL of token requests and the data-transfer API.
    pub base_url: &'a BaseUrl,
    /// The base URL of the verification API.
    pub verification_base_url: &'a BaseUrl,
}

impl<'a> Application<'a> {
    /// Returns the application that has these credentials for the service with these base URLs.
    pub fn of(
        credentials: &'a Credentials,
        base_url: &'a BaseUrl,
        verification_base_url: &'a BaseUrl,
    ) -> Self {
        let (client_id, secret) = match credentials {
            Credentials::Client(client) => (client.client_id(), client.secret()),
            Credentials::Token(authorization) => ("", authorization.secret()),
            Credentials::None => ("", ""),
        };
        Self { client_id, secret, base_url, verification_base_url }
    }
}

impl fmt::Debug for Application<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application")
            .field("client_id", &self.client_id)
            .field("base_url", &self.base_url)
            .field("verification_base_url", &self.verification_base_url)
            .finish_non_exhaustive()
    }
}

/// One request of a process to the [`SharedStore`].
#[derive(Clone, Debug)]
pub enum StoreRequest {
    /// A request about a quota.
    Quota(QuotaRequest),
    /// A request about the token.
    Token(TokenRequest),
}

/// The store's answer to a [`StoreRequest`] of the same kind.
#[derive(Clone, Debug)]
pub enum StoreAnswer {
    /// An answer about a quota.
    Quota(QuotaAnswer),
    /// An answer about the token.
    Token(TokenAnswer),
}

/// A process's report on its requests in one [`Bucket`], and its demand for permits.
///
/// A permit is one place in the sliding window. It counts from its grant until `window` after the
/// end of its request, or until `lease + window` after the grant if that end is never reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaRequest {
    /// The rate limit.
    pub bucket: Bucket,
    /// The length of the sliding window.
    pub window: Duration,
    /// The longest time that a permit can be in use, unless its call has a longer timeout than the
    /// policy's.
    pub lease: Duration,
    /// The policy's maximum number of requests in a window, even if the service allows more.
    pub budget: Option<u32>,
    /// Set if the store may not know the process or may have outdated records of it: the store
    /// forgets all of the process's permits except those in this request.
    pub join: Option<Join>,
    /// The permits whose requests have ended and count, each with the time since its end.
    pub completed: Vec<(u64, Duration)>,
    /// The permits that were not used, or whose requests do not count.
    pub unused: Vec<u64>,
    /// The limit that the service named, if it has changed.
    pub learned: Option<SharedLimit>,
    /// Set if the service has refused all requests for some time, or accepts them again.
    pub gate: Option<GateReport>,
    /// The number of the first requested permit. The process numbers its permits itself, and never
    /// uses a number twice.
    pub first: u64,
    /// The number of requested permits; 0 leaves earlier demand unchanged.
    pub wanted: u32,
}

/// The part of a [`QuotaRequest`] with which a process joins a quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// True if the process was a member before. If the store does not know the quota at all, it has
    /// lost its data, and grants nothing for a second, so that all processes can report again.
    pub again: bool,
    /// The permits whose requests are in flight.
    pub in_flight: Vec<u64>,
}

/// A change of the time for which the service refuses all requests.
///
/// The new time replaces the old one if it is `named`, and the request that showed it was sent at
/// least a second after the last refusal that the store knows of. Otherwise, the later of the two
/// ends applies, unless the service has accepted requests since. A report of unknown age counts
/// only if the store has known of no refusal so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateReport {
    /// The time for which the service refuses requests; zero if it accepts them.
    pub closed_for: Duration,
    /// False if the service refused without naming a time; the report then does not shorten a
    /// longer refusal.
    pub named: bool,
    /// The time since that request was sent; [`Duration::MAX`] if it is unknown.
    pub age: Duration,
}

/// The store's answer to a [`QuotaRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaAnswer {
    /// The rate limit.
    pub bucket: Bucket,
    /// True if the store knows the process. If not, it ignored the request, and the process joins
    /// again.
    pub member: bool,
    /// The number of granted permits, numbered consecutively from `first`.
    pub granted: u32,
    /// The time after which to request the rest; if `closed`, until which to request none.
    pub wait: Duration,
    /// True if the service refuses all requests during `wait`, and no probe is due.
    ///
    /// During a refusal of more than 15 minutes the store grants one permit every 15 minutes, as a
    /// probe of whether the service still refuses. If the end of its request is reported without a
    /// change of the gate, another permit follows after 5 seconds.
    pub closed: bool,
    /// The limit that one of the processes learned last.
    pub limit: SharedLimit,
    /// The number of processes that share the quota, including this one.
    pub members: u32,
}

/// The limit of a [`Bucket`], as named by the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SharedLimit {
    /// No response has arrived yet.
    #[default]
    Unknown,
    /// Responses name no limit.
    Unlimited,
    /// The number of requests allowed in a window.
    Of(u32),
}

/// A request of a process about the shared token.
#[derive(Clone, Debug)]
pub enum TokenRequest {
    /// Asks for a token that is not due for renewal, or else for the lease to fetch one.
    Get {
        /// The duration of the lease, unless it is released earlier.
        lease: Duration,
        /// The token that the process has, which is due for renewal.
        known: Option<Secret>,
    },
    /// Takes or extends the lease, unless another process holds it, because the token could not be
    /// fetched. Does nothing if a token has been shared since.
    Hold {
        /// The duration of the lease.
        lease: Duration,
        /// The time since the fetch failed.
        age: Duration,
    },
    /// Shares the token that was fetched, unless the store has one that is renewed later, and
    /// releases the lease. It may arrive late or twice, after a failed exchange.
    Put(SharedToken),
    /// Releases the lease without a token.
    Release,
    /// Discards this token, which the service refused.
    Discard(Secret),
}

/// A shared token and its remaining times.
#[derive(Clone, Debug)]
pub struct SharedToken {
    /// The access token.
    pub token: Secret,
    /// The remaining lifetime of the token.
    pub lifetime: Duration,
    /// The time after which one of the processes renews the token.
    pub renew_after: Duration,
}

/// The store's answer to a [`TokenRequest`].
#[derive(Clone, Debug)]
pub enum TokenAnswer {
    /// The answer to a `Get` if there is a token, and to a `Hold` if one has been shared since.
    Token(SharedToken),
    /// The answer to a `Get` if this process may fetch a token. A store that does not share tokens
    /// always answers this.
    Fetch,
    /// The answer to a `Get` if another process holds the lease: ask again after this time, which
    /// grows with the age of the lease, since most fetches are short.
    Wait(Duration),
    /// The answer to any other request.
    Done,
}

/// The error of a store that did not answer: a message that states what failed, where and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError(Box<str>);

impl StoreError {
    /// Creates the error with its message, which must not contain a secret.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into().into_boxed_str())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StoreError {}

/// An [`Engine`](crate::Engine)'s instruction to its caller about the [`SharedStore`].
#[must_use]
#[derive(Debug)]
pub enum StoreStep {
    /// Pass these requests to [`SharedStore::exchange`], and its result to
    /// [`Engine::handle_store`](crate::Engine::handle_store).
    Exchange(Vec<StoreRequest>),
    /// There is nothing to request yet, unless an operation takes a step.
    Wait {
        /// The latest time to poll again.
        until: super::Moment,
    },
}
