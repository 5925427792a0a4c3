//! Retries that are interrupted, and what is run before they are resumed.

use std::thread;
use std::time::Duration;

use didit_sandbox::{Fault, Route, Sandbox};

use crate::support::{Place, requested_ids, run, start};

const RETRY: &str = "--retry-failures out.failures --output out --concurrency 1";

/// Runs a retry until it waits for a response, and kills it. `faults` are those before.
fn interrupt_retry(place: &Place, sandbox: &Sandbox, faults: &[Fault]) {
    let before = requested_ids(sandbox).len();
    sandbox.script(Route::Decision, faults.iter().cloned().chain([Fault::Hang]));
    let mut child = start(&mut place.export_with(sandbox, RETRY));
    while requested_ids(sandbox).len() < before + faults.len() + 1 {
        assert_eq!(child.try_wait().unwrap(), None, "the retry waits for a response");
        thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(place.has("out.retry"));
}

/// Exports these ids, which fail.
fn fail(place: &Place, sandbox: &Sandbox, ids: &str, arguments: &str) {
    place.write("ids", ids);
    sandbox.script(Route::Decision, vec![Fault::answer(404); ids.lines().count()]);
    run(&mut place.export(sandbox, arguments)).ends(4, "0 exported and ");
}

#[test]
fn restart_removes_the_list() {
    let sandbox = Sandbox::start().unwrap();
    for arguments in ["--restart", "--restart --format csv", "--restart --failures f"] {
        let place = Place::new("");
        fail(&place, &sandbox, "a\nb\n", "");
        interrupt_retry(&place, &sandbox, &[]);
        fail(&place, &sandbox, "c\n", arguments);
        assert!(!place.has("out.retry"), "{arguments}");
        if arguments == "--restart" {
            run(&mut place.export_with(&sandbox, RETRY)).ends(0, "1 exported and 0 failed in");
            assert_eq!(place.settled().into_keys().collect::<Vec<_>>(), ["c"]);
        }
    }
}

#[test]
fn restart_keeps_a_foreign_list() {
    let (sandbox, place) = (Sandbox::start().unwrap(), Place::new(""));
    fail(&place, &sandbox, "a\nb\n", "");
    interrupt_retry(&place, &sandbox, &[]);
    place.write("out.retry", "my notes\n");
    fail(&place, &sandbox, "c\n", "--restart");
    assert_eq!(place.read("out.retry"), "my notes\n");
    run(&mut place.export_with(&sandbox, RETRY)).ends(2, "this export did not write it");
    place.is_complete(1);
}

/// As long as only the list shows them, its sessions are not given up for other arguments.
#[test]
fn list_is_kept_unless_the_export_is_restarted() {
    let (sandbox, place) = (Sandbox::start().unwrap(), Place::new(""));
    fail(&place, &sandbox, "a\nb\n", "");
    interrupt_retry(&place, &sandbox, &[]);
    assert_eq!((place.read("out"), place.read("out.failures")), (String::new(), String::new()));
    place.write("others", "c\n");
    run(&mut place.export_with(&sandbox, "--input others --output out"))
        .ends(2, "the export to out was started with --input ");
    run(&mut place.export_with(&sandbox, &format!("{RETRY} --format csv")))
        .ends(2, "the export to out was started ");
    run(&mut place.export_with(&sandbox, RETRY)).ends(0, "2 exported and 0 failed in");
    place.is_complete(2);
}

#[test]
fn resumed_retry_includes_later_failures() {
    let (sandbox, place) = (Sandbox::start().unwrap(), Place::new(""));
    fail(&place, &sandbox, "a\nb\nc\nd\n", "--concurrency 1");
    interrupt_retry(&place, &sandbox, &[Fault::Pass, Fault::answer(404)]);
    assert_eq!(place.settled().into_keys().collect::<Vec<_>>(), ["a", "b"]);
    fail(&place, &sandbox, "e\nf\n", "--concurrency 1");
    let before = requested_ids(&sandbox).len();
    // Of c, d, b, e and f, the first two are retried before the next kill.
    interrupt_retry(&place, &sandbox, &[Fault::answer(404), Fault::Pass]);
    assert_eq!(place.settled().into_keys().collect::<Vec<_>>(), ["a", "c", "d"]);
    run(&mut place.export_with(&sandbox, RETRY)).ends(4, "3 exported and 0 failed in");
    let requested = requested_ids(&sandbox)[before..].join("");
    assert_eq!(requested, "cdbbef", "only the request in flight is repeated");
    place.is_complete(6);
    assert!(!place.has("out.retry"));
    run(&mut place.export_with(&sandbox, RETRY)).ends(0, "1 exported and 0 failed in");
    place.is_complete(6);
    assert!(!place.has("out.retry") && !place.has("out.failures"));
}

/// The state after a kill between the replacement of the list and the removal of the failures.
#[test]
fn failures_that_are_in_the_list_too_stay_failures() {
    let (sandbox, place) = (Sandbox::start().unwrap(), Place::new(""));
    fail(&place, &sandbox, "a\nb\n", "--concurrency 1");
    interrupt_retry(&place, &sandbox, &[]);
    fail(&place, &sandbox, "c\n", "");
    let failures = place.read("out.failures");
    interrupt_retry(&place, &sandbox, &[]);
    assert_eq!(place.read("out.failures"), "");
    place.write("out.failures", &failures);
    run(&mut place.export_with(&sandbox, RETRY)).ends(4, "2 exported and 0 failed in");
    place.is_complete(3);
    run(&mut place.export_with(&sandbox, RETRY)).ends(0, "1 exported and 0 failed in");
    place.is_complete(3);
}
