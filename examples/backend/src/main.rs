//! A backend that asks its visitors for data through Didit, or verifies who they are, and greets them
//! by name.
//!
//! ```console
//! $ DIDIT_SANDBOX=1 cargo run --package didit-example-backend
//! http://127.0.0.1:3000/
//! ```
//!
//! Without `DIDIT_SANDBOX` it calls the live service, with the credentials of the environment
//! (`DIDIT_API_KEY`, for example). `LISTEN` is the address to serve at, and `REDIS_URL` names the Redis
//! through which several of these share the rate limit and the token.
//!
//! To verify visitors it needs `DIDIT_API_KEY`, the workflow in `DIDIT_WORKFLOW_ID`, and a webhook
//! destination at `/webhooks` whose `secret_shared_key` is in `DIDIT_WEBHOOK_SECRET`.

mod page;
mod verifications;
mod visits;
mod webhooks;

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
use axum::routing::{get, post};
use didit_async_adapter::core::Authorization;
use didit_async_adapter::core::webhook::Webhook;
use didit_async_adapter::{Client, ClientBuilder};
use didit_redis_adapter::RedisStore;
use didit_sandbox::Sandbox;
use tokio::net::TcpListener;

use crate::verifications::Verifications;
use crate::visits::{Visit, Visits};

/// The time that requests under way have at a shutdown before they are cut off.
const GRACE: Duration = Duration::from_secs(10);
/// A sandbox knows any workflow, and signs with any secret.
const SANDBOX_WORKFLOW: &str = "9f9b1234-aaaa-bbbb-cccc-1234567890ab";
const SANDBOX_SECRET: &str = "sandbox-webhook-secret";

#[derive(Clone)]
struct App {
    visits: Visits,
    verifications: Verifications,
    workflow: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The SDK tells of retries and waits, and never of a person or a secret.
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    // It serves until it is dropped.
    let sandbox = env::var_os("DIDIT_SANDBOX").map(|_| Sandbox::start()).transpose()?;
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let (webhook, workflow) = match &sandbox {
        Some(sandbox) => {
            let url = format!("http://127.0.0.1:{}/webhooks", address.port());
            sandbox.verification().webhook(&url, SANDBOX_SECRET)?;
            (Some(Webhook::new([SANDBOX_SECRET])?), Some(SANDBOX_WORKFLOW.to_owned()))
        }
        None => (webhooks::secrets()?, env::var("DIDIT_WORKFLOW_ID").ok()),
    };
    let app = App {
        visits: Visits::new(connect(sandbox.as_ref())?),
        verifications: Verifications::default(),
        workflow: workflow.filter(|_| webhook.is_some()),
    };
    let mut routes = Router::new();
    if let Some(webhook) = webhook {
        routes = routes.merge(webhooks::routes(webhook, app.verifications.clone()));
    }
    let pages = Router::new()
        .route("/", get(show).post(share))
        .route("/verification", post(verify))
        .route("/style.css", get(style))
        .layer(from_fn(guarded))
        .with_state(app);
    let routes = routes.merge(pages);
    writeln!(std::io::stdout(), "http://{address}/")?;
    let served = axum::serve(listener, routes).with_graceful_shutdown(told_to_stop());
    tokio::select! {
        result = served => result?,
        // A request that never comes to its end does not keep the process for ever.
        () = out_of_patience() => tracing::warn!("stopped with requests under way"),
    }
    Ok(())
}

/// A client of the sandbox, or of the service that the environment names.
fn connect(sandbox: Option<&Sandbox>) -> Result<Client, Box<dyn Error>> {
    if let Some(sandbox) = sandbox {
        let key = Authorization::api_key(sandbox.api_key())?;
        return Ok(Client::builder(key).base_url(sandbox.url().parse()?).build()?);
    }
    let mut builder = ClientBuilder::from_env()?;
    if let Ok(url) = env::var("REDIS_URL") {
        // All processes of this backend stay under one rate limit together, and use one token.
        builder = builder.shared_store(RedisStore::connect(&url)?);
    }
    Ok(builder.build()?)
}

async fn show(State(app): State<App>, headers: HeaderMap) -> Response {
    let Some(visit) = visit_of(&headers).and_then(|key| app.visits.get(key)) else {
        return page::welcome(app.workflow.is_some()).into_response();
    };
    let verification = match &visit {
        Visit::Verifying { session_id, .. } => app.verifications.get(session_id),
        _ => None,
    };
    page::of(&visit, verification.as_ref()).into_response()
}

/// Asks the visitor for data.
async fn share(State(app): State<App>, headers: HeaderMap) -> Response {
    begun(&headers, app.visits.share()).await
}

/// Has the visitor verify who they are.
async fn verify(State(app): State<App>, headers: HeaderMap) -> Response {
    match &app.workflow {
        Some(workflow) => begun(&headers, app.visits.verify(workflow)).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Creates a session, and ties it to this browser: nobody else gets to see what comes of it.
async fn begun(
    headers: &HeaderMap,
    visit: impl Future<Output = Result<String, Box<dyn Error + Send + Sync>>>,
) -> Response {
    // Other sites must not have our visitors create sessions.
    if headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin") {
        return StatusCode::FORBIDDEN.into_response();
    }
    match visit.await {
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
