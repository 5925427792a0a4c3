//! Collects the doctor's findings from the responses of the service.

use std::time::{Duration, SystemTime};

use didit_blocking_adapter::core::client::ArrivalDate;
use didit_blocking_adapter::core::{Moment, RateLimit};
use http::{Request, Response};
use serde_json::{Map, Value};

use crate::observed::Observer;

/// The findings from the responses to the doctor's requests.
#[derive(Default)]
pub(super) struct Findings {
    sent_at: Moment,
    /// The duration of the last exchange.
    pub(super) took: Option<Duration>,
    /// The seconds by which this machine's clock is ahead of the service's.
    pub(super) clock_ahead: Option<i64>,
    pub(super) rate_limit: RateLimit,
    /// Set if the last response is JSON with a status that the service returns for a session id,
    /// known or unknown.
    pub(super) is_of_service: bool,
}

impl Observer for &mut Findings {
    fn on_request(&mut self, _request: &Request<Vec<u8>>, now: Moment) {
        self.sent_at = now;
    }

    fn on_response<B: AsRef<[u8]>>(
        &mut self,
        response: &Response<B>,
        _: Option<&str>,
        now: Moment,
    ) {
        self.took = Some(now.since(self.sent_at));
        let is_of_service = response.extensions().get::<ArrivalDate>().is_none();
        let date = response.headers().get("date").filter(|_| is_of_service);
        let date = date.and_then(|value| value.to_str().ok());
        if let Some(date) = date.and_then(|date| httpdate::parse_http_date(date).ok()) {
            self.clock_ahead = Some(seconds_after(SystemTime::now(), date));
        }
        let is_object =
            serde_json::from_slice::<Map<String, Value>>(response.body().as_ref()).is_ok();
        self.is_of_service = is_object && matches!(response.status().as_u16(), 200 | 400 | 404);
        let rate_limit = RateLimit::from_headers(response.headers());
        if rate_limit.remaining.is_some() {
            self.rate_limit = rate_limit;
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
