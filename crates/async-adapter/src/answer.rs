use std::future::poll_fn;
use std::pin::{Pin, pin};

use bytes::Bytes;
use didit_core::{Failure, FailureKind, MAX_BODY_BYTES};
use http::Response;
use tokio::time::Instant;

use crate::error::failure_kind;
use crate::timers::Timers;

/// What went wrong, in the core's terms and, if it has an opinion, in the HTTP library's.
pub(crate) type Failed = (Failure, Option<reqwest::Error>);

/// Waits for an answer, keeps it where none was, and reads its body whole, or up to the first byte
/// that is too many.
///
/// One timer does for both: the HTTP library's own would be a box and a layer for each.
pub(crate) async fn answer(
    pending: Pin<&mut impl Future<Output = Result<reqwest::Response, reqwest::Error>>>,
    kept: &mut Option<reqwest::Response>,
    deadline: Instant,
    timers: &Timers,
) -> Result<Bytes, Failed> {
    let mut timer = timers.take(deadline);
    let exchanged = {
        let mut exchange = pin!(exchange(pending, kept));
        poll_fn(|context| timer.poll_before(exchange.as_mut(), context)).await
    };
    timers.give_back(timer);
    match exchanged {
        Some(Ok(body)) => Ok(body),
        Some(Err(error)) => Err(failed(failure_kind(&error), kept, Some(error.without_url()))),
        None => Err(failed(FailureKind::Timeout, kept, None)),
    }
}

#[cold]
fn failed(
    kind: FailureKind,
    kept: &mut Option<reqwest::Response>,
    error: Option<reqwest::Error>,
) -> Failed {
    let head = kept.is_some().then(|| with_body((), kept));
    (head.map_or(Failure::new(kind), |head| Failure::in_body(kind, head)), error)
}

/// The answer that was kept, with the body that was read; it is kept no longer.
pub(crate) fn with_body<T>(body: T, kept: &mut Option<reqwest::Response>) -> Response<T> {
    let mut answer = Response::new(body);
    if let Some(kept) = kept {
        *answer.status_mut() = kept.status();
        std::mem::swap(answer.headers_mut(), kept.headers_mut());
    }
    *kept = None;
    answer
}

async fn exchange(
    pending: Pin<&mut impl Future<Output = Result<reqwest::Response, reqwest::Error>>>,
    kept: &mut Option<reqwest::Response>,
) -> Result<Bytes, reqwest::Error> {
    let response = kept.insert(pending.await?);
    let Some(first) = response.chunk().await? else { return Ok(Bytes::new()) };
    let Some(second) = response.chunk().await? else { return Ok(first) };
    let mut whole = [first, second].concat();
    while whole.len() <= MAX_BODY_BYTES {
        let Some(chunk) = response.chunk().await? else { break };
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.into())
}
