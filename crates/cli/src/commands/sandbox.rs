//! `didit sandbox`

use std::error::Error as _;
use std::io::{self, IsTerminal as _};
use std::net::IpAddr;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};
use didit_sandbox::{FaultRule, Quota, Route, WebhookFault};

use super::webhook;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{duration, output, terminal, values};

/// The secret that signs webhooks if the environment sets no other.
const DEFAULT_WEBHOOK_SECRET: &str = "sandbox-webhook-secret";

const EXAMPLES: &str = "\
Examples:
  didit sandbox --port 8080
  didit sandbox --strict --quota 100/60s --fault decision:status=503,times=2
  didit sandbox --state sessions.jsonl --session-lifetime 1h
  didit sandbox --webhook http://127.0.0.1:3000/webhooks --webhook-fault duplicate,lost";

/// The help on special session ids, which do not exist with --strict.
const SPECIAL_IDS: &str = "\
Special session ids (any other is Confirmed, with the sample person):
  declined-...  the user declined
  expired-...   the user did not decide in time
  waiting-...   the user never decides
  slow-...      Retrieved after 5 seconds, Confirmed after 10
  missing-...   there is no such session: 404
  failing-...   the service fails: 503, each time

Global options: didit --help";

/// The most common kinds of faults, offered as completions.
const FAULT_KINDS: [&str; 8] = [
    "status=401",
    "status=404",
    "status=429",
    "status=503",
    "reset",
    "truncate",
    "delay=5s",
    "hang",
];

/// Run a local test server
///
/// It simulates the data-transfer API, the verification API and the user's phone, for clients in
/// any language. Its base URL and credentials are printed as environment variables: on a terminal
/// as lines to paste into another shell; from a file they are loaded with `set -a; . ./FILE`. Open
/// its URL in a browser to see sessions and act as the user.
///
/// By default any session id is answered with the sample person, and any scope is accepted;
/// --strict knows only the sessions that were created. Each request is logged on standard error,
/// unless --quiet is given.
#[derive(Args)]
#[command(before_long_help = EXAMPLES, after_long_help = SPECIAL_IDS)]
pub(crate) struct Sandbox {
    /// Port; 0 takes any free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    #[arg(value_parser = values::between(0_u16, 65535), allow_negative_numbers = true)]
    port: u16,
    /// Address to listen on [default: 127.0.0.1]
    ///
    /// Any other is open to the network: for a phone or a container. The credentials are then
    /// random, and a browser on another machine needs the printed URL, which contains a token.
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    listen: Option<IpAddr>,
    /// Refuse unknown sessions and scopes
    #[arg(long)]
    strict: bool,
    /// Keep the sessions in this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    state: Option<PathBuf>,
    #[arg(long = "fault", value_name = "RULE", value_parser = fault_parser())]
    #[arg(help = "Inject a fault, like decision:status=503")]
    #[arg(hide_possible_values = true, long_help = fault_help())]
    faults: Vec<FaultRule>,
    /// Rate limit of decisions, e.g. 100/60s
    #[arg(long, value_name = "N/WINDOW", value_parser = parse_quota, allow_hyphen_values = true)]
    quota: Option<Quota>,
    /// Wait this long before each response
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    #[arg(allow_hyphen_values = true)]
    latency: Option<Duration>,
    /// Lifetime of access tokens [default: 24h]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive)]
    #[arg(allow_hyphen_values = true)]
    token_lifetime: Option<Duration>,
    /// Lifetime of sessions [default: 10m]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive)]
    #[arg(allow_hyphen_values = true)]
    session_lifetime: Option<Duration>,
    /// Send webhooks there; repeatable
    ///
    /// It must be an http URL on this machine. Each new status of a verification session is sent,
    /// signed with the secret that `didit webhook` uses, or else with one that is printed. If that
    /// fails, it is sent again after 1 minute, and once more 4 minutes later.
    #[arg(long = "webhook", value_name = "URL", value_hint = ValueHint::Url)]
    webhooks: Vec<String>,
    /// Multiply the pauses between attempts
    #[arg(long, value_name = "FACTOR", requires = "webhooks", value_parser = parse_scale)]
    #[arg(allow_hyphen_values = true)]
    webhook_scale: Option<f64>,
    /// Inject a webhook fault, like duplicate
    ///
    /// One for each of the first events, in this order; repeatable, or separated by commas. FAULT:
    /// pass (none), duplicate, lost (only the second attempt arrives, after later events),
    /// wrong-signature, old-timestamp.
    #[arg(long = "webhook-fault", value_name = "FAULT", requires = "webhooks")]
    #[arg(value_parser = webhook_fault_parser(), value_delimiter = ',')]
    #[arg(hide_possible_values = true)]
    webhook_faults: Vec<WebhookFault>,
}

