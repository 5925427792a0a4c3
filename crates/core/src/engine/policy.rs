use std::time::Duration;

/// How patient, how stubborn and how considerate an [`Engine`](crate::Engine) is.
///
/// ```
/// # use std::time::Duration;
/// let mut policy = didit_core::Policy::default();
/// policy.call_timeout = Duration::from_secs(60);
/// policy.budget = Some(100);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// The budget of a whole call: token, waits, retries and bodies. Default: 30 s.
    pub call_timeout: Duration,
    /// The longest that one request may take, its answer's body included. Default: 10 s.
    pub attempt_timeout: Duration,
    /// How often a request is sent before its failure is final; refusals by rate limit do not
    /// count, the deadline ends those. Default: 4.
    pub max_attempts: u32,
    /// Before the n-th retry a random time is waited, up to this times 2ⁿ⁻¹. Default: 200 ms.
    pub backoff_base: Duration,
    /// The longest such wait. Default: 10 s.
    pub backoff_cap: Duration,
    /// How long before its end a token is renewed, or a tenth of its lifetime if that is less.
    /// Default: 60 s.
    pub renew_before: Duration,
    /// The length of the service's sliding rate-limit window. Default: 60 s, as documented.
    pub rate_window: Duration,
    /// How many decisions the caller wants to ask for in one such window at the most. Default: as
    /// many as the service's answers allow.
    pub budget: Option<u32>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            call_timeout: Duration::from_secs(30),
            attempt_timeout: Duration::from_secs(10),
            max_attempts: 4,
            backoff_base: Duration::from_millis(200),
            backoff_cap: Duration::from_secs(10),
            renew_before: Duration::from_secs(60),
            rate_window: Duration::from_secs(60),
            budget: None,
        }
    }
}
