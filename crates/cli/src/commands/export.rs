//! `didit export --input FILE --output FILE`

use std::path::{Path, PathBuf};

use clap::Args;

use crate::connection::{CALL_TIMEOUT, Connection};
use crate::context::Context;
use crate::exit::Exit;
use crate::export::{self, ExportFormat, Paths, Progress, Source};
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  didit export --input ids.txt --output decisions.jsonl
  didit export --input - --output decisions.csv --format csv --concurrency 32";

/// Retrieve the decisions of many sessions into a file
///
/// Interrupted at any moment and started again with the same arguments, it goes on where it
/// stopped. Each session is then in exactly one of the output and the failures file.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Export {
    /// One session id a line, blank lines and # comments aside; - is standard input
    #[arg(long, value_name = "FILE", required_unless_present = "retry_failures")]
    input: Option<PathBuf>,
    /// Where the decisions go, in the order in which they come
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// The format of the output [default: by the ending of its name, else jsonl]
    #[arg(long, value_enum)]
    format: Option<ExportFormat>,
    /// Leave cells of CSV as they are that a spreadsheet may take for formulas
    #[arg(long)]
    csv_raw: bool,
    /// How many sessions are asked for at once
    #[arg(long, value_name = "N", default_value_t = 16)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1000))]
    concurrency: u16,
    /// Where the sessions go that failed, as JSON lines [default: the output's name and .failures]
    #[arg(long, value_name = "FILE")]
    failures: Option<PathBuf>,
    /// Begin anew: overwrite what an earlier export left in the output and the failures file
    #[arg(long)]
    restart: bool,
    /// In place of an input, the sessions in the failures file of an earlier export
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
        let connection = Connection::new(context, CALL_TIMEOUT)?;
        let paths = Paths::new(&self.output, self.failures.as_deref())?;
        let mut progress = Progress::new(context.options.verbose > 0);
        let tell = |stage: &str| progress.stage(stage);
        let begun =
            export::begin(source, &paths, format, &connection.base_url, self.restart, tell)?;
        export::run(&connection, begun, self.concurrency.into(), progress, &context.interrupt)
    }
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ending))
}
