//! Special session ids, whose prefix determines the response without a session being created.

use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum SpecialId {
    /// A session that always has this status.
    Status(&'static str),
    /// A session that is confirmed after a while.
    Slow,
    Missing,
    /// An outage of the service.
    Failing,
}

/// The special ids: prefix, behavior, and description for the front page.
pub(crate) const ALL: [(&str, SpecialId, &str); 6] = [
    ("declined-", SpecialId::Status("declined"), "The user declined."),
    ("expired-", SpecialId::Status("expired"), "The user did not decide in time."),
    ("waiting-", SpecialId::Status("initialized"), "The user never decides."),
    ("slow-", SpecialId::Slow, "Retrieved 5 seconds after the first request, confirmed after 10."),
    ("missing-", SpecialId::Missing, "There is no such session: 404."),
    ("failing-", SpecialId::Failing, "The service fails with 503 every time."),
];

/// Returns the behavior of an id, if it is a special one.
pub(crate) fn of(id: &str) -> Option<SpecialId> {
    ALL.iter().find(|(prefix, ..)| id.starts_with(prefix)).map(|(_, special, _)| *special)
}

/// Returns the status of a [`SpecialId::Slow`] session at this time after the first request.
pub(crate) fn slow_status(since_first: Duration) -> &'static str {
    match since_first.as_secs() {
        0..5 => "initialized",
        5..10 => "retrieved",
        _ => "confirmed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behavior_depends_on_the_prefix() {
        assert_eq!(of("declined-1"), Some(SpecialId::Status("declined")));
        assert_eq!(of("slow-"), Some(SpecialId::Slow));
        for id in ["", "declined", "not-declined-1", "Slow-1"] {
            assert_eq!(of(id), None, "{id}");
        }
    }
}
