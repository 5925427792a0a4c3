//! Tests exports that lose unsynced data in a simulated power loss.

use std::fs;
use std::path::Path;

use didit_blocking_adapter::core::data_transfer::Decision;
use didit_blocking_adapter::core::{BaseUrl, SessionId};
use didit_conformance::next_random;

use super::format::ExportFormat;
use super::ledger::Ledger;
use super::state::FailureLine;
use super::{ExportJob, Paths, Source, Terms, begin};
use crate::exit::Exit;
use crate::workers::AnyDecision;

/// The page size of a disk's cache in bytes: smaller than a real one, so that records span pages.
const PAGE: usize = 16;

const IDS: usize = 40;

/// Simulates a power loss: each unsynced page is kept, zeroed, or cut off with all that follow.
fn lose_power(path: &Path, synced: &[u8], seed: &mut u64) {
    let mut content = fs::read(path).unwrap();
    assert!(content.starts_with(synced), "what was synced is not changed");
    let mut at = synced.len();
    while at < content.len() {
        let end = (at + PAGE).min(content.len());
        match next_random(seed) % 8 {
            0 => content.truncate(at),
            1 | 2 => content[at..end].fill(0),
            _ => {}
        }
        at = end;
    }
    fs::write(path, content).unwrap();
}

fn decision(id: &SessionId) -> AnyDecision {
    let name = "=é\\n\\u0000\\\"a\\\",";
    let body = format!(
        r#"{{"session_id":"{id}","status":"Confirmed","user_data":{{"sub":"{name}{}"}}}}"#,
        "x".repeat(id.as_str().len() % 7 * PAGE)
    );
    AnyDecision::Transfer(Box::new(Decision::from_json(body.as_bytes()).unwrap()))
}

/// Exports until a power loss after `results` results. Returns true if the export was completed.
fn export(folder: &Path, format: ExportFormat, results: u64, seed: &mut u64) -> bool {
    let paths = Paths::new(&folder.join("out"), None).unwrap();
    let source = Source::Ids(folder.join("ids"));
    let base_url = &BaseUrl::production();
    let terms = Terms { format, base_url, restart: false, shared: None, job: None };
    let begun = begin(source, &paths, terms, |_| ());
    let ExportJob { input, ids, mut files, .. } =
        begun.unwrap_or_else(|failure| panic!("{}", failure.line()));
    let names = ["out", "out.failures", "out.state"].map(|name| folder.join(name));
    let mut synced = files.synced();
    let error = {
        let closed_port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut policy = didit_blocking_adapter::core::Policy::default();
        policy.max_attempts = 1;
        let key = didit_blocking_adapter::core::Authorization::api_key("key").unwrap();
        let client = didit_blocking_adapter::Client::builder(key)
            .base_url(format!("http://{closed_port}").parse().unwrap())
            .policy(policy)
            .build()
            .unwrap();
        client.decision(&"s".parse().unwrap()).unwrap_err()
    };
    for (count, id) in Ledger::new(input, ids).enumerate() {
        if count as u64 == results {
            drop(files);
            for (path, synced) in names.iter().zip(&synced) {
                if path.exists() {
                    lose_power(path, synced, seed);
                } else {
                    assert!(synced.is_empty());
                }
            }
            return false;
        }
        if next_random(seed).is_multiple_of(4) {
            files.failed(&FailureLine::new(&id, &error), Exit::OutOfTime).unwrap();
        } else {
            files.exported(&decision(&id)).unwrap();
        }
        if next_random(seed).is_multiple_of(5) {
            files.sync().unwrap();
            synced = files.synced();
        }
    }
    files.sync().unwrap();
    for (path, synced) in names.iter().zip(files.synced()) {
        assert_eq!(synced, fs::read(path).unwrap(), "all is synced at the end");
    }
    true
}

/// Asserts that each id has exactly one record, in one of the files.
fn assert_whole(folder: &Path, format: ExportFormat) {
    let output = fs::read_to_string(folder.join("out")).unwrap();
    let failures = fs::read_to_string(folder.join("out.failures")).unwrap_or_default();
    let mut length = format.header().len();
    for n in 0..IDS {
        let id: SessionId = format!("s-{}{n}", "y".repeat(n % 5)).parse().unwrap();
        let record = format.record(&decision(&id));
        let exported = output.matches(&record).count();
        let failed = failures.matches(&format!("{{\"session_id\":\"{id}\",")).count();
        assert_eq!(exported + failed, 1, "{id}");
        length += exported * record.len();
    }
    assert_eq!(output.len(), length, "nothing else is in the output");
    assert!(!failures.contains('\0') && (failures.is_empty() || failures.ends_with('\n')));
}

#[test]
fn repeated_power_losses_neither_lose_nor_duplicate_results() {
    for seed in 0..60 {
        for format in [ExportFormat::Jsonl, ExportFormat::Csv, ExportFormat::CsvRaw] {
            let mut seed = seed;
            // In memory if possible: on a disk, thousands of syncs take long.
            let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
            let folder = folder.path().canonicalize().unwrap();
            let ids: Vec<_> = (0..IDS).map(|n| format!("s-{}{n}", "y".repeat(n % 5))).collect();
            fs::write(folder.join("ids"), ids.join("\n")).unwrap();
            for _ in 0..6 {
                let results = next_random(&mut seed) % 20;
                if export(&folder, format, results, &mut seed) {
                    break;
                }
            }
            export(&folder, format, u64::MAX, &mut seed);
            assert_whole(&folder, format);
        }
    }
}
