use std::fs::File;
use std::process::Stdio;

use didit_sandbox::{Route, Sandbox};

use crate::support::{didit, didit_at, run};

#[test]
fn a_reader_that_leaves_early_ends_the_program_quietly() {
    let sandbox = Sandbox::start().unwrap();
    let ids: Vec<_> = (0..500).map(|n| format!("s-{n}")).collect();
    let mut child = didit_at(&sandbox, "decision")
        .args(&ids)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert!(sandbox.requests_to(Route::Decision).len() < ids.len());
}

#[test]
fn a_full_disk_is_1() {
    let Ok(full) = File::options().write(true).open("/dev/full") else { return };
    for arguments in ["--sandbox decision a", "--help", "completions bash", "sandbox"] {
        let ran = run(didit(arguments).stdout(full.try_clone().unwrap()));
        assert!(ran.error(1).contains("could not write to standard output: No space"), "{ran:?}");
    }
}

#[test]
fn a_closed_standard_error_changes_nothing() {
    let mut child = didit("decision a/b").stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[test]
fn a_log_filter_that_is_not_understood_is_said_and_ignored() {
    let ran = run(didit("--sandbox token").env("RUST_LOG", "didit=loud=very"));
    assert_eq!(ran.code, Some(0));
    assert!(ran.stderr.contains("RUST_LOG is not understood"), "{ran:?}");
    for filter in ["", "trace", "didit=debug,other=off"] {
        let ran = run(didit("--sandbox token").env("RUST_LOG", filter));
        assert!(ran.code == Some(0) && !ran.stderr.contains("not understood"), "{ran:?}");
    }
}
