use std::fs;
use std::net::TcpListener;

use didit_sandbox::{Fault, Route, Sandbox};

use crate::support::{Place, limited, requested_ids, run, start, wait_for_requests, with_client};

#[test]
fn failures_are_recorded_and_the_first_sets_the_exit_code() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.missing("gone");
    sandbox.decision("odd", "<html>");
    for (ids, code) in [("a\ngone\nb\nodd\n", 4), ("a\nodd\nb\ngone\nb\n", 7)] {
        let place = Place::new(ids);
        let mut export = place.export(&sandbox, "");
        run(&mut export).ends(code, "2 exported and 2 failed");
        place.is_complete(4);
        let failures = place.read("out.failures");
        let mut lines: Vec<serde_json::Value> =
            failures.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines.sort_by_key(|line| line["session_id"].to_string());
        assert_eq!(lines[0]["session_id"], "gone");
        assert_eq!(lines[0]["status"], 404);
        assert!(lines[0]["error"].as_str().unwrap().contains("the service says \"Not found.\""));
        assert_eq!(lines[1]["status"], 200);
        assert!(lines.iter().all(|line| line.as_object().unwrap().len() == 3));

        let before = requested_ids(&sandbox).len();
        run(&mut export).ends(code, "2 exported and 2 failed before");
        assert_eq!(requested_ids(&sandbox).len(), before, "nothing is requested again");
    }
}

#[test]
fn quiet_export_reports_failures_only() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.missing("gone");
    for (ids, code, words) in [("a\n", 0, ""), ("a\ngone\n", 4, "1 exported and 1 failed in ")] {
        let place = Place::new(ids);
        let stderr = run(&mut place.export(&sandbox, "--quiet")).ends(code, words).stderr;
        assert_eq!(stderr.lines().count(), usize::from(code > 0), "{stderr}");
    }
}

#[test]
fn resumed_export_keeps_the_exit_code() {
    let words = r#"{"message":"could not fetch an access token: invalid_client"}"#;
    let faults = [
        (Fault::answer(400).body(words), 1),
        (Fault::answer(404).body(words), 4),
        (Fault::answer(401).body(words), 3),
        (Fault::answer(500), 6),
        (Fault::answer(200).body(words), 7),
        (Fault::redirect("http://127.0.0.1:1/"), 7),
        (Fault::Hang, 8),
    ];
    for (fault, code) in faults {
        let sandbox = Sandbox::builder().fault(Route::Decision, fault.clone()).start().unwrap();
        let place = Place::new("a\n");
        let mut export = place.export(&sandbox, "--timeout 2s");
        run(&mut export).ends(code, "0 exported and 1 failed");
        let line = place.read("out.failures");
        // The exit code does not depend on the text of the line.
        place.write("out.failures", &line.replace("\"error\":\"", "\"error\":\"HTTP 404 "));
        run(&mut export).ends(code, "1 failed before");
        std::fs::remove_file(place.path("out.state")).unwrap();
        run(&mut export).ends(2, "there is no export to resume");
    }
}

