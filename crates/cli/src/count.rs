//! Whole numbers on the command line.

use clap::builder::{StringValueParser, TypedValueParser};

/// Reads a whole number within these bounds, both of them allowed.
pub(crate) fn between<N>(least: N, most: N) -> impl TypedValueParser<Value = N>
where
    N: Copy + PartialOrd + std::fmt::Display + std::str::FromStr + Send + Sync + 'static,
{
    StringValueParser::new().try_map(move |text| {
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| format!("{text:?} is not a whole number from {least} to {most}"))
    })
}
