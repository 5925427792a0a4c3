//! A fixed address that forwards to a replaceable server, like a virtual IP address or a DNS name in
//! front of a master and its replicas.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

pub(crate) struct Forwarder {
    port: u16,
    state: Arc<Mutex<State>>,
}

struct State {
    /// The port of the server, if there is one.
    to: Option<u16>,
    open: Vec<TcpStream>,
}

impl Forwarder {
    pub(crate) fn to(port: u16) -> Self {
        Self::delayed(port, Duration::ZERO)
    }

    /// Forwards each part of a response after this time.
    pub(crate) fn delayed(port: u16, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let local_port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { to: Some(port), open: Vec::new() }));
        let shared = Arc::downgrade(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Some(state) = shared.upgrade() else { return };
                let mut state = state.lock().unwrap();
                let server = state.to.and_then(|to| TcpStream::connect(("127.0.0.1", to)).ok());
                let Some(server) = server else { continue };
                let ends = [&client, &server].map(|stream| stream.try_clone().unwrap());
                state.open.extend(ends);
                pump(client.try_clone().unwrap(), server.try_clone().unwrap(), Duration::ZERO);
                pump(server, client, delay);
            }
        });
        Self { port: local_port, state }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Closes all connections and forwards new ones to another server.
    pub(crate) fn redirect(&self, to: Option<u16>) {
        let mut state = self.state.lock().unwrap();
        state.to = to;
        for stream in state.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Some(count) = from.read(&mut bytes).ok().filter(|count| *count > 0) {
            thread::sleep(delay);
            let _ = to.write_all(&bytes[..count]);
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}
