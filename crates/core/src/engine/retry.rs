//! The retry decision: a pure function of the policy, the attempts so far and the last error.

use std::time::Duration;

use super::call_error::{CallErrorKind, GaveUp};
use super::failure::{TransportErrorKind, WaitReason};
use super::moment::Moment;
use super::policy::Policy;
use crate::endpoint::Replay;

/// The attempts of one call so far.
pub(super) struct Attempts {
    /// Failed attempts of the current request, without refusals by the rate limit.
    pub(super) failed: u32,
    /// Refusals by the rate limit; for a token request, including those of other calls.
    pub(super) refused: u32,
    pub(super) deadline: Moment,
}

impl Attempts {
    pub(super) fn failures(&self) -> u32 {
        self.failed.saturating_add(self.refused)
    }
}

/// HTTP libraries may report a timeout slightly early.
const EARLY_TIMEOUT: Duration = Duration::from_millis(100);

/// Returns when a request is sent again after `error` and the reason to wait until then, or why it is
/// not; `random` provides the jitter.
pub(super) fn decide(
    policy: &Policy,
    attempts: &Attempts,
    error: &CallErrorKind,
    replay: Replay,
    now: Moment,
    random: u64,
) -> Result<(Moment, WaitReason), GaveUp> {
    let refused = error.is_rate_limited();
    let timed_out = matches!(error, CallErrorKind::Transport(TransportErrorKind::Timeout));
    if !error.is_retryable(replay) {
        let out_of_time = timed_out && now.after(EARLY_TIMEOUT) >= attempts.deadline;
        let gave_up = if out_of_time { GaveUp::DeadlineExceeded } else { GaveUp::NotRetryable };
        return Err(gave_up);
    }
    // Precedes the check for the last attempt: an attempt cut off by the deadline says little about
    // the service.
    if now >= attempts.deadline {
        return Err(GaveUp::DeadlineExceeded);
    }
    if !refused && attempts.failed >= policy.max_attempts {
        return Err(GaveUp::AttemptsExhausted);
    }
    let (wait, reason) = match error.retry_after() {
        Some(wait) => (wait, WaitReason::RetryAfter),
        None => (backoff(policy, attempts.failures(), random), WaitReason::Backoff),
    };
    let at = now.after(wait);
    if at >= attempts.deadline {
        return Err(GaveUp::DeadlineExceeded);
    }
    Ok((at, reason))
}

/// Returns a random wait: exponential backoff with full jitter.
fn backoff(policy: &Policy, failures: u32, random: u64) -> Duration {
    let nanos = u64::try_from(longest_backoff(policy, failures).as_nanos()).unwrap_or(u64::MAX);
    // Never zero, so that a clock that stands still between polls cannot cause an endless loop.
    Duration::from_nanos(random % nanos.max(1) + 1)
}

/// Returns the upper bound of the backoff: the base, doubled with every failure after the first, up to
/// the cap.
pub(super) fn longest_backoff(policy: &Policy, failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(31);
    policy.backoff_base.saturating_mul(1 << doublings).min(policy.backoff_cap)
}

