//! Parsers of arguments: whole numbers, session ids, statuses, and texts with offered values; and
//! suggestions for mistyped ones.

use std::ffi::OsStr;
use std::fmt::Display;
use std::str::FromStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use didit_blocking_adapter::core::SessionId;
use didit_blocking_adapter::core::verification::{self, ListSessions, Status};

/// Returns a parser for whole numbers from `least` to `most`, both included.
pub(crate) fn between<N>(least: N, most: N) -> impl TypedValueParser<Value = N>
where
    N: Copy + PartialOrd + Display + FromStr + Send + Sync + 'static,
{
    StringValueParser::new().try_map(move |text| {
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| format!("{text:?} is not a whole number from {least} to {most}"))
    })
}

/// A parser that accepts any text, and offers values in completions and help.
#[derive(Clone)]
pub(crate) struct Offering(pub(crate) fn() -> Vec<PossibleValue>);

impl TypedValueParser for Offering {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0().into_iter()))
    }
}

/// Parses the id of a session of the data-transfer API.
pub(crate) fn session_id(text: &str) -> Result<SessionId, String> {
    text.parse().map_err(|error| {
        let url = text.starts_with("https://") || text.starts_with("http://");
        let hint = if url { "; give the session's id, not its URL" } else { "" };
        format!("{error}{hint}")
    })
}

/// Parses the id of a session of the verification API.
pub(crate) fn verification_id(text: &str) -> Result<verification::SessionId, String> {
    text.parse().map_err(|error| format!("{text:?} is not a session id: {error}"))
}

/// Checks a UUID.
pub(crate) fn uuid(text: &str) -> Result<String, String> {
    let parsed: Result<verification::SessionId, _> = text.parse();
    let example = "5b3720ed-d429-42ef-b67f-37ea805f48ee";
    parsed.map(|_| text.to_owned()).map_err(|_| format!("{text:?} is not a UUID, like {example}"))
}

/// Checks a day.
pub(crate) fn date(text: &str) -> Result<String, String> {
    let parsed = ListSessions::new().with_date_from(text);
    parsed.map(|_| text.to_owned()).map_err(|_| format!("{text:?} is not a date, like 2026-01-31"))
}

/// Parses the id of a session of the verification API, and returns it as an id of either API.
pub(crate) fn checked_verification_id(text: &str) -> Result<SessionId, String> {
    session_id(verification_id(text)?.as_str())
}

/// The documented statuses of the verification API, which have spaces in place of the hyphens.
const STATUSES: [&str; 10] = [
    "not-started",
    "in-progress",
    "awaiting-user",
    "in-review",
    "approved",
    "declined",
    "resubmitted",
    "expired",
    "kyc-expired",
    "abandoned",
];

/// Returns a parser of statuses in any case, with spaces, hyphens or underscores. Undocumented ones
/// are refused, since the service would respond to them with an empty list.
pub(crate) fn status() -> impl TypedValueParser<Value = Status> {
    Offering(|| STATUSES.map(PossibleValue::new).into()).try_map(|text| parse_status(&text))
}

fn parse_status(text: &str) -> Result<Status, String> {
    let name = text.to_ascii_lowercase().replace([' ', '_'], "-");
    if STATUSES.contains(&&*name) {
        return Ok(Status::from(&*name.replace('-', " ")));
    }
    let near = most_similar(&name, &STATUSES);
    let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Err(format!("{text:?} is not one of {}{near}", STATUSES.join(", ")))
}

/// Returns the known name most similar to the given one, if any is similar enough.
pub(crate) fn most_similar<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    const MIN_SIMILARITY: f64 = 0.8;
    let plain = |name: &str| name.to_ascii_lowercase().replace('-', "_");
    let given = plain(given);
    let stem = given.trim_end_matches('s');
    let score = |name: &str| {
        let name = plain(name);
        // In addition to typos: the singular for the plural, and a part for the whole.
        let related = name.trim_end_matches('s') == stem
            || (stem.len() >= 4 && name.split('_').any(|word| word == stem))
            || name.trim_start_matches("is_") == stem;
        if related { 1.0 } else { strsim::jaro_winkler(&given, &name) }
    };
    let scored = known.iter().map(|name| (score(name), *name));
    let best = scored.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (best.0 >= MIN_SIMILARITY).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_parsed_in_any_spelling() {
        for text in ["In Review", "in-review", "IN_REVIEW"] {
            assert_eq!(parse_status(text), Ok(Status::InReview), "{text}");
        }
        let refused = parse_status("aproved").unwrap_err();
        assert!(refused.ends_with("; did you mean `approved`?"), "{refused}");
        for name in STATUSES {
            assert!(!matches!(parse_status(name).unwrap(), Status::Other(_)), "{name}");
        }
    }

    #[test]
    fn typos_and_other_forms_find_the_name() {
        let known =
            ["names", "email", "phone", "picture", "is_over_18", "document_detail", "gender"];
        for (given, meant) in [
            ("mail", Some("email")),
            ("emial", Some("email")),
            ("Email", Some("email")),
            ("name", Some("names")),
            ("over_18", Some("is_over_18")),
            ("document", Some("document_detail")),
            ("is-over-18", Some("is_over_18")),
            ("loyalty_points", None),
            ("x", None),
        ] {
            assert_eq!(most_similar(given, &known), meant, "{given}");
        }
    }
}
