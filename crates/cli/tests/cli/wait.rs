use std::process::Stdio;
use std::time::{Duration, Instant};

use didit_sandbox::{Fault, Route, Sandbox};

use crate::support::{didit_at, run, timeout_error, wait_for_requests};

#[test]
fn wait_ends_with_a_final_status() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_status("s-1", "initialized");
    let mut waiting = didit_at(&sandbox, "wait s-1 --poll 20ms");
    let waiting = waiting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    for status in ["retrieved", "in review", "confirmed"] {
        let seen = sandbox.requests_to(Route::Decision).len();
        wait_for_requests(&sandbox, Route::Decision, seen + 2);
        sandbox.set_status("s-1", status);
    }
    let output = waiting.wait_with_output().unwrap();
    assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.lines().count(), 1);
    assert!(
        printed.contains(r#""status":"Confirmed""#) && printed.contains("John Doe"),
        "{printed}"
    );
    assert_eq!(sandbox.tokens_issued(), 1);
}

#[test]
fn timeout_prints_no_decision() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_status("s-1", "initialized");
    let (line, _) =
        timeout_error(&sandbox, Route::Decision, || didit_at(&sandbox, "wait s-1 --poll 20ms"));
    assert!(line.contains("still Initialized when the time ran out"), "{line}");
    sandbox.always(Route::Decision, Fault::Hang);
    run(&mut didit_at(&sandbox, "wait s-1 --timeout 300ms")).error(8);
}

#[test]
fn refusal_that_outlasts_the_wait_ends_it_at_once() {
    let (sandbox, started) = (Sandbox::start().unwrap(), Instant::now());
    sandbox.set_status("s-1", "initialized");
    let refused = Fault::answer(429).header("Retry-After", "3600");
    sandbox.script(Route::Decision, [Fault::answer(503), refused]);
    run(&mut didit_at(&sandbox, "wait s-1 --poll 20ms")).error(5);
    assert!(started.elapsed() < Duration::from_secs(60), "the wait would last ten minutes");
}

#[test]
fn permanent_failure_ends_the_wait() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.missing("s-1");
    run(&mut didit_at(&sandbox, "wait s-1")).error(4);
    run(&mut didit_at(&sandbox, "wait a/b")).error(2);
    sandbox.script(Route::Decision, [Fault::answer(500), Fault::answer(503)]);
    run(&mut didit_at(&sandbox, "wait s-2")).results();
}
