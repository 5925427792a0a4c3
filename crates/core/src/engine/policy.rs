use std::time::Duration;

use super::rate_limiter::RateLimiter;
use crate::endpoint::Bucket;
use crate::verification::Limits;

/// The timeouts, retries and rate limits of an [`Engine`](crate::Engine).
///
/// ```
/// # use std::time::Duration;
/// let mut policy = didit_core::Policy::default();
/// policy.call_timeout = Duration::from_secs(60);
/// policy.max_requests_per_window = Some(100);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// The time for a whole call: token, waits, retries and bodies. Default: 30 s. Generating a PDF
    /// has at least 60 s, unless the call sets its own timeout.
    pub call_timeout: Duration,
    /// The time for one attempt, including the body of the response. Default: 10 s.
    /// Generating a PDF has at least 60 s, and a request that must not be repeated has all the time
    /// that is left for its call.
    pub attempt_timeout: Duration,
    /// The maximum number of attempts per request. Refusals by the rate limit do not count; only
    /// the deadline ends those. Default: 4.
    pub max_attempts: u32,
    /// The base of the backoff: the n-th retry is preceded by a random wait of at most this times
    /// 2ⁿ⁻¹. Default: 200 ms.
    pub backoff_base: Duration,
    /// The upper bound of that wait. Default: 10 s.
    pub backoff_cap: Duration,
    /// How long before its expiry a token is renewed; at most a tenth of its lifetime.
    /// Default: 60 s.
    pub token_refresh_margin: Duration,
    /// The length of the service's sliding rate-limit window. Default: 60 s, as
    /// [documented](https://docs.didit.me/integration/rate-limiting).
    pub rate_limit_window: Duration,
    /// The maximum number of decisions that this client retrieves in one window: its share, if
    /// several clients use the same limit. Default: as many as the service allows.
    pub max_requests_per_window: Option<u32>,
    /// The maximum numbers of requests to the verification API in one window, by kind. Default: the
    /// documented limits.
    pub verification_limits: Limits,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            call_timeout: Duration::from_secs(30),
            attempt_timeout: Duration::from_secs(10),
            max_attempts: 4,
            backoff_base: Duration::from_millis(200),
            backoff_cap: Duration::from_secs(10),
            token_refresh_margin: Duration::from_secs(60),
            rate_limit_window: Duration::from_secs(60),
            max_requests_per_window: None,
            verification_limits: Limits::default(),
        }
    }
}

impl Policy {
    /// Returns the time for one attempt of a request in this bucket that may be repeated.
    pub(super) fn attempt_timeout_of(&self, bucket: Bucket) -> Duration {
        self.attempt_timeout.max(bucket.min_timeout())
    }

    /// Returns the rate limiter for the requests of one bucket.
    pub(super) fn limiter(&self, bucket: Bucket) -> RateLimiter {
        let budget = match bucket {
            Bucket::Decisions => self.max_requests_per_window,
            _ => self.verification_limits.of(bucket),
        };
        RateLimiter::new(self.rate_limit_window, budget)
    }
}
