//! `didit export --input FILE --output FILE`

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};
use didit_redis_adapter::WorkList;

use crate::connection::{Api, Requirements};
use crate::context::Context;
use crate::exit::Exit;
use crate::export::{self, Division, ExportFormat, Paths, Progress, Source, Terms};
use crate::failure::Failure;
use crate::shared::Shared;
use crate::{duration, values};

const EXAMPLES: &str = "\
Examples:
  didit export --input ids.txt --output decisions.jsonl
  didit export --input - --output decisions.csv --format csv --concurrency 32
  didit export --input ids.txt --output part.jsonl --shared redis://redis:6379";

/// Retrieve the decisions of many sessions into a file
///
/// Run the same command again after an interruption of any kind to resume. Each session ends up in
/// exactly one of the output and the failures file. Ctrl-C stops it at once, with whole files. With
/// --shared, machines that have the same list divide it, the rate limit and the token.
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct Export {
    /// File with one session id per line, or - for stdin
    ///
    /// Blank lines and lines that start with # are skipped; an id that is repeated is retrieved
    /// once.
    #[arg(long, value_name = "FILE", required_unless_present = "retry_failures")]
    #[arg(value_hint = ValueHint::FilePath)]
    input: Option<PathBuf>,
    /// File for the decisions, or - for stdout
    ///
    /// They are written in the order in which they arrive. A file that no export wrote is never
    /// overwritten. With -, nothing can be resumed.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: PathBuf,
    /// jsonl or csv [default: from the file's extension]
    #[arg(long, value_enum, hide_possible_values = true)]
    format: Option<ExportFormat>,
    /// Write formulas in CSV without an apostrophe
    #[arg(long)]
    csv_raw: bool,
    /// Number of concurrent requests
    #[arg(long, value_name = "N", default_value_t = 16)]
    #[arg(value_parser = values::between(1_u16, 1000), allow_negative_numbers = true)]
    concurrency: u16,
    /// Your share of the rate limit, in requests
    ///
    /// At most this many are sent in each window. The default is all that the service allows
    /// according to its responses.
    #[arg(long, value_name = "N", value_parser = values::between(1_u32, 1_000_000))]
    #[arg(allow_negative_numbers = true)]
    budget: Option<u32>,
    /// Window of the rate limit [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive)]
    #[arg(allow_hyphen_values = true)]
    window: Option<Duration>,
    /// Export decisions of the verification API
    #[arg(long)]
    verification: bool,
    /// Failed sessions [default: OUTPUT.failures]
    ///
    /// JSON Lines with session_id, error and status. The file is created at the start, and removed
    /// at the end if no session failed.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    failures: Option<PathBuf>,
    /// Start over, overwriting both files
    #[arg(long)]
    restart: bool,
    /// Retry the sessions in this failures file
    ///
    /// With the same --output as the failed export, the results are merged into it. With another
    /// output, the failures file is left as it is.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["input", "restart"])]
    retry_failures: Option<PathBuf>,
    /// Divide the list through a Redis [env: DIDIT_SHARED]
    ///
    /// redis://[USER:PASSWORD@]HOST[:PORT], or rediss:// for TLS, which trusts the platform's
    /// certificates and those of --ca-file. Valkey works as well. Keep a password in the
    /// variable, as others on this machine can see arguments. Machines with the same list export
    /// each session once, and share the rate limit and the token. Redis has to keep its data until
    /// all are done.
    #[arg(long, value_name = "URL")]
    shared: Option<String>,
    /// Name of the shared export [default: from the ids]
    ///
    /// Machines with the same name divide their lists, even if those differ. Redis remembers for a
    /// week what is exported under a name, so to export the same sessions again choose another one.
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    /// Time until the ids of a dead machine go to others [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive)]
    #[arg(allow_hyphen_values = true)]
    lease: Option<Duration>,
}

/// The minimum lease, which a busy machine can still renew in time.
const MIN_LEASE: Duration = Duration::from_secs(1);
/// The maximum length of a job's name in bytes.
const MAX_NAME: usize = 200;
const DEFAULT_LEASE: Duration = Duration::from_secs(60);

