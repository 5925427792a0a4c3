//! `didit sandbox`

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::Args;
use didit_sandbox::{FaultRule, Quota};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::{duration, output};

const EXAMPLES: &str = "\
Examples:
  didit sandbox --port 8080
  didit sandbox --quota 100/60s --fault decision:status=503,times=2
  didit sandbox --state sessions.db --session-lifetime 1h";

/// Run a server that behaves like the service, until it is stopped
///
/// It is for clients in any language; its base URL and credentials are printed as variables that
/// this program and a shell understand. If they went to a file, a shell takes them over with
/// `set -a; . ./FILE`. In a browser it lists its sessions, and plays the phone of the person who
/// is asked.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Sandbox {
    /// The port at 127.0.0.1; 0 takes any free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
    /// How long an access token is valid [default: 24h]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive)]
    token_lifetime: Option<Duration>,
    /// How long a person can take to decide [default: 10m]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive)]
    session_lifetime: Option<Duration>,
    /// Keep the sessions in this file, for the next run to go on with
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// How many decisions may be retrieved in a sliding window, like 100/60s
    #[arg(long, value_name = "N/WINDOW", value_parser = parse_quota)]
    quota: Option<Quota>,
    /// How long to wait before each answer
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    latency: Option<Duration>,
    /// What goes wrong, like decision:status=503,times=2; more than once for more
    ///
    /// It is ROUTE:KIND, then any ,KEY=VALUE. ROUTE: token, create-session, session-status,
    /// decision. KIND: status=NNN, redirect=URL, reset, reset-early, close, truncate, drip=PAUSE,
    /// delay=PAUSE, endless, huge=BYTES, garbage, hang. KEY: times, and beside a status or a
    /// redirect retry-after, header=NAME:VALUE and, last, body.
    #[arg(long = "fault", value_name = "RULE")]
    faults: Vec<FaultRule>,
}

impl Sandbox {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let mut builder = didit_sandbox::Sandbox::builder().port(self.port).keep_requests(0);
        if let Some(lifetime) = self.token_lifetime {
            builder = builder.token_lifetime(lifetime);
        }
        if let Some(lifetime) = self.session_lifetime {
            builder = builder.session_lifetime(lifetime);
        }
        if let Some(path) = self.state {
            builder = builder.state_file(path);
        }
        if let Some(quota) = self.quota {
            builder = builder.quota(quota);
        }
        if let Some(latency) = self.latency {
            builder = builder.latency(latency);
        }
        for rule in self.faults {
            builder = builder.rule(rule);
        }
        let sandbox = builder.start().map_err(|error| {
            Failure::other(format!(
                "could not start the sandbox on port {}: {error}; choose another with --port or \
                 --state",
                self.port
            ))
        })?;
        output::print(&variables(&sandbox))?;
        loop {
            thread::park();
        }
    }
}

/// The key is an alternative, so a shell that takes all the variables must not get it as well.
fn variables(sandbox: &didit_sandbox::Sandbox) -> String {
    format!(
        "DIDIT_BASE_URL={}\n\
         DIDIT_CLIENT_ID={}\n\
         DIDIT_CLIENT_SECRET={}\n\
         # or, in place of the client id and secret: DIDIT_API_KEY={}\n\
         # its sessions and the person's phone, for a browser: {}/\n",
        sandbox.url(),
        sandbox.client_id(),
        sandbox.client_secret(),
        sandbox.api_key(),
        sandbox.url(),
    )
}

fn parse_quota(text: &str) -> Result<Quota, String> {
    let problem = || format!("{text:?} is not a quota like 100/60s");
    let (limit, window) = text.split_once('/').ok_or_else(problem)?;
    let limit = limit.parse().map_err(|_| problem())?;
    Ok(Quota { limit, window: duration::parse_positive(window)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_a_number_and_its_window() {
        let minute = Duration::from_secs(60);
        assert_eq!(parse_quota("100/60s"), Ok(Quota { limit: 100, window: minute }));
        for text in ["100", "/60s", "-1/60s", "100/", "100/0s", "100/60", "1.5/1s"] {
            assert!(parse_quota(text).is_err(), "{text}");
        }
    }
}
