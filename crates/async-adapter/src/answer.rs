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
/// One timer does for both: the HTTP library's own would be a box and a layer for each, and on a
/// runtime of several threads every new timer wakes one of them.
pub(crate) async fn answer(
    pending: impl Future<Output = Result<reqwest::Response, reqwest::Error>>,
    deadline: Instant,
) -> Result<Answer, Failed> {
    let mut head = None;
    let exchange = async {
        let mut response = pending.await?;
        let mut parts = Response::new(());
        *parts.status_mut() = response.status();
        *parts.headers_mut() = std::mem::take(response.headers_mut());
        head = Some(parts);
        body(&mut response).await
    };
    let (kind, error) = match timeout_at(deadline, exchange).await {
        Ok(Ok(body)) => return Ok((head.unwrap_or_default(), body)),
        Ok(Err(error)) => (failure_kind(&error), Some(error.without_url())),
        Err(_) => (FailureKind::Timeout, None),
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
