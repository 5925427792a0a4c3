//! Delivery attempts of webhooks, and their faults.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A fault in the delivery of an event. Its text form is `pass`, `duplicate`, `lost`,
/// `wrong-signature` or `old-timestamp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookFault {
    /// No fault: in a script, one event that is delivered as documented.
    Pass,
    /// Two identical deliveries of the event.
    Duplicate,
    /// A first attempt that never arrives. The second one arrives after later events.
    Lost,
    /// Signatures with a wrong secret, all three.
    WrongSignature,
    /// A timestamp ten minutes in the past, with valid signatures.
    OldTimestamp,
}

impl WebhookFault {
    /// Every fault.
    pub const ALL: [Self; 5] =
        [Self::Pass, Self::Duplicate, Self::Lost, Self::WrongSignature, Self::OldTimestamp];

    fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Duplicate => "duplicate",
            Self::Lost => "lost",
            Self::WrongSignature => "wrong-signature",
            Self::OldTimestamp => "old-timestamp",
        }
    }
}

impl fmt::Display for WebhookFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for WebhookFault {
    type Err = UnknownWebhookFault;

    fn from_str(text: &str) -> Result<Self, UnknownWebhookFault> {
        Self::ALL.into_iter().find(|fault| fault.name() == text).ok_or(UnknownWebhookFault)
    }
}

/// The error for a text that is not the name of a [`WebhookFault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownWebhookFault;

impl fmt::Display for UnknownWebhookFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no such webhook fault; the faults are pass, duplicate, lost, wrong-signature and \
             old-timestamp",
        )
    }
}

impl std::error::Error for UnknownWebhookFault {}

/// An attempt to deliver a webhook.
///
/// `Debug` redacts the body.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookDelivery {
    /// The destination.
    pub url: String,
    /// The event's id, the same for each attempt.
    pub event_id: String,
    /// The session's id.
    pub session_id: String,
    /// The session's status in the event.
    pub session_status: String,
    /// The fault of this attempt.
    pub fault: WebhookFault,
    /// The number of the attempt, from 1 to 3.
    pub attempt: u32,
    /// The time of sending by the sandbox's clock, since 1970.
    pub sent_at: Duration,
    /// The body, as sent.
    pub body: String,
    /// The status of the response; `None` if there was none in time.
    pub answer: Option<u16>,
}

impl fmt::Debug for WebhookDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookDelivery")
            .field("url", &self.url)
            .field("event_id", &self.event_id)
            .field("session_id", &self.session_id)
            .field("session_status", &self.session_status)
            .field("fault", &self.fault)
            .field("attempt", &self.attempt)
            .field("sent_at", &self.sent_at)
            .field("body", &format_args!("[{} bytes]", self.body.len()))
            .field("answer", &self.answer)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips() {
        for fault in WebhookFault::ALL {
            assert_eq!(fault.to_string().parse(), Ok(fault));
            assert!(UnknownWebhookFault.to_string().contains(&fault.to_string()));
        }
        assert_eq!("late".parse::<WebhookFault>(), Err(UnknownWebhookFault));
    }
}
