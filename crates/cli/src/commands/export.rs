//! `didit export --input FILE --output FILE`
#![allow(clippy::doc_markdown, reason = "these comments are the help text")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueHint};

use crate::connection::{Api, CALL_TIMEOUT, Wanted};
use crate::context::Context;
use crate::exit::Exit;
use crate::export::{self, ExportFormat, Paths, Progress, Retry, Source};
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
    #[arg(value_hint = ValueHint::FilePath)]
    input: Option<PathBuf>,
    /// File for the decisions, or - for stdout
    ///
    /// They are written in the order in which they arrive. A file that is not an export's is never
    /// overwritten. With - nothing can be resumed.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
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
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    failures: Option<PathBuf>,
    /// Start over, overwriting both files
    #[arg(long)]
    restart: bool,
    /// Retry the sessions in this failures file
    ///
    /// With the output that they failed for, the results are merged into it. With another output, the
    /// failures file is left as it is.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with = "input")]
    retry_failures: Option<PathBuf>,
}

impl Export {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let format = self.written_format()?;
        let connection = self.wanted().connect(context)?;
        let paths = Paths::new(&self.output, self.failures.as_deref())?;
        let source = match (self.input, self.retry_failures) {
            (Some(path), _) => Source::Ids(path),
            (None, Some(path)) => Source::Failures(path),
            (None, None) => return Err(Failure::usage("give --input or --retry-failures")),
        };
        let retry = match &source {
            Source::Failures(path) if !self.restart => {
                Retry::begin(path, &paths, format, &connection.base_url)?
            }
            _ => None,
        };
        let mut progress = Progress::new(context);
        let (job, list) = match retry {
            Some(retry) => (retry.job, Some(retry.list)),
            None => {
                let tell = |stage: &str| progress.stage(stage);
                let base_url = &connection.base_url;
                (export::begin(source, &paths, format, base_url, self.restart, tell)?, None)
            }
        };
        let concurrency = self.concurrency.into();
        let exit = export::run(&connection, job, concurrency, progress, &context.interrupt)?;
        // One that is left is found to be settled the next time.
        let _ = list.map(fs::remove_file);
        Ok(exit)
    }

    fn written_format(&self) -> Result<ExportFormat, Failure> {
        let format = match self.format {
            Some(format) => format,
            None if has_ending(&self.output, "csv") => ExportFormat::Csv,
            None => ExportFormat::Jsonl,
        };
        match (format, self.csv_raw, self.verification) {
            (ExportFormat::Jsonl, true, _) => {
                Err(Failure::usage("--csv-raw goes with --format csv alone"))
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

    fn wanted(&self) -> Wanted {
        let api = if self.verification { Api::Verification } else { Api::DataTransfer };
        let mut wanted = Wanted::new(api, CALL_TIMEOUT);
        if let Some(window) = self.window {
            wanted.policy.rate_limit_window = window;
        }
        if let Some(budget) = self.budget {
            wanted.policy.max_requests_per_window = Some(budget);
            wanted.policy.verification_limits.reads = Some(budget);
        }
        wanted
    }
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ending))
}
