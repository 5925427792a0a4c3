use bytes::Bytes;
use didit_core::{Failure, FailureKind, MAX_BODY_BYTES};
use http::Response;
use tokio::time::{Instant, timeout_at};

use crate::error::failure_kind;

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
) -> Result<Answer, Failed> {
    let mut response = match timeout_at(deadline, pending).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            return Err((Failure::new(failure_kind(&error)), Some(error.without_url())));
        }
        Err(_) => return Err((Failure::new(FailureKind::Timeout), None)),
    };
    let body = timeout_at(deadline, body(&mut response)).await;
    let mut head = Response::new(());
    *head.status_mut() = response.status();
    *head.headers_mut() = std::mem::take(response.headers_mut());
    match body {
        Ok(Ok(body)) => Ok((head, body)),
        Ok(Err(error)) => {
            let failure = Failure::in_body(failure_kind(&error), head);
            Err((failure, Some(error.without_url())))
        }
        Err(_) => Err((Failure::in_body(FailureKind::Timeout, head), None)),
    }
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
