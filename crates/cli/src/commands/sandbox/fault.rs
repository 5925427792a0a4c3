//! The values of `--fault` and `--webhook-fault`: help, parsing and completion.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::error::{Error, ErrorKind};
use didit_sandbox::{FaultRule, Route, WebhookFault};

/// The most common kinds of faults, offered as completions.
const KINDS: [&str; 8] = [
    "status=401",
    "status=404",
    "status=429",
    "status=503",
    "reset",
    "truncate",
    "delay=5s",
    "hang",
];

/// Returns the help text of `--fault`.
pub(super) fn help() -> String {
    let routes = Route::ALL.map(|route| route.to_string()).join(", ");
    format!(
        "Inject a fault, e.g. decision:status=503,times=2; repeatable\n\n\
         A rule is ROUTE:KIND[,KEY=VALUE...]. ROUTE: {routes}. KIND: status=NNN, redirect=URL, \
         reset, reset-early, close, truncate, drip=PAUSE, delay=PAUSE, endless, huge=BYTES, garbage, \
         hang. KEY: times; with a status or a redirect also retry-after, header=NAME:VALUE and, \
         last, body."
    )
}

/// A parser of fault rules, which offers the most common ones as completions.
#[derive(Clone)]
pub(super) struct Parser;

impl TypedValueParser for Parser {
    type Value = FaultRule;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<FaultRule, Error> {
        let text = StringValueParser::new().parse_ref(command, argument, value)?;
        text.parse().map_err(|error: didit_sandbox::FaultRuleError| {
            Error::raw(ErrorKind::ValueValidation, format!("--fault: {error}"))
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let rules =
            Route::ALL.into_iter().flat_map(|route| KINDS.map(|kind| format!("{route}:{kind}")));
        Some(Box::new(rules.map(PossibleValue::new)))
    }
}

/// Returns the parser of webhook faults.
pub(super) fn webhook_parser() -> impl TypedValueParser<Value = WebhookFault> {
    PossibleValuesParser::new(WebhookFault::ALL.map(|fault| fault.to_string()))
        .try_map(|text| text.parse::<WebhookFault>())
}
