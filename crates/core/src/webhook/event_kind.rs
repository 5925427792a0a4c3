use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The kind of an event: its `webhook_type`.
///
/// The first two are about sessions and have a `session_id`. The others have none, and use other
/// statuses. See <https://docs.didit.me/integration/webhooks> and
/// <https://docs.didit.me/entities/webhooks>.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum EventKind {
    /// `status.updated`: the status of a session changed.
    StatusUpdated,
    /// `data.updated`: the data of a session was corrected.
    DataUpdated,
    /// `user.status.updated`
    UserStatusUpdated,
    /// `user.data.updated`
    UserDataUpdated,
    /// `business.status.updated`
    BusinessStatusUpdated,
    /// `business.data.updated`
    BusinessDataUpdated,
    /// `activity.created`
    ActivityCreated,
    /// `transaction.created`
    TransactionCreated,
    /// `transaction.status.updated`
    TransactionStatusUpdated,
    /// `travel_rule.status.updated`
    TravelRuleStatusUpdated,
    /// A type that is unknown to this version, as the service wrote it.
    Other(Box<str>),
}

const KNOWN: [EventKind; 10] = [
    EventKind::StatusUpdated,
    EventKind::DataUpdated,
    EventKind::UserStatusUpdated,
    EventKind::UserDataUpdated,
    EventKind::BusinessStatusUpdated,
    EventKind::BusinessDataUpdated,
    EventKind::ActivityCreated,
    EventKind::TransactionCreated,
    EventKind::TransactionStatusUpdated,
    EventKind::TravelRuleStatusUpdated,
];

impl EventKind {
    /// Returns the `webhook_type`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::StatusUpdated => "status.updated",
            Self::DataUpdated => "data.updated",
            Self::UserStatusUpdated => "user.status.updated",
            Self::UserDataUpdated => "user.data.updated",
            Self::BusinessStatusUpdated => "business.status.updated",
            Self::BusinessDataUpdated => "business.data.updated",
            Self::ActivityCreated => "activity.created",
            Self::TransactionCreated => "transaction.created",
            Self::TransactionStatusUpdated => "transaction.status.updated",
            Self::TravelRuleStatusUpdated => "travel_rule.status.updated",
            Self::Other(text) => text,
        }
    }
}

impl From<&str> for EventKind {
    fn from(text: &str) -> Self {
        let known = KNOWN.into_iter().find(|known| known.as_str() == text);
        known.unwrap_or_else(|| Self::Other(text.into()))
    }
}

impl From<String> for EventKind {
    fn from(text: String) -> Self {
        Self::from(&*text)
    }
}

impl From<EventKind> for String {
    fn from(kind: EventKind) -> Self {
        kind.as_str().to_owned()
    }
}

impl FromStr for EventKind {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::from(text))
    }
}

impl AsRef<str> for EventKind {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_kinds_parse_and_unknown_ones_are_kept() {
        for kind in KNOWN {
            assert_eq!(kind.as_ref().parse(), Ok(kind.clone()));
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(serde_json::from_str::<EventKind>(&json).unwrap(), kind);
        }
        assert_eq!(EventKind::from("case.opened").to_string(), "case.opened");
    }
}
