//! The output formats, and how their records are split.

use std::io::{self, BufRead, Read as _};
use std::path::Path;

use clap::ValueEnum;
use didit_blocking_adapter::core::data_transfer::Decision;
use didit_blocking_adapter::core::verification;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::csv;
use crate::failure::Failure;
use crate::workers::AnyDecision;
use crate::{output, terminal};

/// The maximum length of a record in bytes. Its response has at most 8 MiB; CSV writes some of it
/// twice, and doubles quotes.
pub(super) const MAX_RECORD: usize = 1 << 25;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ExportFormat {
    /// The service's whole object, one per line
    Jsonl,
    /// Flat columns, for spreadsheets
    Csv,
    /// CSV without the guard against formulas
    #[value(skip)]
    CsvRaw,
    /// Decisions of the verification API, one per line
    #[value(skip)]
    VerificationJsonl,
}

impl ExportFormat {
    /// Returns the format for the ending of an output's name.
    pub(crate) fn of_name(output: &Path) -> Self {
        let name = output.as_os_str().as_encoded_bytes().to_ascii_lowercase();
        if name.ends_with(b".csv") { Self::Csv } else { Self::Jsonl }
    }

    /// Returns true if a record is always one line.
    fn is_lines(self) -> bool {
        matches!(self, Self::Jsonl | Self::VerificationJsonl)
    }

    /// Returns the text before the first decision.
    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Jsonl | Self::VerificationJsonl => "",
            Self::Csv | Self::CsvRaw => csv::HEADER,
        }
    }

    pub(super) fn record(self, decision: &AnyDecision) -> String {
        match (self, decision) {
            (Self::Csv, AnyDecision::Transfer(decision)) => csv::record(decision, true),
            (Self::CsvRaw, AnyDecision::Transfer(decision)) => csv::record(decision, false),
            _ => decision.json().to_compact() + "\n",
        }
    }

    /// Prints a record. On a terminal, control characters are escaped.
    pub(super) fn print(self, record: &str) -> Result<(), Failure> {
        let escape = if self.is_lines() { terminal::escape_json } else { terminal::escape };
        output::print_line(record.strip_suffix('\n').unwrap_or(record), escape)
    }

    /// Returns the session id of a record; `None` if the record is incomplete.
    pub(super) fn session_id(self, record: &str) -> Option<String> {
        match self {
            Self::Jsonl => {
                Decision::from_json(record.as_bytes()).ok().map(|d| d.session_id().to_string())
            }
            Self::VerificationJsonl => {
                let decision = verification::Decision::from_json(record.as_bytes()).ok()?;
                decision.session_id().map(str::to_ascii_lowercase)
            }
            Self::Csv => csv::session_id(record).map(|id| csv::unguarded(id).to_owned()),
            Self::CsvRaw => csv::session_id(record).map(str::to_owned),
        }
    }

    /// Reads the next record with its line end, or one byte more than the maximum; leaves
    /// `record` empty at the end of the file.
    pub(super) fn read(self, from: &mut impl BufRead, record: &mut Vec<u8>) -> io::Result<()> {
        record.clear();
        let mut open_quote = false;
        loop {
            let start = record.len();
            let left = (MAX_RECORD + 1 - start) as u64;
            let read = from.by_ref().take(left).read_until(b'\n', record)?;
            open_quote ^= has_odd_quotes(&record[start..]);
            // A CSV record continues on the next line only within quotes.
            if read == 0 || self.is_lines() || !open_quote {
                return Ok(());
            }
        }
    }

    /// Returns true if a record is complete.
    pub(super) fn is_closed(self, record: &[u8]) -> bool {
        record.ends_with(b"\n") && (self.is_lines() || !has_odd_quotes(record))
    }

    /// Returns true if `text` may be the beginning of a record, or of the `first` one, that an
    /// interruption cut off.
    pub(super) fn is_beginning(self, text: &[u8], first: bool) -> bool {
        if text.is_empty() {
            return true;
        }
        match self {
            Self::Csv | Self::CsvRaw if first => self.header().as_bytes().starts_with(text),
            Self::Jsonl | Self::VerificationJsonl => {
                let whole = serde_json::from_slice::<Record>(text);
                text.starts_with(b"{") && whole.map_or_else(|error| error.is_eof(), |_| true)
            }
            Self::Csv | Self::CsvRaw => csv::is_beginning(text),
        }
    }

    /// Returns the option that distinguishes an export in this format from one in the other.
    pub(super) fn difference(self, other: Self) -> String {
        match (self, other) {
            (Self::Csv, Self::CsvRaw) => "without --csv-raw".to_owned(),
            (Self::CsvRaw, Self::Csv) => "with --csv-raw".to_owned(),
            (Self::Jsonl, Self::VerificationJsonl) => "without --verification".to_owned(),
            (Self::VerificationJsonl, Self::Jsonl) => "with --verification".to_owned(),
            _ => format!("with --format {}", self.flags()),
        }
    }

    /// Returns the value of `--format`, with any further options that select the format.
    pub(super) fn flags(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::VerificationJsonl => "jsonl --verification",
            Self::Csv => "csv",
            Self::CsvRaw => "csv --csv-raw",
        }
    }
}

/// A JSON object with a session id.
#[derive(Deserialize)]
struct Record {
    #[serde(rename = "session_id")]
    _session_id: IgnoredAny,
}

fn has_odd_quotes(text: &[u8]) -> bool {
    text.iter().filter(|&&byte| byte == b'"').count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_record_ends_outside_of_quotes() {
        let mut text = &b"a,\"1\n\"\"2\n\"\nb,\"torn\n"[..];
        let mut record = Vec::new();
        let mut next = || {
            ExportFormat::Csv.read(&mut text, &mut record).unwrap();
            String::from_utf8(record.clone()).unwrap()
        };
        assert_eq!(next(), "a,\"1\n\"\"2\n\"\n");
        assert_eq!(next(), "b,\"torn\n");
        assert_eq!(next(), "");
    }
}
