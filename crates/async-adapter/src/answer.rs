use std::future::poll_fn;
use std::pin::{Pin, pin};

use bytes::Bytes;
use didit_core::{MAX_BODY_BYTES, TransportError, TransportErrorKind};
use http::Response;
use tokio::time::Instant;

use crate::error::failure_kind;
use crate::timers::Timers;

/// What went wrong, in the core's terms and, if it has an opinion, in the HTTP library's.
pub(crate) type Failed = (TransportError, Option<reqwest::Error>);

/// Waits for an answer and reads it whole, or up to the first byte that is too many.
///
/// One timer does for both: the HTTP library's own would be a box and a layer for each.
pub(crate) async fn answer(
    pending: Pin<&mut impl Future<Output = Result<reqwest::Response, reqwest::Error>>>,
    deadline: Instant,
    timers: &Timers,
) -> Result<Response<Bytes>, Failed> {
    let mut timer = timers.take(deadline);
    // Out here, so that a time that ends within the body does not lose the head.
    let mut response = None;
    let exchanged = {
        let mut exchange = pin!(exchange(pending, &mut response));
        poll_fn(|context| timer.poll_before(exchange.as_mut(), context)).await
    };
    timers.give_back(timer);
    match exchanged {
        Some(Ok(body)) => Ok(with_body(body, response)),
        Some(Err(error)) => Err(failed(failure_kind(&error), response, Some(error.without_url()))),
        None => Err(failed(TransportErrorKind::Timeout, response, None)),
    }
}

#[cold]
fn failed(
    kind: TransportErrorKind,
    response: Option<reqwest::Response>,
    error: Option<reqwest::Error>,
) -> Failed {
    let failure = match response {
        Some(response) => TransportError::in_body(kind, with_body((), Some(response))),
        None => TransportError::new(kind),
    };
    (failure, error)
}

/// The answer with the body that was read.
fn with_body<T>(body: T, response: Option<reqwest::Response>) -> Response<T> {
    let mut answer = Response::new(body);
    if let Some(mut response) = response {
        *answer.status_mut() = response.status();
        std::mem::swap(answer.headers_mut(), response.headers_mut());
    }
    answer
}

async fn exchange(
    pending: Pin<&mut impl Future<Output = Result<reqwest::Response, reqwest::Error>>>,
    response: &mut Option<reqwest::Response>,
) -> Result<Bytes, reqwest::Error> {
    let response = response.insert(pending.await?);
    let Some(first) = response.chunk().await? else { return Ok(Bytes::new()) };
    let Some(second) = response.chunk().await? else { return Ok(first) };
    let mut whole = [first, second].concat();
    while whole.len() <= MAX_BODY_BYTES {
        let Some(chunk) = response.chunk().await? else { break };
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.into())
}
