//! The interface to what several processes of one application share: its quotas and its token.

use std::fmt;
use std::time::Duration;

use crate::credentials::Credentials;
use crate::endpoint::Bucket;
use crate::secret::Secret;

/// A store through which processes share the quotas and the token of one application.
///
/// An [`Engine`](crate::Engine) decides what to ask, and an adapter hands it to the store:
/// see [`Engine::poll_store`](crate::Engine::poll_store). The store keeps the books; each request
/// that it carries out is atomic, and all times are measured by its own clock.
pub trait SharedStore: fmt::Debug + Send {
    /// Takes the application whose state is shared. It is called once, before any exchange.
    fn open(&mut self, application: &Application<'_>);

    /// Carries the requests out, in their order, and returns an answer for each. It may block, but
    /// should give up within a second: later answers are of little use.
    ///
    /// # Errors
    /// The store could not be reached, or did not answer. The requests may have been carried out.
    fn exchange(&mut self, requests: &[StoreRequest]) -> Result<Vec<StoreAnswer>, StoreError>;
}

/// An application of the service, to which quotas and tokens belong.
#[derive(Clone, Copy)]
pub struct Application<'a> {
    /// The client id; empty if the application has only a token or key.
    pub client_id: &'a str,
    /// The client secret, or the token or key; empty without credentials.
    pub secret: &'a str,
}

impl<'a> Application<'a> {
    /// Returns the application that has these credentials.
    pub fn of(credentials: &'a Credentials) -> Self {
        let (client_id, secret) = match credentials {
            Credentials::Client(client) => (client.client_id(), client.secrets()[0]),
            Credentials::Token(authorization) => ("", authorization.secret()),
            Credentials::None => ("", ""),
        };
        Self { client_id, secret }
    }
}

impl fmt::Debug for Application<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// One thing that a process asks of the [`SharedStore`].
#[derive(Clone, Debug)]
pub enum StoreRequest {
    /// About a quota.
    Quota(QuotaRequest),
    /// About the token.
    Token(TokenRequest),
}

/// The store's answer to a [`StoreRequest`] of the same kind.
#[derive(Clone, Debug)]
pub enum StoreAnswer {
    /// About a quota.
    Quota(QuotaAnswer),
    /// About the token.
    Token(TokenAnswer),
}

/// The report of a process on its requests in one [`Bucket`], and how many more it wants to send.
///
/// A permit is one place in the sliding window. It is taken when it is granted and counts until
/// `window` after its request ended; if that is never told, until `lease + window` after the grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaRequest {
    /// The rate limit.
    pub bucket: Bucket,
    /// The length of the sliding window.
    pub window: Duration,
    /// The longest time for which a permit can be in use.
    pub lease: Duration,
    /// The most requests in a window by policy, whatever the service allows.
    pub budget: Option<u32>,
    /// Set by a process that the store may not know, or not know well: the store forgets all of its
    /// permits but those that this request names.
    pub join: Option<Join>,
    /// The permits whose requests ended and count, with the time since then.
    pub completed: Vec<(u64, Duration)>,
    /// The permits that were not used, or whose requests do not count.
    pub unused: Vec<u64>,
    /// The limit that the service named anew.
    pub learned: Option<SharedLimit>,
    /// For how long the service refuses all requests, if it does.
    pub closed_for: Option<Duration>,
    /// True if the service accepts requests again before the time that it had named.
    pub opened: bool,
    /// The number of the first permit that is asked for. The process numbers its permits itself,
    /// and never uses a number twice.
    pub first: u64,
    /// Number of permits requested.
    pub wanted: u32,
}

/// The greeting of a process to a store that does not know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// True if it was a member before. A store that knows nothing of the quota then has lost what
    /// all
    /// of them told it, and grants nothing before they had a second to tell it again.
    pub again: bool,
    /// The permits whose requests are under way.
    pub in_flight: Vec<u64>,
}

/// The store's answer to a [`QuotaRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaAnswer {
    /// The rate limit.
    pub bucket: Bucket,
    /// True if the store knows the process. If not, it ignored the request: the process joins
    /// again.
    pub member: bool,
    /// Number of permits granted: those numbered from `first` on.
    pub granted: u32,
    /// The time after which to ask for the rest.
    pub wait: Duration,
    /// True if the service refuses all requests for the time of `wait`.
    pub closed: bool,
    /// The limit, as any of the processes learned it.
    pub limit: SharedLimit,
    /// Number of processes that share the quota, this one included.
    pub members: u32,
}

/// The limit of a [`Bucket`], as the service names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SharedLimit {
    /// No response has come yet.
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
    /// Asks for a token that need not be renewed yet, or else for the right to fetch one.
    Get {
        /// For how long that right is given, unless it is given up.
        lease: Duration,
        /// The token that the process has, and that is to be renewed.
        known: Option<Secret>,
    },
    /// Gives the right to fetch to this process for that time, if no other has it.
    Hold(Duration),
    /// Shares the token that was fetched, and gives up the right.
    Put(SharedToken),
    /// Gives up the right without a token.
    Release,
    /// Forgets this token, which the service refused.
    Discard(Secret),
}

/// A token and its times, from now on.
#[derive(Clone, Debug)]
pub struct SharedToken {
    /// The access token.
    pub token: Secret,
    /// Lifetime of the token.
    pub lifetime: Duration,
    /// The time after which one of the processes renews it.
    pub renew_after: Duration,
}

/// The store's answer to a [`TokenRequest`].
#[derive(Clone, Debug)]
pub enum TokenAnswer {
    /// To a `Get`: the token.
    Token(SharedToken),
    /// To a `Get`: the process fetches. A store that shares no tokens always answers this.
    Fetch,
    /// To a `Get`: another process fetches; ask again after that time.
    Wait(Duration),
    /// To any other request.
    Done,
}

/// The failure of a store to answer: what failed, where and why, in words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError(Box<str>);

impl StoreError {
    /// Creates the error with its message, which must not hold a secret.
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

/// The next step that an [`Engine`](crate::Engine) asks of its caller for the [`SharedStore`].
#[must_use]
#[derive(Debug)]
pub enum StoreStep {
    /// Give these to [`SharedStore::exchange`], and its result to
    /// [`Engine::handle_store`](crate::Engine::handle_store).
    Exchange(Vec<StoreRequest>),
    /// There is nothing to ask before then, unless an operation takes a step.
    Wait {
        /// The latest time to poll again.
        until: super::Moment,
    },
}
