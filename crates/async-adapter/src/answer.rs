use std::pin::pin;

use bytes::Bytes;
use didit_core::{Failure, FailureKind, MAX_BODY_BYTES};
use http::Response;
use tokio::time::Instant;

use crate::error::failure_kind;
use crate::timers::Timers;

/// The head of an answer, and its body.
pub(crate) type Answer = (Response<()>, Bytes);

/// What went wrong, in the core's terms and, if it has an opinion, in the HTTP library's.
pub(crate) type Failed = (Failure, Option<reqwest::Error>);

/// Waits for an answer and reads it whole, or up to the first byte that is too many.
///
/// One timer does for both: the HTTP library's own would be a box and a layer for each.
pub(crate) async fn answer(
    pending: impl Future<Output = Result<reqwest::Response, reqwest::Error>>,
    deadline: Instant,
    timers: &Timers,
) -> Result<Answer, Failed> {
    let mut response = None;
    let exchanged = {
        let exchange = pin!(async {
            let response = response.insert(pending.await?);
            body(response).await
        });
        timers.timeout_at(deadline, exchange).await
    };
    let head = response.map(|mut response| {
        let mut head = Response::new(());
        *head.status_mut() = response.status();
        *head.headers_mut() = std::mem::take(response.headers_mut());
        head
    });
    let (kind, error) = match exchanged {
        Some(Ok(body)) => return Ok((head.unwrap_or_default(), body)),
        Some(Err(error)) => (failure_kind(&error), Some(error.without_url())),
        None => (FailureKind::Timeout, None),
    };
    Err((head.map_or(Failure::new(kind), |head| Failure::in_body(kind, head)), error))
}

async fn body(response: &mut reqwest::Response) -> Result<Bytes, reqwest::Error> {
    let Some(first) = response.chunk().await? else { return Ok(Bytes::new()) };
    let Some(second) = response.chunk().await? else { return Ok(first) };
    let mut whole = [first, second].concat();
    while whole.len() <= MAX_BODY_BYTES {
        let Some(chunk) = response.chunk().await? else { break };
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.into())
}
