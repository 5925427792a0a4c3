//! The values of `--fault` and `--webhook-fault`: help, parsing and completion.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use didit_sandbox::{FaultRule, Route, WebhookFault};

use crate::values::Offering;

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

/// Returns a parser of fault rules, which offers the most common ones.
pub(super) fn parser() -> impl TypedValueParser<Value = FaultRule> {
    let offered = || {
        let rules =
            Route::ALL.into_iter().flat_map(|route| KINDS.map(|kind| format!("{route}:{kind}")));
        rules.map(PossibleValue::new).collect()
    };
    Offering(offered).try_map(|text| text.parse::<FaultRule>())
}

pub(super) fn webhook_parser() -> impl TypedValueParser<Value = WebhookFault> {
    PossibleValuesParser::new(WebhookFault::ALL.map(|fault| fault.to_string()))
        .try_map(|text| text.parse::<WebhookFault>())
}
