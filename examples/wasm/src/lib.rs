//! Drives the engine in a JavaScript runtime, with its `fetch`, timers and clock. (For server-side
//! workers: a client secret must not be in a web page.) `examples/wasm/run`
#![cfg(target_arch = "wasm32")]

use std::time::Duration;

use didit_core::data_transfer::RetrieveDecision;
use didit_core::{Call, CallError, ClientCredentials, Engine, Moment, TransportError};
use didit_core::{Operation, Step, TransportErrorKind::ConnectionLost};
use js_sys::{Array, Function, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{AbortSignal, Headers, RequestInit, RequestRedirect, Response};

#[wasm_bindgen]
extern "C" {
    fn fetch(url: &str, init: &RequestInit) -> Promise<Response>;
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, milliseconds: f64);
    #[wasm_bindgen(js_namespace = performance)]
    fn now() -> f64;
}

/// Retrieves the decision of a session, as JSON.
///
/// # Errors
/// An argument is invalid, or the call fails.
#[wasm_bindgen]
pub async fn decision(url: &str, id: &str, secret: &str, session: &str) -> Result<String, JsError> {
    let engine =
        Engine::builder(ClientCredentials::new(id, secret)?).base_url(url.parse()?).build()?;
    let call = Call::new(RetrieveDecision::new(session.parse()?));
    Ok(run(engine, call).await?.json().to_compact())
}

async fn run<O: Operation>(mut engine: Engine, mut call: O) -> Result<O::Output, CallError> {
    let now = || Moment::new(Duration::from_secs_f64(now() / 1e3));
    loop {
        match call.poll(&mut engine, now()) {
            Step::Done(result) => return result,
            Step::Wait { until, .. } => {
                let wait = until.since(now()).as_secs_f64() * 1e3;
                let _ = Promise::new(&mut |done, _| set_timeout(&done, wait)).await;
            }
            Step::Send { request, ticket, timeout } => match exchange(&request, timeout).await {
                Ok(response) => call.handle_response(&mut engine, now(), ticket, &response),
                // `fetch` does not report the cause of a failure.
                Err(_) => call.handle_failure(
                    &mut engine,
                    now(),
                    ticket,
                    TransportError::new(ConnectionLost),
                ),
            },
        }
    }
}

async fn exchange(
    r: &http::Request<Vec<u8>>,
    timeout: Duration,
) -> Result<http::Response<Vec<u8>>, JsValue> {
    let (init, headers) = (RequestInit::new(), Headers::new()?);
    for (name, value) in r.headers() {
        headers.append(name.as_str(), value.to_str().unwrap_or_default())?;
    }
    // A `GET` must not have a body, not even an empty one. All bodies are text.
    init.set_body_opt_str(str::from_utf8(r.body()).ok().filter(|body| !body.is_empty()));
    init.set_method(r.method().as_str());
    init.set_headers(&headers);
    init.set_redirect(RequestRedirect::Manual);
    let milliseconds = timeout.as_millis().try_into().unwrap_or(u32::MAX);
    init.set_signal(Some(&AbortSignal::timeout_with_u32(milliseconds)));
    let answer = fetch(&r.uri().to_string(), &init).await?;
    let mut head = http::Response::builder().status(answer.status());
    for header in Array::from(&answer.headers()) {
        let text = |index| Array::from(&header).get(index).as_string().unwrap_or_default();
        head = head.header(text(0), text(1));
    }
    let body = answer.array_buffer()?.await?;
    head.body(Uint8Array::new(&body).to_vec()).map_err(|_| JsValue::NULL)
}
