//! Parsers of arguments: whole numbers, session ids, and texts with offered values.

use std::ffi::OsStr;
use std::fmt::Display;
use std::str::FromStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use didit_blocking_adapter::core::{SessionId, verification};

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

/// Parses the id of a session of the verification API, and returns it as an id of either API.
pub(crate) fn checked_verification_id(text: &str) -> Result<SessionId, String> {
    session_id(verification_id(text)?.as_str())
}
