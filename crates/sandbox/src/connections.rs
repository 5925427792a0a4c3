//! The open connections, of which those that wait for their peer give way to newcomers.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

/// The connections being served, by number.
pub(crate) struct Connections {
    limit: usize,
    open: Mutex<HashMap<u64, Open>>,
}

struct Open {
    socket: Arc<TcpStream>,
    thread: JoinHandle<()>,
    /// Since when no request has come; `None` while one is being answered.
    waiting_since: Option<Instant>,
}

/// Ends with the thread of a connection, also where that panics.
pub(crate) struct Listed<'a> {
    connections: &'a Connections,
    number: u64,
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.connections.lock().remove(&self.number);
    }
}

impl Connections {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, open: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists the connection whose thread `spawn` starts. The thread cannot end before that.
    pub(crate) fn begin<E>(
        &self,
        number: u64,
        socket: Arc<TcpStream>,
        spawn: impl FnOnce() -> Result<JoinHandle<()>, E>,
    ) -> Result<(), E> {
        let mut open = self.lock();
        let waiting_since = Some(Instant::now());
        open.insert(number, Open { socket, thread: spawn()?, waiting_since });
        Ok(())
    }

    /// Lists the connection no more once the value that is returned is dropped.
    pub(crate) fn listed(&self, number: u64) -> Listed<'_> {
        Listed { connections: self, number }
    }

    /// Notes that the connection waits for its peer, or that it no longer does.
    pub(crate) fn set_waiting(&self, number: u64, waiting: bool) {
        if let Some(open) = self.lock().get_mut(&number) {
            // One that has waited since before its thread ran goes on doing so.
            let since = open.waiting_since.unwrap_or_else(Instant::now);
            open.waiting_since = waiting.then_some(since);
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.lock().len() >= self.limit
    }

    /// Closes the connection that has waited longest for its peer; returns whether there was one.
    pub(crate) fn make_room(&self) -> bool {
        let mut open = self.lock();
        let waiting = open.iter().filter_map(|(&number, open)| Some((open.waiting_since?, number)));
        let Some((_, number)) = waiting.min() else {
            return false;
        };
        if let Some(closed) = open.remove(&number) {
            let _ = closed.socket.shutdown(Shutdown::Both);
        }
        true
    }

    /// Closes all connections and waits for their threads.
    pub(crate) fn close_all(&self) {
        let open = std::mem::take(&mut *self.lock());
        for connection in open.values() {
            let _ = connection.socket.shutdown(Shutdown::Both);
        }
        for (_, connection) in open {
            let _ = connection.thread.join();
        }
    }
}
