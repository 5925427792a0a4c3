//! What the program tells of its work, on standard error.

use std::io;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

use crate::environment::Environment;

/// The target of the events that this project emits.
const TARGET: &str = "didit";

pub(crate) fn start(verbosity: u8, environment: &Environment) {
    let rust_log = environment.os("RUST_LOG").filter(|_| verbosity == 0);
    let asked = rust_log.as_ref().map(|text| text.to_str()?.parse::<Targets>().ok());
    let filter = match &asked {
        Some(Some(filter)) => filter.clone(),
        _ => default_filter(verbosity),
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false)
        .without_time()
        // It would panic where standard error is closed.
        .log_internal_errors(false);
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(filter));
    // Only a second call could fail.
    let _ = tracing::subscriber::set_global_default(subscriber);
    if asked == Some(None) {
        tracing::warn!(target: TARGET, "RUST_LOG is not understood, so only warnings are shown");
    }
}

fn default_filter(verbosity: u8) -> Targets {
    let level = match verbosity {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    Targets::new().with_default(LevelFilter::WARN).with_target(TARGET, level)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn each_v_tells_more_of_this_project_alone() {
        for (verbosity, most) in [(0, Level::WARN), (1, Level::INFO), (2, Level::DEBUG)] {
            let filter = default_filter(verbosity);
            assert!(filter.would_enable(TARGET, &most));
            assert!(filter.would_enable("other", &Level::WARN));
            assert!(!filter.would_enable("other", &Level::INFO));
            assert!(!filter.would_enable(TARGET, &Level::TRACE));
        }
        assert!(!default_filter(0).would_enable(TARGET, &Level::INFO));
        assert!(!default_filter(1).would_enable(TARGET, &Level::DEBUG));
    }
}
