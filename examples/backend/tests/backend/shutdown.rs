//! At shutdown, the example completes the requests in flight and logs no secrets.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use ureq::Agent;

const TOKEN: &str = r#"{"access_token": "planted-token", "expires_in": 86400}"#;
const SESSION: &str = r#"{"session_id": "s-1", "session_token": "planted-session-token",
    "url": "https://verify.example/planted-link"}"#;

/// The running example, its address, and the service that it calls, played by the test.
struct Backend {
    process: Child,
    address: String,
    service: TcpListener,
}

impl Backend {
    fn start() -> Self {
        let service = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", service.local_addr().unwrap());
        let variables = [
            ("DIDIT_BASE_URL", &*url),
            ("DIDIT_CLIENT_ID", "planted-id"),
            ("DIDIT_CLIENT_SECRET", "planted-secret"),
        ];
        let (process, address) = crate::start(&variables, Stdio::piped());
        Self { process, address, service }
    }

    /// Requests a session as a visitor; returns the status of the response, if there is one.
    fn visit(&self) -> JoinHandle<Option<u16>> {
        let address = self.address.clone();
        thread::spawn(move || {
            let agent: Agent = Agent::config_builder().max_redirects(0).proxy(None).build().into();
            agent.post(address).send_empty().ok().map(|answer| answer.status().as_u16())
        })
    }

    fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits until the address no longer accepts connections.
    fn wait_until_closed(&self) {
        let host = self.address.trim_start_matches("http://").trim_end_matches('/');
        while TcpStream::connect(host).is_ok() {
            thread::yield_now();
        }
    }

    /// Waits for a successful exit and returns the log.
    fn wait_for_exit(mut self) -> String {
        let mut log = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert!(self.process.wait().unwrap().success(), "{log}");
        assert!(!log.contains("planted"), "{log}");
        log
    }
}

/// Reads a request and responds with `body`.
fn respond(connection: TcpStream, body: &str) {
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
fn request_in_flight_is_completed() {
    for signal in ["-TERM", "-INT"] {
        let backend = Backend::start();
        let visitor = backend.visit();
        let (token, _) = backend.service.accept().unwrap();
        backend.signal(signal);
        backend.wait_until_closed();
        respond(token, TOKEN);
        respond(backend.service.accept().unwrap().0, SESSION);
        assert_eq!(visitor.join().unwrap(), Some(303), "{signal}");
        backend.wait_for_exit();
    }
}

#[test]
fn second_signal_aborts_requests_in_flight() {
    let mut backend = Backend::start();
    let visitor = backend.visit();
    let _unanswered = backend.service.accept().unwrap();
    backend.signal("-TERM");
    backend.wait_until_closed();
    // Signals are merged until the process has handled the first one.
    while backend.process.try_wait().unwrap().is_none() {
        backend.signal("-INT");
    }
    assert_eq!(visitor.join().unwrap(), None);
    assert!(backend.wait_for_exit().contains("stopped with requests under way"));
}
