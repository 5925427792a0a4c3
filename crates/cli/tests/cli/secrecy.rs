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