impl Sandbox {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let sends_webhooks = !self.webhooks.is_empty();
        let configured = if sends_webhooks { webhook::current(context)? } else { None };
        // The user knows a secret of the environment, and it might need quotes in a shell.
        let shows_secret = configured.is_none() && sends_webhooks;
        let secret = configured.map_or(DEFAULT_WEBHOOK_SECRET.into(), |(secret, _)| secret);
        if let Some(path) = self.state.as_deref().filter(|path| path.is_dir()) {
            let path = path.display();
            return Err(Failure::usage(format!("--state: {path} is a folder; give a file")));
        }
        let (listen, port) = (self.listen, self.port);
        let mut builder = self.builder(secret.expose());
        if !context.options.quiet {
            builder = builder.log(|line| terminal::write(&format!("{}\n", terminal::escape(line))));
        }
        let sandbox = builder.start().map_err(|error| match error.kind() {
            // Errors of the settings, which name the setting.
            io::ErrorKind::InvalidInput if error.raw_os_error().is_none() => Failure::usage(error),
            io::ErrorKind::InvalidInput | io::ErrorKind::AddrNotAvailable => {
                let address = listen.map(|address| format!(" at {address}")).unwrap_or_default();
                Failure::other(format!(
                    "could not start the sandbox{address}: {error}; choose another --listen"
                ))
            }
            // Only errors of the socket are raw: those of the state file include its name.
            _ if error.raw_os_error().is_some() => {
                let attempt = format!("could not start the sandbox on port {port}");
                Failure::of_shortage(&attempt, &error).unwrap_or_else(|| {
                    Failure::other(format!("{attempt}: {error}; choose another --port"))
                })
            }
            // Errors of the state file, which include advice, and the system's error as the source.
            _ => error
                .source()
                .and_then(|cause| {
                    Failure::of_shortage("could not open the state file", cause.downcast_ref()?)
                })
                .unwrap_or_else(|| Failure::usage(format!("could not start the sandbox: {error}"))),
        })?;
        if let Some(url) = sandbox.network_url() {
            context
                .note("the sandbox is open to the network, unencrypted; stop it when you are done");
            context.note(&format!("open on another device: {url}"));
        }
        let on_terminal = io::stdout().is_terminal();
        let export = if on_terminal { "export " } else { "" };
        output::print(&variables(&sandbox, export, shows_secret.then(|| secret.expose())))?;
        let notes = notes(&sandbox, export);
        if on_terminal {
            // By default, an interactive zsh does not support comments.
            for note in notes {
                context.note(&note);
            }
        } else {
            output::print(&notes.map(|note| format!("# {note}\n")).concat())?;
        }
        loop {
            thread::park();
        }
    }

    fn builder(self, webhook_secret: &str) -> didit_sandbox::SandboxBuilder {
        let mut builder = didit_sandbox::Sandbox::builder();
        builder = builder.port(self.port).keep_requests(0).strict(self.strict);
        if let Some(address) = self.listen {
            builder = builder.listen(address);
        }
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
        if let Some(scale) = self.webhook_scale {
            builder = builder.webhook_time_scale(scale);
        }
        for url in self.webhooks {
            builder = builder.webhook(url, webhook_secret);
        }
        builder = builder.webhook_faults(self.webhook_faults);
        for rule in self.faults {
            builder = builder.rule(rule);
        }
        builder
    }
}

fn variables(
    sandbox: &didit_sandbox::Sandbox,
    export: &str,
    webhook_secret: Option<&str>,
) -> String {
    let url = sandbox.url();
    let secret = webhook_secret.map(|secret| format!("{export}DIDIT_WEBHOOK_SECRET={secret}\n"));
    format!(
        "{export}DIDIT_BASE_URL={url}\n\
         {export}DIDIT_CLIENT_ID={}\n\
         {export}DIDIT_CLIENT_SECRET={}\n\
         {}",
        sandbox.client_id(),
        sandbox.client_secret(),
        secret.unwrap_or_default(),
    )
}

/// Returns the lines that a shell must not load as variables: the API key is an alternative to the
/// client credentials, and only one of the two may be set.
fn notes(sandbox: &didit_sandbox::Sandbox, export: &str) -> [String; 2] {
    let (key, url) = (sandbox.api_key(), sandbox.url());
    [
        format!("or, in place of the client id and secret: {export}DIDIT_API_KEY={key}"),
        format!("open in a browser to see sessions and act as the user: {url}/"),
    ]
}

/// Returns the help text of `--fault`.
fn fault_help() -> String {
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
fn fault_parser() -> impl TypedValueParser<Value = FaultRule> {
    let offered = || {
        let rules = Route::ALL
            .into_iter()
            .flat_map(|route| FAULT_KINDS.map(|kind| format!("{route}:{kind}")));
        rules.map(PossibleValue::new).collect()
    };
    values::Offering(offered).try_map(|text| text.parse::<FaultRule>())
}

fn webhook_fault_parser() -> impl TypedValueParser<Value = WebhookFault> {
    PossibleValuesParser::new(WebhookFault::ALL.map(|fault| fault.to_string()))
        .try_map(|text| text.parse::<WebhookFault>())
}

fn parse_address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is not an IP address, like 0.0.0.0"))
}

fn parse_quota(text: &str) -> Result<Quota, String> {
    let problem = || format!("{text:?} is not a quota like 100/60s");
    let (limit, window) = text.split_once('/').ok_or_else(problem)?;
    let limit = limit.parse().map_err(|_| problem())?;
    let window = duration::parse_positive(window).map_err(|error| error.to_string())?;
    Ok(Quota { limit, window })
}

fn parse_scale(text: &str) -> Result<f64, String> {
    let scale = text.parse().ok().filter(|scale: &f64| scale.is_finite() && *scale >= 0.0);
    scale.ok_or_else(|| format!("{text:?} is not a factor like 0.01"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quota_and_scale_are_parsed() {
        let minute = Duration::from_secs(60);
        assert_eq!(parse_quota("100/60s"), Ok(Quota { limit: 100, window: minute }));
        for text in ["100", "/60s", "-1/60s", "100/", "100/0s", "100/60", "1.5/1s"] {
            assert!(parse_quota(text).is_err(), "{text}");
        }
        assert_eq!(parse_scale("0.01"), Ok(0.01));
        assert!(parse_scale("-1").is_err() && parse_scale("inf").is_err());
    }
}
