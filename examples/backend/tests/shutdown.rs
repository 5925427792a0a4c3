//! Told to stop, the example first finishes what is under way, and tells nothing that is secret.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use ureq::Agent;

const TOKEN: &str = r#"{"access_token": "planted-token", "expires_in": 86400}"#;
const SESSION: &str = r#"{"session_id": "s-1", "session_token": "planted-session-token",
    "url": "https://verify.example/planted-link"}"#;

/// The example, its address, and the service that it asks: what comes there is up to the test.
struct Backend {
    process: Child,
    address: String,
    service: TcpListener,
}

impl Backend {
    fn start() -> Self {
        let service = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_didit-example-backend"))
            .env_clear()
            .env("DIDIT_BASE_URL", format!("http://{}", service.local_addr().unwrap()))
            .envs([("DIDIT_CLIENT_ID", "planted-id"), ("DIDIT_CLIENT_SECRET", "planted-secret")])
            .env("LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { process, address: address.trim_end().to_owned(), service }
    }

    /// A visitor who asks for a session: the status of the answer, if one came.
    fn visit(&self) -> JoinHandle<Option<u16>> {
        let address = self.address.clone();
        thread::spawn(move || {
            let agent: Agent = Agent::config_builder().max_redirects(0).proxy(None).build().into();
            agent.post(address).send_empty().ok().map(|answer| answer.status().as_u16())
        })
    }

    fn tell(&self, signal: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Until nobody listens at its address any more.
    fn wait_until_closed(&self) {
        let host = self.address.trim_start_matches("http://").trim_end_matches('/');
        while TcpStream::connect(host).is_ok() {
            thread::yield_now();
        }
    }

    /// Returns its log after it has ended with success.
    fn ended(mut self) -> String {
        let mut told = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert!(self.process.wait().unwrap().success(), "{told}");
        assert!(!told.contains("planted"), "{told}");
        told
    }
}

/// Reads a request to its end, and answers it.
fn answer(connection: TcpStream, body: &str) {
    let mut reader = BufReader::new(connection);
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line).unwrap() > 2 {
        let line = std::mem::take(&mut line).to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n";
    write!(reader.get_mut(), "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
}

#[test]
fn a_request_under_way_is_finished() {
    for signal in ["-TERM", "-INT"] {
        let backend = Backend::start();
        let visitor = backend.visit();
        let (token, _) = backend.service.accept().unwrap();
        backend.tell(signal);
        backend.wait_until_closed();
        answer(token, TOKEN);
        answer(backend.service.accept().unwrap().0, SESSION);
        assert_eq!(visitor.join().unwrap(), Some(303), "{signal}");
        backend.ended();
    }
}

#[test]
fn a_second_signal_cuts_off_what_is_under_way() {
    let mut backend = Backend::start();
    let visitor = backend.visit();
    let _unanswered = backend.service.accept().unwrap();
    backend.tell("-TERM");
    backend.wait_until_closed();
    // Signals that come before the first was looked at are one with it.
    while backend.process.try_wait().unwrap().is_none() {
        backend.tell("-INT");
    }
    assert_eq!(visitor.join().unwrap(), None);
    assert!(backend.ended().contains("stopped with requests under way"));
}
