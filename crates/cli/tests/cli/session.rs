use std::process::Command;

use didit_sandbox::{Fault, Route, Sandbox};

use crate::support::{Ran, didit, didit_at, run};

fn create(sandbox: &Sandbox, scope: &str) -> Command {
    let mut command = didit_at(sandbox, "session create");
    command.args(["--scope", scope]);
    command
}

/// Returns the value of a string member in the printed object.
fn member<'a>(ran: &'a Ran, name: &str) -> &'a str {
    let (_, rest) = ran.results().split_once(&format!("\"{name}\":\"")).unwrap();
    rest.split_once('"').unwrap().0
}

#[test]
fn session_is_created_and_its_status_read() {
    let sandbox = Sandbox::start().unwrap();
    let created = run(create(&sandbox, "picture names email").args(["--vendor-data", "order 7"]));
    assert_eq!(created.results().lines().count(), 1);
    let (id, token) = (member(&created, "session_id"), member(&created, "session_token"));
    assert!(member(&created, "url").ends_with(token), "{created:?}");
    let body = br#"{"scope":"picture names email","vendor_data":"order 7"}"#;
    assert_eq!(sandbox.requests_to(Route::CreateSession)[0].body, body);

    let arguments = format!("session status {id}");
    let status = run(didit_at(&sandbox, &arguments).args(["--session-token", token]));
    assert_eq!(status.results(), "{\"status\":\"initialized\"}\n");
    sandbox.set_status(id, "retrieved");
    let table = run(didit_at(&sandbox, &arguments)
        .env("DIDIT_SESSION_TOKEN", token)
        .env("DIDIT_FORMAT", "table"));
    assert_eq!(table.results(), format!("Session  {id}\nStatus   Retrieved\n"));
    let decision = run(&mut didit_at(&sandbox, &format!("decision {id}")));
    assert!(decision.results().contains(r#""vendor_data":"order 7""#), "{decision:?}");
}

#[test]
fn session_token_flag_overrides_the_variable() {
    let sandbox = Sandbox::start().unwrap();
    let created = run(&mut create(&sandbox, "names"));
    let arguments = format!("session status {}", member(&created, "session_id"));
    let ran = run(didit_at(&sandbox, &arguments)
        .args(["--session-token", member(&created, "session_token")])
        .env("DIDIT_SESSION_TOKEN", "another"));
    assert!(ran.results().contains("initialized"), "{ran:?}");
    let ran = run(didit_at(&sandbox, &arguments).env("DIDIT_SESSION_TOKEN", "canary-token"));
    let line = ran.error(3);
    assert!(line.ends_with("; check the session token") && !line.contains("canary"), "{line}");
    run(&mut didit_at(&sandbox, "session status other --session-token a")).error(4);
}

#[test]
fn status_ignores_other_credentials() {
    let sandbox = Sandbox::start().unwrap();
    let created = run(&mut create(&sandbox, "names"));
    let issued = sandbox.tokens_issued();
    let arguments = format!("session status {}", member(&created, "session_id"));
    let mut command = didit(&arguments);
    command.env("DIDIT_BASE_URL", sandbox.url());
    command.env("DIDIT_SESSION_TOKEN", member(&created, "session_token"));
    run(&mut command).results();
    command.env("DIDIT_API_KEY", "x").env("DIDIT_ACCESS_TOKEN", "y").env("DIDIT_CLIENT_ID", "z");
    run(&mut command).results();
    assert_eq!(sandbox.tokens_issued(), issued);
    for request in sandbox.requests_to(Route::SessionStatus) {
        assert!(request.header("authorization").or(request.header("x-api-key")).is_none());
    }
}

#[test]
fn invalid_arguments_exit_with_2_and_send_nothing() {
    let sandbox = Sandbox::start().unwrap();
    for scope in ["", "  ", "na\"mes", "names\nemail", "naïve"] {
        let ran = run(&mut create(&sandbox, scope));
        assert!(ran.error(2).starts_with("didit: --scope: the scope "), "{ran:?}");
    }
    let at = |arguments: &str| didit_at(&sandbox, arguments);
    let line = run(&mut at("session status s-1"));
    assert!(line.error(2).contains("set DIDIT_SESSION_TOKEN or give --session-token"), "{line:?}");
    for token in ["", "canary token", "canary\n", "canäry"] {
        let ran = run(at("session status s-1").args(["--session-token", token]));
        let line = ran.error(2);
        assert!(line.contains("the session token ") && !line.contains("can"), "{line}");
    }
    run(&mut at("session status a/b --session-token t")).error(2);
    for arguments in ["session", "session create", "session status"] {
        assert_eq!(run(&mut at(arguments)).code, Some(2));
    }
    let without = run(didit("session create --scope names").env("DIDIT_BASE_URL", sandbox.url()));
    assert!(without.error(2).contains("no credentials"), "{without:?}");
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn failed_creation_sets_the_exit_code_without_retry() {
    for (fault, code, requests) in [
        (Fault::answer(401), 3, 2),
        (Fault::answer(404), 1, 1),
        (Fault::answer(429).header("retry-after", "3600"), 5, 1),
        (Fault::answer(503), 6, 1),
        (Fault::Reset, 6, 1),
        (Fault::answer(200).body("{}"), 7, 1),
    ] {
        let sandbox = Sandbox::builder().fault(Route::CreateSession, fault).start().unwrap();
        let ran = run(&mut create(&sandbox, "names"));
        assert!(ran.error(code).starts_with("didit: could not create the session: "), "{ran:?}");
        assert_eq!(sandbox.requests_to(Route::CreateSession).len(), requests, "{ran:?}");
    }
}

#[test]
fn built_in_sandbox_creates_sessions() {
    let ran = run(&mut didit("--sandbox session create --scope names"));
    assert!(ran.results().starts_with("{\"session_id\":\""), "{ran:?}");
    run(&mut didit("--sandbox session status s-1 --session-token t")).error(4);
}

/// Returns the output of `session create` on a terminal with `columns` columns.
#[cfg(target_os = "linux")]
fn on_a_terminal(
    sandbox: &Sandbox,
    columns: u16,
    more: &str,
    variables: &[(&str, &str)],
) -> String {
    let line = format!("didit session create --scope names {more}");
    let mut terminal = crate::support::terminal(sandbox, columns, &line);
    terminal.env_remove("TERM").envs(variables.iter().copied());
    run(&mut terminal).results().replace('\r', "")
}

#[cfg(target_os = "linux")]
#[test]
fn qr_code_requires_a_wide_terminal_with_colors() {
    let sandbox = Sandbox::start().unwrap();
    let xterm = ("TERM", "xterm-256color");
    let wide = on_a_terminal(&sandbox, 80, "", &[xterm]);
    let (code, table) = wide.split_once("\n\n").unwrap();
    let bold = |label: &str| format!("\u{1b}[1m{label}\u{1b}[0m");
    assert!(table.starts_with(&format!("{}  ", bold("Session"))), "{wide}");
    assert!(table.contains(&format!("\n{}      http", bold("URL"))), "{wide}");
    assert!(code.starts_with("\u{1b}[38;5;16;48;5;231m    "), "{wide}");
    assert!(code.lines().count() > 15 && code.lines().all(|line| line.ends_with("\u{1b}[0m")));
    let temporary = on_a_terminal(&sandbox, 80, "--sandbox", &[xterm]);
    assert!(temporary.contains("the session ended with this temporary sandbox"), "{temporary}");
    let narrow = on_a_terminal(&sandbox, 30, "", &[xterm]);
    assert!(narrow.contains("      http") && !narrow.contains("231m"), "{narrow}");
    for (more, variables) in [
        ("", &[xterm, ("NO_COLOR", "1")][..]),
        ("", &[("TERM", "dumb")]),
        ("", &[]),
        ("--color never", &[xterm]),
    ] {
        let plain = on_a_terminal(&sandbox, 80, more, variables);
        assert!(plain.contains("\nURL      http"), "{plain}");
        assert!(!plain.contains(['\u{1b}', '█']), "{plain}");
    }
    let piped = run(create(&sandbox, "names").args(["--format", "table"]).env("TERM", "xterm"));
    assert!(!piped.results().contains(['\u{1b}', '█']), "{piped:?}");
}
