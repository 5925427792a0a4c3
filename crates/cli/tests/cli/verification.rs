use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use didit_sandbox::{Fault, Route, Sandbox};

use crate::support::{Ran, didit, run, signal, timeout_error, wait_for_requests};

const WORKFLOW: &str = "9f9b1234-aaaa-bbbb-cccc-1234567890ab";
const SESSION: &str = "11111111-2222-3333-4444-555555555555";

fn didit_at(sandbox: &Sandbox, arguments: &str) -> Command {
    let mut command = didit(&format!("verification {arguments}"));
    command.env("DIDIT_BASE_URL", sandbox.url()).env("DIDIT_API_KEY", sandbox.api_key());
    command
}

/// Creates a session, and returns its id.
fn created(sandbox: &Sandbox) -> String {
    let arguments = format!("create --workflow {WORKFLOW} --vendor-data user-7");
    let ran = run(&mut didit_at(sandbox, &arguments));
    let session: serde_json::Value = serde_json::from_str(ran.results()).unwrap();
    assert_eq!(
        (&session["status"], &session["vendor_data"]),
        (&"Not Started".into(), &"user-7".into())
    );
    session["session_id"].as_str().unwrap().to_owned()
}

#[test]
fn session_is_awaited_updated_listed_and_deleted() {
    let sandbox = Sandbox::start().unwrap();
    let id = created(&sandbox);
    let waiting = || didit_at(&sandbox, &format!("wait {id} --poll 20ms"));
    let (line, time) = timeout_error(&sandbox, Route::VerificationDecision, waiting);
    let words = format!("still Not Started when the time ran out, after {time}");
    assert!(line.contains(&words), "{line}");

    sandbox.verification().set_status(&id, "In Review");
    let waited = run(&mut didit_at(&sandbox, &format!("wait {id} --poll 20ms")));
    assert!(waited.results().contains("\"status\":\"In Review\""), "{waited:?}");
    let in_review = run(&mut didit_at(&sandbox, &format!("wait {id} --exit-status")));
    assert_eq!(in_review.code, Some(1), "{in_review:?}");

    let updated = run(&mut didit_at(&sandbox, &format!("update-status {id} approved")));
    assert_eq!(updated.results(), "");
    run(&mut didit_at(&sandbox, &format!("wait {id} --exit-status"))).results();
    let table = run(&mut didit_at(&sandbox, &format!("decision {id} --format table")));
    assert!(table.results().contains("Status  ") && table.stdout.contains("Approved"), "{table:?}");
    assert!(table.stdout.contains("  user (KYC)\n"), "{table:?}");
    let listed = run(&mut didit_at(&sandbox, "list --status approved --vendor-data user-7"));
    assert!(listed.results().contains(&id) && listed.stdout.lines().count() == 1, "{listed:?}");
    let none = run(&mut didit_at(&sandbox, "list --status declined"));
    let words = "didit: no verification session matches; remove some conditions\n";
    assert_eq!((none.code, &*none.stdout, &*none.stderr), (Some(0), "", words));
    assert_eq!(run(&mut didit_at(&sandbox, "list --status declined --quiet")).results(), "");

    run(&mut didit_at(&sandbox, &format!("delete {id}"))).error(2);
    run(&mut didit_at(&sandbox, &format!("delete {id} --yes"))).results();
    run(&mut didit_at(&sandbox, &format!("decision {id}"))).error(4);
    let none = run(&mut didit_at(&sandbox, "list --json"));
    assert!(none.stdout.is_empty() && none.stderr.contains("there are no verification sessions"));
}

/// The service's pages of both kinds leave businesses out, so each kind is listed on its own.
#[test]
fn all_kinds_are_listed_one_after_the_other() {
    let sandbox = Sandbox::start().unwrap();
    let id = created(&sandbox);
    let listed = run(&mut didit_at(&sandbox, "list --kind all --json"));
    assert!(listed.results().contains(&id) && listed.stdout.lines().count() == 1, "{listed:?}");
    let requests = sandbox.requests_to(Route::ListVerifications);
    let targets: Vec<_> = requests.iter().map(|request| &*request.path).collect();
    assert!(targets[0].contains("session_kind=user"), "{targets:?}");
    assert!(targets[1].contains("session_kind=business") && targets.len() == 2, "{targets:?}");
}

