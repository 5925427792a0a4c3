//! The open connections. When there are too many, the longest idle one is closed.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

/// The open connections, by number.
pub(crate) struct Connections {
    limit: usize,
    open: Mutex<HashMap<u64, Open>>,
}

struct Open {
    socket: Arc<TcpStream>,
    thread: JoinHandle<()>,
    /// The time since which it has been idle; `None` while a request is being answered.
    waiting_since: Option<Instant>,
}

/// Removes the connection from the list on drop, so that a panic of its thread does so too.
pub(crate) struct Registration<'a> {
    connections: &'a Connections,
    number: u64,
}

impl Drop for Registration<'_> {
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

    /// Starts the connection's thread with `spawn` and adds it to the list. The list is locked
    /// meanwhile, so the thread cannot remove itself first.
    pub(crate) fn spawn<E>(
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

    /// Returns a guard that removes the connection from the list on drop.
    pub(crate) fn registration(&self, number: u64) -> Registration<'_> {
        Registration { connections: self, number }
    }

    /// Records whether the connection is waiting for a request.
    pub(crate) fn set_waiting(&self, number: u64, waiting: bool) {
        if let Some(open) = self.lock().get_mut(&number) {
            // A new connection has been waiting since it was accepted.
            let since = open.waiting_since.unwrap_or_else(Instant::now);
            open.waiting_since = waiting.then_some(since);
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.lock().len() >= self.limit
    }

    /// Closes the connection that has waited longest for a request; returns whether there was one.
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
