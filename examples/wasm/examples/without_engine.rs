//! A minimal use in WebAssembly: builds a request and parses a response.
#![cfg(target_arch = "wasm32")]

use didit_core::data_transfer::RetrieveDecision;
use didit_core::{Authorization, BaseUrl, Endpoint};
use http::Response;
use wasm_bindgen::prelude::*;

/// Returns the URL of a session's decision, and the `Authorization` header to send.
///
/// # Errors
/// An argument is invalid.
#[wasm_bindgen]
pub fn request(session: &str, token: &str) -> Result<Vec<String>, JsError> {
    let endpoint = RetrieveDecision::new(session.parse()?);
    let request = endpoint.request(&BaseUrl::production(), Some(&Authorization::bearer(token)?))?;
    let authorization = request.headers()["authorization"].to_str()?;
    Ok(vec![request.uri().to_string(), authorization.to_owned()])
}

/// Returns the status and the full name of a response.
///
/// # Errors
/// The response is not the decision of the session.
#[wasm_bindgen]
pub fn parse(session: &str, status: u16, body: &[u8]) -> Result<Vec<String>, JsError> {
    let response = Response::builder().status(status).body(body)?;
    let decision = RetrieveDecision::new(session.parse()?).parse(&response)?;
    let name = decision.user_data().and_then(|user| user.names.as_ref()?.full_name.as_deref());
    let name = name.unwrap_or_default();
    Ok(vec![decision.status().to_string(), name.to_owned()])
}
