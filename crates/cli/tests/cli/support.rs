use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;

use didit_sandbox::{Route, Sandbox};

pub(crate) use crate::program::{Ran, didit, limited, run, signal, wait_for_requests};

impl Ran {
    /// Asserts the exit code and that there is no result, and returns the one line on standard
    /// error.
    #[track_caller]
    pub(crate) fn error(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        let line = self.stderr.strip_suffix('\n').expect("a line on standard error");
        assert!(line.starts_with("didit: ") && !line.contains('\n'), "{self:?}");
        line
    }

    /// Asserts success without any message, and returns the results.
    #[track_caller]
    pub(crate) fn results(&self) -> &str {
        assert_eq!((self.code, &*self.stderr), (Some(0), ""), "{self:?}");
        &self.stdout
    }
}

/// Returns the error of a command that timed out after two polls, and its timeout in words. The
/// longer timeouts are for a machine that is too busy to poll within the first.
pub(crate) fn timeout_error(
    sandbox: &Sandbox,
    route: Route,
    command: impl Fn() -> Command,
) -> (String, &'static str) {
    let mut times = [("300ms", "300 ms"), ("5s", "5s"), ("60s", "1m00s")].into_iter();
    let found = times.find_map(|(timeout, words)| {
        let before = sandbox.requests_to(route).len();
        let line = run(command().args(["--timeout", timeout])).error(8).to_owned();
        (sandbox.requests_to(route).len() >= before + 2).then_some((line, words))
    });
    found.expect("two requests in a minute")
}

/// Returns a command with space-separated arguments, configured for a sandbox.
pub(crate) fn didit_at(sandbox: &Sandbox, arguments: &str) -> Command {
    let mut command = didit(arguments);
    command
        .env("DIDIT_BASE_URL", sandbox.url())
        .env("DIDIT_CLIENT_ID", sandbox.client_id())
        .env("DIDIT_CLIENT_SECRET", sandbox.client_secret());
    command
}

/// Returns a command that runs a line of the shell on a terminal with `columns` columns, where
/// `didit` is the program.
#[cfg(target_os = "linux")]
pub(crate) fn terminal(sandbox: &Sandbox, columns: u16, line: &str) -> Command {
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_didit")).parent().unwrap();
    let line = format!("stty cols {columns} rows 50; {line}");
    // Signals that the tests ignore, as in the background of a shell, reach the program.
    let mut script = Command::new("env");
    script.args(["--default-signal=INT,TERM", "script"]);
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env_clear();
    script
        .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
        .env("TERM", "xterm-256color")
        .env("HOME", "/nonexistent")
        .env("DIDIT_BASE_URL", sandbox.url())
        .env("DIDIT_API_KEY", sandbox.api_key())
        .stdin(std::process::Stdio::null());
    script
}

/// Receives a webhook, and responds with `status` and perhaps header lines.
pub(crate) fn receive(listener: &TcpListener, status: &str) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let (mut request, mut chunk) = (String::new(), [0; 4096]);
    while !request.ends_with('}') {
        let count = stream.read(&mut chunk).unwrap();
        assert!(count > 0, "{request}");
        request.push_str(std::str::from_utf8(&chunk[..count]).unwrap());
    }
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").unwrap();
    request
}

/// Returns the sample decision of a session, on one line.
pub(crate) fn sample(session_id: &str) -> String {
    let fixture = didit_sandbox::fixtures::DECISION;
    let line = fixture.replace("unique-session-identifier", session_id).replace('\n', "");
    line.replace("\": ", "\":") + "\n"
}
