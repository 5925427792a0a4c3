//! The least that is useful in WebAssembly: builds a request and reads an answer.
#![cfg(target_arch = "wasm32")]

use didit_core::data_transfer::RetrieveDecision;
use didit_core::{Authorization, BaseUrl, Endpoint};
use http::Response;
use wasm_bindgen::prelude::*;

/// Returns the URL of a session's decision, and the header to send.
///
/// # Errors
/// If an argument is not what it should be.
#[wasm_bindgen]
pub fn request(session: &str, token: &str) -> Result<Vec<String>, JsError> {
    let endpoint = RetrieveDecision::new(session.parse()?);
    let request = endpoint.request(&BaseUrl::production(), Some(&Authorization::bearer(token)?))?;
    let authorization = request.headers()["authorization"].to_str()?;
    Ok(vec![request.uri().to_string(), authorization.to_owned()])
}

/// The status and the full name that an answer tells.
///
/// # Errors
/// If the answer is not that session's decision.
#[wasm_bindgen]
pub fn parse(session: &str, status: u16, body: &[u8]) -> Result<Vec<String>, JsError> {
    let response = Response::builder().status(status).body(body)?;
    let decision = RetrieveDecision::new(session.parse()?).parse(&response)?;
    let name = decision.user_data().and_then(|user| user.names.as_ref()?.full_name.as_deref());
    let name = name.unwrap_or_default();
    Ok(vec![decision.status().to_string(), name.to_owned()])
}
