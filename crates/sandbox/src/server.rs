//! The listener and its threads.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::connections::Connections;
use crate::serve::serve;
use crate::state::Shared;
use crate::transport::{Socket, Transport};

/// The pause before the next attempt when there are no free descriptors, threads or connections.
const RETRY_PAUSE: Duration = Duration::from_millis(10);

/// The running server; stops on drop.
pub(crate) struct Server {
    shared: Arc<Shared>,
    connections: Arc<Connections>,
    address: SocketAddr,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(shared: Arc<Shared>, listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let connections = Arc::new(Connections::new(shared.settings.max_connections));
        let accepting = Builder::new().name("didit-sandbox-accept".to_owned()).spawn({
            let (shared, connections) = (Arc::clone(&shared), Arc::clone(&connections));
            move || accept(&listener, &shared, &connections)
        })?;
        Ok(Self { shared, connections, address, accepting: Some(accepting) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.set();
        // A connection wakes the accepting thread. If it cannot be made, the thread is not joined.
        let woken = TcpStream::connect_timeout(&self.address, Duration::from_millis(500));
        if let Some(accepting) =
            self.accepting.take().filter(|thread| woken.is_ok() || thread.is_finished())
        {
            let _ = accepting.join();
        }
        self.connections.close_all();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, connections: &Arc<Connections>) {
    while !shared.stop.is_set() {
        let accepted = listener.accept().and_then(|(socket, _)| {
            while connections.is_full() && !connections.make_room() {
                shared.stop.wait(RETRY_PAUSE);
                if shared.stop.is_set() {
                    break;
                }
            }
            if shared.stop.is_set() { Ok(()) } else { begin(socket, shared, connections) }
        });
        // Most likely there are no file descriptors or threads left.
        if accepted.is_err() {
            connections.make_room();
            shared.stop.wait(RETRY_PAUSE);
        }
    }
}

fn begin(
    socket: TcpStream,
    shared: &Arc<Shared>,
    connections: &Arc<Connections>,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    socket.set_write_timeout(Some(shared.settings.request_timeout))?;
    let number = {
        let mut state = shared.state();
        state.connections += 1;
        state.connections
    };
    let local = is_local(&socket);
    let socket = Arc::new(socket);
    let transport = transport(Socket::new(Arc::clone(&socket)), shared)?;
    connections.spawn(number, socket, || {
        let (shared, connections) = (Arc::clone(shared), Arc::clone(connections));
        Builder::new().name(format!("didit-sandbox-{number}")).spawn(move || {
            let _registration = connections.registration(number);
            serve(&shared, &connections, number, local, transport);
        })
    })
}

/// Returns whether the peer is on this machine.
fn is_local(socket: &TcpStream) -> bool {
    let address = |end: io::Result<SocketAddr>| end.ok().map(|end| end.ip().to_canonical());
    let local = address(socket.local_addr());
    address(socket.peer_addr()).is_some_and(|peer| peer.is_loopback() || Some(peer) == local)
}

#[cfg(not(feature = "tls"))]
#[expect(clippy::unnecessary_wraps, reason = "fails only with the feature tls")]
fn transport(socket: Socket, _: &Shared) -> io::Result<Transport> {
    Ok(Transport::Plain(socket))
}

#[cfg(feature = "tls")]
fn transport(socket: Socket, shared: &Shared) -> io::Result<Transport> {
    let Some(config) = &shared.settings.tls else {
        return Ok(Transport::Plain(socket));
    };
    let session = rustls::ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    Ok(Transport::Tls(Box::new(rustls::StreamOwned::new(session, socket))))
}
