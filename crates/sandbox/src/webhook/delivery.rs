//! The webhooks that were sent, and their faults.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A fault in the way in which an event is delivered. Its text form is `pass`, `duplicate`, `lost`,
/// `wrong-signature` or `old-timestamp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookFault {
    /// No fault: a place in a script for an event that is delivered as documented.
    Pass,
    /// The same event is delivered twice, byte for byte.
    Duplicate,
    /// The first attempt never arrives. The second one does, after the events that happened
    /// meanwhile.
    Lost,
    /// All three signatures are made with another secret.
    WrongSignature,
    /// The time stamp is ten minutes old, and signed as such.
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

/// A text that names no [`WebhookFault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownWebhookFault;

impl fmt::Display for UnknownWebhookFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no such webhook fault; there are pass, duplicate, lost, wrong-signature and \
             old-timestamp",
        )
    }
}

impl std::error::Error for UnknownWebhookFault {}

/// One attempt to deliver a webhook.
///
/// Its `Debug` does not show the body.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookDelivery {
    /// The URL that it was sent to.
    pub url: String,
    /// The event, the same for each attempt.
    pub event_id: String,
    /// The session that it tells of.
    pub session_id: String,
    /// The session's status that it tells of.
    pub session_status: String,
    /// The fault that it was sent with.
    pub fault: WebhookFault,
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
    fn a_fault_reads_what_it_writes() {
        for fault in WebhookFault::ALL {
            assert_eq!(fault.to_string().parse(), Ok(fault));
            assert!(UnknownWebhookFault.to_string().contains(&fault.to_string()));
        }
        assert_eq!("late".parse::<WebhookFault>(), Err(UnknownWebhookFault));
    }
}
