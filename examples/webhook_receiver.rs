//! Receives webhooks with hyper: verifies each, and never overwrites a newer event with an older one.
//!
//! `DIDIT_WEBHOOK_SECRET=... cargo run -p didit-examples --example webhook_receiver`; `LISTEN` sets the
//! address. `didit webhook send http://127.0.0.1:3000/` sends a webhook, with the same secret.

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use didit_core::webhook::{Event, Webhook};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, StatusCode, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::Mutex, time::timeout};

const MAX_BODY: usize = 1 << 20;
const TIMEOUT: Duration = Duration::from_secs(10);

struct Receiver {
    webhook: Webhook,
    /// The latest event of each session; a real program would use a database table.
    latest: Mutex<HashMap<String, Event>>,
}

impl Receiver {
    async fn receive(&self, request: Request<Incoming>) -> StatusCode {
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
            return StatusCode::BAD_REQUEST;
        };
        match self.webhook.verify(&head.headers, &body.to_bytes(), SystemTime::now()) {
            Ok(event) => self.store(event).await,
            Err(error) => {
                eprintln!("refused a webhook: {error}");
                return StatusCode::UNAUTHORIZED;
            }
        }
        // The service redelivers after a 5xx response or none.
        StatusCode::OK
    }

    async fn store(&self, event: Event) {
        let (Some(id), Some(status)) = (event.session_id(), event.status()) else { return };
        let mut latest = self.latest.lock().await;
        if let Some(known) = latest.get(id) {
            let duplicate = known.dedupe_key() == event.dedupe_key();
            if duplicate || event.order_key() < known.order_key() {
                return;
            }
        }
        println!("{id}: {status}");
        latest.insert(id.to_owned(), event);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let webhook = Webhook::new([env::var("DIDIT_WEBHOOK_SECRET")?])?;
    let receiver = Arc::new(Receiver { webhook, latest: Mutex::default() });
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("http://{}/", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let receiver = Arc::clone(&receiver);
        let service = service_fn(move |request| {
            let receiver = Arc::clone(&receiver);
            async move {
                let status = receiver.receive(request).await;
                Response::builder().status(status).body(Empty::<Bytes>::new())
            }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(timeout(TIMEOUT, connection));
    }
}
