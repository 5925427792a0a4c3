//! The logs of the adapter and its libraries, at the most verbose level.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use didit_core::{Authorization, SessionId};
use didit_sandbox::{Fault, Quota, Route, Sandbox};
use tracing_subscriber::filter::LevelFilter;

use crate::bulk::Bulk;
use crate::{client, id, with};

static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Capture;

impl io::Write for Capture {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        LOGGED.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl log::Log for Capture {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {}\n", record.target(), record.args());
        let _ = io::Write::write(&mut Capture, line.as_bytes());
    }

    fn flush(&self) {}
}

/// Planted secrets and personal data, in successful and failed calls, are not logged by any crate
/// at any level.
pub fn logs_contain_no_secrets_or_personal_data<A: Bulk>() {
    let subscriber = tracing_subscriber::fmt().with_writer(|| Capture).with_ansi(false);
    let subscriber = subscriber.with_max_level(LevelFilter::TRACE).finish();
    tracing::subscriber::set_global_default(subscriber).expect("the first subscriber");
    log::set_logger(&Capture).expect("the first logger");
    log::set_max_level(log::LevelFilter::Trace);

    let sandbox = Sandbox::builder().credentials("client", "canary-secret");
    let sandbox = sandbox.quota(Quota::DOCUMENTED).start().unwrap();
    let person = r#"{"session_id":"s-1","status":"Confirmed","vendor_data":"canary-vendor",
        "user_data":{"sub":"canary-sub","names":{"full_name":"canary-name"},"x":"canary-x"}}"#;
    sandbox.decision("s-1", person);
    sandbox.script(Route::Token, [Fault::answer(503), Fault::Reset]);
    sandbox.script(Route::Decision, [Fault::Reset, Fault::answer(503), Fault::Garbage]);
    let client = client::<A>(&sandbox);
    let session_id: SessionId = id("s-1");
    client.decision(&session_id).unwrap();

    let bearer =
        sandbox.requests_to(Route::Decision)[0].header("authorization").unwrap().to_owned();
    let echo = format!(r#"{{"message":"{bearer} canary-secret"}}"#);
    sandbox.script(
        Route::Decision,
        [
            Fault::answer(403).body(echo),
            Fault::answer(404).body(person),
            Fault::answer(200).body(person.replace("s-1", "s-2")),
            Fault::answer(200).body(person.replace('}', ",}")),
        ],
    );
    for _ in 0..4 {
        client.decision(&session_id).unwrap_err();
    }
    let created = client.create("names".parse().unwrap(), Some("canary-vendor")).unwrap();
    let session_token = created.session_token().expose();
    client.status(created.session_id(), session_token).unwrap();
    client.status(created.session_id(), "canary-session-token").unwrap_err();
    client.wait(&session_id, Duration::from_millis(10), Duration::from_secs(10)).unwrap();
    client.decisions([session_id.clone()].into_iter(), 1, false, |_, result| result.is_ok());
    for (key, right) in [(sandbox.api_key(), true), ("canary-key", false)] {
        let client = with::<A>(&sandbox, Authorization::api_key(key).unwrap());
        assert_eq!(client.decision(&session_id).is_ok(), right);
    }

    let token_request = &sandbox.requests_to(Route::Token)[0];
    let basic = token_request.header("authorization").unwrap().strip_prefix("Basic ").unwrap();
    let logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    let logged = String::from_utf8_lossy(&logged);
    for expected in [
        "event=\"sent\"",
        "attempt=2",
        "event=\"waiting\"",
        "event=\"answered\"",
        "status=503",
        "request_id=\"sandbox-",
        "limit=100 remaining=",
    ] {
        assert!(logged.contains(expected), "{expected} is not in {logged}");
    }
    let token = bearer.strip_prefix("Bearer ").unwrap();
    for private in ["canary", basic, token, session_token, sandbox.api_key()] {
        let is_wire_dump =
            |line: &&str| A::WIRE_DUMP.is_some_and(|target| line.starts_with(target));
        let line =
            logged.lines().filter(|line| !is_wire_dump(line)).find(|line| line.contains(private));
        assert_eq!(line, None);
    }
}
