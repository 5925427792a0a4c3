//! A backend that requests data from its visitors through Didit, or verifies their identity, and greets
//! them by name.
//!
//! ```console
//! $ DIDIT_SANDBOX=1 cargo run --package didit-example-backend
//! http://127.0.0.1:3000/
//! ```
//!
//! Without `DIDIT_SANDBOX` it calls the live service, with the credentials of the environment
//! (`DIDIT_API_KEY`, for example). `LISTEN` is the listening address, and `REDIS_URL` a Redis through
//! which several processes share the rate limit and the token.
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

/// The time limit of requests in flight at shutdown.
const GRACE_PERIOD: Duration = Duration::from_secs(10);
/// A sandbox accepts any workflow and signs with any secret.
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
    // The SDK logs retries and waits, but neither personal data nor secrets.
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    // Runs until it is dropped.
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
        .layer(from_fn(add_security_headers))
        .with_state(app);
    let routes = routes.merge(pages);
    writeln!(std::io::stdout(), "http://{address}/")?;
    let served = axum::serve(listener, routes).with_graceful_shutdown(shutdown_signal());
    tokio::select! {
        result = served => result?,
        // A hanging request must not keep the process alive.
        () = shutdown_timeout() => tracing::warn!("stopped with requests under way"),
    }
    Ok(())
}

/// Creates a client of the sandbox, or of the service that the environment configures.
fn connect(sandbox: Option<&Sandbox>) -> Result<Client, Box<dyn Error>> {
    if let Some(sandbox) = sandbox {
        let key = Authorization::api_key(sandbox.api_key())?;
        return Ok(Client::builder(key).base_url(sandbox.url().parse()?).build()?);
    }
    let mut builder = ClientBuilder::from_env()?;
    if let Ok(url) = env::var("REDIS_URL") {
        // All processes of this backend share one rate limit and one token.
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
    page::visit(&visit, verification.as_ref()).into_response()
}

/// Starts a visit that requests data.
async fn share(State(app): State<App>, headers: HeaderMap) -> Response {
    start(&headers, app.visits.share()).await
}

/// Starts a visit that verifies the visitor's identity.
async fn verify(State(app): State<App>, headers: HeaderMap) -> Response {
    match &app.workflow {
        Some(workflow) => start(&headers, app.visits.verify(workflow)).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Creates a session and ties it to this browser, so that nobody else sees its result.
async fn start(
    headers: &HeaderMap,
    visit: impl Future<Output = Result<String, Box<dyn Error + Send + Sync>>>,
) -> Response {
    // Other sites must not create sessions in the visitor's name (CSRF).
    if headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin") {
        return StatusCode::FORBIDDEN.into_response();
    }
    match visit.await {
        Ok(key) => {
            // Add `Secure` if the page is served over https.
            let cookie = format!("visit={key}; Path=/; HttpOnly; SameSite=Lax");
            ([(SET_COOKIE, cookie)], Redirect::to("/")).into_response()
        }
        Err(error) => {
            // Errors of the SDK contain neither secrets nor personal data.
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

async fn add_security_headers(request: Request, next: Next) -> Response {
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

async fn shutdown_signal() {
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate()).ok()?.recv().await
    };
    #[cfg(not(unix))]
    let terminated = async { None };
    // A signal that cannot be handled does not end the wait for the other one.
    tokio::select! {
        Ok(()) = tokio::signal::ctrl_c() => {}
        Some(()) = terminated => {}
        else => std::future::pending().await,
    }
}

/// Waits for a shutdown signal, and then for a second one or the time limit.
async fn shutdown_timeout() {
    shutdown_signal().await;
    tokio::select! { () = shutdown_signal() => {}, () = tokio::time::sleep(GRACE_PERIOD) => {} }
}
