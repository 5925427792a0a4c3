//! Connects to Redis and runs commands, each within a bounded time.
//!
//! The library limits only each single wait; the waits for name resolution, for several addresses
//! and for several responses would add up.

use std::io::{self, ErrorKind};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use redis::{Client, Connection, Pipeline, RedisError, RedisResult, Value};

use crate::failure::io_error;

/// Timeout of the responses to a pipeline; soon after, the engine continues without the store.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(900);

/// The number of connections that are made in a row if signals interrupt them.
const MAX_INTERRUPTED: usize = 10;

/// An attempt to connect, on a thread of its own.
pub(crate) struct Attempt(Mutex<Receiver<RedisResult<Connection>>>);

impl Attempt {
    /// Starts an attempt, in which each single wait takes at most `timeout`.
    pub(crate) fn start(client: &Client, timeout: Duration) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let client = client.clone();
        thread::Builder::new().name("didit-redis-connect".to_owned()).spawn(move || {
            // If the receiver is gone, the connection is closed.
            let _ = sender.send(uninterrupted(|| connect(&client, timeout)));
        })?;
        Ok(Self(Mutex::new(receiver)))
    }

    /// Waits for the result; `None` if there is none yet.
    pub(crate) fn wait(&mut self, timeout: Duration) -> Option<RedisResult<Connection>> {
        let receiver = self.0.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        match receiver.recv_timeout(timeout) {
            Ok(result) => Some(result),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                Some(Err(io::Error::from(ErrorKind::BrokenPipe).into()))
            }
        }
    }
}

/// Tries again if a wait was interrupted by a signal, such as the one that continues a stopped
/// process. Nothing was requested yet.
fn uninterrupted<T>(mut connect: impl FnMut() -> RedisResult<T>) -> RedisResult<T> {
    for _ in 1..MAX_INTERRUPTED {
        match connect() {
            Err(error) if is_interruption(&error) => {}
            result => return result,
        }
    }
    connect()
}

fn is_interruption(error: &RedisError) -> bool {
    io_error(error).is_some_and(|error| error.kind() == ErrorKind::Interrupted)
}

fn connect(client: &Client, timeout: Duration) -> RedisResult<Connection> {
    let mut connection = client.get_connection_with_timeout(timeout)?;
    connection.set_write_timeout(Some(ANSWER_TIMEOUT))?;
    run(&mut connection, redis::pipe().cmd("PING"))?;
    Ok(connection)
}

/// Runs the commands in one round trip.
pub(crate) fn run(connection: &mut Connection, commands: &Pipeline) -> RedisResult<Vec<Value>> {
    let started = Instant::now();
    connection.send_packed_command(&commands.get_packed_pipeline())?;
    let mut responses = Vec::with_capacity(commands.len());
    while responses.len() < commands.len() {
        let left = ANSWER_TIMEOUT.saturating_sub(started.elapsed());
        if left.is_zero() {
            return Err(io::Error::from(ErrorKind::TimedOut).into());
        }
        connection.set_read_timeout(Some(left))?;
        match connection.recv_response()? {
            Value::Push { .. } => {}
            response => responses.push(response),
        }
    }
    responses.into_iter().map(Value::extract_error).collect()
}

#[cfg(test)]
mod tests {
    use ErrorKind::{ConnectionRefused, Interrupted, TimedOut};

    use super::*;

    #[test]
    fn connecting_goes_on_after_a_signal() {
        let error_of = |kind: ErrorKind| RedisError::from(io::Error::from(kind));
        let tried = |errors: &[ErrorKind]| {
            let (mut errors, mut attempts) = (errors.iter(), 0);
            let result = uninterrupted(|| {
                attempts += 1;
                errors.next().map_or(Ok(()), |kind| Err(error_of(*kind)))
            });
            (result.map_err(|error| io_error(&error).map(io::Error::kind)), attempts)
        };
        assert_eq!(tried(&[]), (Ok(()), 1));
        assert_eq!(tried(&[Interrupted, Interrupted]), (Ok(()), 3));
        assert_eq!(tried(&[TimedOut]), (Err(Some(TimedOut)), 1));
        assert_eq!(tried(&[Interrupted, ConnectionRefused]), (Err(Some(ConnectionRefused)), 2));
        let endless = [Interrupted; MAX_INTERRUPTED + 1];
        assert_eq!(tried(&endless), (Err(Some(Interrupted)), MAX_INTERRUPTED));
    }
}
