//! The ways of calling: each adapter for one session, for many, and with a wait; and the program's
//! export.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use didit_blocking_adapter::core::data_transfer::Decision;
use didit_blocking_adapter::core::{CallError, CallErrorKind, SessionId};
use didit_conformance::bulk::Bulk;
use didit_conformance::{Adapter, CallFailure, settings};
use didit_sandbox::{Route, Sandbox};

use crate::asynchronous::Async;
use crate::blocking::Blocking;
use crate::scenario::{Expected, InBulk, Scenario};

/// A column of the table.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    /// Returns the outcome if it is as expected, otherwise the mismatch.
    pub(crate) run: fn(&Scenario) -> Result<String, String>,
}

pub(crate) const WAYS: [Way; 7] = [
    Way { name: "async", run: single::<Async> },
    Way { name: "async, many", run: many::<Async> },
    Way { name: "async, wait", run: wait::<Async> },
    Way { name: "blocking", run: single::<Blocking> },
    Way { name: "blocking, many", run: many::<Blocking> },
    Way { name: "blocking, wait", run: wait::<Blocking> },
    Way { name: "export", run: export },
];

/// The number of sessions in the ways that retrieve many.
const MANY: usize = 3;

fn client<A: Adapter>(scenario: &Scenario, sandbox: &Sandbox) -> A {
    let mut settings = settings(sandbox);
    settings.policy.call_timeout = scenario.timeout;
    settings.policy.backoff_base = Duration::from_millis(10);
    settings.root_certificate.clone_from(&scenario.trusted);
    A::new(settings).unwrap()
}

fn single<A: Adapter>(scenario: &Scenario) -> Result<String, String> {
    let sandbox = scenario.start();
    let id = id(0);
    let outcome = outcome(&id, &client::<A>(scenario, &sandbox).decision(&id));
    check(&scenario.expected, &[outcome], scenario.expected.each, &sandbox)
}

/// Replaces an outcome that would take an hour.
const NONE: &str = "–";

fn many<A: Bulk>(scenario: &Scenario) -> Result<String, String> {
    if scenario.expected.bulk == InBulk::Waits {
        return Ok(NONE.to_owned());
    }
    let sandbox = scenario.start();
    let mut outcomes = Vec::new();
    // One at a time, so that the session that gets the fault is known.
    client::<A>(scenario, &sandbox).decisions((0..MANY).map(id), 1, true, |id, result| {
        outcomes.push(outcome(&id, &result));
        true
    });
    if outcomes.len() != MANY {
        return Err(format!("{} of {MANY} came", outcomes.len()));
    }
    check(&scenario.expected, &outcomes, MANY * scenario.expected.each, &sandbox)
}

fn wait<A: Adapter>(scenario: &Scenario) -> Result<String, String> {
    let sandbox = scenario.start();
    let (id, expected) = (id(0), &scenario.expected);
    let timeout = if expected.passes { Duration::from_millis(800) } else { scenario.timeout };
    let interval = Duration::from_millis(10);
    let result = client::<A>(scenario, &sandbox).wait(&id, interval, timeout);
    let outcome = outcome(&id, &result);
    if expected.passes {
        // It polls until its timeout.
        let sent = sandbox.requests_to(Route::Decision).len();
        let enough = sent >= expected.each.min(1);
        let right = outcome == expected.outcome.0 && enough;
        return if right { Ok(outcome) } else { Err(format!("{outcome}, {sent} requests")) };
    }
    check(expected, &[outcome], expected.each, &sandbox)
}

fn export(scenario: &Scenario) -> Result<String, String> {
    if scenario.expected.bulk == InBulk::Waits {
        return Ok(NONE.to_owned());
    }
    let (sandbox, expected) = (scenario.start(), &scenario.expected);
    let folder = tempfile::tempdir().unwrap();
    let ids: Vec<String> = (0..MANY).map(|n| id(n).to_string()).collect();
    fs::write(folder.path().join("ids"), ids.join("\n")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_didit"));
    command
        .args(["export", "--input", "ids", "--output", "out", "--concurrency", "1", "--timeout"])
        .arg(format!("{}ms", scenario.timeout.as_millis()))
        .current_dir(folder.path())
        .env_clear()
        .env("DIDIT_BASE_URL", sandbox.url())
        .env("DIDIT_CLIENT_ID", sandbox.client_id())
        .env("DIDIT_CLIENT_SECRET", sandbox.client_secret())
        .stdin(Stdio::null());
    if let Some(pem) = &scenario.trusted {
        fs::write(folder.path().join("ca"), pem).unwrap();
        command.args(["--ca-file", "ca"]);
    }
    let output = command.output().unwrap();
    let lines = |name| {
        fs::read_to_string(folder.path().join(name)).map_or(0, |text: String| text.lines().count())
    };
    let (done, failed) = (lines("out"), lines("out.failures"));
    let settled = match expected.outcome.1 {
        0 => (MANY, 0),
        _ if expected.bulk == InBulk::StopsExport => (0, 0),
        _ => (0, MANY),
    };
    let code = output.status.code();
    if (code, (done, failed)) != (Some(expected.outcome.1), settled) {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("exit {code:?}, {done} exported, {failed} failed: {errors}"));
    }
    let tokens = sandbox.requests_to(Route::Token).len();
    if expected.concerns_all && tokens > 1 {
        return Err(format!("{tokens} requests for what is refused once"));
    }
    let outcomes = [expected.outcome.0.to_owned()];
    check(expected, &outcomes, MANY * expected.each, &sandbox)
        .map(|outcome| format!("{outcome} ({})", expected.outcome.1))
}

/// Checks the outcomes and the number of requests, and returns the outcome.
fn check(
    expected: &Expected,
    outcomes: &[String],
    requests: usize,
    sandbox: &Sandbox,
) -> Result<String, String> {
    let sent = sandbox.requests_to(Route::Decision).len();
    let requests = requests + expected.once;
    if outcomes.iter().any(|outcome| outcome != expected.outcome.0) {
        return Err(format!("{outcomes:?} in place of {}", expected.outcome.0));
    }
    if sent != requests {
        return Err(format!("{sent} requests in place of {requests}"));
    }
    if expected.outcome.0 == "Certificate" && !sandbox.requests().is_empty() {
        return Err("something was sent to a server that is not trusted".to_owned());
    }
    Ok(outcomes[0].clone())
}

fn id(n: usize) -> SessionId {
    format!("s-{n}").parse().unwrap()
}

/// Names the outcome of a session.
fn outcome(id: &SessionId, result: &Result<Decision, CallFailure>) -> String {
    match result {
        Ok(decision) if decision.session_id() == id.as_str() => "retrieved".to_owned(),
        Ok(_) => "another session's decision".to_owned(),
        Err(failed) => cause(&failed.call),
    }
}

pub(crate) fn cause(error: &CallError) -> String {
    let shown = match error.kind() {
        CallErrorKind::Response(answer) => format!("{:?}", answer.kind()),
        CallErrorKind::Transport(kind) => format!("{kind:?}"),
        other => format!("{other:?}"),
    };
    shown.split('(').next().unwrap_or_default().to_owned()
}
