//! The two shapes of an output, and how their records are told apart.

use std::io::{self, BufRead};

use clap::ValueEnum;
use didit_blocking_adapter::core::Decision;
use serde::{Deserialize, Serialize};

use super::csv;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExportFormat {
    /// The service's object whole, one a line
    Jsonl,
    /// Flat columns, for spreadsheets
    Csv,
}

impl ExportFormat {
    /// What stands before the first decision.
    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Jsonl => "",
            Self::Csv => csv::HEADER,
        }
    }

    pub(super) fn record(self, decision: &Decision) -> String {
        match self {
            Self::Jsonl => decision.json().to_line() + "\n",
            Self::Csv => csv::record(decision),
        }
    }

    /// The session that a record is about; `None` if it is no whole record.
    pub(super) fn session_id(self, record: &str) -> Option<String> {
        match self {
            Self::Jsonl => {
                Decision::from_json(record.as_bytes()).ok().map(|d| d.session_id().to_owned())
            }
            Self::Csv => csv::session_id(record).map(str::to_owned),
        }
    }

    /// Reads the next record, its end included; nothing at the end of the file.
    pub(super) fn read(self, from: &mut impl BufRead, record: &mut Vec<u8>) -> io::Result<()> {
        record.clear();
        let mut open_quote = false;
        loop {
            let start = record.len();
            let read = from.read_until(b'\n', record)?;
            let quotes = record[start..].iter().filter(|&&byte| byte == b'"').count();
            open_quote ^= quotes % 2 == 1;
            // Only within quotes a record of CSV goes on in the next line.
            if read == 0 || self == Self::Jsonl || !open_quote {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_csv_ends_outside_of_quotes() {
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
