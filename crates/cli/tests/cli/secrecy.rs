use didit_sandbox::{Fault, Route, Sandbox};

use crate::support::{didit, didit_at, run};

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
        assert!(ran.stderr.contains(", request id ***, "), "{ran:?}");
        assert!(!ran.stderr.contains("canary") && !ran.stderr.contains("private"), "{ran:?}");
        sandbox.script(Route::Token, [repeating(200, "canary-secret", token)]);
    }
}

#[test]
fn logged_names_of_headers_contain_no_secrets() {
    let sandbox = Sandbox::start().unwrap();
    let named = Fault::answer(404).header("canary-token", "1").header("Server", "x");
    sandbox.always(Route::Decision, named);
    let ran = run(didit("-vvv decision a")
        .env("DIDIT_BASE_URL", sandbox.url())
        .env("DIDIT_ACCESS_TOKEN", "Canary-Token"));
    assert!(ran.stderr.contains("< [redacted]: [redacted]\n"), "{ran:?}");
    assert!(ran.stderr.contains("< server: [redacted]\n"), "{ran:?}");
    assert!(!ran.stderr.to_ascii_lowercase().contains("canary"), "{ran:?}");
}

/// The log removes what errors remove, in every encoding.
#[test]
fn logged_responses_contain_no_encoded_secrets() {
    const SECRET: &str = "canary-w0r/1";
    const HEADERS: [&str; 6] =
        ["X-Request-Id", "CF-Ray", "Server", "Via", "Content-Type", "Retry-After"];
    let sandbox = Sandbox::builder().credentials("id", SECRET).start().unwrap();
    let each = |encode: &dyn Fn(u32) -> String| -> String {
        SECRET.chars().map(|c| encode(c.into())).collect()
    };
    let forms = [
        SECRET.to_owned(),
        each(&|code| format!("%{code:02X}")),
        each(&|code| format!("&#{code:04};")),
        each(&|code| format!("\\u{code:04x}")),
        // printf canary-w0r/1 | base64
        "Y2FuYXJ5LXcwci8x".to_owned(),
        each(&|code| format!("{code:02x}")),
    ];
    let token = format!("\u{feff}{{\"access_token\":\"{SECRET}\",\"expires_in\":9}}");
    let created = format!("\u{feff}{{\"session_id\":\"a\",\"session_token\":\"{SECRET}\"}}");
    let id = "11111111-2222-3333-4444-555555555555";
    for (route, variable, arguments, status, body) in [
        (Route::Decision, "DIDIT_CLIENT_SECRET", "decision a".to_owned(), 404, ""),
        (Route::Decision, "DIDIT_ACCESS_TOKEN", "decision a".to_owned(), 404, ""),
        (
            Route::VerificationDecision,
            "DIDIT_API_KEY",
            format!("verification decision {id}"),
            404,
            "",
        ),
        (Route::SessionStatus, "DIDIT_SESSION_TOKEN", "session status a".to_owned(), 404, ""),
        (
            Route::CreateSession,
            "_",
            format!("session create --scope names --vendor-data {SECRET}"),
            400,
            "",
        ),
        (Route::Token, "_", "token".to_owned(), 200, &*token),
        (Route::CreateSession, "_", "session create --scope names".to_owned(), 201, &*created),
    ] {
        for form in &forms {
            let answer = Fault::answer(status).body(body);
            sandbox.always(
                route,
                HEADERS.iter().fold(answer, |answer, name| answer.header(name, form)),
            );
            for level in ["debug", "trace"] {
                let mut command = didit(&arguments);
                command
                    .env("DIDIT_BASE_URL", sandbox.url())
                    .env("DIDIT_VERIFICATION_BASE_URL", sandbox.url())
                    .env("RUST_LOG", level)
                    .env(variable, SECRET);
                if variable == "_" || variable == "DIDIT_CLIENT_SECRET" {
                    command.env("DIDIT_CLIENT_ID", "id").env("DIDIT_CLIENT_SECRET", SECRET);
                }
                let ran = run(&mut command);
                assert!(ran.stderr.contains(", request id ***, "), "{arguments}: {ran:?}");
                assert!(!ran.stderr.contains(SECRET), "{arguments}: {ran:?}");
                assert!(!ran.stderr.contains(&**form), "{arguments}: {ran:?}");
            }
        }
        sandbox.clear(route);
    }
}
