//! Arguments that are statuses of verification sessions.

use clap::builder::{PossibleValue, TypedValueParser};
use didit_blocking_adapter::core::verification::Status;

use crate::suggestion;
use crate::values::Offering;

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

/// Returns a parser of statuses in any case, with spaces, hyphens or underscores. Undocumented ones
/// are refused, since the service would respond to them with an empty list.
pub(crate) fn parser() -> impl TypedValueParser<Value = Status> {
    let offered = || {
        let names = DOCUMENTED.map(|name| name.to_ascii_lowercase().replace(' ', "-"));
        names.map(PossibleValue::new).into()
    };
    Offering(offered).try_map(|text| parse(&text))
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
