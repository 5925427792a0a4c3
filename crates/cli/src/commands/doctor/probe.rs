//! Collects the doctor's findings from the responses of the service.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use didit_blocking_adapter::core::{Moment, RateLimit};
use http::{Request, Response};

use crate::observed::Observer;

/// The findings from the responses to a probe's requests, kept even if the probe fails.
#[derive(Clone, Default)]
pub(super) struct Seen(Arc<Mutex<Findings>>);

#[derive(Clone, Copy, Default)]
pub(super) struct Findings {
    /// The duration of the last exchange.
    pub(super) took: Option<Duration>,
    /// The seconds by which this machine's clock is ahead of the service's.
    pub(super) clock_ahead: Option<i64>,
    pub(super) rate_limit: RateLimit,
}

impl Seen {
    pub(super) fn findings(&self) -> Findings {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Findings> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record<B>(&self, response: &Response<B>, took: Duration) {
        let mut findings = self.lock();
        findings.took = Some(took);
        let date = response.headers().get("date").and_then(|value| value.to_str().ok());
        if let Some(date) = date.and_then(|date| httpdate::parse_http_date(date).ok()) {
            findings.clock_ahead = Some(seconds_after(SystemTime::now(), date));
        }
        let rate_limit = RateLimit::from_headers(response.headers());
        if rate_limit.remaining.is_some() {
            findings.rate_limit = rate_limit;
        }
    }
}

fn seconds_after(now: SystemTime, then: SystemTime) -> i64 {
    let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    match now.duration_since(then) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => -seconds(behind.duration()),
    }
}

/// An observer that collects findings from responses.
pub(super) struct Probe {
    seen: Seen,
    sent_at: Moment,
}

impl Probe {
    pub(super) fn new(seen: &Seen) -> Self {
        Self { seen: seen.clone(), sent_at: Moment::default() }
    }
}

impl Observer for Probe {
    fn on_request(&mut self, _request: &Request<Vec<u8>>, now: Moment) {
        self.sent_at = now;
    }

    fn on_response<B: AsRef<[u8]>>(&mut self, response: &Response<B>, now: Moment) {
        self.seen.record(response, now.since(self.sent_at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_difference_is_signed() {
        let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(43_200);
        assert_eq!(seconds_after(noon + Duration::from_millis(2500), noon), 2);
        assert_eq!(seconds_after(noon, noon + Duration::from_secs(40)), -40);
    }
}
