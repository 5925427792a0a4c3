use std::io::{BufRead as _, BufReader, Lines};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::support::{didit, receive, run, sample};

/// A running `didit sandbox`, which is stopped when dropped.
struct Running {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    variables: Vec<(String, String)>,
}

impl Running {
    fn start(arguments: &str) -> Self {
        let mut command = didit(&format!("sandbox -q {arguments}"));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, stdout, variables: Vec::new() }
    }

    /// Returns a command with the variables that the sandbox prints.
    fn client(&mut self, arguments: &str) -> Command {
        while self.variables.len() < 3 {
            let line = self.stdout.next().unwrap().unwrap();
            let (name, value) = line.split_once('=').unwrap();
            self.variables.push((name.to_owned(), value.to_owned()));
        }
        let mut command = didit(arguments);
        command.envs(self.variables.iter().cloned());
        command
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn printed_variables_configure_another_run() {
    let mut sandbox = Running::start("");
    assert_eq!(run(&mut sandbox.client("decision a")).results(), sample("a"));
    let rest = sandbox.stdout.next().unwrap().unwrap();
    assert_eq!(rest, "# or, in place of the client id and secret: DIDIT_API_KEY=sandbox-api-key");
}

#[test]
fn browser_url_is_printed_and_sessions_expire() {
    let mut sandbox = Running::start("--session-lifetime 1ms");
    let created = run(&mut sandbox.client("session create --scope names"));
    let browser = sandbox.stdout.nth(1).unwrap().unwrap();
    let address = browser.rsplit(' ').next().unwrap();
    assert!(address.starts_with("http://127.0.0.1:") && address.ends_with('/'), "{browser}");
    assert!(created.results().contains(&format!("\"url\":\"{address}authorize/")), "{created:?}");
    let waited = run(&mut sandbox.client("wait 00000000-0000-4000-8000-000000000001"));
    assert!(waited.results().contains("\"status\":\"Expired\""), "{waited:?}");
}

#[test]
fn state_file_keeps_sessions_across_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let state = format!("--state {}", folder.path().join("state").display());
    let start = || Running::start(&state);
    let created = run(&mut start().client("session create --scope names"));
    assert!(created.results().contains("-000000000001\""), "{created:?}");
    let mut second = start();
    let created = run(&mut second.client("session create --scope names"));
    assert!(created.results().contains("-000000000002\""), "{created:?}");
    let third = run(&mut didit(&format!("sandbox {state}")));
    assert!(third.error(2).contains("is used by another sandbox"), "{third:?}");
}

#[test]
fn fault_latency_and_quota_options_apply() {
    let faults = "--fault decision:status=404,times=1 --fault token:delay=10ms --latency 1ms";
    let mut sandbox = Running::start(&format!("{faults} --token-lifetime 60s --quota 1/1h"));
    let mut client = sandbox.client("decision a");
    run(&mut client).error(4);
    assert_eq!(run(&mut client).results(), sample("a"));
    run(&mut client).error(5);
}

#[test]
fn webhook_faults_apply_in_order() {
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/webhooks", receiver.local_addr().unwrap());
    let faults = "--webhook-fault pass --webhook-fault duplicate,pass";
    let mut sandbox = Running::start(&format!("--webhook {url} {faults}"));
    let base = sandbox.stdout.next().unwrap().unwrap().replace("DIDIT_BASE_URL=", "");
    for _ in 0..3 {
        let create = "verification create --workflow 9f9b1234-aaaa-bbbb-cccc-1234567890ab";
        let mut create = didit(create);
        create.env("DIDIT_BASE_URL", &base).env("DIDIT_API_KEY", "sandbox-api-key");
        let session: serde_json::Value = serde_json::from_str(run(&mut create).results()).unwrap();
        // The user opens the session's page.
        ureq::get(session["url"].as_str().unwrap()).call().unwrap();
    }
    let ids = [(); 4].map(|()| {
        let request = receive(&receiver, "200 OK");
        let (_, body) = request.split_once("\r\n\r\n").unwrap();
        let event: serde_json::Value = serde_json::from_str(body).unwrap();
        event["event_id"].to_string()
    });
    assert!(ids[0] != ids[1] && ids[1] == ids[2] && ids[2] != ids[3], "{ids:?}");
}

#[test]
fn foreign_listen_address_exits_with_1() {
    let ran = run(&mut didit("sandbox --listen 192.0.2.1"));
    assert!(ran.error(1).contains("at 192.0.2.1: "), "{ran:?}");
    assert!(ran.stderr.contains("choose another --listen"), "{ran:?}");
}

#[test]
fn unusable_listen_address_is_not_blamed_on_the_webhook() {
    // A link-local address without a zone cannot be bound.
    let ran = run(&mut didit("sandbox --listen fe80::1 --webhook http://127.0.0.1:9/"));
    let line = ran.error(1);
    assert!(!line.contains("webhook") && line.contains("fe80::1"), "{line}");
}

#[test]
fn port_in_use_exits_with_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let ran = run(&mut didit(&format!("sandbox --port {port}")));
    assert!(ran.error(1).contains(&format!("on port {port}: Address already in use")), "{ran:?}");
}

/// It may contain anything, and the lines are loaded by a shell.
#[test]
fn webhook_secret_of_the_environment_is_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "canary\n").unwrap();
    for (name, secret, is_shown) in [
        ("DIDIT_WEBHOOK_SECRET", "a; touch canary", false),
        ("DIDIT_WEBHOOK_SECRET", "", true),
        ("DIDIT_WEBHOOK_SECRET_FILE", file.to_str().unwrap(), false),
    ] {
        let mut command = didit("sandbox -q --webhook http://127.0.0.1:1/");
        command.env(name, secret).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let variables: Vec<_> =
            lines.map(Result::unwrap).take_while(|line| !line.starts_with('#')).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        let shown =
            variables.iter().any(|line| line == "DIDIT_WEBHOOK_SECRET=sandbox-webhook-secret");
        assert_eq!(
            (shown, variables.len()),
            (is_shown, 3 + usize::from(is_shown)),
            "{variables:?}"
        );
        assert!(!variables.concat().contains("canary"));
    }
}

/// A receiver has the secret from the same variables.
#[test]
fn webhook_secret_is_read_as_for_the_receiver() {
    for (variables, problem) in [
        (vec![("DIDIT_WEBHOOK_SECRET", "canary\n")], "; check DIDIT_WEBHOOK_SECRET"),
        (
            vec![("DIDIT_WEBHOOK_SECRET", "canary"), ("DIDIT_WEBHOOK_SECRET_FILE", "canary")],
            "are both set; keep one",
        ),
    ] {
        let mut command = didit("sandbox --webhook http://127.0.0.1:1/");
        command.envs(variables);
        let ran = run(&mut command);
        let line = ran.error(2);
        assert!(line.contains(problem) && !line.contains("canary"), "{line}");
    }
}
