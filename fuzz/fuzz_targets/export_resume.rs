//! An export goes on with whatever an interruption left of its files, without losing or doubling a
//! session, or says in a line why it does not.

#![no_main]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use arbitrary::Arbitrary;
use didit_core::{Decision, SessionId};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// What happened to the files of an export of a few sessions.
#[derive(Arbitrary, Debug)]
struct Damage {
    sessions: u8,
    /// Bit by bit, which of them had failed.
    failed: u16,
    /// How much is left of the output and of the failures, and what stands behind that.
    files: [(u16, Tail); 2],
    lost: Lost,
}

#[derive(Arbitrary, Debug)]
enum Tail {
    None,
    /// As after a loss of power.
    Zeros(u8),
    Bytes(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
enum Lost {
    Nothing,
    Failures,
    State,
}

fuzz_target!(|damage: Damage| {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let folder = folder.expect("a folder");
    let folder = folder.path();
    let ids: Vec<String> = (0..=damage.sessions % 12).map(|n| format!("s-{n}")).collect();
    let left = interrupted(folder, &ids, &damage);

    match didit_cli::go_on(folder, decision) {
        Ok(asked) => {
            assert!(asked <= ids.len() as u64);
            let settled = settled(folder);
            for id in &ids {
                // A tail may claim anything, twice as well; it is believed.
                let claimed = left.get(id).is_some_and(|times| *times > 1);
                assert!(settled.get(id) == Some(&1) || claimed, "{id}: {:?}", settled.get(id));
            }
            assert_eq!(didit_cli::go_on(folder, decision), Ok(0), "all is done");
        }
        Err(line) => {
            didit_fuzz::assert_plain(&line);
            let kept = settled(folder);
            assert!(left.iter().all(|(id, times)| kept.get(id) == Some(times)), "{line}");
        }
    }
});

fn decision(id: &SessionId) -> Decision {
    let body = format!(r#"{{"session_id":"{id}","status":"Confirmed","user_data":{{"sub":"é"}}}}"#);
    Decision::from_json(body.as_bytes()).expect("a decision")
}

/// Leaves the files as damaged; how often each session stands in a whole line of them.
fn interrupted(folder: &Path, ids: &[String], damage: &Damage) -> BTreeMap<String, usize> {
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).expect("a file");
    write("ids", ids.join("\n").as_bytes());
    // The state is the one of an export without damage.
    didit_cli::go_on(folder, decision).expect("an export without damage");
    let (mut output, mut failures) = (String::new(), String::new());
    for (n, id) in ids.iter().enumerate() {
        if damage.failed >> (n % 16) & 1 == 1 {
            let line = serde_json::json!({"session_id": id, "error": "x", "status": 404});
            failures += &(line.to_string() + "\n");
        } else {
            let id = id.parse().expect("a valid identifier");
            output += &(decision(&id).json().to_line() + "\n");
        }
    }
    let names = ["out", "out.failures"];
    for ((name, text), (length, tail)) in names.iter().zip([output, failures]).zip(&damage.files) {
        let mut bytes = text.into_bytes();
        bytes.truncate(usize::from(*length) % (bytes.len() + 1));
        match tail {
            Tail::None => {}
            Tail::Zeros(count) => bytes.resize(bytes.len() + usize::from(*count), 0),
            Tail::Bytes(tail) => bytes.extend(tail),
        }
        write(name, &bytes);
    }
    match damage.lost {
        Lost::Nothing => {}
        Lost::Failures => fs::remove_file(folder.join("out.failures")).expect("it was there"),
        Lost::State => fs::remove_file(folder.join("out.state")).expect("it was there"),
    }
    settled(folder)
}

/// How often each session stands in a whole line of the output and the failures.
fn settled(folder: &Path) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for name in ["out", "out.failures"] {
        let bytes = fs::read(folder.join(name)).unwrap_or_default();
        let lines = bytes.split_inclusive(|&byte| byte == b'\n');
        for line in lines.filter(|line| line.ends_with(b"\n")) {
            let value: Value = serde_json::from_slice(line).unwrap_or_default();
            if let Some(id) = value["session_id"].as_str() {
                *times.entry(id.to_owned()).or_default() += 1;
            }
        }
    }
    times
}
