//! Arguments that are statuses of verification sessions.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::error::{Error, ErrorKind};
use didit_blocking_adapter::core::verification::Status;

use crate::suggestion;

const DOCUMENTED: [&str; 10] = [
    "Not Started",
    "In Progress",
    "Awaiting User",
    "In Review",
    "Approved",
    "Declined",
    "Resubmitted",
    "Expired",
    "Kyc Expired",
    "Abandoned",
];

/// A parser of statuses in any case, with spaces, hyphens or underscores. Undocumented ones are
/// refused, since the service would respond to them with an empty list.
#[derive(Clone)]
pub(crate) struct Parser;

impl TypedValueParser for Parser {
    type Value = Status;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Status, Error> {
        let text = StringValueParser::new().parse_ref(command, argument, value)?;
        parse(&text)
            .map_err(|why| Error::raw(ErrorKind::ValueValidation, format!("--status: {why}")))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let names = DOCUMENTED.map(|name| name.to_ascii_lowercase().replace(' ', "-"));
        Some(Box::new(names.into_iter().map(PossibleValue::new)))
    }
}

fn parse(text: &str) -> Result<Status, String> {
    let plain = text.replace(['-', '_'], " ");
    if DOCUMENTED.iter().any(|name| name.eq_ignore_ascii_case(&plain)) {
        return Ok(Status::from(&*plain));
    }
    let near = suggestion::near(&plain, &DOCUMENTED);
    let near = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
    Err(format!("{text:?} is not one of {}{near}", DOCUMENTED.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_parsed_in_any_spelling() {
        for text in ["In Review", "in-review", "IN_REVIEW"] {
            assert_eq!(parse(text), Ok(Status::InReview), "{text}");
        }
        let refused = parse("aproved").unwrap_err();
        assert!(refused.ends_with("; did you mean \"Approved\"?"), "{refused}");
        for name in DOCUMENTED {
            assert!(!matches!(parse(name).unwrap(), Status::Other(_)), "{name}");
        }
    }
}
