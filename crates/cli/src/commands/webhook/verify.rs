//! `didit webhook verify`

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::{Args, ValueHint};
use didit_blocking_adapter::core::client::read_limited;
use didit_blocking_adapter::core::webhook::{Scheme, WebhookError};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Format, FormatArg};
use crate::table::Table;
use crate::{duration, file};

/// The maximum size of a body in bytes, larger than any event.
const MAX_BODY: usize = 8 << 20;
const MAX_HEADERS: usize = 1 << 20;

/// The headers that verify a webhook.
const NAMES: [&str; 4] = ["X-Signature-V2", "X-Signature", "X-Signature-Simple", "X-Timestamp"];

const EXAMPLES: &str = "\
Examples:
  didit webhook verify --headers headers.txt --body body.json
  didit webhook verify -H 'X-Signature: 46d8...' --body - --tolerance 24h < body.json";

/// Check the signature and the age of a webhook
///
/// Prints which signature matched and what the event is about, or says which check failed and exits
/// with 1. The body must be the bytes as they arrived.
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct Verify {
    /// File with the body, or - for stdin
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    body: PathBuf,
    /// File with the headers, one NAME: VALUE per line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    headers: Option<PathBuf>,
    /// One header; repeatable
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = header)]
    header: Vec<(HeaderName, HeaderValue)>,
    /// Check X-Signature-Simple instead, which covers only part of the event
    #[arg(long)]
    simple: bool,
    /// Maximum age of the webhook [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive)]
    #[arg(allow_hyphen_values = true)]
    tolerance: Option<Duration>,
    #[command(flatten)]
    format: FormatArg,
}

/// The result of a verification.
struct Verified {
    scheme: Scheme,
    secret: usize,
    kind: Option<String>,
    session_id: Option<String>,
    status: Option<String>,
    timestamp: Option<i64>,
}

impl Verify {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let format = self.format.resolve(&context.environment)?;
        if self.headers.is_none() && self.header.is_empty() {
            return Err(Failure::usage("--headers <FILE> or --header <NAME: VALUE> is missing"));
        }
        let webhook = super::configured(context)?;
        let webhook = match self.tolerance {
            Some(tolerance) => webhook.with_tolerance(tolerance),
            None => webhook,
        };
        let mut headers: HeaderMap = self.header.into_iter().collect();
        if let Some(path) = &self.headers {
            headers.extend(read_headers(path)?);
        }
        let body = read_body(&self.body, context)?;
        let now = SystemTime::now();
        let verified = if self.simple {
            webhook.verify_simple(&headers, &body, now).map(|event| Verified {
                scheme: Scheme::Simple,
                secret: event.secret_index(),
                kind: Some(event.kind().to_string()),
                session_id: event.session_id().map(str::to_owned),
                status: event.status_text().map(str::to_owned),
                timestamp: event.timestamp(),
            })
        } else {
            webhook.verify(&headers, &body, now).map(|event| Verified {
                scheme: event.signature().scheme,
                secret: event.signature().secret_index,
                kind: Some(event.kind().to_string()),
                session_id: event.session_id().map(str::to_owned),
                status: event.status_text().map(str::to_owned),
                timestamp: event.timestamp(),
            })
        };
        let verified = verified.map_err(|error| {
            let header = match &error {
                WebhookError::MalformedSignature { scheme } => Some(scheme.to_string()),
                WebhookError::TimestampMismatch => Some("X-Timestamp".to_owned()),
                _ => None,
            };
            let is_repeated = |name: &String| headers.get_all(name).iter().count() > 1;
            Failure::other(match header.filter(is_repeated) {
                Some(name) => format!("not verified: the webhook has more than one {name} header"),
                None if matches!(error, WebhookError::Stale { age } if age > 0) => {
                    format!("not verified: {error}; to check a saved one, raise --tolerance")
                }
                None => format!("not verified: {error}"),
            })
        })?;
        match format {
            Format::Json => output::print_json(&verified.to_json())?,
            Format::Table => output::print(&verified.table().shown(context.style()))?,
        }
        Ok(Exit::Done)
    }
}

impl Verified {
    fn secret_name(&self) -> &'static str {
        if self.secret == 0 { "current" } else { "old" }
    }

    fn to_json(&self) -> String {
        json!({
            "verified": true,
            "signature": self.scheme.to_string(),
            "secret": self.secret_name(),
            "webhook_type": self.kind,
            "session_id": self.session_id,
            "status": self.status,
            "timestamp": self.timestamp,
        })
        .to_string()
    }

    fn table(&self) -> Table {
        let mut table = Table::default();
        table.row("Verified by", Some(&self.scheme));
        table.row("Secret", Some(self.secret_name()));
        table.row("Event", self.kind.as_ref());
        table.row("Session", self.session_id.as_ref());
        if let Some(status) = &self.status {
            table.status(status);
        }
        table.row("Signed at", self.timestamp.and_then(at));
        table
    }
}

fn at(seconds: i64) -> Option<String> {
    let at = time::OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    at.format(&time::format_description::well_known::Rfc3339).ok()
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let problem = || format!("{text:?} is not a header like `X-Signature: 46d8...`");
    let (name, value) = text.split_once(':').ok_or_else(problem)?;
    let name = name.trim().parse().map_err(|_| problem())?;
    Ok((name, value.trim().parse().map_err(|_| problem())?))
}

/// Reads headers. The first line may be that of a request or a response. Blank lines, and the
/// values of headers other than a webhook's, are ignored.
fn read_headers(path: &Path) -> Result<Vec<(HeaderName, HeaderValue)>, Failure> {
    let refused = |why: &dyn std::fmt::Display| {
        Failure::usage(format!("--headers: {}: {why}", path.display()))
    };
    let text =
        file::read(path, MAX_HEADERS).map_err(|error| unreadable("--headers", path, &error))?;
    // Other headers may be in any encoding.
    let text = String::from_utf8_lossy(&text);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut headers = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let is_first_line = at == 0 && (line.contains(" HTTP/") || line.starts_with("HTTP/"));
        let continues = at > 0 && line.starts_with([' ', '\t']);
        if line.trim().is_empty() || is_first_line || continues {
            continue;
        }
        let name = line.split_once(':').and_then(|(name, _)| name.trim().parse().ok());
        if name.is_none_or(|name: HeaderName| NAMES.iter().any(|needed| name == *needed)) {
            headers.push(header(line).map_err(|why| refused(&format!("line {}: {why}", at + 1)))?);
        }
    }
    Ok(headers)
}

fn read_body(path: &Path, context: &Context) -> Result<Vec<u8>, Failure> {
    let body = if path.as_os_str() == "-" {
        context.reads_keyboard("the body");
        read_limited(io::stdin().lock(), MAX_BODY)
    } else {
        file::read(path, MAX_BODY)
    };
    body.map_err(|error| unreadable("--body", path, &error))
}

fn unreadable(flag: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("{flag}: could not read {}: {error}", path.display()))
}
