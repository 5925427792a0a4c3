//! `didit export --input FILE --output FILE`
#![allow(clippy::doc_markdown, reason = "these comments are the help text")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::connection::{Api, CALL_TIMEOUT, Wanted};
use crate::context::Context;
use crate::exit::Exit;
use crate::export::{self, ExportFormat, Paths, Progress, Source};
use crate::failure::Failure;
use crate::{count, duration};

const EXAMPLES: &str = "\
Examples:
  didit export --input ids.txt --output decisions.jsonl
  didit export --input - --output decisions.csv --format csv --concurrency 32";

/// Retrieve the decisions of many sessions into a file
///
/// Run the same command again after an interruption of any kind to resume. Each session ends up in
/// exactly one of the output and the failures file. Ctrl-C stops it at once, with whole files.
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct Export {
    /// File with one session ID per line, or - for stdin
    ///
    /// Blank lines and lines that start with # are skipped; an ID that is repeated is retrieved once.
    #[arg(long, value_name = "FILE", required_unless_present = "retry_failures")]
    input: Option<PathBuf>,
    /// File for the decisions, or - for stdout
    ///
    /// They are written in the order in which they arrive. A file that is not an export's is never
    /// overwritten. With - nothing can be resumed.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// jsonl or csv [default: by the output's ending]
    #[arg(long, value_enum, hide_possible_values = true)]
    format: Option<ExportFormat>,
    /// Put no apostrophe before formulas in CSV
    #[arg(long)]
    csv_raw: bool,
    /// Number of concurrent requests
    #[arg(long, value_name = "N", default_value_t = 16)]
    #[arg(value_parser = count::between(1_u16, 1000))]
    concurrency: u16,
    /// Your share of the rate limit, in requests
    ///
    /// At most so many are sent in a window. By default it is all that the service allows, which it
    /// says in its responses.
    #[arg(long, value_name = "N", value_parser = count::between(1_u32, 1_000_000))]
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
    /// JSON Lines with session_id, error and status; the file is there only if a session failed.
    #[arg(long, value_name = "FILE")]
    failures: Option<PathBuf>,
    /// Start over, overwriting both files
    #[arg(long)]
    restart: bool,
    /// Retry the sessions in this failures file
    #[arg(long, value_name = "FILE", conflicts_with = "input")]
    retry_failures: Option<PathBuf>,
}

impl Export {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let source = match (self.input, self.retry_failures) {
            (Some(path), _) => Source::Ids(path),
            (None, Some(path)) => Source::Failures(path),
            (None, None) => return Err(Failure::usage("give --input or --retry-failures")),
        };
        let format = match self.format {
            Some(format) => format,
            None if has_ending(&self.output, "csv") => ExportFormat::Csv,
            None => ExportFormat::Jsonl,
        };
        let format = match (format, self.csv_raw) {
            (ExportFormat::Csv, true) => ExportFormat::CsvRaw,
            (ExportFormat::Jsonl, true) => {
                return Err(Failure::usage("--csv-raw goes with --format csv alone"));
            }
            (format, _) => format,
        };
        let format = match (format, self.verification) {
            (ExportFormat::Jsonl, true) => ExportFormat::VerificationJsonl,
            (_, true) => {
                return Err(Failure::usage(
                    "--verification writes JSON Lines, as a decision has too many parts for \
                     columns; name the output *.jsonl, or give --format jsonl",
                ));
            }
            (format, false) => format,
        };
        let api = if self.verification { Api::Verification } else { Api::DataTransfer };
        let mut wanted = Wanted::new(api, CALL_TIMEOUT);
        if let Some(window) = self.window {
            wanted.policy.rate_limit_window = window;
        }
        if let Some(budget) = self.budget {
            wanted.policy.max_requests_per_window = Some(budget);
            wanted.policy.verification_limits.reads = Some(budget);
        }
        let connection = wanted.connect(context)?;
        let paths = Paths::new(&self.output, self.failures.as_deref())?;
        let mut progress = Progress::new(context);
        let tell = |stage: &str| progress.stage(stage);
        let begun =
            export::begin(source, &paths, format, &connection.base_url, self.restart, tell)?;
        export::run(&connection, begun, self.concurrency.into(), progress, &context.interrupt)
    }
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ending))
}
