//! Session ids that play a part by how they begin, for whoever has not created a session.

use std::time::Duration;

/// The part that an id plays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Part {
    /// A session with this status for ever.
    Status(&'static str),
    /// A session that is confirmed after a while.
    Slow,
    Missing,
    /// The service cannot answer.
    Failing,
}

/// Every part: how the id begins, what it stands for, and how people are told.
pub(crate) const ALL: [(&str, Part, &str); 6] = [
    ("declined-", Part::Status("declined"), "The person declined."),
    ("expired-", Part::Status("expired"), "The person did not decide in time."),
    ("waiting-", Part::Status("initialized"), "The person never decides."),
    ("slow-", Part::Slow, "Retrieved 5 seconds after the first request, confirmed after 10."),
    ("missing-", Part::Missing, "There is no such session: 404."),
    ("failing-", Part::Failing, "The service fails: 503, each time."),
];

/// Returns the part that an id plays, if any.
pub(crate) fn of(id: &str) -> Option<Part> {
    ALL.iter().find(|(begin, ..)| id.starts_with(begin)).map(|(_, part, _)| *part)
}

/// Returns the status of a slow session this long after the first request.
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
    fn an_id_plays_the_part_that_it_begins_with() {
        assert_eq!(of("declined-1"), Some(Part::Status("declined")));
        assert_eq!(of("slow-"), Some(Part::Slow));
        for id in ["", "declined", "not-declined-1", "Slow-1"] {
            assert_eq!(of(id), None, "{id}");
        }
    }
}