/// Returns the next number of a seeded random number generator (`SplitMix64`) for jitter, unfit for
/// cryptography.
pub(super) fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::endpoint::EndpointKind;
    use crate::error::{ResponseError, ResponseErrorKind};

    fn response(status: u16, retry_after: Option<u64>) -> CallErrorKind {
        let kind = match status {
            401 => ResponseErrorKind::Unauthorized,
            404 => ResponseErrorKind::NotFound,
            429 => ResponseErrorKind::RateLimited,
            400..500 => ResponseErrorKind::ClientError,
            500.. => ResponseErrorKind::ServerError,
            _ => ResponseErrorKind::Redirect,
        };
        let status = StatusCode::from_u16(status).unwrap();
        let mut error = ResponseError::new(EndpointKind::RetrieveDecision, status, kind);
        error.0.retry_after = retry_after.map(Duration::from_secs);
        CallErrorKind::Response(error)
    }

    const FINAL: Result<(u64, WaitReason), GaveUp> = Err(GaveUp::NotRetryable);
    const ATTEMPTS: Result<(u64, WaitReason), GaveUp> = Err(GaveUp::AttemptsExhausted);
    const DEADLINE: Result<(u64, WaitReason), GaveUp> = Err(GaveUp::DeadlineExceeded);

    #[test]
    fn retry_decision_table() {
        use Replay::{OnlyIfUnsent, Safe};
        use TransportErrorKind::{Certificate, Connect, ConnectionLost, Timeout};
        use WaitReason::{Backoff, RetryAfter};
        let random = 149_999_999; // with the base of 200 ms: a wait of 150 ms after the first failure
        let failed = CallErrorKind::Transport;
        // error, replay, attempts, milliseconds to the deadline, decision (wait in milliseconds)
        let table = [
            (failed(Connect), Safe, 1, 30_000, Ok((150, Backoff))),
            (failed(ConnectionLost), Safe, 3, 30_000, Ok((150, Backoff))),
            (failed(Timeout), Safe, 1, 30_000, Ok((150, Backoff))),
            (failed(Certificate), Safe, 1, 30_000, FINAL),
            (failed(Connect), OnlyIfUnsent, 1, 30_000, Ok((150, Backoff))),
            (failed(ConnectionLost), OnlyIfUnsent, 1, 30_000, FINAL),
            (failed(Timeout), OnlyIfUnsent, 1, 30_000, FINAL),
            (failed(Timeout), OnlyIfUnsent, 1, 0, DEADLINE),
            (failed(ConnectionLost), OnlyIfUnsent, 1, 0, FINAL),
            (failed(ConnectionLost), Safe, 4, 30_000, ATTEMPTS),
            (failed(ConnectionLost), Safe, 1, 150, DEADLINE),
            (failed(ConnectionLost), Safe, 4, 1, ATTEMPTS),
            (failed(Timeout), Safe, 4, 0, DEADLINE),
            (response(408, None), Safe, 1, 30_000, Ok((150, Backoff))),
            (response(500, None), Safe, 1, 30_000, Ok((150, Backoff))),
            (response(502, None), Safe, 1, 30_000, Ok((150, Backoff))),
            (response(503, Some(2)), Safe, 1, 30_000, Ok((2000, RetryAfter))),
            (response(504, None), Safe, 4, 30_000, ATTEMPTS),
            (response(501, None), Safe, 1, 30_000, FINAL),
            (response(503, None), OnlyIfUnsent, 1, 30_000, FINAL),
            (response(429, Some(7)), Safe, 1, 30_000, Ok((7000, RetryAfter))),
            (response(429, Some(7)), OnlyIfUnsent, 1, 30_000, Ok((7000, RetryAfter))),
            (response(429, Some(7)), Safe, 9, 30_000, Ok((7000, RetryAfter))),
            (response(429, Some(30)), Safe, 1, 30_000, DEADLINE),
            (response(429, Some(0)), Safe, 1, 30_000, Ok((150, Backoff))),
            (response(400, None), Safe, 1, 30_000, FINAL),
            (response(401, None), Safe, 1, 30_000, FINAL),
            (response(404, None), Safe, 1, 30_000, FINAL),
            (response(302, None), Safe, 1, 30_000, FINAL),
        ];
        let now = Moment::new(Duration::from_secs(1000));
        for (error, replay, count, left, expected) in table {
            let deadline = now.after(Duration::from_millis(left));
            let attempts = Attempts { failed: count, refused: 0, deadline };
            let decision = decide(&Policy::default(), &attempts, &error, replay, now, random);
            let expected =
                expected.map(|(wait, reason)| (now.after(Duration::from_millis(wait)), reason));
            assert_eq!(decision, expected, "{error:?} {replay:?} {count} {left}");
        }
    }

    #[test]
    fn refusals_lengthen_the_backoff() {
        let now = Moment::default();
        let deadline = now.after(Duration::from_secs(60));
        let attempts = Attempts { failed: 1, refused: 2, deadline };
        let refusal = response(429, None);
        let policy = Policy::default();
        let decision = decide(&policy, &attempts, &refusal, Replay::Safe, now, 799_999_999);
        let at = now.after(Duration::from_millis(800));
        assert_eq!(decision, Ok((at, WaitReason::Backoff)));
    }

    #[test]
    fn timeout_at_the_deadline_may_be_reported_early() {
        let deadline = Moment::new(Duration::from_secs(60));
        let timeout = CallErrorKind::Transport(TransportErrorKind::Timeout);
        for (millis, gave_up) in [
            (59_899, GaveUp::NotRetryable),
            (59_900, GaveUp::DeadlineExceeded),
            (60_000, GaveUp::DeadlineExceeded),
        ] {
            let now = Moment::new(Duration::from_millis(millis));
            let attempts = Attempts { failed: 1, refused: 0, deadline };
            let decision =
                decide(&Policy::default(), &attempts, &timeout, Replay::OnlyIfUnsent, now, 0);
            assert_eq!(decision, Err(gave_up), "{millis}");
        }
    }

    #[test]
    fn jitter_matches_the_published_sequence() {
        // SplitMix64 by Steele, Lea and Flood, with seed 0.
        let mut state = 0;
        let numbers = [(); 3].map(|()| next_random(&mut state));
        assert_eq!(numbers, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]);
    }

    #[test]
    fn backoff_doubles_up_to_the_cap() {
        let most = |failures| backoff(&Policy::default(), failures, u64::MAX - 1);
        for failures in 0..100_u32 {
            let cap = Duration::from_millis(200) * 2_u32.pow(failures.saturating_sub(1).min(6));
            let cap = cap.min(Duration::from_secs(10));
            assert!(most(failures) <= cap + Duration::from_nanos(1), "{failures}");
        }
        let mut state = 7;
        let waits: Vec<_> =
            (0..1000).map(|_| backoff(&Policy::default(), 1, next_random(&mut state))).collect();
        assert!(waits.iter().all(|wait| !wait.is_zero() && *wait <= Duration::from_millis(200)));
        let longest = waits.iter().max().unwrap();
        assert!(*longest > Duration::from_millis(190), "the whole range is used: {longest:?}");
    }
}
