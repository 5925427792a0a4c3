//! A backend that asks its visitors for data through Didit, and greets them by the name they shared.
//!
//! ```console
//! $ DIDIT_SANDBOX=1 cargo run --package didit-example-backend
//! http://127.0.0.1:3000/
//! ```
//!
//! With `DIDIT_CLIENT_ID` and `DIDIT_CLIENT_SECRET` in place of `DIDIT_SANDBOX` it asks the live
//! service (or the one at `DIDIT_BASE_URL`). `LISTEN` is the address to serve at, and `REDIS_URL` names
//! the Redis through which several of these share the rate limit and the token.

mod page;
mod visits;

use std::env;
use std::error::Error;
use std::io::Write as _;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, REFERRER_POLICY, SET_COOKIE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use didit_async_adapter::Client;
use didit_async_adapter::core::ClientCredentials;
use didit_redis_adapter::RedisStore;
use didit_sandbox::Sandbox;
use tokio::net::TcpListener;

use crate::visits::Visits;

/// How long requests that are under way at a shutdown have until they are cut off.
const GRACE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The SDK tells of retries and waits, and never of a person or a secret.
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let (client, _sandbox) = connect()?;
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    writeln!(std::io::stdout(), "http://{}/", listener.local_addr()?)?;
    let routes = Router::new()
        .route("/", get(show).post(begin))
        .route("/style.css", get(style))
        .layer(from_fn(guarded))
        .with_state(Visits::new(client));
    let served = axum::serve(listener, routes).with_graceful_shutdown(told_to_stop());
    tokio::select! {
        result = served => result?,
        // A request that never comes to its end does not keep the process for ever.
        () = out_of_patience() => tracing::warn!("stopped with requests under way"),
    }
    Ok(())
}

/// A client of the configured service; a sandbox serves until it is dropped.
fn connect() -> Result<(Client, Option<Sandbox>), Box<dyn Error>> {
    if env::var_os("DIDIT_SANDBOX").is_some() {
        let sandbox = Sandbox::start()?;
        let credentials = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret())?;
        let client = Client::builder(credentials).base_url(sandbox.url().parse()?).build()?;
        return Ok((client, Some(sandbox)));
    }
    let variable = |name| env::var(name).map_err(|error| format!("{name}: {error}"));
    let (id, secret) = (variable("DIDIT_CLIENT_ID")?, variable("DIDIT_CLIENT_SECRET")?);
    let mut builder = Client::builder(ClientCredentials::new(&id, secret)?);
    if let Ok(base_url) = env::var("DIDIT_BASE_URL") {
        builder = builder.base_url(base_url.parse()?);
    }
    if let Ok(url) = env::var("REDIS_URL") {
        // All processes of this backend stay under one rate limit together, and use one token.
        builder = builder.shared(RedisStore::connect(&url)?);
    }
    Ok((builder.build()?, None))
}

async fn show(State(visits): State<Visits>, headers: HeaderMap) -> Response {
    let visit = visit_of(&headers).and_then(|key| visits.get(key));
    page::of(visit.as_ref()).into_response()
}

/// Creates a session, and ties it to this browser: nobody else gets to see what is shared.
async fn begin(State(visits): State<Visits>, headers: HeaderMap) -> Response {
    // Other sites must not have our visitors create sessions.
    if headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin") {
        return StatusCode::FORBIDDEN.into_response();
    }
    match visits.begin().await {
        Ok(key) => {
            // Where the page is served over https, add: Secure.
            let cookie = format!("visit={key}; Path=/; HttpOnly; SameSite=Lax");
            ([(SET_COOKIE, cookie)], Redirect::to("/")).into_response()
        }
        Err(error) => {
            // Errors of the SDK hold neither secrets nor personal data.
            tracing::error!("{error}");
            (StatusCode::BAD_GATEWAY, page::unavailable()).into_response()
        }
    }
}

fn visit_of(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|line| line.split("; ")).find_map(|cookie| cookie.strip_prefix("visit="))
}

async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css")], include_str!("style.css"))
}

async fn guarded(request: Request, next: Next) -> Response {
    const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; \
                          base-uri 'none'; frame-ancestors 'none'";
    let mut response = next.run(request).await;
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn told_to_stop() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminated) = signal(SignalKind::terminate()) else { return };
        tokio::select! { _ = interrupted => {}, _ = terminated.recv() => {} }
    }
    #[cfg(not(unix))]
    let _ = interrupted.await;
}

/// Told to stop, and then either told again or out of time.
async fn out_of_patience() {
    told_to_stop().await;
    tokio::select! { () = told_to_stop() => {}, () = tokio::time::sleep(GRACE) => {} }
}
