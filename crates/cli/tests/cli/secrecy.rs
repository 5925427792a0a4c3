use didit_sandbox::{Fault, Route, Sandbox};

use crate::support::{didit_at, run};

#[test]
fn logs_contain_no_secrets_or_personal_data() {
    let sandbox = Sandbox::builder().credentials("id", "canary-secret").start().unwrap();
    sandbox.script(Route::Decision, [Fault::answer(401), Fault::answer(503), Fault::Reset]);
    sandbox.script(Route::Token, [Fault::answer(503)]);
    let mut logs = String::new();
    for arguments in ["-vv decision a", "-vv token", "-vv decision a/b"] {
        logs += &run(&mut didit_at(&sandbox, arguments)).stderr;
    }
    logs += &run(didit_at(&sandbox, "decision a").env("RUST_LOG", "trace")).stderr;
    logs += &run(didit_at(&sandbox, "decision a").env("DIDIT_ACCESS_TOKEN", "canary-token")).stderr;
    logs += &run(didit_at(&sandbox, "token -vv").env("DIDIT_CLIENT_SECRET", "canary wrong")).stderr;
    let tokens = sandbox.requests();
    let tokens =
        tokens.iter().filter_map(|request| request.header("Authorization")?.split(' ').nth(1));
    for secret in tokens.chain(["canary", "Rosas", "rosas", "+34123456789", "John"]) {
        assert!(!logs.contains(secret), "{secret}: {logs}");
    }
}

/// A service may repeat secrets in the headers of its responses.
#[test]
fn logged_headers_contain_no_secrets() {
    let sandbox = Sandbox::builder().credentials("id", "canary-secret").start().unwrap();
    let headers = ["X-Request-Id", "Date", "Server", "Retry-After", "Content-Type", "Location"];
    let repeating = |status, secret: &str, body: &str| {
        let answer = Fault::answer(status).body(body);
        headers.into_iter().fold(answer, |answer, name| answer.header(name, secret))
    };
    let token = r#"{"access_token":"canary-token","expires_in":9}"#;
    sandbox.script(
        Route::Token,
        [repeating(200, "canary-secret", token), repeating(200, "canary-token", token)],
    );
    let created = r#"{"session_id":"a","session_token":"canary-session","url":"https://h/canary"}"#;
    sandbox.script(
        Route::CreateSession,
        [repeating(201, "canary-session", created), repeating(201, "canary-token", created)],
    );
    sandbox.always(
        Route::Decision,
        Fault::redirect("https://h/?email=private#private").header("X-Request-Id", "canary-token"),
    );
    for arguments in
        ["-vvv token", "-vv token", "-vvv session create --scope names", "-vvv decision a"]
    {
        let ran = run(&mut didit_at(&sandbox, arguments));
        assert!(ran.stderr.contains(", request id [redacted], "), "{ran:?}");
        assert!(!ran.stderr.contains("canary") && !ran.stderr.contains("private"), "{ran:?}");
        sandbox.script(Route::Token, [repeating(200, "canary-secret", token)]);
    }
}
