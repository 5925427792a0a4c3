//! Runs the program, for several test binaries.

use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use didit_sandbox::{Route, Sandbox};

/// The exit code and the output of a run of the program.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let [stdout, stderr] =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        Self { code: output.status.code(), stdout, stderr }
    }
}

pub(crate) fn run(command: &mut Command) -> Ran {
    command.output().unwrap().into()
}

/// Returns a command with space-separated arguments and an empty environment.
pub(crate) fn didit(arguments: &str) -> Command {
    let mut command = program();
    command.args(arguments.split_ascii_whitespace()).env_clear().stdin(Stdio::null());
    command
}

/// Returns the program, with the default action for signals that were ignored when the tests
/// started, as in a shell's background job.
fn program() -> Command {
    let program = env!("CARGO_BIN_EXE_didit");
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    if ignored.is_none_or(|mask| mask & (1 << 1 | 1 << 14) == 0) {
        return Command::new(program);
    }
    let mut command = Command::new("/usr/bin/env");
    command.args(["--default-signal=INT,TERM", program]);
    command
}

/// Returns the command under a limit of the shell's `ulimit`.
pub(crate) fn limited(command: &Command, limit: &str) -> Command {
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit {limit}; exec \"$0\" \"$@\"")]);
    limited.arg(command.get_program()).args(command.get_args()).env_clear();
    for (name, value) in command.get_envs() {
        limited.env(name, value.unwrap_or_default());
    }
    if let Some(folder) = command.get_current_dir() {
        limited.current_dir(folder);
    }
    limited
}

/// Sends a signal, such as `-INT`, to a program.
#[track_caller]
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Waits until the sandbox has received `times` requests on a route.
pub(crate) fn wait_for_requests(sandbox: &Sandbox, route: Route, times: usize) {
    while sandbox.requests_to(route).len() < times {
        thread::sleep(Duration::from_millis(1));
    }
}
