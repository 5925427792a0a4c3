use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use didit_sandbox::{Fault, Route, Sandbox};

use crate::support::{self, Ran, didit, didit_at, terminal, wait_for_requests};

fn start(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Sends a signal to a program, and returns its exit code and standard error.
fn ended_by(signal: &str, child: Child) -> (Option<i32>, String) {
    support::signal(&child, signal);
    let started = Instant::now();
    let ran = Ran::from(child.wait_with_output().unwrap());
    // A hanging attempt would take 10 s.
    assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
    (ran.code, ran.stderr)
}

#[test]
fn signal_ends_a_waiting_command_immediately() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_status("pending", "initialized");
    sandbox.always(Route::SessionStatus, Fault::Hang);
    sandbox.always(Route::CreateSession, Fault::Hang);
    sandbox.script(Route::Decision, [Fault::Pass, Fault::Pass]);
    for (arguments, route) in [
        ("wait pending", Route::Decision),
        ("session status a --session-token t", Route::SessionStatus),
        ("session create --scope names", Route::CreateSession),
        ("decision a", Route::Decision),
        ("decision a b c", Route::Decision),
    ] {
        for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
            if arguments.starts_with("decision") {
                sandbox.always(Route::Decision, Fault::Hang);
            }
            let before = sandbox.requests_to(route).len();
            let child = start(&mut didit_at(&sandbox, arguments));
            wait_for_requests(&sandbox, route, before + 1);
            assert_eq!(ended_by(signal, child), (Some(code), String::new()), "{arguments}");
        }
    }
}

#[test]
fn signal_ends_the_sandbox_immediately() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let mut child = start(&mut didit("sandbox"));
        let mut first = [0; 1];
        child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        assert_eq!(ended_by(signal, child), (Some(code), String::new()));
    }
}

#[test]
fn ctrl_c_on_a_terminal_exits_with_130() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_status("pending", "initialized");
    let mut child = start(terminal(&sandbox, 80, "exec didit wait pending").stdin(Stdio::piped()));
    wait_for_requests(&sandbox, Route::Decision, 1);
    child.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
}

#[test]
fn signal_that_was_ignored_stays_ignored() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.always(Route::Decision, Fault::Delay(Duration::from_secs(1)));
    let program = env!("CARGO_BIN_EXE_didit");
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &format!("trap '' INT TERM; exec {program} decision a")]).env_clear();
    shell.env("DIDIT_BASE_URL", sandbox.url()).env("DIDIT_API_KEY", sandbox.api_key());
    let child = start(&mut shell);
    wait_for_requests(&sandbox, Route::Decision, 1);
    support::signal(&child, "-TERM");
    assert_eq!(ended_by("-INT", child), (Some(0), String::new()));
}
