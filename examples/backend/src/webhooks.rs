//! `POST /webhooks`: receives the events of sessions.

use std::env;
use std::error::Error;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use didit_async_adapter::core::webhook::Webhook;

use crate::verifications::Verifications;

/// Reads the secret of the destination from the environment and, during a rotation, the old secret.
/// Without a secret, webhooks are not accepted.
pub(crate) fn secrets() -> Result<Option<Webhook>, Box<dyn Error>> {
    let Ok(secret) = env::var("DIDIT_WEBHOOK_SECRET") else { return Ok(None) };
    let old = env::var("DIDIT_WEBHOOK_OLD_SECRET").ok();
    Ok(Some(Webhook::new([secret].into_iter().chain(old))?))
}

pub(crate) fn routes(webhook: Webhook, verifications: Verifications) -> Router {
    Router::new().route("/webhooks", post(receive)).with_state((Arc::new(webhook), verifications))
}

/// Responds with 200 once the event is stored. Didit redelivers after a 5xx response, but not after
/// 401.
async fn receive(
    State((webhook, verifications)): State<(Arc<Webhook>, Verifications)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let event = match webhook.verify(&headers, &body, SystemTime::now()) {
        Ok(event) => event,
        Err(error) => {
            tracing::warn!("refused a webhook: {error}");
            return StatusCode::UNAUTHORIZED;
        }
    };
    match verifications.record(&event) {
        Ok(change) => {
            // If the change is `Stored`, send an email or enqueue a job here.
            tracing::info!(kind = %event.kind(), session = event.session_id(), ?change, "webhook");
            StatusCode::OK
        }
        Err(error) => {
            tracing::error!("could not store a webhook's decision: {error}");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}
