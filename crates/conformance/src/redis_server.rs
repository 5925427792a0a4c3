//! A `redis-server` on a free port of the loopback interface, for tests of what processes share.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A server that ends with the test.
#[derive(Debug)]
pub struct RedisServer {
    child: Child,
    port: u16,
    folder: Option<PathBuf>,
}

impl RedisServer {
    /// Starts one that keeps nothing.
    pub fn start() -> Self {
        Self::new(None)
    }

    /// Starts one that keeps all it is told in a folder.
    pub fn keeping(folder: &Path) -> Self {
        Self::new(Some(folder.to_owned()))
    }

    fn new(folder: Option<PathBuf>) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { child: spawn(port, folder.as_deref()), port, folder };
        server.wait();
        server
    }

    /// Returns the URL without a password.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Returns the host and port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, at the same port.
    pub fn restart(&mut self) {
        self.child = spawn(self.port, self.folder.as_deref());
        self.wait();
    }

    fn wait(&self) {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "redis-server does not listen");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn spawn(port: u16, folder: Option<&Path>) -> Child {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""]);
    match folder {
        Some(folder) => {
            command.args(["--appendonly", "yes", "--appendfsync", "always", "--dir"]).arg(folder)
        }
        None => command.args(["--appendonly", "no"]),
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
