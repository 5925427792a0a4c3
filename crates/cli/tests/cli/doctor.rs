use std::process::Command;
use std::time::Duration;

use didit_conformance::certificates::Authority;
use didit_conformance::redis_server::RedisServer;
use didit_sandbox::{Fault, Quota, Route, Sandbox};

use crate::support::{Ran, didit, didit_at, run};

/// Runs the doctor, and returns the results of its six checks in order.
#[track_caller]
fn checked(command: &mut Command, code: i32) -> ([String; 6], Ran) {
    let checks = ["configuration", "host", "tls", "credentials", "clock", "quota"];
    checked_of(command, code, checks)
}

/// Runs the doctor, and returns the results of `checks`, which must be all of its checks.
#[track_caller]
fn checked_of<const N: usize>(
    command: &mut Command,
    code: i32,
    checks: [&str; N],
) -> ([String; N], Ran) {
    let ran = run(command);
    assert_eq!((ran.code, &*ran.stderr), (Some(code), ""), "{ran:?}");
    let lines: Vec<serde_json::Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines.iter().map(|line| line["check"].as_str().unwrap()).collect::<Vec<_>>(),
        checks
    );
    let results = std::array::from_fn(|at| lines[at]["result"].as_str().unwrap().to_owned());
    (results, ran)
}

#[test]
fn all_checks_pass_with_each_kind_of_credentials() {
    let quota = Quota { limit: 9, window: Duration::from_secs(60) };
    let sandbox = Sandbox::builder().quota(quota).start().unwrap();
    let (results, ran) = checked(&mut didit_at(&sandbox, "doctor"), 0);
    assert_eq!(results, ["ok"; 6], "{ran:?}");
    assert!(ran.stdout.contains("DIDIT_CLIENT_ID, DIDIT_CLIENT_SECRET"), "{ran:?}");
    assert!(ran.stdout.contains("8 of 9 requests left"), "{ran:?}");
    let by_key = didit("doctor")
        .env("DIDIT_BASE_URL", sandbox.url())
        .env("DIDIT_API_KEY", sandbox.api_key())
        .output()
        .unwrap();
    assert!(by_key.status.success(), "{by_key:?}");
    assert_eq!(checked(&mut didit("doctor --sandbox"), 0).0, ["ok"; 6]);
}

#[test]
fn table_format_has_one_line_per_check() {
    let ran = run(&mut didit("doctor --sandbox --format table"));
    let lines: Vec<_> = ran.results().lines().collect();
    assert_eq!(lines.len(), 6);
    assert!(lines.iter().all(|line| line.starts_with("ok    ") && line.len() < 80), "{lines:?}");
}

#[test]
fn missing_configuration_skips_the_other_checks() {
    let mut expected = ["skip"; 6];
    expected[0] = "fail";
    let (results, ran) = checked(&mut didit("doctor"), 2);
    assert_eq!(results, expected);
    assert!(ran.stdout.contains("no credentials are configured"), "{ran:?}");
}

#[test]
fn refused_credentials_are_reported_but_not_shown() {
    let sandbox = Sandbox::start().unwrap();
    for name in ["DIDIT_CLIENT_SECRET", "DIDIT_ACCESS_TOKEN", "DIDIT_API_KEY"] {
        let mut command = didit_at(&sandbox, "doctor");
        if name != "DIDIT_CLIENT_SECRET" {
            command.env_remove("DIDIT_CLIENT_ID").env_remove("DIDIT_CLIENT_SECRET");
        }
        let (results, ran) = checked(command.env(name, "canary"), 3);
        assert_eq!(results, ["ok", "ok", "ok", "fail", "ok", "ok"], "{name}: {ran:?}");
        assert!(!ran.stdout.contains("canary"), "{ran:?}");
    }
}

