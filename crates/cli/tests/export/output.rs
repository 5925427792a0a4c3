use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;
use std::time::Duration;

use didit_sandbox::{Fault, Quota, Route, Sandbox};

use crate::support::{Place, requested_id, requested_ids, run, signal, start, wait};

#[test]
fn output_has_one_complete_decision_per_line() {
    let (sandbox, place) = (Sandbox::start().unwrap(), Place::new("a\nb\n"));
    sandbox.decision(
        "b",
        "{ \"session_id\": \"b\",\r\n \"status\": \"In  Review\", \"new\": [1.50, 123456789012345678901234567890] }",
    );
    run(&mut place.export(&sandbox, "")).ends(0, "2 exported and 0 failed");
    let output = place.read("out");
    let mut lines: Vec<_> = output.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with(r#"{"session_id":"a","session_number":12345,"#), "{output}");
    assert_eq!(
        lines[1],
        r#"{"session_id":"b","status":"In  Review","new":[1.50,123456789012345678901234567890]}"#
    );
    assert!(!place.has("out.failures"));
}

#[test]
fn csv_has_a_header_and_flat_columns() {
    let (sandbox, place) = (Sandbox::start().unwrap(), Place::new("a\nb\n"));
    sandbox.decision("b", r#"{"session_id":"b","status":"x","vendor_data":"1,\"2\"\n3"}"#);
    let mut export = place.export(&sandbox, "--format csv --concurrency 1");
    run(&mut export).ends(0, "");
    let header = "session_id,session_number,status,vendor_data,scope,created_at,sub,email,\
        email_is_verified,phone_number,phone_is_verified,picture,first_name,family_name,full_name,\
        user_data\n";
    let output = place.read("out");
    let records = output.strip_prefix(header).expect("the header");
    let (a, b) = records.split_once('\n').unwrap();
    assert!(a.starts_with("a,12345,Confirmed,optional-vendor-data,"), "{a}");
    assert!(a.contains(",John,Doe,John Doe,\"{\"\"sub\"\":\"\"user-unique-identifier\"\","), "{a}");
    assert_eq!(b, format!("b,,x,\"1,\"\"2\"\"\n3\"{}\n", ",".repeat(12)));

    let before = requested_ids(&sandbox).len();
    run(&mut export).ends(0, "2 exported and 0 failed before");
    let line_end_in_a_field = output.find("\"\"\n").unwrap() + 3;
    for torn in [output.len() - 20, line_end_in_a_field] {
        place.write("out", &output[..torn]);
        run(&mut export).ends(0, "1 exported and 0 failed in");
        assert_eq!(place.read("out"), output);
    }
    assert_eq!(requested_ids(&sandbox).len(), before + 2);

    let none = Place::new("");
    run(&mut none.export(&sandbox, "--format csv"))
        .ends(0, "ids has no session ids: give one per line");
    assert_eq!(none.read("out"), header);
}

#[test]
fn all_files_have_mode_0600() {
    let (sandbox, place) = (Sandbox::start().unwrap(), Place::new("a\ngone\n"));
    sandbox.missing("gone");
    place.write("out", "");
    fs::set_permissions(place.path("out"), fs::Permissions::from_mode(0o644)).unwrap();
    run(&mut place.export(&sandbox, "")).ends(4, "");
    for name in ["out", "out.failures", "out.state"] {
        let mode = fs::metadata(place.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(fs::read_dir(place.path(".")).unwrap().count(), 4, "nothing else is left");
}

#[test]
fn refused_export_keeps_the_mode_of_its_files() {
    let (sandbox, place) = (Sandbox::start().unwrap(), Place::new("a\n"));
    place.write("out", "");
    fs::set_permissions(place.path("out"), fs::Permissions::from_mode(0o644)).unwrap();
    place.write("notes", "mine\n");
    run(&mut place.export(&sandbox, "--failures notes")).ends(2, "notes is not a failures file");
    assert_eq!(fs::metadata(place.path("out")).unwrap().permissions().mode() & 0o777, 0o644);
}

#[test]
fn rate_limit_is_respected_without_refusals() {
    let quota = Quota { limit: 40, window: Duration::from_secs(60) };
    let sandbox = Sandbox::builder().quota(quota).start().unwrap();
    let place = Place::with_ids(40);
    run(&mut place.export(&sandbox, "")).ends(0, "40 exported");
    assert!(sandbox.requests().iter().all(|request| request.status == Some(200)));
}

#[test]
fn hanging_request_does_not_delay_other_sessions() {
    let sandbox = Sandbox::start().unwrap();
    // The second request hangs until the end of the test, and so does each of its retries.
    let answered = std::iter::repeat_n(Fault::Pass, 48);
    sandbox.script(Route::Decision, [Fault::Pass, Fault::Hang].into_iter().chain(answered));
    sandbox.always(Route::Decision, Fault::Hang);
    let place = Place::with_ids(50);
    let mut export = start(&mut place.export(&sandbox, "--concurrency 3"));
    while !place.has("out") || place.read("out").lines().count() < 49 {
        assert_eq!(export.try_wait().unwrap(), None, "{}", place.read("out"));
        thread::sleep(Duration::from_millis(1));
    }
    signal(&export, "-INT");
    wait(export).ends(130, "49 exported and 0 failed");
    let requests = sandbox.requests_to(Route::Decision);
    let mut hanging: Vec<_> =
        requests.iter().filter(|request| request.status.is_none()).map(requested_id).collect();
    hanging.dedup();
    let [slow] = &*hanging else { panic!("{hanging:?}") };
    assert!(!place.settled().contains_key(slow), "{slow}");
}

#[test]
fn progress_outside_a_terminal_is_a_plain_line() {
    let (sandbox, place) = (Sandbox::start().unwrap(), Place::with_ids(20));
    let ran = run(&mut place.export(&sandbox, "")).ends(0, "didit: 20 exported and 0 failed in ");
    assert!(!ran.stderr.contains(['\r', '\x1b']) && !ran.stderr.contains("John"), "{ran:?}");
    assert_eq!(ran.stderr.lines().count(), 1);
}

#[test]
fn formulas_are_guarded_unless_csv_raw_is_given() {
    let (sandbox, place) = (Sandbox::start().unwrap(), Place::new("-a\n"));
    let body = r#"{"session_id":"-a","status":"x","vendor_data":"=1+1","user_data":{"sub":"@b"}}"#;
    sandbox.decision("-a", body);
    for (output, raw) in [("guarded.csv", false), ("raw.CSV", true)] {
        let flag = if raw { " --csv-raw" } else { "" };
        let export = format!("--input ids --output {output}{flag}");
        run(&mut place.export_with(&sandbox, &export)).ends(0, "1 exported");
        run(&mut place.export_with(&sandbox, &export)).ends(0, "1 exported and 0 failed before");
        let record = place.read(output);
        let record = record.lines().nth(1).unwrap();
        let expected = if raw { "-a,,x,=1+1,,,@b," } else { "'-a,,x,'=1+1,,,'@b," };
        assert!(record.starts_with(expected), "{record}");
        let (other, words) = if raw { ("", "with") } else { (" --csv-raw", "without") };
        let export = format!("--input ids --output {output}{other}");
        run(&mut place.export_with(&sandbox, &export))
            .ends(2, &format!("was started {words} --csv-raw"));
    }
    run(&mut place.export(&sandbox, "--csv-raw")).ends(2, "--csv-raw requires --format csv");
    assert_eq!(requested_ids(&sandbox).len(), 2);
}

#[test]
fn format_defaults_to_the_file_extension() {
    let (sandbox, place) = (Sandbox::start().unwrap(), Place::new("a\n"));
    for (arguments, output, start) in [
        ("", "a.csv", "session_id,"),
        ("", ".csv", "session_id,"),
        ("", "a.jsonl", "{"),
        ("", "csv", "{"),
        ("--format jsonl", "b.csv", "{"),
        ("--format csv", "b.jsonl", "session_id,"),
    ] {
        let export = format!("--input ids --output {output} {arguments}");
        run(&mut place.export_with(&sandbox, &export)).ends(0, "");
        assert!(place.read(output).starts_with(start), "{output} {arguments}");
    }
}

#[test]
fn decisions_go_to_stdout_and_failures_to_stderr() {
    let (sandbox, place) = (Sandbox::start().unwrap(), Place::new("a\ngone\n"));
    sandbox.missing("gone");
    let mut export = place.export_with(&sandbox, "--input ids --output -");
    let output = export.output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let [stdout, stderr] = [output.stdout, output.stderr].map(|b| String::from_utf8(b).unwrap());
    assert!(stdout.starts_with("{\"session_id\":\"a\",") && stdout.lines().count() == 1);
    assert!(stderr.starts_with("{\"session_id\":\"gone\",\"error\":"), "{stderr}");
    run(&mut place.export(&sandbox, "--failures -")).ends(2, "--failures takes the name of a file");
    assert_eq!(fs::read_dir(place.path(".")).unwrap().count(), 1, "nothing is left");

    let mut export =
        place.export_with(&sandbox, "--input ids --output - --failures f --format csv");
    let output = export.output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|b| String::from_utf8(b).unwrap());
    assert!(stdout.starts_with("session_id,") && stdout.lines().count() == 2, "{stdout}");
    assert!(stderr.contains("the failures are in f") && !stderr.contains("gone"), "{stderr}");
    assert!(place.read("f").starts_with("{\"session_id\":\"gone\","));
    run(&mut export).ends(2, "there is no export to resume");
}

#[test]
fn budget_and_window_limit_the_request_rate() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(15);
    let started = std::time::Instant::now();
    run(&mut place.export(&sandbox, "--budget 5 --window 1s")).ends(0, "15 exported");
    assert!(started.elapsed() >= std::time::Duration::from_secs(2), "{:?}", started.elapsed());
    let received: Vec<_> =
        sandbox.requests_to(Route::Decision).iter().map(|r| r.received).collect();
    for window in received.windows(6) {
        let span = window[5].saturating_sub(window[0]);
        assert!(span >= std::time::Duration::from_millis(900), "{received:?}");
    }
}

#[test]
fn quiet_export_prints_only_errors() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(5);
    let ran = run(&mut place.export(&sandbox, "--quiet"));
    assert_eq!((ran.code, &*ran.stderr), (Some(0), ""), "{ran:?}");
    place.is_complete(5);
    place.write("out", "nonsense\n");
    run(&mut place.export(&sandbox, "--quiet")).ends(1, "record 1 of out is damaged");
}
