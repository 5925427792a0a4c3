use std::fs::File;
use std::process::Stdio;

use didit_sandbox::{Route, Sandbox};

use crate::support::{didit, didit_at, run};

#[test]
fn closed_stdout_ends_the_program_quietly() {
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
fn full_disk_exits_with_1() {
    let Ok(full) = File::options().write(true).open("/dev/full") else { return };
    for arguments in ["--sandbox decision a", "--help", "completions bash", "sandbox"] {
        let ran = run(didit(arguments).stdout(full.try_clone().unwrap()));
        assert!(ran.error(1).contains("could not write to standard output: No space"), "{ran:?}");
    }
}

#[test]
fn closed_stderr_keeps_the_exit_code() {
    let mut child = didit("decision a/b").stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[test]
fn invalid_log_filter_is_reported_and_ignored() {
    let ran = run(didit("--sandbox token").env("RUST_LOG", "didit=loud=very"));
    assert_eq!(ran.code, Some(0));
    assert!(ran.stderr.contains("RUST_LOG is invalid"), "{ran:?}");
    for filter in ["", "trace", "didit=debug,other=off"] {
        let ran = run(didit("--sandbox token").env("RUST_LOG", filter));
        assert!(ran.code == Some(0) && !ran.stderr.contains("is invalid"), "{ran:?}");
    }
}