#[test]
fn unresponsive_host_fails_the_host_check() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.always(Route::Token, Fault::Close);
    let (results, ran) = checked(&mut didit_at(&sandbox, "doctor"), 6);
    assert_eq!(results, ["ok", "fail", "ok", "skip", "skip", "skip"], "{ran:?}");
}

#[test]
fn untrusted_certificate_fails_the_tls_check() {
    let authority = Authority::new();
    let sandbox = Sandbox::builder().tls(authority.server("127.0.0.1")).start().unwrap();
    let (results, ran) = checked(&mut didit_at(&sandbox, "doctor"), 6);
    assert_eq!(results, ["ok", "ok", "fail", "skip", "skip", "skip"], "{ran:?}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("roots.pem");
    std::fs::write(&path, authority.pem()).unwrap();
    let (results, ran) = checked(didit_at(&sandbox, "doctor").env("DIDIT_CA_FILE", &path), 0);
    assert_eq!(results, ["ok"; 6], "{ran:?}");
    assert!(ran.stdout.contains("the certificate is trusted"), "{ran:?}");
}

#[test]
fn clock_difference_and_exhausted_quota_are_warnings() {
    let sandbox = Sandbox::start().unwrap();
    let answer = Fault::answer(404)
        .header("Date", "Thu, 01 Jan 2099 00:00:00 GMT")
        .header("X-RateLimit-Limit", "7")
        .header("X-RateLimit-Remaining", "0");
    sandbox.always(Route::Decision, answer);
    let (results, ran) = checked(&mut didit_at(&sandbox, "doctor"), 0);
    assert_eq!(results, ["ok", "ok", "ok", "ok", "warn", "warn"], "{ran:?}");
    assert!(ran.stdout.contains("behind the service's"), "{ran:?}");
    assert!(ran.stdout.contains("0 of 7 requests left"), "{ran:?}");
}

#[test]
fn response_of_another_server_is_a_warning() {
    let sandbox = Sandbox::start().unwrap();
    for answer in [
        Fault::answer(404).body("<html>"),
        Fault::answer(400).body(""),
        Fault::answer(404).body("[]"),
        Fault::answer(405),
    ] {
        sandbox.always(Route::Decision, answer);
        let (results, ran) = checked(&mut didit_at(&sandbox, "doctor"), 0);
        assert_eq!(results, ["ok", "ok", "ok", "warn", "ok", "ok"], "{ran:?}");
        assert!(ran.stdout.contains("is not from the service"), "{ran:?}");
    }
    sandbox.always(Route::Decision, Fault::answer(400));
    assert_eq!(checked(&mut didit_at(&sandbox, "doctor"), 0).0, ["ok"; 6]);
}

#[test]
fn failure_of_the_service_is_not_that_of_the_credentials() {
    let sandbox = Sandbox::start().unwrap();
    for (status, code, expected) in [
        (500, 6, ["ok", "fail", "ok", "skip", "ok", "ok"]),
        (302, 7, ["ok", "fail", "ok", "skip", "ok", "ok"]),
        (408, 8, ["ok", "fail", "ok", "skip", "ok", "ok"]),
        (429, 5, ["ok", "ok", "ok", "skip", "ok", "fail"]),
    ] {
        sandbox.always(Route::Decision, Fault::answer(status).header("Retry-After", "600"));
        let (results, ran) = checked(&mut didit_at(&sandbox, "doctor --timeout 2s"), code);
        assert_eq!(results, expected, "{ran:?}");
    }
}

#[test]
fn missing_date_is_no_failure() {
    let headers = ["", "Retry-After: 1\r\n", "Date: junk\r\nX-RateLimit-Reset: 1800000000\r\n"];
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answering = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        for headers in headers.iter().flat_map(|headers| [headers; 2]) {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            let head = "HTTP/1.1 404 X\r\nConnection: close\r\nContent-Length: 2\r\n";
            stream.write_all(format!("{head}{headers}\r\n{{}}").as_bytes()).unwrap();
        }
    });
    let at = |arguments: &str| {
        let mut command = didit(arguments);
        command.env("DIDIT_BASE_URL", &url).env("DIDIT_API_KEY", "key");
        command
    };
    for headers in headers {
        let (results, ran) = checked(&mut at("doctor"), 0);
        assert_eq!(results, ["ok", "ok", "ok", "ok", "skip", "ok"], "{headers}: {ran:?}");
        assert!(ran.stdout.contains("as the service sent no date"), "{headers}: {ran:?}");
        let log = run(&mut at("decision a -vvv")).stderr;
        assert!(log.contains("< content-length: 2\n") && !log.contains("< date: "), "{log}");
    }
    answering.join().unwrap();
}