#[test]
fn token_failures_stop_the_export() {
    for (fault, code) in [
        (Fault::answer(400).body(r#"{"error":"invalid_client"}"#), 3),
        (Fault::answer(401), 3),
        (Fault::answer(403), 3),
        (Fault::answer(422), 1),
        (Fault::answer(500), 6),
        (Fault::answer(200).body("{}"), 7),
        (Fault::Reset, 6),
        (Fault::Hang, 8),
    ] {
        let sandbox = Sandbox::builder().fault(Route::Token, fault.clone()).start().unwrap();
        let place = Place::with_ids(40);
        let mut export = with_client(place.export(&sandbox, "--timeout 2s"), &sandbox);
        let ran = run(&mut export).ends(code, "to resume; 0 exported and 0 failed in ");
        assert_eq!(ran.stderr.matches("exported and").count(), 1, "{ran:?}");
        assert!(!place.has("out.failures"), "{fault:?}");
        sandbox.clear(Route::Token);
        run(&mut export).ends(0, "40 exported and 0 failed");
    }
}

/// If descriptors run out during the token request, no session fails, not even one that waits for
/// it.
#[test]
fn descriptor_shortage_stops_the_export() {
    let sandbox = Sandbox::start().unwrap();
    for descriptors in 5..12 {
        let place = Place::with_ids(40);
        let mut export = with_client(place.export(&sandbox, ""), &sandbox);
        let ran = run(&mut limited(&export, &format!("-n {descriptors}")));
        assert!(matches!(ran.code, Some(0 | 1)), "{descriptors}: {ran:?}");
        assert!(!place.has("out.failures"), "{descriptors}: {ran:?}");
        // The limited run may have exported some of them.
        run(&mut export).ends(0, " and 0 failed");
        place.is_complete(40);
    }
}

#[test]
fn failure_without_a_response_has_null_status() {
    let (sandbox, place) = (Sandbox::start().unwrap(), Place::new("a\nb\n"));
    let closed_port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut export = place.export(&sandbox, "");
    run(export.env("DIDIT_BASE_URL", format!("http://{closed_port}")))
        .ends(6, "0 exported and 2 failed");
    place.is_complete(2);
    assert_eq!(place.read("out.failures").matches(r#""status":null"#).count(), 2);
    run(&mut place.export(&sandbox, "")).ends(6, "0 exported and 2 failed before");
}

#[test]
fn refused_client_stops_the_export() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(500);
    let mut export = with_client(place.export(&sandbox, ""), &sandbox);
    run(export.env("DIDIT_CLIENT_SECRET", "wrong")).ends(3, "could not fetch an access token");
    place.is_complete(0);
    assert!(!place.has("out.failures"));
    // A worker that starts late fetches a token itself.
    assert!((1..=16).contains(&sandbox.requests_to(Route::Token).len()));
    assert_eq!(requested_ids(&sandbox).len(), 0);

    run(export.env("DIDIT_CLIENT_SECRET", sandbox.client_secret())).ends(0, "500 exported");
    place.is_complete(500);
}

#[test]
fn unauthorized_session_fails_alone() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::new("a\nb\nc\n");
    sandbox.script(Route::Decision, [Fault::Pass, Fault::answer(401)]);
    run(&mut place.export(&sandbox, "--concurrency 1")).ends(3, "2 exported and 1 failed");
    place.is_complete(3);
}

#[test]
fn thousand_consecutive_failures_stop_the_export() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.always(Route::Decision, Fault::answer(403));
    let place = Place::with_ids(1500);
    let mut export = place.export(&sandbox, "");
    run(&mut export).ends(3, "403 Forbidden");
    let settled = place.settled().len();
    assert!((1000..1100).contains(&settled), "{settled}");
    sandbox.clear(Route::Decision);
    run(&mut export).ends(3, " failed before");
    place.is_complete(1500);
}

#[test]
fn failures_are_retried_into_another_output() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(20);
    sandbox.script(Route::Decision, vec![Fault::answer(410); 5]);
    run(&mut place.export(&sandbox, "--failures bad")).ends(1, "15 exported and 5 failed");
    assert!(!place.has("out.failures"));
    run(&mut place.export_with(&sandbox, "--retry-failures bad --output bad"))
        .ends(2, "is both read and written");
    run(&mut place.export_with(&sandbox, "--retry-failures bad --output more"))
        .ends(0, "5 exported and 0 failed");
    let all = place.read("out") + &place.read("more");
    assert_eq!(all.lines().count(), 20);
    run(&mut place.export_with(&sandbox, "--retry-failures bad --output more"))
        .ends(0, "5 exported and 0 failed before");
    run(&mut place.export_with(&sandbox, "--input ids --output other.csv")).ends(0, "20 exported");
    let other = place.read("other.csv");
    run(&mut place.export_with(&sandbox, "--retry-failures bad --output other.csv")).ends(
        2,
        "bad does not hold the failures of other.csv; give other.csv.failures, or another --output\n",
    );
    run(&mut place.export_with(&sandbox, "--retry-failures bad --output other.csv --restart"))
        .ends(2, "--retry-failures and --restart cannot be used together");
    assert_eq!(place.read("other.csv"), other);
    run(&mut place.export_with(&sandbox, "--retry-failures ids --output x"))
        .ends(2, "line 1 of ids: it is not a line of a failures file");
}

