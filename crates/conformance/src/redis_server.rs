//! A `redis-server` on a free loopback port, for tests with shared state.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// A server that is killed on drop.
#[derive(Debug)]
pub struct RedisServer {
    child: Child,
    port: u16,
    tls: bool,
    arguments: Vec<String>,
}

/// The number of attempts to start a server on a port, which another process may be using.
const ATTEMPTS: usize = 100;

impl RedisServer {
    /// Starts a server without persistence.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts a server that persists its data in a folder.
    pub fn persistent(folder: &Path) -> Self {
        let folder = folder.to_str().unwrap();
        Self::with(&["--appendonly", "yes", "--appendfsync", "always", "--dir", folder])
    }

    /// Starts a server that accepts only TLS, with `cert.pem` and `key.pem` of a folder, which are
    /// for `localhost`.
    pub fn with_tls(folder: &Path) -> Self {
        let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.join(name));
        let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
        let files = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert];
        Self::new(true, &[&files, ["--tls-auth-clients", "no"].as_slice()].concat())
    }

    /// Starts a server with additional arguments.
    pub fn with(arguments: &[&str]) -> Self {
        Self::new(false, arguments)
    }

    fn new(tls: bool, arguments: &[&str]) -> Self {
        let arguments: Vec<_> = arguments.iter().map(|it| (*it).to_owned()).collect();
        let attempt = |_| {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            spawn(port, tls, &arguments).map(|child| (child, port))
        };
        let (child, port) = (0..ATTEMPTS).find_map(attempt).expect("redis-server starts");
        Self { child, port, tls, arguments }
    }

    /// Returns the URL without a password.
    pub fn url(&self) -> String {
        let scheme = if self.tls { "rediss" } else { "redis" };
        format!("{scheme}://{}", self.address())
    }

    /// Returns the host and port.
    pub fn address(&self) -> String {
        let host = if self.tls { "localhost" } else { "127.0.0.1" };
        format!("{host}:{}", self.port)
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills the server, which loses its state unless it is persistent.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts the server again on the same port.
    pub fn restart(&mut self) {
        let attempt = |_| {
            let child = spawn(self.port, self.tls, &self.arguments);
            // The port may be that of another connection for a while.
            child.or_else(|| {
                thread::sleep(Duration::from_millis(100));
                None
            })
        };
        self.child = (0..ATTEMPTS).find_map(attempt).expect("redis-server starts again");
    }
}

/// Starts the process and waits until it accepts connections; returns `None` if it ends instead, as
/// when the port is in use.
fn spawn(port: u16, tls: bool, arguments: &[String]) -> Option<Child> {
    let port = port.to_string();
    let ports: &[&str] =
        if tls { &["--port", "0", "--tls-port", &port] } else { &["--port", &port] };
    let mut child = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
        .arg(env::temp_dir())
        .args(ports)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is needed: on Debian, apt-get install redis-server");
    let mut log = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    // The server ignores that its log is closed after that.
    if log.any(|line| line.contains("Ready to accept connections")) {
        return Some(child);
    }
    child.wait().unwrap();
    None
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
