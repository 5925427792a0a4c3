//! The list of a retry, and the records in the state file that show whose it is.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead as _, BufReader};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::format::ExportFormat;
use super::paths::Paths;
use super::record_file::RecordFile;
use super::state::parse_line;
use crate::failure::Failure;
use crate::file::{self, Identity};

/// A later record of the state file: the fingerprint of the list of a retry.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RetryRecord {
    pub(super) retry: String,
}

impl RetryRecord {
    pub(super) fn of(list: impl io::Read) -> io::Result<Self> {
        let (mut list, mut hash) = (BufReader::new(list), Sha256::new());
        loop {
            let bytes = list.fill_buf()?;
            if bytes.is_empty() {
                let half = hash.finalize().first_chunk().copied().unwrap_or_default();
                return Ok(Self { retry: format!("{:032x}", u128::from_be_bytes(half)) });
            }
            hash.update(bytes);
            let length = bytes.len();
            list.consume(length);
        }
    }
}

/// Returns the list of an interrupted retry, if the export with this state wrote it.
pub(super) fn own_list(paths: &Paths) -> Result<Option<Identity>, Failure> {
    let (Some(state), Some(list)) = (&paths.state, &paths.retry) else { return Ok(None) };
    if !fs::symlink_metadata(&list.path).is_ok_and(|found| found.is_file()) {
        return Ok(None);
    }
    let mut retries = Vec::new();
    // If the state is damaged, the records before the damage count.
    let _ = RecordFile::open(state)?.check(ExportFormat::Jsonl, |line| {
        retries.extend(parse_line::<RetryRecord>(line).map(|record| record.retry));
        Ok(true)
    });
    if retries.is_empty() {
        return Ok(None);
    }
    let read = || -> io::Result<(RetryRecord, Identity)> {
        let file = file::private(OpenOptions::new().read(true)).open(&list.path)?;
        let identity = Identity::of(&file.metadata()?);
        Ok((RetryRecord::of(file)?, identity))
    };
    let (record, identity) = read().map_err(|error| {
        Failure::of_file(format!("could not read {list}"), &error, "check its permissions")
    })?;
    Ok(retries.contains(&record.retry).then_some(identity))
}