#[test]
fn retry_merges_into_the_same_output() {
    let sandbox = Sandbox::start().unwrap();
    for csv in ["", "--format csv"] {
        let place = Place::with_ids(20);
        let mut retry = place.export_with(
            &sandbox,
            &format!("--retry-failures out.failures --output out --concurrency 1 {csv}"),
        );
        run(&mut retry).ends(2, "there is no export to out whose failures could be retried");
        sandbox.script(Route::Decision, vec![Fault::answer(410); 5]);
        let hint = format!(
            "; retry them with didit export --retry-failures out.failures --output out {csv}"
        );
        run(&mut place.export(&sandbox, csv))
            .ends(1, "15 exported and 5 failed")
            .ends(1, hint.trim_end());
        sandbox.script(Route::Decision, [Fault::Pass, Fault::answer(404), Fault::Pass]);
        run(&mut retry).ends(4, "4 exported and 1 failed in");
        assert_eq!(place.read("out.failures").lines().count(), 1);
        run(&mut place.export(&sandbox, csv)).ends(4, "19 exported and 1 failed before");
        run(&mut retry).ends(0, "1 exported and 0 failed in");
        assert!(!place.has("out.failures") && !place.has("out.retry"));
        run(&mut place.export(&sandbox, csv)).ends(0, "20 exported and 0 failed before");
        let nothing = run(&mut retry).ends(0, "0 exported and 0 failed in");
        assert!(nothing.stderr.ends_with("; there are no failures to retry\n"), "{nothing:?}");
        assert_eq!(place.read("out").lines().count(), if csv.is_empty() { 20 } else { 21 });
    }
}

#[test]
fn killed_retry_resumes_without_repeating_requests() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(12);
    sandbox.script(Route::Decision, vec![Fault::answer(410); 12]);
    run(&mut place.export(&sandbox, "")).ends(1, "0 exported and 12 failed");
    let mut retry =
        place.export_with(&sandbox, "--retry-failures out.failures --output out --concurrency 1");
    let mut faults = vec![Fault::Pass, Fault::answer(404), Fault::Pass];
    faults.push(Fault::Hang);
    sandbox.script(Route::Decision, faults);
    let mut child = start(&mut retry);
    wait_for_requests(&sandbox, Route::Decision, 16);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(place.settled().len(), 3);
    run(&mut retry).ends(4, "9 exported and 0 failed in");
    place.is_complete(12);
    // Only the request in flight when it was killed was repeated.
    assert_eq!(requested_ids(&sandbox).len(), 12 + 4 + 9);
    assert_eq!(place.read("out.failures").lines().count(), 1);
}

#[test]
fn failures_contain_no_secrets_or_personal_data() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.script(
        Route::Decision,
        [
            Fault::answer(200).body(r#"{"session_id":"a","status":1,"user_data":{"x":"canary"}}"#),
            Fault::answer(400).body(format!(r#"{{"message":"no: {}"}}"#, sandbox.api_key())),
        ],
    );
    let place = Place::new("a\nb\n");
    run(&mut place.export(&sandbox, "--concurrency 1 -vv")).ends(7, "");
    let failures = place.read("out.failures");
    assert!(!failures.contains("canary") && !failures.contains(sandbox.api_key()), "{failures}");
}

#[test]
fn list_of_a_retry_is_never_another_file() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.always(Route::Decision, Fault::answer(410));
    let place = Place::with_ids(3);
    run(&mut place.export(&sandbox, "--failures out.retry"))
        .ends(2, "out.retry is where a retry keeps its list; choose another --failures");
    assert!(!place.has("out") && !place.has("out.state"));
    run(&mut place.export(&sandbox, "")).ends(1, "0 exported and 3 failed");
    let failures = place.read("out.failures");
    run(&mut place.export_with(&sandbox, "--input ids --output other --failures out.retry"))
        .ends(1, "0 exported and 3 failed");
    let others = place.read("out.retry");
    let requests = requested_ids(&sandbox).len();
    let mut retry =
        place.export_with(&sandbox, "--retry-failures out.failures --output out --concurrency 1");
    for foreign in [&*others, "", "\n", "# notes\n", "{\"session_id\":\"s-0000\",\"note\":1}\n"] {
        place.write("out.retry", foreign);
        run(&mut retry).ends(2, "but this export did not write it; move it away");
        assert_eq!(
            (place.read("out.retry"), place.read("out.failures")),
            (foreign.into(), failures.clone())
        );
    }
    assert_eq!(requested_ids(&sandbox).len(), requests);
    fs::remove_file(place.path("out.retry")).unwrap();

    // A retry that is killed before any result goes on with its list.
    sandbox.always(Route::Decision, Fault::Hang);
    let mut child = start(&mut retry);
    wait_for_requests(&sandbox, Route::Decision, requests + 1);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((place.read("out"), place.read("out.failures")), (String::new(), String::new()));
    sandbox.clear(Route::Decision);
    run(&mut retry).ends(0, "3 exported and 0 failed");
    assert!(!place.has("out.retry"));
}
