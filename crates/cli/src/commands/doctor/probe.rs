use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use didit_blocking_adapter::core::{
    Engine, Moment, Operation, RateLimit, Step, Ticket, TransportError,
};
use http::Response;

/// What the answers to a probe's requests showed, whatever came of the probe.
#[derive(Clone, Default)]
pub(super) struct Seen(Arc<Mutex<Findings>>);

#[derive(Clone, Copy, Default)]
pub(super) struct Findings {
    /// How long the last answer took.
    pub(super) took: Option<Duration>,
    /// How far this machine's clock is ahead of the service's, in seconds.
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

    fn see<B>(&self, response: &Response<B>, took: Duration) {
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

/// An operation whose answers are looked at on their way.
pub(super) struct Probe<O> {
    operation: O,
    seen: Seen,
    sent_at: Moment,
}

impl<O> Probe<O> {
    pub(super) fn new(operation: O, seen: &Seen) -> Self {
        Self { operation, seen: seen.clone(), sent_at: Moment::default() }
    }
}

impl<O: Operation> Operation for Probe<O> {
    type Output = O::Output;

    fn poll(&mut self, engine: &mut Engine, now: Moment) -> Step<O::Output> {
        self.sent_at = now;
        self.operation.poll(engine, now)
    }

    fn handle_response<B: AsRef<[u8]>>(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        response: &Response<B>,
    ) {
        self.seen.see(response, now.since(self.sent_at));
        self.operation.handle_response(engine, now, ticket, response);
    }

    fn handle_failure(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        error: TransportError,
    ) {
        self.operation.handle_failure(engine, now, ticket, error);
    }

    fn cancel(&mut self, engine: &mut Engine, now: Moment) {
        self.operation.cancel(engine, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_may_differ_either_way() {
        let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(43_200);
        assert_eq!(seconds_after(noon + Duration::from_millis(2500), noon), 2);
        assert_eq!(seconds_after(noon, noon + Duration::from_secs(40)), -40);
    }
}
