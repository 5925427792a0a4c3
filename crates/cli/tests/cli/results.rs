use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use didit_sandbox::{Fault, Route, Sandbox};

use crate::support::{didit, didit_at, run, sample, wait_for_requests};

#[test]
fn decision_is_printed_without_loss() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.decision(
        "s-1",
        "{\r\n  \"session_id\": \"s-1\", \"status\": \"In  Review\",\n\
         \"session_number\": 123456789012345678901234567890,\n\
         \"score\": -1.2300e+99, \"sub\\u006ain\": [ null, {} ],\n\
         \"user_data\": { \"sub\": \"u\", \"n\": 98765432109876543210987654321098765432109876543210 }\n}\n",
    );
    let ran = run(&mut didit_at(&sandbox, "decision s-1"));
    assert_eq!(
        ran.results(),
        "{\"session_id\":\"s-1\",\"status\":\"In  Review\",\
         \"session_number\":123456789012345678901234567890,\
         \"score\":-1.2300e+99,\"sub\\u006ain\":[null,{}],\
         \"user_data\":{\"sub\":\"u\",\"n\":98765432109876543210987654321098765432109876543210}}\n"
    );
}

#[test]
fn decisions_keep_order_and_share_one_token() {
    let sandbox = Sandbox::start().unwrap();
    let ran = run(&mut didit_at(&sandbox, "decision c a b a"));
    assert_eq!(ran.results(), ["c", "a", "b", "a"].map(sample).concat());
    assert_eq!(sandbox.tokens_issued(), 1);
}

#[test]
fn few_decisions_are_retrieved_at_once() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.script(Route::Decision, [Fault::Pass]);
    sandbox.always(Route::Decision, Fault::Hang);
    let mut child = didit_at(&sandbox, "decision a b c").stdout(Stdio::null()).spawn().unwrap();
    wait_for_requests(&sandbox, Route::Decision, 3);
    let requests = sandbox.requests_to(Route::Decision);
    child.kill().unwrap();
    child.wait().unwrap();
    let ids: BTreeSet<_> = requests[..3].iter().map(|request| &*request.path).collect();
    assert_eq!(ids.len(), 3, "none is requested again before all are requested: {ids:?}");
}

#[test]
fn hung_decision_does_not_hold_those_behind_it() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.script(Route::Decision, [Fault::Hang]);
    let mut decisions = didit_at(&sandbox, "decision");
    decisions.args((0..60).map(|n| format!("s-{n}"))).stdout(Stdio::null());
    let started = Instant::now();
    let mut child = decisions.spawn().unwrap();
    wait_for_requests(&sandbox, Route::Decision, 60);
    let took = started.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(took < Duration::from_secs(10), "the hung one is given up after ten seconds: {took:?}");
}

#[test]
fn first_of_several_failures_sets_the_exit_code() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.missing("gone");
    sandbox.decision("odd", "<html>");
    for (ids, code) in [("a gone b odd", 4), ("a odd b gone", 7)] {
        let ran = run(&mut didit_at(&sandbox, &format!("decision {ids}")));
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert_eq!(ran.stdout, sample("a") + &sample("b"));
        let lines: Vec<_> = ran.stderr.lines().collect();
        let failed = ids.split(' ').filter(|id| id.len() > 1);
        assert_eq!(lines.len(), 2, "{ran:?}");
        for (line, id) in lines.into_iter().zip(failed) {
            assert!(line.starts_with(&format!("didit: {id}: ")), "{line}");
        }
    }
}

#[test]
fn decisions_are_printed_as_they_arrive() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.script(Route::Decision, [Fault::Pass, Fault::Hang]);
    let mut child = didit_at(&sandbox, "decision a b").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(line, sample("a"));
}

#[test]
fn tables_are_separated_by_blank_lines() {
    let sandbox = Sandbox::start().unwrap();
    let ran = run(&mut didit_at(&sandbox, "decision a b --format table"));
    let tables: Vec<_> = ran.results().split("\n\n").collect();
    assert_eq!(tables.len(), 2, "{ran:?}");
    assert!(tables[1].starts_with("Session      b\nNumber       12345\n"), "{ran:?}");
}

#[test]
fn token_command_prints_only_the_expiry() {
    let sandbox = Sandbox::start().unwrap();
    let ran = run(&mut didit_at(&sandbox, "token"));
    let expiry = ran.results().strip_prefix("{\"expires_at\":\"20").expect("an expiry");
    assert!(
        expiry.ends_with("Z\"}\n") && expiry.len() == "24-08-01T10:30:00Z\"}\n".len(),
        "{ran:?}"
    );
    let table = run(&mut didit_at(&sandbox, "token --format table"));
    assert!(table.results().starts_with("Token: valid until 20"), "{table:?}");

    let vague = Sandbox::builder().token_answer(r#"{"access_token":"{access_token}"}"#);
    let vague = vague.start().unwrap();
    assert_eq!(run(&mut didit_at(&vague, "token")).results(), "{\"expires_at\":null}\n");
}

#[test]
fn help_version_and_completions_go_to_stdout() {
    for arguments in ["--help", "help decision", "--version"] {
        let ran = run(&mut didit(arguments));
        assert!(ran.results().contains("didit"), "{ran:?}");
        assert!(!ran.stdout.contains('\u{1b}'), "{ran:?}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let ran = run(&mut didit(&format!("completions {shell}")));
        assert!(ran.results().contains("decision"), "{shell}");
    }
}
