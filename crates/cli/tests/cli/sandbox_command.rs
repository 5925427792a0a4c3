use std::io::{BufRead as _, BufReader, Lines};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::support::{didit, run, sample};

/// A `didit sandbox` that is stopped when dropped.
struct Running {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(arguments: &str) -> Self {
        let mut command = didit(&format!("sandbox {arguments}"));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, stdout }
    }

    /// Another run of the program, with the variables that this one prints.
    fn client(&mut self, arguments: &str) -> Command {
        let mut command = didit(arguments);
        for _ in 0..3 {
            let line = self.stdout.next().unwrap().unwrap();
            let (name, value) = line.split_once('=').unwrap();
            command.env(name, value);
        }
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
fn its_variables_configure_another_run() {
    let mut sandbox = Running::start("");
    assert_eq!(run(&mut sandbox.client("decision a")).results(), sample("a"));
    let rest = sandbox.stdout.next().unwrap().unwrap();
    assert_eq!(rest, "# or, in place of the client id and secret: DIDIT_API_KEY=sandbox-api-key");
}

#[test]
fn it_behaves_as_it_is_told() {
    let faults = "--fault decision:status=404,times=1 --fault token:delay=10ms --latency 1ms";
    let mut sandbox = Running::start(&format!("{faults} --token-lifetime 60s --quota 1/1h"));
    let mut client = sandbox.client("decision a");
    run(&mut client).error(4);
    assert_eq!(run(&mut client).results(), sample("a"));
    run(&mut client).error(5);
}

#[test]
fn a_taken_port_is_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let ran = run(&mut didit(&format!("sandbox --port {port}")));
    assert!(ran.error(1).contains(&format!("on port {port}: Address already in use")), "{ran:?}");
}