impl Export {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let format = self.output_format()?;
        let shared = self.store(context)?;
        let mut requirements = self.requirements();
        let store = shared.as_ref().map(Shared::connect).transpose();
        requirements.shared = store.map_err(|failure| failure.with_advice("nothing was sent"))?;
        let connection = requirements.connect(context)?;
        let paths = Paths::new(&self.output, self.failures.as_deref())?;
        let source = match (self.input, self.retry_failures) {
            (Some(path), _) => Source::Ids(path),
            (None, Some(path)) => Source::Failures(path),
            (None, None) => return Err(Failure::usage("give --input or --retry-failures")),
        };
        let (base_url, restart) = (connection.base_url(), self.restart);
        let named_by = shared.as_ref().map(|shared| shared.named_by);
        let terms = Terms { format, base_url, restart, shared: named_by, job: self.job };
        let progress = Progress::new(context);
        let is_typed =
            source.is_standard_input() && context.reads_keyboard("session ids, one per line");
        let mut job = export::begin(source, &paths, terms, |stage| {
            // It would mix with what is typed.
            if !is_typed {
                progress.stage(stage);
            }
        })?;
        let concurrency = self.concurrency.into();
        if let (Some(shared), Some(share)) = (&shared, job.share()) {
            let (name, owner) = share.names();
            let list = WorkList::new(shared.connect()?, &connection.application(), &name, owner);
            let lease = self.lease.unwrap_or(DEFAULT_LEASE);
            let duplicates =
                job.divide(Division::new(list, lease, connection.timeout, concurrency))?;
            if duplicates > 0 {
                let shown = self.output.display();
                let sessions = if duplicates == 1 { "session" } else { "sessions" };
                context.note(&format!(
                    "{duplicates} {sessions} in {shown} were also exported by another machine, because \
                     Redis lost the list"
                ));
            }
        }
        export::run(&connection, job, concurrency, progress, &context.interrupt)
    }

    fn output_format(&self) -> Result<ExportFormat, Failure> {
        let format = match self.format {
            Some(format) => format,
            None => ExportFormat::of_name(&self.output),
        };
        match (format, self.csv_raw, self.verification) {
            (ExportFormat::Jsonl, true, _) => {
                Err(Failure::usage("--csv-raw requires --format csv"))
            }
            (ExportFormat::Jsonl, false, true) => Ok(ExportFormat::VerificationJsonl),
            (_, _, true) => Err(Failure::usage(
                "--verification writes JSON Lines, as a decision has too many parts for columns; \
                 name the output *.jsonl, or give --format jsonl",
            )),
            (ExportFormat::Csv, true, false) => Ok(ExportFormat::CsvRaw),
            (format, ..) => Ok(format),
        }
    }

    /// Returns the store that divides the list; refuses options that cannot be combined with it.
    fn store(&self, context: &Context) -> Result<Option<Shared>, Failure> {
        let Some(shared) = Shared::chosen(self.shared.clone(), context)? else {
            return match (&self.job, &self.lease) {
                (None, None) => Ok(None),
                _ => Err(Failure::usage("--job and --lease require --shared")),
            };
        };
        let named_by = shared.named_by;
        if self.output.as_os_str() == "-" {
            return Err(Failure::usage(format!(
                "{named_by} needs an --output file to resume from"
            )));
        }
        if self.restart {
            return Err(Failure::usage(format!(
                "{named_by} cannot be used with --restart, because other machines have parts of the \
                 export; to start over, choose another --output and --job"
            )));
        }
        if self.lease.is_some_and(|lease| lease < MIN_LEASE) {
            return Err(Failure::usage("--lease is shorter than 1s; give a longer one"));
        }
        if self.job.as_ref().is_some_and(|name| name.is_empty() || name.len() > MAX_NAME) {
            return Err(Failure::usage(
                "--job is empty or longer than 200 bytes; choose another name",
            ));
        }
        if !context.options.sandbox && context.environment.os("DIDIT_ACCESS_TOKEN").is_some() {
            return Err(Failure::usage(format!(
                "{named_by} needs the same credentials on all machines: give a client id and secret or an \
                 API key in place of DIDIT_ACCESS_TOKEN"
            )));
        }
        Ok(Some(shared))
    }

    fn requirements(&self) -> Requirements {
        let api = if self.verification { Api::Verification } else { Api::DataTransfer };
        let mut requirements = Requirements::new(api);
        if let Some(window) = self.window {
            requirements.policy.rate_limit_window = window;
        }
        if let Some(budget) = self.budget {
            requirements.policy.max_requests_per_window = Some(budget);
            requirements.policy.verification_limits.reads = Some(budget);
        }
        requirements
    }
}
