use std::time::Duration;

use super::{Event, EventKind};
use crate::endpoint::EndpointKind;
use crate::session_id::SessionId;

impl Event {
    /// Emits the event through `tracing`, under the target `didit`: as `INFO` if it is notable, as
    /// `DEBUG` otherwise.
    ///
    /// The fields are `event`, `endpoint` (that of the request, if there is one), `session_id`, and,
    /// depending on the kind, `attempt`, `method`, `url`, `status`, `request_id`, `error`, `reason`,
    /// `milliseconds`, `limit` and `remaining`.
    pub fn trace(&self) {
        let session_id = self.session_id.as_ref().map(SessionId::as_str);
        let Fields {
            event,
            endpoint,
            attempt,
            method,
            url,
            status,
            request_id,
            error,
            reason,
            time,
            limit,
            remaining,
        } = Fields::of(self);
        let endpoint = endpoint.unwrap_or(self.endpoint);
        let milliseconds = time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let [attempt, limit, remaining] = [attempt, limit, remaining].map(|it| it.map(u64::from));
        let status = status.map(u64::from);
        if self.kind.is_notable() {
            tracing::info!(
                target: "didit", event, ?endpoint, session_id, attempt, method, url, status,
                request_id, error, reason, milliseconds, limit, remaining
            );
        } else {
            tracing::debug!(
                target: "didit", event, ?endpoint, session_id, attempt, method, url, status,
                request_id, error, reason, milliseconds, limit, remaining
            );
        }
    }
}

/// The fields of an event; `tracing` leaves out those that are `None`.
#[derive(Default)]
struct Fields<'a> {
    event: &'static str,
    /// That of the request, if there is one.
    endpoint: Option<EndpointKind>,
    attempt: Option<u32>,
    method: Option<&'a str>,
    url: Option<String>,
    status: Option<u16>,
    request_id: Option<&'a str>,
    error: Option<String>,
    reason: Option<String>,
    time: Option<Duration>,
    limit: Option<u32>,
    remaining: Option<u32>,
}

impl<'a> Fields<'a> {
    fn of(event: &'a Event) -> Self {
        match &event.kind {
            &EventKind::Sent { endpoint, ref method, ref uri, attempt } => Self {
                event: "sent",
                endpoint: Some(endpoint),
                method: Some(method.as_str()),
                url: Some(uri.to_string()),
                attempt: Some(attempt),
                ..Self::default()
            },
            &EventKind::Answered { endpoint, status, ref request_id, elapsed } => Self {
                event: "answered",
                endpoint: Some(endpoint),
                status: Some(status.as_u16()),
                request_id: request_id.as_deref(),
                time: Some(elapsed),
                ..Self::default()
            },
            &EventKind::Failed { endpoint, error, elapsed } => Self {
                event: "failed",
                endpoint: Some(endpoint),
                error: Some(error.to_string()),
                time: Some(elapsed),
                ..Self::default()
            },
            EventKind::TokenFetched { lifetime } => {
                Self { event: "token fetched", time: *lifetime, ..Self::default() }
            }
            EventKind::TokenRefused => Self { event: "token refused", ..Self::default() },
            EventKind::Waiting { duration, reason } => Self {
                event: "waiting",
                reason: Some(reason.to_string()),
                time: Some(*duration),
                ..Self::default()
            },
            &EventKind::RateLimit { limit, remaining } => Self {
                event: "rate limit",
                limit: Some(limit),
                remaining: Some(remaining),
                ..Self::default()
            },
            EventKind::StoreLost { error } => {
                Self { event: "store lost", error: Some(error.to_string()), ..Self::default() }
            }
            EventKind::StoreJoined => Self { event: "store joined", ..Self::default() },
            &EventKind::Finished { succeeded, attempts, elapsed } => Self {
                event: if succeeded { "succeeded" } else { "gave up" },
                attempt: Some(attempts),
                time: Some(elapsed),
                ..Self::default()
            },
        }
    }
}
