//! `didit doctor`

mod probe;

use std::time::Duration;

use clap::Args;
use didit_blocking_adapter::Error;
use didit_blocking_adapter::core::data_transfer::RetrieveDecision;
use didit_blocking_adapter::core::oauth::FetchToken;
use didit_blocking_adapter::core::{
    Call, CallErrorKind, Credentials, ResponseError, ResponseErrorKind, SharedLimit,
    SharedStore as _, TransportErrorKind,
};
use didit_redis_adapter::{Inspection, QuotaUse, RedisStore};
use serde_json::json;

use self::probe::Findings;
use crate::connection::{Api, Connection, Requirements};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::observed::Observed;
use crate::output::{self, Format, FormatArg};
use crate::shared::Shared;
use crate::{connection, terminal};

/// Shorter than the default time limit of other commands: a person is waiting.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The smallest clock difference that causes a warning, as it may affect tokens and rate limits.
const MAX_SKEW_SECONDS: i64 = 30;

/// The id of a session that does not exist: the response shows whether the credentials are
/// accepted.
const MISSING_SESSION: &str = "didit-doctor";

const EXAMPLES: &str = "\
Examples:
  didit doctor
  didit doctor --sandbox --format json
  didit doctor --shared redis://redis:6379";

/// Diagnose configuration, connectivity and credentials
///
/// Fetches a token, if there are client credentials, and requests the decision of the session
/// didit-doctor, which does not exist. The time limit is 10s by default.
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct Doctor {
    #[command(flatten)]
    format: FormatArg,
    /// Check the Redis or Valkey of `didit export --shared` too [env: DIDIT_SHARED]
    ///
    /// Shows its version, how fast it responds, and how many processes share each rate limit.
    #[arg(long, value_name = "URL")]
    shared: Option<String>,
}

/// The result of a check, and its details.
type Finding = (&'static str, String);

const OK: &str = "ok";
const WARN: &str = "warn";
const FAIL: &str = "fail";
const SKIP: &str = "skip";

impl Doctor {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let format = self.format.resolve(&context.environment)?;
        let shared = Shared::chosen(self.shared, context)?;
        // An invalid URL is refused before anything is sent.
        let store = shared.as_ref().map(Shared::open).transpose()?;
        let requirements =
            Requirements { timeout: TIMEOUT, ..Requirements::new(Api::DataTransfer) };
        let connection = match requirements.connect(context) {
            Ok(connection) => connection,
            Err(failure) => {
                print_finding(format, "configuration", &(FAIL, failure.line().to_owned()))?;
                for check in ["host", "tls", "credentials", "clock", "quota"] {
                    print_finding(format, check, &skipped())?;
                }
                if shared.is_some() {
                    print_finding(format, "store", &skipped())?;
                }
                return Ok(failure.exit);
            }
        };
        print_finding(format, "configuration", &(OK, configuration(&connection, context)))?;

        let mut findings = Findings::default();
        let error = send_requests(&connection, &mut findings);
        let error = error.as_ref();
        print_finding(format, "host", &host(error, &findings))?;
        let is_plain = connection.base_url().is_plain_http();
        print_finding(format, "tls", &tls(error, is_plain, &findings))?;
        print_finding(format, "credentials", &credentials(error, &findings))?;
        print_finding(format, "clock", &clock(&findings))?;
        print_finding(format, "quota", &quota(error, &findings))?;
        let exit = error.map_or(Exit::Done, |error| Failure::of_call(None, error).exit);
        let Some((shared, store)) = shared.zip(store) else { return Ok(exit) };
        let (finding, store) = match describe_store(store, &shared, &connection) {
            Ok(found) => ((OK, found), Exit::Done),
            Err(failure) => ((FAIL, failure.line().to_owned()), failure.exit),
        };
        print_finding(format, "store", &finding)?;
        Ok(if exit == Exit::Done { store } else { exit })
    }
}

/// Sends the requests that are possible without a session, and returns the first error that would
/// make other commands fail.
fn send_requests(connection: &Connection, findings: &mut Findings) -> Option<Error> {
    if let Credentials::Client(client) = &connection.credentials {
        let operation = Call::new(FetchToken::new(client.clone()));
        if let Err(error) = connection.run(Observed { operation, observer: &mut *findings }) {
            return Some(error);
        }
    }
    let operation = Call::new(RetrieveDecision::new(MISSING_SESSION.parse().ok()?));
    let error = connection.run(Observed { operation, observer: findings }).err()?;
    // These responses do not refuse the credentials. A lasting 408 is no answer to the request.
    match error.call().response().map(ResponseError::kind) {
        Some(ResponseErrorKind::NotFound | ResponseErrorKind::ClientError)
            if !error.is_retryable() =>
        {
            None
        }
        _ => Some(error),
    }
}

fn configuration(connection: &Connection, context: &Context) -> String {
    let names = if context.options.sandbox {
        "the sandbox's own credentials".to_owned()
    } else {
        connection::credential_sources(context).unwrap_or_default().join(", ")
    };
    format!("{} with {names}", connection.base_url())
}

