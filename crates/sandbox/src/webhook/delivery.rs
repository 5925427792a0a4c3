//! What tests learn of the webhooks that were sent, and how they make them go wrong.

use std::fmt;
use std::time::Duration;

/// What is wrong with the way in which an event is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookFault {
    /// No fault: a place in a script for an event that is delivered as documented.
    Pass,
    /// The same event is delivered twice, byte for byte.
    Duplicate,
    /// All three signatures are made with another secret.
    WrongSignature,
    /// The time stamp is ten minutes old, and signed as such.
    OldTimestamp,
}

/// One attempt to deliver a webhook.
///
/// Its `Debug` does not show the body.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookDelivery {
    /// Where it was sent.
    pub url: String,
    /// The event, the same for each attempt.
    pub event_id: String,
    /// The session that it tells of.
    pub session_id: String,
    /// The session's status that it tells of.
    pub session_status: String,
    /// 1 for the first attempt, up to 3.
    pub attempt: u32,
    /// The sandbox's time of sending, counted from 1970.
    pub sent_at: Duration,
    /// The body, as sent.
    pub body: String,
    /// The status of the answer; `None` if there was none in time.
    pub answer: Option<u16>,
}

impl fmt::Debug for WebhookDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookDelivery")
            .field("url", &self.url)
            .field("event_id", &self.event_id)
            .field("session_id", &self.session_id)
            .field("session_status", &self.session_status)
            .field("attempt", &self.attempt)
            .field("sent_at", &self.sent_at)
            .field("body", &format_args!("[{} bytes]", self.body.len()))
            .field("answer", &self.answer)
            .finish()
    }
}
