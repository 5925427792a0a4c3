//! Error messages for errors of the Redis library, with advice.

use std::error::Error as _;
use std::sync::Arc;
use std::{error, fmt, io};

use didit_core::StoreError;
use didit_core::client::tls;
use redis::{ErrorKind, RedisError};

/// Returns an error of the Redis at `address`, a host and port.
pub(crate) fn error_at(address: &str, why: impl fmt::Display) -> StoreError {
    StoreError::new(format!("Redis at {address}: {why}"))
}

/// Converts an error of the Redis at `address`. `with_tls` is true if its URL is `rediss`.
pub(crate) fn failure(address: &str, with_tls: bool, error: &RedisError) -> StoreError {
    let why = match error.kind() {
        ErrorKind::AuthenticationFailed => {
            "the user or the password is refused; check them in its URL".to_owned()
        }
        ErrorKind::Server(_) if is_unknown_database(error) => {
            "it has no database with this number; check the number at the end of its URL".to_owned()
        }
        ErrorKind::Parse => "the server is not Redis; check the host and the port".to_owned(),
        ErrorKind::Io => {
            let io_error = io_error(error);
            match io_error.and_then(tls_error) {
                Some(error) => with_advice(tls::describe(error), tls_advice(error)),
                None if error.is_connection_refusal() => {
                    format!("{error}; check that it runs there")
                }
                None => with_advice(describe(io_error, error), io_advice(with_tls, io_error)),
            }
        }
        _ => error.to_string(),
    };
    error_at(address, why)
}

/// Returns whether the number of the database is out of range, for which Redis has no error code.
fn is_unknown_database(error: &RedisError) -> bool {
    let text = error.to_string();
    text.contains("refused to switch database") && text.contains("out of range")
}

fn describe(io_error: Option<&io::Error>, error: &RedisError) -> String {
    match io_error.map(io::Error::kind) {
        Some(io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            "the server did not respond in time".to_owned()
        }
        Some(io::ErrorKind::UnexpectedEof) => "the connection was closed".to_owned(),
        // Failed name resolution is the only other I/O error here without an OS error code.
        Some(_) if io_error.is_some_and(|error| error.raw_os_error().is_none()) => {
            "the host was not found".to_owned()
        }
        _ => error.to_string(),
    }
}

/// Returns advice. If only one side uses TLS, the server waits or closes the connection.
fn io_advice(with_tls: bool, error: Option<&io::Error>) -> &'static str {
    let tls_mismatch = error.is_some_and(|error| {
        use io::ErrorKind::{ConnectionReset, TimedOut, UnexpectedEof, WouldBlock};
        matches!(error.kind(), ConnectionReset | TimedOut | UnexpectedEof | WouldBlock)
    });
    match (tls_mismatch, with_tls) {
        (true, true) => "check that it speaks TLS on this port; if not, its URL is redis://",
        (true, false) => "check that it runs there; if it speaks TLS, its URL is rediss://",
        (false, _) => "check the host and the port",
    }
}

fn tls_advice(error: &rustls::Error) -> &'static str {
    let advice = tls::advice(error).filter(|_| !matches!(error, rustls::Error::InvalidMessage(_)));
    advice.unwrap_or("check the host and the port; without TLS, its URL is redis://")
}

fn with_advice(text: String, advice: &str) -> String {
    text + "; " + advice
}

/// Returns the I/O error that the library wraps.
pub(crate) fn io_error(error: &RedisError) -> Option<&io::Error> {
    type Shared = Arc<dyn error::Error + Send + Sync>;
    error.source()?.downcast_ref::<Shared>()?.downcast_ref()
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}