fn host(error: Option<&Error>, findings: &Findings) -> Finding {
    if let Some(took) = findings.took
        && error.is_none_or(|error| is_shown_elsewhere(Exit::of(error.call())))
    {
        return (OK, format!("responded in {} ms", took.as_millis()));
    }
    match error.map(|error| error.call().kind()) {
        Some(CallErrorKind::Transport(
            TransportErrorKind::Certificate | TransportErrorKind::Handshake,
        )) => (OK, "reached".to_owned()),
        _ => failed(error),
    }
}

fn tls(error: Option<&Error>, plain: bool, findings: &Findings) -> Finding {
    match error.map(|error| error.call().kind()) {
        _ if plain => (OK, "not used: plain http to this machine".to_owned()),
        Some(CallErrorKind::Transport(
            TransportErrorKind::Certificate | TransportErrorKind::Handshake,
        )) => failed(error),
        _ if findings.took.is_some() => (OK, "the certificate is trusted".to_owned()),
        _ => skipped(),
    }
}

fn credentials(error: Option<&Error>, findings: &Findings) -> Finding {
    match error {
        Some(refused) if Exit::of(refused.call()) == Exit::CredentialsRefused => failed(error),
        Some(_) => skipped(),
        None if findings.is_of_service => (OK, "accepted".to_owned()),
        None => (
            WARN,
            "not refused, but the response is not from the service; check the base URL".to_owned(),
        ),
    }
}

/// Returns true if the check of the credentials or of the quota shows a failure with this exit
/// code.
fn is_shown_elsewhere(exit: Exit) -> bool {
    matches!(exit, Exit::CredentialsRefused | Exit::RateLimited)
}

fn clock(findings: &Findings) -> Finding {
    let Some(ahead) = findings.clock_ahead else {
        let sent_no_date = (SKIP, "not checked, as the service sent no date".to_owned());
        return if findings.took.is_some() { sent_no_date } else { skipped() };
    };
    let mark = if ahead.abs() < MAX_SKEW_SECONDS { OK } else { WARN };
    let detail = match ahead {
        0 => "agrees with the service's".to_owned(),
        1.. => format!("{ahead} s ahead of the service's"),
        _ => format!("{} s behind the service's", ahead.unsigned_abs()),
    };
    (mark, detail)
}

fn quota(error: Option<&Error>, findings: &Findings) -> Finding {
    if error.is_some_and(|error| Exit::of(error.call()) == Exit::RateLimited) {
        return failed(error);
    }
    let limit = findings.rate_limit;
    let Some(left) = limit.remaining else {
        return if findings.took.is_some() {
            (OK, "the service reported no rate limit".to_owned())
        } else {
            skipped()
        };
    };
    let mark = if left == 0 { WARN } else { OK };
    let total = limit.limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
    let reset = limit.reset_after.map(|reset| format!(" for {} s", reset.as_secs()));
    (mark, format!("{left}{total} requests left{}", reset.unwrap_or_default()))
}

/// Describes the store and the use of its quotas, without joining them.
fn describe_store(
    mut store: RedisStore,
    shared: &Shared,
    connection: &Connection,
) -> Result<String, Failure> {
    store.open(&connection.application());
    let Inspection { server, latency, quotas, .. } =
        store.inspect().map_err(|error| Failure::new(Exit::Unreachable, shared.explain(&error)))?;
    let quotas: Vec<_> = quotas.iter().filter(|quota| quota.processes > 0).map(quota_use).collect();
    let quotas = if quotas.is_empty() {
        "no process shares a quota now".to_owned()
    } else {
        quotas.join(", ")
    };
    let (address, latency) = (store.address(), latency.as_secs_f64() * 1000.0);
    Ok(format!("{server} at {address} responded in {latency:.1} ms; {quotas}"))
}

fn quota_use(quota: &QuotaUse) -> String {
    let QuotaUse { bucket, processes, used, limit, .. } = *quota;
    let name = bucket.name();
    let members =
        if processes == 1 { "1 process".to_owned() } else { format!("{processes} processes") };
    match limit {
        SharedLimit::Of(limit) => format!("{name}: {members}, {used} of {limit} requests used"),
        SharedLimit::Unlimited => format!("{name}: {members}, no limit"),
        SharedLimit::Unknown => format!("{name}: {members}, limit not known yet"),
    }
}

fn failed(error: Option<&Error>) -> Finding {
    (FAIL, error.map(|error| Failure::of_call(None, error).line().to_owned()).unwrap_or_default())
}

fn skipped() -> Finding {
    (SKIP, "not checked, because another check failed".to_owned())
}

fn print_finding(format: Format, check: &str, (mark, detail): &Finding) -> Result<(), Failure> {
    match format {
        Format::Json => output::print_json(
            &json!({ "check": check, "result": mark, "detail": detail }).to_string(),
        ),
        Format::Table => {
            output::print(&format!("{mark:4}  {check:13}  {}\n", terminal::escape(detail)))
        }
    }
}
