//! A `redis-server` on a free loopback port, for tests with shared state.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A server that is killed on drop.
#[derive(Debug)]
pub struct RedisServer {
    child: Child,
    port: u16,
    mode: Mode,
}

#[derive(Debug)]
enum Mode {
    InMemory,
    /// Persists its data in the folder.
    Persistent(PathBuf),
    /// Accepts only TLS, with `cert.pem` and `key.pem` of the folder.
    Tls(PathBuf),
}

impl RedisServer {
    /// Starts a server without persistence.
    pub fn start() -> Self {
        Self::new(Mode::InMemory)
    }

    /// Starts a server that persists its data in a folder.
    pub fn persistent(folder: &Path) -> Self {
        Self::new(Mode::Persistent(folder.to_owned()))
    }

    /// Starts a server that accepts only TLS, with `cert.pem` and `key.pem` of a folder, which are
    /// for `localhost`.
    pub fn with_tls(folder: &Path) -> Self {
        Self::new(Mode::Tls(folder.to_owned()))
    }

    fn new(mode: Mode) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { child: spawn(port, &mode), port, mode };
        server.wait();
        server
    }

    /// Returns the URL without a password.
    pub fn url(&self) -> String {
        let scheme = if matches!(self.mode, Mode::Tls(_)) { "rediss" } else { "redis" };
        format!("{scheme}://{}", self.address())
    }

    /// Returns the host and port.
    pub fn address(&self) -> String {
        let host = if matches!(self.mode, Mode::Tls(_)) { "localhost" } else { "127.0.0.1" };
        format!("{host}:{}", self.port)
    }

    /// Kills the server.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts the server again on the same port.
    pub fn restart(&mut self) {
        self.child = spawn(self.port, &self.mode);
        self.wait();
    }

    fn wait(&self) {
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(30), "redis-server does not listen");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn spawn(port: u16, mode: &Mode) -> Child {
    let mut command = Command::new("redis-server");
    let port = port.to_string();
    command.args(["--bind", "127.0.0.1", "--save", ""]);
    command.args(["--port", if matches!(mode, Mode::Tls(_)) { "0" } else { &port }]);
    match mode {
        Mode::InMemory => command.args(["--appendonly", "no"]),
        Mode::Persistent(folder) => {
            command.args(["--appendonly", "yes", "--appendfsync", "always", "--dir"]).arg(folder)
        }
        Mode::Tls(folder) => command
            .args(["--appendonly", "no", "--tls-port", &port, "--tls-auth-clients", "no"])
            .args(["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem"])
            .args(["--tls-ca-cert-file", "cert.pem"])
            .current_dir(folder),
    };
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("redis-server is needed: on Debian, apt-get install redis-server")
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
