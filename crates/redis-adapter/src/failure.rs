//! The error of the library in words, with what to do about it.

use std::error::Error as _;
use std::net::ToSocketAddrs as _;
use std::sync::Arc;
use std::{error, io};

use didit_core::StoreError;
use didit_core::client::tls;
use redis::{ErrorKind, RedisError};

/// Returns the failure of the Redis at `place`, a host and port; `with_tls` if its URL is `rediss`.
pub(crate) fn failure(place: &str, with_tls: bool, error: &RedisError) -> StoreError {
    let why = match error.kind() {
        ErrorKind::AuthenticationFailed => {
            "the user or the password is refused; check them in its URL".to_owned()
        }
        ErrorKind::Parse => "what answers is not Redis; check the host and the port".to_owned(),
        ErrorKind::Io => {
            let io_error = io_error(error);
            match io_error.and_then(tls_error) {
                Some(error) => with_advice(tls::describe(error), tls_advice(error)),
                None if error.is_connection_refusal() => {
                    format!("{error}; check that it runs there")
                }
                None => with_advice(words(place, io_error, error), io_advice(with_tls, io_error)),
            }
        }
        _ => error.to_string(),
    };
    StoreError::new(format!("Redis at {place}: {why}"))
}

fn words(place: &str, io_error: Option<&io::Error>, error: &RedisError) -> String {
    match io_error.map(io::Error::kind) {
        Some(io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            "no answer came in time".to_owned()
        }
        Some(io::ErrorKind::UnexpectedEof) => "the connection was closed".to_owned(),
        // The library does not tell a failed lookup from others.
        Some(_) if place.to_socket_addrs().is_err() => "the host was not found".to_owned(),
        _ => error.to_string(),
    }
}

/// Returns what a person can do; a server of the other kind, with or without TLS, waits or hangs up.
fn io_advice(with_tls: bool, error: Option<&io::Error>) -> &'static str {
    let disagrees = error.is_some_and(|error| {
        use io::ErrorKind::{ConnectionReset, TimedOut, UnexpectedEof, WouldBlock};
        matches!(error.kind(), ConnectionReset | TimedOut | UnexpectedEof | WouldBlock)
    });
    match (disagrees, with_tls) {
        (true, true) => "check that it speaks TLS on this port; if not, its URL is redis://",
        (true, false) => "check that it runs there; if it speaks TLS, its URL is rediss://",
        (false, _) => "check the host and the port",
    }
}

fn tls_advice(error: &rustls::Error) -> &'static str {
    let advice = tls::advice(error).filter(|_| !matches!(error, rustls::Error::InvalidMessage(_)));
    advice.unwrap_or("check the host and the port; without TLS, its URL is redis://")
}

fn with_advice(words: String, advice: &str) -> String {
    words + "; " + advice
}

/// Returns the system's error, which the library wraps.
fn io_error(error: &RedisError) -> Option<&io::Error> {
    type Shared = Arc<dyn error::Error + Send + Sync>;
    error.source()?.downcast_ref::<Shared>()?.downcast_ref()
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}
