use std::time::SystemTime;

use http::{HeaderMap, Response, StatusCode};

use super::error::TransportDetail;
use crate::endpoint::MAX_HEAD_BYTES;
use crate::engine::{TransportError, TransportErrorKind};
use crate::rate_limit::RateLimit;

/// What the engine is told of a failed exchange, and what the caller is, in an HTTP library's terms.
pub type FailedExchange<T> = (TransportError, Option<TransportDetail<T>>);

/// Takes the head of a response that arrived at that time.
///
/// # Errors
/// The headers are longer than [`MAX_HEAD_BYTES`].
pub fn receive_head<T>(
    status: StatusCode,
    headers: HeaderMap,
    at: SystemTime,
) -> Result<Response<()>, FailedExchange<T>> {
    let bytes: usize =
        headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if bytes > MAX_HEAD_BYTES {
        return Err((TransportError::new(TransportErrorKind::HeadTooLarge), None));
    }
    let mut head = Response::new(());
    *head.status_mut() = status;
    *head.headers_mut() = headers;
    RateLimit::stamp_arrival(head.headers_mut(), at);
    Ok(head)
}
