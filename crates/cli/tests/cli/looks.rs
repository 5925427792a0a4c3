//! Tests output that differs between a terminal and a pipe.

use std::io::Write as _;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use didit_sandbox::{Fault, Route, Sandbox};

use crate::support::{didit, didit_at, run};
#[cfg(target_os = "linux")]
use crate::support::{terminal, wait_for_requests};

/// Returns the output of a line of the shell on a terminal with `columns` columns.
#[cfg(target_os = "linux")]
fn on_a_terminal(sandbox: &Sandbox, columns: u16, line: &str) -> String {
    run(&mut terminal(sandbox, columns, line)).stdout.replace('\r', "")
}

#[cfg(target_os = "linux")]
#[test]
fn secret_is_not_read_from_a_terminal() {
    let sandbox = Sandbox::start().unwrap();
    let shown = on_a_terminal(&sandbox, 80, "didit config set --secret-stdin; echo exit $?");
    let refusal = "--secret-stdin reads a file or a pipe: didit config set --secret-stdin < secret";
    assert!(shown.contains(refusal) && shown.contains("exit 2"), "{shown}");
}

#[cfg(target_os = "linux")]
#[test]
fn sandbox_variables_on_a_terminal_can_be_pasted() {
    use std::io::{BufRead as _, BufReader};
    let sandbox = Sandbox::start().unwrap();
    let mut command = terminal(&sandbox, 80, "didit sandbox");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut shown = Vec::new();
    for line in output.lines().map(Result::unwrap) {
        let last = line.contains("open in a browser");
        shown.push(line);
        if last {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let starts =
        ["export DIDIT_BASE_URL=", "export DIDIT_CLIENT_ID=", "export DIDIT_CLIENT_SECRET="];
    for (line, start) in shown.iter().zip(starts) {
        assert!(line.starts_with(start), "{shown:?}");
    }
    let notes = &shown[starts.len()..];
    assert!(notes.len() == 2 && notes.iter().all(|note| note.starts_with("didit: ")), "{shown:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn table_fits_the_terminal_and_is_colored() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.decision("unique-session-identifier", didit_sandbox::fixtures::DECISION_ALL_SCOPES);
    for columns in [40, 80, 120] {
        let shown = on_a_terminal(
            &sandbox,
            columns,
            "didit decision unique-session-identifier --color never",
        );
        assert!(shown.contains("Date of birth") && !shown.contains('\u{1b}'), "{shown}");
        let widest = shown.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= usize::from(columns), "{columns}: {shown}");
    }
    let shown = on_a_terminal(&sandbox, 80, "didit decision unique-session-identifier");
    assert!(
        shown.contains("\u{1b}[1mStatus\u{1b}[0m") && shown.contains("\u{1b}[32mConfirmed"),
        "{shown}"
    );
}

#[test]
fn pipe_gets_colors_only_if_forced() {
    let forced = run(didit("--sandbox decision a --format table").env("CLICOLOR_FORCE", "1"));
    assert!(forced.results().contains("\u{1b}[32mConfirmed\u{1b}[0m"), "{forced:?}");
    let plain = run(&mut didit("--sandbox decision a --format table"));
    assert!(!plain.results().contains('\u{1b}'), "{plain:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn wait_shows_and_erases_a_live_line() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_status("s-1", "retrieved");
    let shown = thread::scope(|scope| {
        scope.spawn(|| {
            wait_for_requests(&sandbox, Route::Decision, 1);
            thread::sleep(Duration::from_millis(700));
            sandbox.set_status("s-1", "confirmed");
        });
        on_a_terminal(&sandbox, 80, "didit wait s-1 --poll 50ms --timeout 5m")
    });
    assert!(shown.contains(", waiting for 0s, "), "{shown}");
    assert!(shown.contains("etrieved") && shown.contains("4m59s left"), "{shown}");
    let (before, result) = shown.rsplit_once("\u{1b}[K").unwrap();
    assert!(!before.is_empty() && result.contains("Confirmed"), "{shown}");
}

#[cfg(target_os = "linux")]
#[test]
fn lines_are_redrawn_unless_the_terminal_is_dumb() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_status("s-1", "retrieved");
    for line in ["didit wait s-1 --timeout 700ms", "didit export --input /dev/null --output -"] {
        for (term, redrawn) in [(Some("xterm"), true), (None, true), (Some("dumb"), false)] {
            let mut command = terminal(&sandbox, 80, line);
            command.env_remove("TERM").envs(term.map(|term| ("TERM", term)));
            let shown = run(&mut command).stdout;
            assert_eq!(shown.contains("\u{1b}[K"), redrawn, "{line} {term:?}: {shown}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn waiting_for_the_keyboard_is_announced() {
    let sandbox = Sandbox::start().unwrap();
    let typed = |line: &str, text: &str| {
        let mut child = terminal(&sandbox, 80, line)
            .env("DIDIT_WEBHOOK_SECRET", "s")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        crate::support::Ran::from(child.wait_with_output().unwrap()).stdout
    };
    let shown = typed("didit export --input - --output -", "# nothing\n\u{4}");
    assert!(shown.contains("reading session ids, one per line; end with Ctrl-D"), "{shown}");
    assert!(!shown.contains("Checking"), "{shown}");
    let shown = typed("didit webhook verify --body - -H 'X-Signature: a'", "{}\n\u{4}");
    assert!(shown.contains("didit: reading the body; end with Ctrl-D"), "{shown}");
    let shown =
        run(didit("webhook verify --body - -H X-Signature:a").env("DIDIT_WEBHOOK_SECRET", "s"));
    assert!(!shown.stderr.contains("Ctrl-D"), "{shown:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn failures_and_warnings_stand_on_lines_of_their_own() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.missing("gone");
    let export = "echo gone | didit export --input - --output - > /dev/null";
    let shown = run(&mut terminal(&sandbox, 80, export)).stdout;
    let (before, _) = shown.split_once("{\"session_id\":\"gone\"").expect(&shown);
    assert!(before.ends_with("\r\u{1b}[K"), "{shown:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn export_to_a_terminal_prints_no_control_characters() {
    let sandbox = Sandbox::start().unwrap();
    let decision = "{\"session_id\":\"a\",\"status\":\"\u{9b}2J\",\"vendor_data\":\"\\u001b]0;x\\u0007\u{202e}\"}";
    sandbox.decision("a", decision);
    for (format, shown) in [
        ("csv", r"a,,\u{9b}2J,\u{1b}]0;x\u{7}\u{202e},"),
        (
            "jsonl",
            r#"{"session_id":"a","status":"\u009b2J","vendor_data":"\u001b]0;x\u0007\u202e"}"#,
        ),
    ] {
        let export =
            format!("echo a | didit export --input - --output - --format {format} --quiet");
        let printed = on_a_terminal(&sandbox, 80, &export);
        assert!(printed.contains(shown), "{printed:?}");
        assert!(!printed.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']), "{printed:?}");
        let piped = on_a_terminal(&sandbox, 80, &format!("{export} | cat"));
        assert!(piped.contains("\u{9b}2J"), "{piped:?}");
    }
}

#[test]
fn exit_status_option_reflects_the_decision() {
    let sandbox = Sandbox::start().unwrap();
    for (status, code) in [("confirmed", 0), ("declined", 1), ("expired", 1)] {
        sandbox.set_status("s-1", status);
        let ran = run(&mut didit_at(&sandbox, "wait s-1 --exit-status"));
        assert_eq!((ran.code, &*ran.stderr), (Some(code), ""), "{ran:?}");
        assert_eq!(ran.stdout.lines().count(), 1);
        run(&mut didit_at(&sandbox, "wait s-1")).results();
    }
}

#[test]
fn each_v_logs_more_request_details() {
    let sandbox = Sandbox::start().unwrap();
    let log = |verbosity: &str| {
        sandbox.script(Route::Decision, [Fault::answer(503)]);
        run(&mut didit_at(&sandbox, &format!("decision a {verbosity}"))).stderr
    };
    assert_eq!(log(""), "");
    let one = log("-v");
    assert!(one.contains("a: fetched an access token, valid for 1d00h\n"), "{one}");
    assert!(one.contains("a: waiting up to ") && one.contains("attempt 2\n"), "{one}");
    assert!(!one.contains("GET "), "{one}");
    let two = log("-vv");
    let request = format!("GET {}/auth/v2/session/a/decision/ -> ", sandbox.url());
    assert!(two.contains(&format!("{request}503 Service Unavailable (")), "{two}");
    assert!(two.contains(&format!("{request}200 OK (")), "{two}");
    assert!(two.contains(", attempt 2)\n") && two.contains(", request id sandbox-"), "{two}");
    assert!(!two.contains("user-agent"), "{two}");
    let three = log("-vvv");
    assert!(three.contains("> authorization: [redacted]\n"), "{three}");
    assert!(three.contains("< content-type: application/json\n"), "{three}");
}

#[cfg(target_os = "linux")]
#[test]
fn open_starts_a_browser_or_prints_a_note() {
    use std::os::unix::fs::PermissionsExt as _;
    let (sandbox, folder) = (Sandbox::start().unwrap(), tempfile::tempdir().unwrap());
    let opener = folder.path().join("xdg-open");
    let address = folder.path().join("opened");
    let mut file = std::fs::File::create(&opener).unwrap();
    write!(file, "#!/bin/sh\necho \"$1\" > {}\n", address.display()).unwrap();
    file.set_permissions(std::fs::Permissions::from_mode(0o700)).unwrap();
    drop(file);
    let mut create = didit_at(&sandbox, "session create --scope names --open");
    let ran = run(create.env("PATH", folder.path()));
    let url = std::fs::read_to_string(address).unwrap();
    assert!(ran.results().contains(url.trim()) && url.contains("/authorize/"), "{ran:?}");
    let ran = run(create.env("PATH", "/nowhere"));
    assert_eq!(ran.code, Some(0));
    assert!(ran.stderr.contains("could not run xdg-open"), "{ran:?}");
    assert_eq!(run(create.arg("--quiet")).results().lines().count(), 1);
}
