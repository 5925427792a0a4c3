use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use didit_sandbox::{Fault, Route, Sandbox};

use crate::support::{didit, didit_at, run, sample};

#[test]
fn flags_override_variables_before_and_after_the_command() {
    let (other, sandbox) = (Sandbox::start().unwrap(), Sandbox::start().unwrap());
    let (url, id) = (sandbox.url(), sandbox.client_id());
    for arguments in [
        format!("--base-url {url} --client-id {id} --timeout 30s decision a --format json"),
        format!("decision a --format json --base-url {url} --client-id {id} --timeout 30s"),
    ] {
        let ran = run(didit_at(&other, &arguments)
            .env("DIDIT_CLIENT_ID", "unknown")
            .env("DIDIT_TIMEOUT", "1ms")
            .env("DIDIT_FORMAT", "table"));
        assert_eq!(ran.results(), sample("a"));
    }
    assert!(other.requests().is_empty());
    let table = run(didit_at(&sandbox, "decision a").env("DIDIT_FORMAT", "table"));
    assert!(table.results().starts_with("Session"), "{table:?}");
}

#[test]
fn base_url_flag_also_selects_the_verification_host() {
    let (other, sandbox) = (Sandbox::start().unwrap(), Sandbox::start().unwrap());
    let mut list = didit(&format!("verification list --base-url {}", sandbox.url()));
    list.env("DIDIT_VERIFICATION_BASE_URL", other.url());
    assert_eq!(run(list.env("DIDIT_API_KEY", sandbox.api_key())).code, Some(0));
    assert_eq!((other.connections(), sandbox.requests().len()), (0, 1));
}

#[test]
fn thread_shortage_fails_the_request_but_is_not_a_network_failure() {
    let sandbox = Sandbox::start().unwrap();
    let port = sandbox.url().rsplit_once(':').unwrap().1.to_owned();
    for (host, code) in [("127.0.0.1", 4), ("localhost", 1)] {
        let url = format!("http://{host}:{port}");
        let line = "session status a --session-token b --timeout 5s --base-url";
        let mut status = didit(&format!("{line} {url}"));
        // No system can start a thread with such a stack.
        let ran = run(status.env("RUST_MIN_STACK", "1000000000000000"));
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert_eq!(ran.stderr.contains("Resource temporarily unavailable"), code == 1, "{ran:?}");
    }
    let url = format!("http://localhost:{port}");
    let mut create = didit(&format!("session create --scope names --timeout 5s --base-url {url}"));
    create.env("DIDIT_ACCESS_TOKEN", "t").env("RUST_MIN_STACK", "1000000000000000");
    let ran = run(&mut create);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(!ran.stderr.contains("may have been created"), "{ran:?}");
}

#[test]
fn timeout_is_read_from_the_environment() {
    let sandbox = Sandbox::builder().fault(Route::Decision, Fault::Hang).start().unwrap();
    let started = Instant::now();
    run(didit_at(&sandbox, "decision a").env("DIDIT_TIMEOUT", "200ms")).error(8);
    // A hanging attempt would take 10 s.
    assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
}

#[test]
fn empty_variables_count_as_unset() {
    let sandbox = Sandbox::start().unwrap();
    let mut command = didit_at(&sandbox, "decision a");
    for name in ["TIMEOUT", "FORMAT", "CA_FILE", "ACCESS_TOKEN", "API_KEY", "CLIENT_SECRET_FILE"] {
        command.env(format!("DIDIT_{name}"), "");
    }
    assert_eq!(run(&mut command).results(), sample("a"));
}

#[test]
fn each_authorization_method_works() {
    let sandbox = Sandbox::start().unwrap();
    let at = |name: &str, value: &str| {
        run(didit("decision a").env("DIDIT_BASE_URL", sandbox.url()).env(name, value))
    };
    assert_eq!(at("DIDIT_API_KEY", sandbox.api_key()).results(), sample("a"));
    assert_eq!(sandbox.tokens_issued(), 0);

    run(&mut didit_at(&sandbox, "decision a")).results();
    let requests = sandbox.requests_to(Route::Decision);
    let bearer = requests.last().unwrap().header("Authorization").unwrap().to_owned();
    let token = bearer.strip_prefix("Bearer ").unwrap();
    assert_eq!(at("DIDIT_ACCESS_TOKEN", token).results(), sample("a"));
    assert_eq!(sandbox.tokens_issued(), 1);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, format!("{}\r\n", sandbox.client_secret())).unwrap();
    let ran = run(didit_at(&sandbox, "decision a")
        .env_remove("DIDIT_CLIENT_SECRET")
        .env("DIDIT_CLIENT_SECRET_FILE", &path));
    assert_eq!(ran.results(), sample("a"));
}

/// Asserts that a command is refused with `words` before anything is sent.
#[track_caller]
fn refused(sandbox: &Sandbox, command: &mut Command, words: &str) {
    let ran = run(command);
    let line = ran.error(2);
    assert!(line.contains(words), "{line}");
    assert_eq!(sandbox.connections(), 0, "{line}");
}