/// Returns the line about the store, which is checked last.
fn store(ran: &Ran) -> String {
    let line: serde_json::Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    line["detail"].as_str().unwrap().to_owned()
}

const WITH_STORE: [&str; 7] =
    ["configuration", "host", "tls", "credentials", "clock", "quota", "store"];

#[test]
fn store_check_counts_processes_sharing_the_quota() {
    let quota = Quota { limit: 9, window: Duration::from_secs(60) };
    let sandbox = Sandbox::builder().quota(quota).start().unwrap();
    let redis = RedisServer::start();
    let doctor = || {
        let mut command = didit_at(&sandbox, "doctor");
        command.env("DIDIT_SHARED", redis.url());
        checked_of(&mut command, 0, WITH_STORE)
    };
    let (results, ran) = doctor();
    assert_eq!(results, ["ok"; 7], "{ran:?}");
    let detail = store(&ran);
    assert!(detail.starts_with("Redis 7.") || detail.starts_with("Valkey "), "{detail}");
    assert!(detail.contains(&format!(" at {} responded in ", redis.address())), "{detail}");
    assert!(detail.ends_with(" ms; no process shares a quota now"), "{detail}");

    // Two export processes, which have ended.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ids"), "s-1\ns-2\n").unwrap();
    for output in ["a", "b"] {
        let arguments = format!("export -q --input ids --output {output} --job {output}");
        let mut export = didit_at(&sandbox, &arguments);
        export.current_dir(folder.path()).env("DIDIT_SHARED", redis.url());
        assert_eq!(run(&mut export).results(), "");
    }
    let detail = store(&doctor().1);
    assert!(detail.ends_with("decisions: 2 processes, 4 of 9 requests used"), "{detail}");
    for secret in ["s-1", sandbox.client_id(), sandbox.client_secret()] {
        assert!(!detail.contains(secret), "{detail}");
    }
}

#[test]
fn unreachable_store_is_reported_without_its_password() {
    let sandbox = Sandbox::start().unwrap();
    let at = "doctor --shared rediss://me:canary@127.0.0.1:1";
    let (results, ran) = checked_of(&mut didit_at(&sandbox, at), 6, WITH_STORE);
    assert_eq!(results, ["ok", "ok", "ok", "ok", "ok", "ok", "fail"], "{ran:?}");
    assert!(store(&ran).starts_with("--shared: Redis at 127.0.0.1:1: Connection refused"));
    let (results, unconfigured) = checked_of(&mut didit(at), 2, WITH_STORE);
    assert_eq!(results, ["fail", "skip", "skip", "skip", "skip", "skip", "skip"]);
    assert!(!format!("{ran:?}{unconfigured:?}").contains("canary"));
    let requests = sandbox.requests().len();
    let invalid = run(&mut didit_at(&sandbox, "doctor --shared canary"));
    assert!(invalid.error(2).contains("--shared: the URL of Redis is not "), "{invalid:?}");
    assert_eq!(sandbox.requests().len(), requests);
    // `--sandbox` ignores the variable.
    let mut by_variable = didit("doctor --sandbox");
    checked(by_variable.env("DIDIT_SHARED", "redis://127.0.0.1:1"), 0);
}
