//! Logging to standard error.
//!
//! | option | shows |
//! |---|---|
//! | none | warnings |
//! | `-v` | what a call waits for, retries, new tokens |
//! | `-vv` | every request: method, URL, status, time, request id, attempt |
//! | `-vvv` | the headers of requests and responses as well |
//!
//! No line contains a secret or user data.

mod exchange;
mod line;

use tracing::{Level, Subscriber};
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, Targets, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

pub(crate) use self::exchange::Exchanges;
use crate::context::Options;
use crate::environment::Environment;
use crate::terminal;

/// The target of the events that this project emits.
const TARGET: &str = "didit";

/// The target of the request log; `RUST_LOG` selects it by this name.
const REQUESTS: &str = "didit::http";

pub(crate) fn start(options: &Options, environment: &Environment) {
    let rust_log = environment.os("RUST_LOG").filter(|_| options.verbose == 0 && !options.quiet);
    let requested = rust_log.as_ref().map(|text| text.to_str()?.parse::<Targets>().ok());
    let filter = match &requested {
        Some(Some(filter)) => filter.clone(),
        _ => default_filter(options),
    };
    // Fails only if called twice.
    let _ = tracing::subscriber::set_global_default(subscriber(filter));
    if requested == Some(None) {
        tracing::warn!(target: TARGET, "RUST_LOG is invalid, so only warnings are shown");
    }
}

fn subscriber(filter: Targets) -> impl Subscriber + Send + Sync {
    // The engine's debug events about requests lack headers; `REQUESTS` replaces them.
    let without_duplicates =
        filter_fn(|event| event.target() != TARGET || *event.level() < Level::DEBUG);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| terminal::Lines)
        .event_format(line::Line)
        // Reporting an internal error would panic if standard error is closed.
        .log_internal_errors(false);
    // A single filter: with two, an event that only one of them rejects would count as enabled, and
    // request log lines would be built but never shown.
    tracing_subscriber::registry().with(lines.with_filter(filter.and(without_duplicates)))
}

fn default_filter(options: &Options) -> Targets {
    let level = match (options.quiet, options.verbose) {
        (true, _) => return Targets::new().with_default(LevelFilter::ERROR),
        (_, 0) => LevelFilter::WARN,
        (_, 1) => LevelFilter::INFO,
        (_, 2) => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    Targets::new().with_default(LevelFilter::WARN).with_target(TARGET, level)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn filter(options: &str) -> Targets {
        let line = format!("didit token {options}");
        default_filter(&crate::args::Cli::parse_from(line.split_whitespace()).options)
    }

    #[test]
    fn each_v_raises_only_this_projects_level() {
        for (options, most) in
            [("", Level::WARN), ("-v", Level::INFO), ("-vv", Level::DEBUG), ("-vvv", Level::TRACE)]
        {
            let filter = filter(options);
            assert!(filter.would_enable(TARGET, &most) && filter.would_enable(REQUESTS, &most));
            assert!(filter.would_enable("other", &Level::WARN));
            assert!(!filter.would_enable("other", &Level::INFO));
        }
        assert!(!filter("").would_enable(TARGET, &Level::INFO));
        assert!(!filter("-v").would_enable(TARGET, &Level::DEBUG));
        assert!(!filter("-vv").would_enable(TARGET, &Level::TRACE));
        assert!(!filter("-q").would_enable(TARGET, &Level::WARN));
    }

    #[test]
    fn nothing_is_prepared_for_a_log_that_is_not_shown() {
        for (options, prepares_requests) in
            [("-q", false), ("", false), ("-v", false), ("-vv", true)]
        {
            tracing::subscriber::with_default(subscriber(filter(options)), || {
                let prepared = tracing::enabled!(target: REQUESTS, Level::DEBUG);
                assert_eq!(prepared, prepares_requests, "{options}");
                assert!(!tracing::enabled!(target: TARGET, Level::DEBUG), "{options}");
            });
        }
    }
}
