//! Arguments that are whole numbers.

use clap::builder::{StringValueParser, TypedValueParser};

/// Returns a parser for whole numbers from `least` to `most`, both included.
pub(crate) fn between<N>(least: N, most: N) -> impl TypedValueParser<Value = N>
where
    N: Copy + PartialOrd + std::fmt::Display + std::str::FromStr + Send + Sync + 'static,
{
    StringValueParser::new().try_map(move |text| {
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| format!("{text:?} is not a whole number from {least} to {most}"))
    })
}
