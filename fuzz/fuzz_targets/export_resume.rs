//! An export resumes from the files that an interruption left, without losing or duplicating a
//! session, or fails with a one-line error.

#![no_main]

use std::fs;
use std::path::PathBuf;

use arbitrary::Arbitrary;
use didit_core::SessionId;
use didit_core::data_transfer::Decision;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The damage to the files of an export of a few sessions.
#[derive(Arbitrary, Debug)]
struct Damage {
    sessions: u8,
    csv: bool,
    /// A bit for each session that had failed.
    failed: u16,
    /// For the output and the failures: the length to which the file is truncated, and the bytes
    /// that follow.
    files: [(u16, Tail); 2],
    lost: Lost,
}

#[derive(Arbitrary, Debug)]
enum Tail {
    None,
    /// Zeros, as after a power failure.
    Zeros(u8),
    Bytes(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
enum Lost {
    Nothing,
    Failures,
    State,
}

/// An export in a temporary folder, in memory if possible.
struct Export {
    folder: TempDir,
    csv: bool,
    /// The text before the first record.
    header: String,
    /// The record of `s-0`.
    record: String,
}

fuzz_target!(|damage: Damage| {
    let export = Export::new(damage.csv);
    let ids: Vec<String> = (0..=damage.sessions % 12).map(|n| format!("s-{n}")).collect();
    export.interrupt(&ids, &damage);
    let left = export.files();

    match export.resume() {
        Ok(requested) => {
            assert!(requested <= ids.len() as u64);
            // In CSV, arbitrary bytes may form records of finished sessions in another notation.
            let claimed = damage.files.iter().any(|(_, tail)| matches!(tail, Tail::Bytes(_)));
            for id in ids.iter().filter(|_| !(claimed && damage.csv)) {
                assert_eq!(export.settled(id), 1, "{id}");
            }
            assert_eq!(export.resume(), Ok(0), "nothing is left");
        }
        Err(line) => {
            didit_fuzz::assert_plain(&line);
            assert_eq!(export.files(), left, "{line}");
        }
    }
});

/// Returns a decision with all characters that require quoting in CSV.
fn decision(id: &SessionId) -> Decision {
    let body = format!(
        r#"{{"session_id":"{id}","status":"Confirmed","user_data":{{"sub":"é\n\"a\",\n"}}}}"#
    );
    Decision::from_json(body.as_bytes()).expect("a decision")
}

const FILES: [&str; 2] = ["out", "out.failures"];
const ALL: [&str; 3] = ["out", "out.failures", "out.state"];

impl Export {
    /// Runs an export of one session, to get the state file and the format of a record.
    fn new(csv: bool) -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let folder = folder.expect("a folder");
        let mut export = Self { folder, csv, header: String::new(), record: String::new() };
        export.write("ids", b"s-0\n");
        assert_eq!(export.resume(), Ok(1));
        let output = fs::read_to_string(export.path("out")).expect("an output");
        let begin = if csv { output.find('\n').expect("a header") + 1 } else { 0 };
        (export.header, export.record) = (output[..begin].to_owned(), output[begin..].to_owned());
        export
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).expect("a file");
    }

    fn files(&self) -> [Option<Vec<u8>>; 3] {
        ALL.map(|name| fs::read(self.path(name)).ok())
    }

    fn resume(&self) -> Result<u64, String> {
        didit_cli::resume_for_fuzzing(self.folder.path(), self.csv, decision)
    }

    fn record(&self, id: &str) -> String {
        self.record.replacen("s-0", id, 1)
    }

    fn interrupt(&self, ids: &[String], damage: &Damage) {
        self.write("ids", ids.join("\n").as_bytes());
        let (mut output, mut failures) = (self.header.clone(), String::new());
        for (n, id) in ids.iter().enumerate() {
            if damage.failed >> (n % 16) & 1 == 1 {
                let line = json!({"session_id": id, "error": "x", "status": 404});
                failures += &(line.to_string() + "\n");
            } else {
                output += &self.record(id);
            }
        }
        for ((name, text), (length, tail)) in
            FILES.iter().zip([output, failures]).zip(&damage.files)
        {
            let mut bytes = text.into_bytes();
            bytes.truncate(usize::from(*length) % (bytes.len() + 1));
            match tail {
                Tail::None => {}
                Tail::Zeros(count) => bytes.resize(bytes.len() + usize::from(*count), 0),
                Tail::Bytes(tail) => bytes.extend(tail),
            }
            self.write(name, &bytes);
        }
        let lost = match damage.lost {
            Lost::Nothing => return,
            Lost::Failures => "out.failures",
            Lost::State => "out.state",
        };
        fs::remove_file(self.path(lost)).expect("it was there");
    }

    /// Counts the records of a session in the output and the failures.
    fn settled(&self, id: &str) -> usize {
        let texts = FILES.map(|name| fs::read_to_string(self.path(name)).unwrap_or_default());
        let [output, failures] = &texts;
        let lines = |text: &str| text.lines().filter(|line| is_about(line, id)).count();
        let exported =
            if self.csv { output.matches(&self.record(id)).count() } else { lines(output) };
        exported + lines(failures)
    }
}

fn is_about(line: &str, id: &str) -> bool {
    serde_json::from_str::<Value>(line).is_ok_and(|value| value["session_id"] == id)
}
