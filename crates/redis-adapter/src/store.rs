//! The connection to Redis, and its use as a [`SharedStore`].

use std::time::Duration;
use std::{fmt, io};

use didit_core::{
    Application, SharedStore, StoreAnswer, StoreError, StoreRequest, TokenAnswer, TokenRequest,
};
use redis::{Client, Cmd, Connection, ConnectionAddr, Pipeline, RedisError, Value};

use crate::builder::RedisStoreBuilder;
use crate::connection::{self, Attempt};
use crate::failure::{error_at, failure};
use crate::keys::Keys;
use crate::{quota, token};

/// A [`SharedStore`] in Redis or Valkey, for the builder of a client.
///
/// It has one connection, and reconnects when it is lost.
pub struct RedisStore {
    client: Client,
    pub(crate) connection: Option<Connection>,
    /// An attempt to connect that outlasted the wait for it.
    attempt: Option<Attempt>,
    /// The host and port, for messages.
    address: String,
    keys: Keys,
    shares_token: bool,
}

const RECONNECT_TIMEOUT: Duration = Duration::from_millis(500);

impl RedisStore {
    /// Connects to `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, or with TLS to `rediss://…`.
    ///
    /// # Errors
    /// The URL is invalid, Redis cannot be reached, or it rejects the user.
    pub fn connect(url: &str) -> Result<Self, StoreError> {
        Self::builder(url).connect()
    }

    /// Returns a builder for a store with other settings.
    pub fn builder(url: &str) -> RedisStoreBuilder {
        RedisStoreBuilder::new(url)
    }

    /// Returns the host and port of Redis.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn new(client: Client, address: String, keys: Keys, shares_token: bool) -> Self {
        Self { client, connection: None, attempt: None, address, keys, shares_token }
    }

    pub(crate) fn new_connection(&mut self, timeout: Duration) -> Result<Connection, StoreError> {
        // The last attempt may have ended since. If it has failed, another is made.
        let last = self.attempt.as_mut().and_then(|attempt| attempt.wait(Duration::ZERO));
        if let Some(result) = last {
            self.attempt = None;
            if let Ok(connection) = result {
                return Ok(connection);
            }
        }
        let mut attempt = match self.attempt.take() {
            Some(attempt) => attempt,
            None => {
                Attempt::start(&self.client, timeout).map_err(|error| self.no_thread(&error))?
            }
        };
        let Some(result) = attempt.wait(timeout) else {
            self.attempt = Some(attempt);
            return Err(self.failure(&io::Error::from(io::ErrorKind::TimedOut).into()));
        };
        result.map_err(|error| self.failure(&error))
    }

    pub(crate) fn run(&mut self, command: Cmd) -> Result<Value, StoreError> {
        let mut pipeline = Pipeline::new();
        pipeline.add_command(command);
        self.query(&pipeline)?.pop().ok_or_else(|| self.unexpected())
    }

    /// Runs the commands in one round trip.
    fn query(&mut self, pipeline: &Pipeline) -> Result<Vec<Value>, StoreError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.new_connection(RECONNECT_TIMEOUT)?,
        };
        let returned = connection::run(&mut connection, pipeline);
        let returned = returned.map_err(|error| self.failure(&error))?;
        // A failed connection is not reused, since late responses may still arrive on it.
        self.connection = Some(connection);
        Ok(returned)
    }

    fn failure(&self, error: &RedisError) -> StoreError {
        failure(&self.address, uses_tls(self.client.get_connection_info().addr()), error)
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    fn no_thread(&self, error: &io::Error) -> StoreError {
        let what = "the thread that connects could not be started";
        error_at(&self.address, format_args!("{what}: {error}; raise the limit of threads"))
    }

    fn unsealable(&self) -> StoreError {
        error_at(&self.address, "the token could not be encrypted for it")
    }

    pub(crate) fn unexpected(&self) -> StoreError {
        error_at(&self.address, "the response is not one of this version's scripts")
    }
}

pub(crate) fn uses_tls(address: &ConnectionAddr) -> bool {
    matches!(address, ConnectionAddr::TcpTls { .. })
}

pub(crate) fn microseconds(time: Duration) -> u64 {
    // Capped at one year, which a Lua number (an f64) still represents exactly.
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX).min(31_536_000_000_000)
}

impl SharedStore for RedisStore {
    fn open(&mut self, application: &Application<'_>) {
        self.keys.open(application);
    }

    fn exchange(&mut self, requests: &[StoreRequest]) -> Result<Vec<StoreAnswer>, StoreError> {
        let mut pipeline = Pipeline::new();
        for request in requests {
            pipeline.add_command(match request {
                StoreRequest::Quota(request) => quota::command(&self.keys, request),
                StoreRequest::Token(request) if self.shares_token => {
                    token::command(&self.keys, request).ok_or_else(|| self.unsealable())?
                }
                StoreRequest::Token(_) => redis::cmd("PING"),
            });
        }
        let returned = self.query(&pipeline)?;
        let answers = requests.iter().zip(returned).map(|(request, returned)| match request {
            StoreRequest::Quota(request) => {
                quota::answer(request, returned).map(StoreAnswer::Quota)
            }
            StoreRequest::Token(TokenRequest::Get { .. }) if !self.shares_token => {
                Some(StoreAnswer::Token(TokenAnswer::Fetch))
            }
            StoreRequest::Token(_) if !self.shares_token => {
                Some(StoreAnswer::Token(TokenAnswer::Done))
            }
            StoreRequest::Token(_) => token::answer(&self.keys, returned).map(StoreAnswer::Token),
        });
        answers.collect::<Option<_>>().ok_or_else(|| self.unexpected())
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisStore").field(&self.address).finish()
    }
}
