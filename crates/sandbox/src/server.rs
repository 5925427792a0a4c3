//! The listener, and the threads behind it.

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::serve::serve;
use crate::state::Shared;
use crate::transport::Transport;

/// Serves until it is dropped.
pub(crate) struct Server {
    shared: Arc<Shared>,
    open: Arc<OpenConnections>,
    address: SocketAddr,
    accepting: Option<JoinHandle<()>>,
}

/// The connections being served, by number.
#[derive(Default)]
struct OpenConnections(Mutex<HashMap<u64, (TcpStream, JoinHandle<()>)>>);

impl OpenConnections {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, (TcpStream, JoinHandle<()>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    pub(crate) fn start(shared: Arc<Shared>, listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let open = Arc::<OpenConnections>::default();
        let accepting = Builder::new().name("didit-sandbox-accept".to_owned()).spawn({
            let (shared, open) = (Arc::clone(&shared), Arc::clone(&open));
            move || accept(&listener, &shared, &open)
        })?;
        Ok(Self { shared, open, address, accepting: Some(accepting) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.set();
        // A connection of our own ends the wait for the next one. If there can be none, the thread
        // is left behind.
        let woken = TcpStream::connect_timeout(&self.address, Duration::from_millis(500));
        if let Some(accepting) =
            self.accepting.take().filter(|thread| woken.is_ok() || thread.is_finished())
        {
            let _ = accepting.join();
        }
        let open = std::mem::take(&mut *self.open.lock());
        for (socket, _) in open.values() {
            let _ = socket.shutdown(Shutdown::Both);
        }
        for (_, thread) in open.into_values() {
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, open: &Arc<OpenConnections>) {
    while !shared.stop.is_set() {
        let accepted = listener.accept().and_then(|(socket, _)| {
            if shared.stop.is_set() {
                return Ok(());
            }
            begin(socket, shared, open)
        });
        // Out of file descriptors or threads, most likely: some may come free.
        if accepted.is_err() {
            shared.stop.wait(Duration::from_millis(10));
        }
    }
}

fn begin(socket: TcpStream, shared: &Arc<Shared>, open: &Arc<OpenConnections>) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let number = {
        let mut state = shared.state();
        state.connections += 1;
        state.connections
    };
    let handle = socket.try_clone()?;
    let transport = transport(socket, shared)?;
    // Held until the connection is listed, so that its thread cannot end before.
    let mut listed = open.lock();
    let thread = Builder::new().name(format!("didit-sandbox-{number}")).spawn({
        let (shared, open) = (Arc::clone(shared), Arc::clone(open));
        move || {
            serve(&shared, number, transport);
            open.lock().remove(&number);
        }
    })?;
    listed.insert(number, (handle, thread));
    Ok(())
}

#[cfg(not(feature = "tls"))]
#[expect(clippy::unnecessary_wraps, reason = "with TLS it can fail")]
fn transport(socket: TcpStream, _: &Shared) -> io::Result<Transport> {
    Ok(Transport::Plain(socket))
}

#[cfg(feature = "tls")]
fn transport(socket: TcpStream, shared: &Shared) -> io::Result<Transport> {
    let Some(config) = &shared.settings.tls else {
        return Ok(Transport::Plain(socket));
    };
    let session = rustls::ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    Ok(Transport::Tls(Box::new(rustls::StreamOwned::new(session, socket))))
}
