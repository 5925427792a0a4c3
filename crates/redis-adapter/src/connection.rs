//! Connects to Redis and runs commands, each within a bounded time.
//!
//! The library limits only each single wait; the waits for name resolution, for several addresses
//! and for several responses would add up.

use std::io::{self, ErrorKind};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use redis::{Client, Connection, Pipeline, RedisResult, Value};

/// Timeout of the responses to a pipeline; soon after, the engine continues without the store.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(900);

/// An attempt to connect, on a thread of its own.
pub(crate) struct Attempt(Mutex<Receiver<RedisResult<Connection>>>);

impl Attempt {
    /// Starts an attempt, in which each single wait takes at most `timeout`.
    pub(crate) fn start(client: &Client, timeout: Duration) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let client = client.clone();
        thread::Builder::new().name("didit-redis-connect".to_owned()).spawn(move || {
            // If the receiver is gone, the connection is closed.
            let _ = sender.send(connect(&client, timeout));
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
