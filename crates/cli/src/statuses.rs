//! Statuses of verification sessions on the command line.

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

/// Reads statuses in any case, with blanks, hyphens or underscores. The service answers an unknown one
/// with nothing, so one that is not documented is refused.
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
    fn a_status_is_read_in_any_spelling() {
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