#[test]
fn invalid_configuration_exits_with_2_and_sends_nothing() {
    let sandbox = &Sandbox::start().unwrap();
    let at = |arguments: &str| didit_at(sandbox, arguments);
    for name in ["DIDIT_ACCESS_TOKEN", "DIDIT_API_KEY"] {
        refused(sandbox, at("decision a").env(name, "x"), "several kinds of credentials");
        let mut token = didit("token");
        refused(sandbox, token.env(name, "x"), "an API key, run `didit doctor`");
    }
    refused(sandbox, at("decision a").env("DIDIT_CLIENT_SECRET_FILE", "x"), "are both set");
    refused(
        sandbox,
        at("decision a").env_remove("DIDIT_CLIENT_SECRET"),
        "client secret is missing",
    );
    refused(sandbox, at("decision a").env_remove("DIDIT_CLIENT_ID"), "client id is missing");
    refused(sandbox, &mut didit("decision a"), "set DIDIT_CLIENT_ID and DIDIT_CLIENT_SECRET (or");
    refused(sandbox, &mut at("token --base-url http://apx.didit.me"), "plain http");
    refused(sandbox, at("token").env("DIDIT_BASE_URL", "nowhere"), "DIDIT_BASE_URL: the base URL");
    refused(sandbox, at("token").env("DIDIT_TIMEOUT", "30"), "DIDIT_TIMEOUT: \"30\" is not a dur");
    refused(sandbox, at("token").env("DIDIT_TIMEOUT", "0s"), "is zero; give a longer duration");
    refused(sandbox, at("token").env("DIDIT_FORMAT", "yaml"), "DIDIT_FORMAT is \"yaml\"");
    refused(sandbox, &mut at("token --ca-file /nowhere.pem"), "--ca-file: could not read /nowhere");
    refused(sandbox, at("token").env("DIDIT_CA_FILE", "Cargo.toml"), "holds no PEM certificate");
    for name in ["DIDIT_BASE_URL", "DIDIT_CLIENT_ID", "DIDIT_CLIENT_SECRET", "DIDIT_TIMEOUT"] {
        refused(sandbox, at("token").env(name, OsStr::from_bytes(b"\xff")), name);
    }
}

#[test]
fn all_ids_are_checked_before_anything_is_sent() {
    let sandbox = &Sandbox::start().unwrap();
    let long = "x".repeat(257);
    for (id, why) in [
        ("a/b", "\"a/b\": the session id cannot contain '/'"),
        ("..", "cannot be `.` or `..`"),
        ("%61", "cannot contain '%'"),
        (&long, "257 characters"),
    ] {
        refused(sandbox, didit_at(sandbox, "decision good").arg(id), why);
    }
    refused(sandbox, didit_at(sandbox, "decision good").arg(""), "the session id is empty");
    refused(sandbox, didit_at(sandbox, "decision").arg("\u{1b}[2J\n"), "cannot contain '\\u{1b}'");
}

#[test]
fn hostile_flag_is_escaped() {
    let hostile = run(didit("decision a").arg("--\u{1b}[2J"));
    assert!(hostile.code == Some(2) && !hostile.stderr.contains('\u{1b}'), "{hostile:?}");
}

#[test]
fn built_in_sandbox_overrides_other_configuration() {
    let fixture = sample("unique-session-identifier");
    let ran = run(&mut didit("--sandbox decision unique-session-identifier"));
    assert_eq!(ran.results(), fixture);
    let other = Sandbox::start().unwrap();
    let ran = run(didit_at(&other, "decision unique-session-identifier --sandbox")
        .args(["--ca-file", "/nowhere.pem"])
        .env("DIDIT_ACCESS_TOKEN", "x")
        .env("DIDIT_API_KEY", "x")
        .env("DIDIT_CLIENT_SECRET_FILE", "/nowhere")
        .env("HTTP_PROXY", "http://127.0.0.1:1"));
    assert_eq!(ran.results(), fixture);
    assert!(run(&mut didit("token --sandbox")).results().contains("expires_at"));
    assert_eq!(other.connections(), 0);
}

#[cfg(unix)]
#[test]
fn endless_files_are_refused() {
    let sandbox = Sandbox::start().unwrap();
    let mut secret = didit_at(&sandbox, "token");
    secret.env_remove("DIDIT_CLIENT_SECRET").env("DIDIT_CLIENT_SECRET_FILE", "/dev/zero");
    assert!(
        run(&mut secret).error(2).contains("DIDIT_CLIENT_SECRET_FILE: could not read /dev/zero")
    );
    let ran = run(&mut didit_at(&sandbox, "token --ca-file /dev/zero"));
    assert!(ran.error(2).contains("--ca-file: could not read /dev/zero"), "{ran:?}");
    assert_eq!(sandbox.connections(), 0);
}
