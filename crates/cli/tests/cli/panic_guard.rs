//! Tests that a killed process leaves no core dump.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use didit_sandbox::{Route, Sandbox};

use crate::support::{didit_at, wait_for_requests};

#[test]
fn killed_process_dumps_no_core() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_status("s-1", "initialized");
    let mut waiting = didit_at(&sandbox, "wait s-1 --poll 10ms");
    let mut waiting = waiting.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_requests(&sandbox, Route::Decision, 1);
    let limits = fs::read_to_string(format!("/proc/{}/limits", waiting.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let words: Vec<_> = core.split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{core}");
    // `kill` is built into every shell.
    let killed = Command::new("sh").arg("-c").arg(format!("kill -ABRT {}", waiting.id())).status();
    assert!(killed.unwrap().success());
    let status = waiting.wait().unwrap();
    assert!(status.signal().is_some() && !status.core_dumped(), "{status:?}");
}
