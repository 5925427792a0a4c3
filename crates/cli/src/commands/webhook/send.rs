//! `didit webhook send URL`

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, ValueHint};
use didit_blocking_adapter::Client;
use didit_blocking_adapter::core::client::{Connect as _, HttpSettings, Route, public_parts};
use didit_blocking_adapter::core::verification::{SessionId, Status};
use didit_blocking_adapter::core::{BaseUrl, InvalidBaseUrl, ProxySettings, TransportErrorKind};
use http::header::LOCATION;
use http::{Response, Uri};
use serde_json::json;

use crate::context::Context;
use crate::duration::precise;
use crate::exit::Exit;
use crate::failure::{Failure, SHORTAGE, shortage_of};
use crate::output::{self, Format, FormatArg};
use crate::{connection, file, values};

/// The default time limit: the time that the service waits for a webhook's response.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The maximum time limit, the same as for all other requests.
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest part of a URL that is shown, in characters.
const MAX_SHOWN: usize = 200;

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
    #[arg(long, value_name = "STATUS", value_parser = values::status(), default_value = "approved")]
    #[arg(hide_possible_values = true)]
    status: Status,
    /// Session that the event is about
    #[arg(long, value_name = "ID", default_value = SESSION)]
    #[arg(value_parser = values::verification_id)]
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
        let (base, shown) = checked(&self.url)?;
        let (agent, route) = connect(&base, context)?;
        let timeout = connection::timeout(context, TIMEOUT)?.min(MAX_TIMEOUT);
        let webhook = super::configured(context)?;
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
            .header("User-Agent", connection::USER_AGENT)
            // The service marks the test webhooks of its console with this header.
            .header("X-Didit-Test-Webhook", "true");
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let answer = request.send(&body[..]);
        let answer = answer.map_err(|error| failure(&shown, error, timeout, &route))?;
        report(&answer, format)
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

/// Returns the failure of a webhook without a response.
fn failure(shown: &str, error: ureq::Error, timeout: Duration, route: &Route) -> Failure {
    if let Some(shortage) = shortage_of(&error) {
        let why = format!("{SHORTAGE}: could not send the webhook to {shown}: {shortage}");
        return Failure::other(format!("{why}; raise the limit, and run the same command again"));
    }
    let (error, detail) = didit_blocking_adapter::failed(error);
    let kind = error.kind();
    let (description, advice) =
        detail.map(|detail| (detail.description, detail.advice)).unwrap_or_default();
    let (reason, exit) = match kind {
        TransportErrorKind::Timeout => {
            (format!("no response within {}", precise(timeout)), Exit::OutOfTime)
        }
        _ => (description.unwrap_or_else(|| kind.to_string()), Exit::Unreachable),
    };
    let is_direct = route.proxy().is_none();
    let advice = advice.unwrap_or(match kind {
        TransportErrorKind::Timeout if is_direct => {
            "check that your program responds, or raise --timeout"
        }
        TransportErrorKind::Timeout => "check your program and the proxy, or raise --timeout",
        TransportErrorKind::Connect if is_direct => "check that your program runs there",
        TransportErrorKind::ConnectionLost if shown.starts_with("http:") => {
            "check the log of your program, or try again \
             with https if the server speaks TLS on this port"
        }
        TransportErrorKind::ConnectionLost if is_direct => "check the log of your program",
        TransportErrorKind::Proxy => "check the proxy, and the user name and password for it",
        TransportErrorKind::Certificate => "check the URL and the trusted certificates",
        TransportErrorKind::Handshake => "check the URL; client certificates are not supported",
        TransportErrorKind::HeadTooLarge => "check the URL, and the response of your program",
        _ => "check the network, the URL and the proxy",
    });
    let line = format!("could not send the webhook to {shown} ({route}: {reason}); {advice}");
    Failure::new(exit, line)
}

/// Prints the status of the receiver's response, and returns a failure unless it is a success.
fn report<B>(response: &Response<B>, format: Format) -> Result<Exit, Failure> {
    let status = response.status();
    let code_and_reason = [Some(status.as_str()), status.canonical_reason()];
    let shown = code_and_reason.into_iter().flatten().collect::<Vec<_>>().join(" ");
    output::print(&match format {
        Format::Json => format!("{}\n", json!({ "status": status.as_u16() })),
        Format::Table => format!("The receiver responded with {shown}\n"),
    })?;
    if status.is_success() {
        return Ok(Exit::Done);
    }
    let location = response.headers().get(LOCATION).filter(|_| status.is_redirection());
    let (target, advice) = match (location, status.as_u16()) {
        (Some(location), _) => (
            Uri::try_from(location.as_bytes()).map(|target| public_part(&target)).ok(),
            "correct the path of the URL, as redirects are not followed",
        ),
        (None, 404 | 405) => (None, "check the path of the URL"),
        _ => (None, "check its secret and its log"),
    };
    let target = target.map(|target| format!(", a redirect to {target}")).unwrap_or_default();
    let line = format!("the receiver did not accept the webhook: HTTP {shown}{target}; {advice}");
    Err(Failure::other(line))
}

/// Returns the beginning of a URL, without user information and query, which may be secret.
fn public_part(url: &Uri) -> String {
    let url = url.to_string();
    let (origin, path) = public_parts(&url);
    origin.chars().chain(path.chars()).take(MAX_SHOWN).collect()
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

/// Returns the scheme and the host of the URL if webhooks may be sent to it, and its public part.
fn checked(url: &str) -> Result<(BaseUrl, String), Failure> {
    let url: Uri = url.parse().map_err(|error| Failure::usage(format!("the URL: {error}")))?;
    let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else {
        let example = "http://127.0.0.1:3000/webhooks";
        return Err(Failure::usage(format!("the URL is not complete, like {example}")));
    };
    // The rules for a base URL: https, or http to this machine.
    let base: Result<BaseUrl, InvalidBaseUrl> = format!("{scheme}://{authority}").parse();
    let base = base.map_err(|error| {
        Failure::usage(match error {
            InvalidBaseUrl::PlainHttp => {
                "the URL: plain http is allowed to this machine only; use https"
            }
            InvalidBaseUrl::UserInfo => "the URL contains a user name, which is not supported",
            InvalidBaseUrl::Scheme => "the URL's scheme is neither https nor http",
            InvalidBaseUrl::Port => "the URL's port is not a number from 1 to 65535",
            InvalidBaseUrl::TooLong => "the URL is too long",
            _ => "the URL's host is neither a name in ASCII nor an address",
        })
    })?;
    Ok((base, public_part(&url)))
}