#[test]
fn requests_that_the_service_refuses_are_not_sent() {
    let sandbox = Sandbox::start().unwrap();
    let create = format!("create --workflow {WORKFLOW}");
    for (arguments, problem) in [
        (
            "--with expected_details={\"address\":\"a\"}",
            "expected_details.address requires country",
        ),
        ("--callback example.com", "didit: --callback is not a URL with a scheme"),
        ("--metadata {", "--metadata: \"{\" is not JSON: "),
        ("--with workflow_id=a", "--with workflow_id: use --workflow instead"),
        ("--vendor-data a --with vendor_data=b", "use --vendor-data instead"),
        ("--with a=1 --with a=2", "--with a is given twice"),
    ] {
        let ran = run(&mut didit_at(&sandbox, &format!("{create} {arguments}")));
        assert!(ran.error(2).contains(problem), "{ran:?}");
    }
    assert!(sandbox.requests().is_empty());
}

#[test]
fn pdf_is_written_only_if_complete() {
    let sandbox = Sandbox::start().unwrap();
    let id = created(&sandbox);
    sandbox.verification().set_status(&id, "Approved");
    let folder = tempfile::tempdir().unwrap();
    let mut pdf = didit_at(&sandbox, &format!("pdf {id} --output report.pdf"));
    pdf.current_dir(folder.path());
    sandbox.script(Route::VerificationPdf, [Fault::answer(404)]);
    run(&mut pdf).error(4);
    let part = Fault::answer(206).header("Content-Type", "application/pdf").body("%PDF-1.7");
    sandbox.script(Route::VerificationPdf, [part]);
    run(&mut pdf).error(7);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(run(&mut pdf).results(), "");
    assert!(fs::read(folder.path().join("report.pdf")).unwrap().starts_with(b"%PDF-"));
    assert!(run(&mut pdf).error(2).contains("report.pdf exists"));
    run(pdf.arg("--force")).results();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn pdf_that_cannot_be_written_any_more_exits_with_1() {
    let sandbox = Sandbox::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    sandbox.always(Route::VerificationPdf, Fault::Delay(Duration::from_secs(1)));
    for is_taken in [true, false] {
        let place = folder.path().join("reports");
        fs::create_dir(&place).unwrap();
        let output = place.join("report.pdf");
        let id = created(&sandbox);
        sandbox.verification().set_status(&id, "Approved");
        let mut pdf = didit_at(&sandbox, &format!("pdf {id} --output {}", output.display()));
        let before = sandbox.requests_to(Route::VerificationPdf).len();
        let child = pdf.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for_requests(&sandbox, Route::VerificationPdf, before + 1);
        if is_taken {
            fs::write(&output, "precious").unwrap();
        } else {
            fs::remove_dir(&place).unwrap();
        }
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert!(ran.error(1).contains("report.pdf"), "{ran:?}");
        if is_taken {
            assert_eq!(fs::read_to_string(&output).unwrap(), "precious");
            fs::remove_dir_all(&place).unwrap();
        }
    }
}

#[test]
fn pages_that_only_repeat_sessions_end_the_list() {
    let sandbox = Sandbox::start().unwrap();
    let page = |n| {
        let page =
            format!(r#"{{"next":"/v3/sessions/?offset={n}","results":[{{"session_id":"a"}}]}}"#);
        Fault::answer(200).body(page)
    };
    sandbox.script(Route::ListVerifications, (1..20).map(page));
    let ran = run(&mut didit_at(&sandbox, "list --json --max 2"));
    assert_eq!((ran.code, &*ran.stdout), (Some(7), "{\"session_id\":\"a\"}\n"), "{ran:?}");
    assert!(ran.stderr.contains("not usable: it leads to the same sessions; "), "{ran:?}");
}

/// A session that is created between two pages makes the second repeat one of the first.
#[test]
fn no_session_is_listed_twice() {
    let sandbox = Sandbox::start().unwrap();
    let page = |next: &str, ids: [&str; 2]| {
        let rows = ids.map(|id| format!(r#"{{"session_id": "{id}", "n": 1.0}}"#)).join(", null, ");
        Fault::answer(200).body(format!(r#"{{"next": {next}, "results": [{rows}]}}"#))
    };
    let line = |id| format!("{{\"session_id\":\"{id}\",\"n\":1.0}}\n");
    for (arguments, expected) in [
        ("--json", ["a", "b", "c", "d"].map(line).concat()),
        ("--json --max 3", ["a", "b", "c"].map(line).concat()),
        ("--format table --max 3", "Session  a\n\nSession  b\n\nSession  c\n".to_owned()),
    ] {
        let pages = [
            page(r#""/v3/sessions/?offset=2""#, ["a", "b"]),
            page(r#""/v3/sessions/?offset=4""#, ["b", "c"]),
            page("null", ["a", "d"]),
        ];
        sandbox.script(Route::ListVerifications, pages);
        let ran = run(&mut didit_at(&sandbox, &format!("list {arguments}")));
        assert_eq!(ran.results(), expected);
        sandbox.clear(Route::ListVerifications);
    }
}

#[test]
fn list_that_breaks_off_exits_with_7() {
    let sandbox = Sandbox::start().unwrap();
    let long = format!("/v3/sessions/?cursor={}", "a".repeat(70_000));
    let row = format!(r#"{{"session_id":"{SESSION}"}}"#);
    for (rows, next) in [
        (&*row, "/v3/sessions/?limit=100"),
        ("", "/v3/sessions/?limit=100&offset=100"),
        (&*row, &*long),
    ] {
        let page = format!(r#"{{"count":9,"next":"{next}","previous":null,"results":[{rows}]}}"#);
        sandbox.script(Route::ListVerifications, [Fault::answer(200).body(page)]);
        let ran = run(&mut didit_at(&sandbox, "list"));
        assert_eq!((ran.code, ran.stdout.is_empty()), (Some(7), rows.is_empty()), "{ran:?}");
        assert!(ran.stderr.contains("the next page is not usable: "), "{ran:?}");
    }
}

#[test]
fn decision_without_session_id_fails_its_session() {
    let sandbox = Sandbox::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ids"), SESSION).unwrap();
    let body = r#"{"status":"Approved"}"#;
    sandbox.script(Route::VerificationDecision, [Fault::answer(200).body(body)]);
    let mut export = didit("export --verification --input ids --output out.jsonl");
    export
        .current_dir(folder.path())
        .env("DIDIT_BASE_URL", sandbox.url())
        .env("DIDIT_API_KEY", sandbox.api_key());
    for words in ["0 exported and 1 failed in", "0 exported and 1 failed before"] {
        let ran = run(&mut export);
        assert_eq!(ran.code, Some(7), "{ran:?}");
        assert!(ran.stderr.contains(words), "{ran:?}");
    }
    let failures = fs::read_to_string(folder.path().join("out.jsonl.failures")).unwrap();
    assert!(failures.contains("the response has no session_id"), "{failures}");
    assert_eq!(sandbox.requests_to(Route::VerificationDecision).len(), 1);
}

#[test]
fn stalled_pdf_ends_by_timeout_or_signal() {
    let sandbox = Sandbox::start().unwrap();
    let id = created(&sandbox);
    let folder = tempfile::tempdir().unwrap();
    sandbox.always(Route::VerificationPdf, Fault::Hang);
    let pdf = |more: &str| {
        let mut pdf = didit_at(&sandbox, &format!("pdf {id} --output report.pdf {more}"));
        pdf.current_dir(folder.path());
        pdf
    };
    let ran = run(&mut pdf("--timeout 300ms"));
    assert!(ran.error(8).contains("no complete response arrived in time"), "{ran:?}");
    let mut child = pdf("").spawn().unwrap();
    wait_for_requests(&sandbox, Route::VerificationPdf, 2);
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn pdf_replaces_only_a_regular_file() {
    let sandbox = Sandbox::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("report.pdf"), "precious").unwrap();
    std::os::unix::fs::symlink("report.pdf", folder.path().join("link")).unwrap();
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for (name, why) in [
        (".", "is a folder"),
        ("link", "is a symbolic link"),
        ("socket", "is not a regular file"),
        ("no/report.pdf", "the folder no does not exist"),
        ("report.pdf/x", "not a directory"),
    ] {
        let mut pdf = didit_at(&sandbox, &format!("pdf {SESSION} --output {name} --force"));
        let refused = run(pdf.current_dir(folder.path()));
        assert!(refused.error(2).contains(why), "{name}: {refused:?}");
    }
    assert!(sandbox.requests().is_empty(), "nothing is sent");
    assert_eq!(fs::read_to_string(folder.path().join("report.pdf")).unwrap(), "precious");
    assert!(!fs::symlink_metadata(&socket).unwrap().is_file());
}

#[test]
fn verification_decisions_are_exported_and_resumed() {
    let sandbox = Sandbox::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ids: Vec<_> = (0..20).map(|n| format!("{SESSION:.34}{n:02}")).collect();
    fs::write(folder.path().join("ids"), ids.join("\n").to_uppercase()).unwrap();
    let mut export = didit("export --verification --input ids --output out.jsonl --concurrency 4");
    export
        .current_dir(folder.path())
        .env("DIDIT_BASE_URL", sandbox.url())
        .env("DIDIT_API_KEY", sandbox.api_key());
    sandbox.script(Route::VerificationDecision, [Fault::answer(404)]);
    let ran = run(&mut export);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    let output = fs::read_to_string(folder.path().join("out.jsonl")).unwrap();
    let failures = fs::read_to_string(folder.path().join("out.jsonl.failures")).unwrap();
    assert_eq!((output.lines().count(), failures.lines().count()), (19, 1));
    let requests = sandbox.requests_to(Route::VerificationDecision).len();
    let again = run(&mut export);
    assert!(again.stderr.contains("19 exported and 1 failed before"), "{again:?}");
    assert_eq!(sandbox.requests_to(Route::VerificationDecision).len(), requests);

    fs::write(folder.path().join("ids"), "not-a-uuid\n").unwrap();
    let refused = run(&mut export);
    assert!(refused.error(2).contains("line 1 of ids: expected a UUID"), "{refused:?}");
}

#[test]
fn verification_uses_the_sandbox_url_and_an_api_key() {
    let sandbox = Sandbox::start().unwrap();
    run(&mut didit_at(&sandbox, &format!("decision {SESSION}"))).results();
    assert_eq!(sandbox.requests_to(Route::VerificationDecision).len(), 1);
    let refused = run(didit_at(&sandbox, "list")
        .env_remove("DIDIT_API_KEY")
        .env("DIDIT_CLIENT_ID", sandbox.client_id())
        .env("DIDIT_CLIENT_SECRET", sandbox.client_secret()));
    assert!(refused.error(2).contains("takes an API key"), "{refused:?}");
    let refused = run(didit_at(&sandbox, "list")
        .env_remove("DIDIT_API_KEY")
        .env("DIDIT_ACCESS_TOKEN", sandbox.api_key()));
    let advice = "not an access token; set DIDIT_API_KEY and unset DIDIT_ACCESS_TOKEN";
    assert!(refused.error(2).contains(advice), "{refused:?}");
    assert_eq!(sandbox.requests().len(), 1);
    run(&mut didit("verification list --sandbox --quiet")).results();
}

/// A second attempt would create, and bill, another session.
#[cfg(target_os = "linux")]
#[test]
fn created_session_that_cannot_be_printed_is_named() {
    let sandbox = Sandbox::start().unwrap();
    let session = format!(
        r#"{{"session_id":"{SESSION}","session_token":"t","url":"https://verify.example/t"}}"#
    );
    for (route, arguments) in [
        (Route::CreateVerification, format!("verification create --workflow {WORKFLOW}")),
        (Route::CreateSession, "session create --scope names".to_owned()),
    ] {
        sandbox.always(route, Fault::answer(201).body(session.as_str()));
        for format in ["json", "table"] {
            let mut create = didit(&format!("{arguments} --format {format}"));
            create.env("DIDIT_BASE_URL", sandbox.url()).env("DIDIT_API_KEY", sandbox.api_key());
            let full = fs::File::create("/dev/full").unwrap();
            let ran = create.stdout(full).stderr(Stdio::piped()).spawn().unwrap();
            let ran = ran.wait_with_output().unwrap();
            let line = String::from_utf8(ran.stderr).unwrap();
            assert_eq!(ran.status.code(), Some(1), "{line}");
            assert!(line.ends_with(&format!("; the session {SESSION} was created\n")), "{line}");
        }
    }
}

#[test]
fn deletion_says_that_the_face_was_not_kept() {
    let sandbox = Sandbox::start().unwrap();
    for (outcome, note) in [
        (r#""retained_with_user""#, ""),
        (
            r#""ineligible_no_vendor_user""#,
            "didit: the face was not kept: ineligible_no_vendor_user\n",
        ),
    ] {
        let body = format!(r#"{{"session_id":"{SESSION}","face_retention_outcome":{outcome}}}"#);
        sandbox.always(Route::DeleteVerification, Fault::answer(200).body(body));
        let delete = format!("delete {SESSION} --yes");
        assert_eq!(run(&mut didit_at(&sandbox, &delete)).results(), "");
        let kept = run(&mut didit_at(&sandbox, &format!("{delete} --retain-face")));
        assert_eq!((kept.code, &*kept.stderr, &*kept.stdout), (Some(0), note, ""));
    }
}

#[test]
fn success_with_words_in_place_of_the_result_is_an_error() {
    let sandbox = Sandbox::start().unwrap();
    let refusal = || Fault::answer(200).body(r#"{"detail":"Deletion is disabled"}"#);
    sandbox.always(Route::DeleteVerification, refusal());
    sandbox.always(Route::UpdateVerificationStatus, refusal());
    let error = || Fault::answer(200).body(r#"{"error":"is disabled","status":"Approved"}"#);
    sandbox.always(Route::VerificationDecision, error());
    let empty = Fault::answer(200).body(r#"{"error":"is disabled","results":[]}"#);
    sandbox.always(Route::ListVerifications, empty);
    for arguments in [
        format!("delete {SESSION} --yes"),
        format!("update-status {SESSION} approved"),
        format!("decision {SESSION}"),
        format!("wait {SESSION} --exit-status"),
        "list".to_owned(),
    ] {
        let ran = run(&mut didit_at(&sandbox, &arguments));
        assert!(ran.error(7).contains("is disabled\""), "{ran:?}");
    }
}
