//! `didit webhook send URL`

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, ValueHint};
use didit_blocking_adapter::Client;
use didit_blocking_adapter::core::client::{Connect as _, HttpSettings, Route};
use didit_blocking_adapter::core::verification::{SessionId, Status};
use didit_blocking_adapter::core::{
    BaseUrl, CallError, CallErrorKind, ClientError, InvalidBaseUrl, ProxySettings,
    TransportErrorKind,
};
use http::{StatusCode, Uri};
use serde_json::json;

use super::secret;
use crate::context::Context;
use crate::duration::precise;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Format, FormatArg};
use crate::{connection, file, statuses};

/// The default time limit: the time that the service waits for a webhook's response.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The maximum time limit, the same as for all other requests.
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

const MAX_BODY: usize = 8 << 20;

const SESSION: &str = "11111111-2222-3333-4444-555555555555";

const EXAMPLES: &str = "\
Examples:
  didit webhook send http://127.0.0.1:3000/webhooks --status approved
  didit webhook send http://127.0.0.1:3000/webhooks --body event.json";

/// Send a signed test webhook to your own program
///
/// It is signed as the service signs it, and sent once. Plain http is allowed to this machine only.
/// Exits with 1 unless the response is a success. The time limit is 5s by default.
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct Send {
    /// URL at which your program receives webhooks
    #[arg(value_hint = ValueHint::Url)]
    url: String,
    /// Status in the event
    #[arg(long, value_name = "STATUS", value_parser = statuses::parser(), default_value = "Approved")]
    #[arg(hide_possible_values = true)]
    status: Status,
    /// Session that the event is about
    #[arg(long, value_name = "ID", default_value = SESSION)]
    session_id: SessionId,
    /// Your own reference in the event
    #[arg(long, value_name = "TEXT")]
    vendor_data: Option<String>,
    /// Send this event instead, with its timestamp as it is
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["status", "session_id", "vendor_data"])]
    body: Option<PathBuf>,
    #[command(flatten)]
    format: FormatArg,
}

impl Send {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let format = self.format.resolve(&context.environment)?;
        let base = checked(&self.url)?;
        let (agent, route) = connect(&base, context)?;
        let timeout = connection::timeout(context, TIMEOUT)?.min(MAX_TIMEOUT);
        let webhook = secret::configured(context)?;
        let body = match &self.body {
            Some(path) => file::read(path, MAX_BODY).map_err(|error| {
                Failure::usage(format!("--body: could not read {}: {error}", path.display()))
            })?,
            None => self.event(),
        };
        let headers = webhook
            .sign(&body)
            .map_err(|error| Failure::usage(format!("the event cannot be signed: {error}")))?;
        let mut request = agent
            .post(&self.url)
            .config()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build()
            .content_type("application/json")
            // The service marks the test webhooks of its console with this header.
            .header("X-Didit-Test-Webhook", "true");
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let answer = request.send(&body[..]);
        let answer = answer.map_err(|error| self.failure(error, timeout, &route))?;
        report(answer.status(), format)
    }

    /// Returns the failure of a webhook without a response.
    fn failure(&self, error: ureq::Error, timeout: Duration, route: &Route) -> Failure {
        let (error, detail) = didit_blocking_adapter::failed(error);
        let kind = error.kind();
        let reason = detail.as_ref().and_then(|detail| detail.description.clone());
        let reason = reason.unwrap_or_else(|| kind.to_string());
        let is_unexplained = detail.as_ref().is_none_or(|detail| detail.advice.is_none());
        let error = ClientError::new(CallError::new(CallErrorKind::Transport(kind)), detail, route);
        let (reason, exit, advice) = match kind {
            TransportErrorKind::Timeout => (
                format!("no response within {}", precise(timeout)),
                Exit::OutOfTime,
                "check that your program responds, or raise --timeout",
            ),
            TransportErrorKind::Connect => {
                (reason, Exit::Unreachable, "check that your program runs there")
            }
            TransportErrorKind::ConnectionLost if is_unexplained => {
                let advice = if self.url.starts_with("http:") {
                    "check the log of your program, or try again \
                     with https if the server speaks TLS on this port"
                } else {
                    "check the log of your program"
                };
                (reason, Exit::Unreachable, advice)
            }
            _ => (reason, Exit::Unreachable, error.advice()),
        };
        // Here, "the base URL" in the advice means the URL of the receiver.
        let advice = advice.replace("the base URL", "the URL");
        let url = &self.url;
        let line = format!("could not send the webhook to {url} ({route}: {reason}); {advice}");
        Failure::new(exit, line)
    }

    fn event(&self) -> Vec<u8> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = since.as_secs();
        let event = json!({
            // Unique to this run: receivers drop events that they have seen.
            "event_id": format!("{}-{}", self.session_id, since.as_nanos()),
            "webhook_type": "status.updated",
            "timestamp": now,
            "created_at": now,
            "session_id": self.session_id,
            "status": self.status,
            "vendor_data": self.vendor_data,
            "metadata": null,
        });
        event.to_string().into_bytes()
    }
}

/// Prints the status of the receiver's response, and returns a failure unless it is a success.
fn report(status: StatusCode, format: Format) -> Result<Exit, Failure> {
    let code_and_reason = [Some(status.as_str()), status.canonical_reason()];
    let shown = code_and_reason.into_iter().flatten().collect::<Vec<_>>().join(" ");
    output::print(&match format {
        Format::Json => format!("{}\n", json!({ "status": status.as_u16() })),
        Format::Table => format!("The receiver responded with {shown}\n"),
    })?;
    if status.is_success() {
        return Ok(Exit::Done);
    }
    let advice = match status.as_u16() {
        404 | 405 => "check the path of the URL",
        _ => "check its secret and its log",
    };
    Err(Failure::other(format!("the receiver did not accept the webhook: HTTP {shown}; {advice}")))
}

/// Returns the HTTP client for a receiver, and its route.
fn connect(base: &BaseUrl, context: &Context) -> Result<(ureq::Agent, Route), Failure> {
    let proxies = ProxySettings::from_variables(|name| context.environment.os(name));
    let proxy = proxies.proxy_for(base).map_err(Failure::usage)?;
    let certificates = Vec::from_iter(connection::root_certificate(context)?);
    let settings = HttpSettings::new(base, &certificates, proxy.as_ref());
    let clients = Client::http_clients(&settings);
    let clients = clients.map_err(|error| connection::unusable(&error, context))?;
    Ok((clients.unpooled, Route::new(base, proxy)))
}

/// Returns the scheme and the host of the URL if webhooks may be sent to it.
fn checked(url: &str) -> Result<BaseUrl, Failure> {
    let refused = |why: &dyn std::fmt::Display| Failure::usage(format!("the URL {url:?}: {why}"));
    let parts: Uri = url.parse().map_err(|error| refused(&error))?;
    let (Some(scheme), Some(authority)) = (parts.scheme_str(), parts.authority()) else {
        return Err(refused(&"it is not complete, like http://127.0.0.1:3000/webhooks"));
    };
    // The rules for a base URL: https, or http to this machine.
    let base: Result<BaseUrl, InvalidBaseUrl> = format!("{scheme}://{authority}").parse();
    base.map_err(|error| match error {
        InvalidBaseUrl::PlainHttp => {
            refused(&"plain http is allowed to this machine only; use https")
        }
        error => refused(&error),
    })
}
