use std::error::Error as StdError;
use std::io;

use didit_core::client::{FailedExchange, NOT_HTTP, Route, TransportDetail, describe_refusal, tls};
use didit_core::{ClientError, TransportError, TransportErrorKind};

/// The error of a call; see [`ClientError`].
pub type Error = ClientError<reqwest::Error>;

/// Converts an error of the HTTP library, without its URL, for the engine and for the caller.
pub(crate) fn failed(error: reqwest::Error, route: &Route) -> FailedExchange<reqwest::Error> {
    let kind = kind(&error, route);
    let cause = || causes(&error).last().map(ToString::to_string).unwrap_or_default();
    let (description, advice) = match tls_error(&error) {
        Some(error) => (Some(tls::describe(error)), tls::advice(error)),
        None if kind == TransportErrorKind::Proxy => {
            let (words, advice) = describe_refusal(&cause());
            (Some(words), advice)
        }
        None if is_not_http(&error) => (Some(NOT_HTTP.to_owned()), None),
        None => {
            let words = io_error(&error).map(ToString::to_string);
            (words.or_else(|| error.is_connect().then(cause)), None)
        }
    };
    let detail = TransportDetail { error: error.without_url(), description, advice };
    (TransportError::new(kind), Some(detail))
}

/// Classifies a failed exchange by whether the service may have received the request.
fn kind(error: &reqwest::Error, route: &Route) -> TransportErrorKind {
    let tls_error = tls_error(error);
    if let Some(kind) = tls_error.and_then(tls::kind) {
        return kind;
    }
    match tls_error {
        _ if error.is_timeout() && error.is_connect() => TransportErrorKind::Connect,
        _ if error.is_timeout() => TransportErrorKind::Timeout,
        // A refused CONNECT is the only connect error whose source is not an I/O error.
        None if error.is_connect() && route.proxy().is_some() && io_error(error).is_none() => {
            TransportErrorKind::Proxy
        }
        _ if error.is_connect() || error.is_builder() => TransportErrorKind::Connect,
        _ if is_head_too_large(error) => TransportErrorKind::HeadTooLarge,
        _ => TransportErrorKind::ConnectionLost,
    }
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

fn is_head_too_large(error: &reqwest::Error) -> bool {
    causes(error).filter_map(|cause| cause.downcast_ref()).any(hyper::Error::is_parse_too_large)
}

fn is_not_http(error: &reqwest::Error) -> bool {
    let mut causes = causes(error).filter_map(|cause| cause.downcast_ref());
    causes.any(|cause: &hyper::Error| cause.is_parse() && !cause.is_parse_too_large())
}

fn io_error(error: &reqwest::Error) -> Option<&io::Error> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// Returns the TLS library's error, which may be wrapped in nested `io::Error`s.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    fn unwrapped<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
        match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => unwrapped(wrapped),
            None => cause.downcast_ref(),
        }
    }
    causes(error).find_map(unwrapped)
}
