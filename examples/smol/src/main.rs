//! Drives the engine on smol, with its sockets and timers, and without tokio.
//!
//! `cargo run -q -p didit-example-smol`

use std::{error::Error, time::Instant};

use didit_core::data_transfer::RetrieveDecision;
use didit_core::{
    Call, ClientCredentials, EndpointKind, Engine, Moment, TransportError, TransportErrorKind,
};
use didit_core::{CallError, Operation, Step};
use didit_sandbox::Sandbox;
use http::{Request, Response};
use smol::{Timer, future, net::TcpStream, prelude::*};

fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start()?;
    let client = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret())?;
    let call = Call::new(RetrieveDecision::new("unique-session-identifier".parse()?));
    let engine = Engine::builder(client).base_url(sandbox.url().parse()?).build()?;
    let decision = smol::block_on(run(engine, call))?;
    let name = decision.user_data().and_then(|user| user.names.as_ref()?.full_name.as_deref());
    println!("{}: {}, {}", decision.session_id(), decision.status(), name.unwrap_or("nobody"));
    Ok(())
}

async fn run<O: Operation>(mut engine: Engine, mut call: O) -> Result<O::Output, CallError> {
    let origin = Instant::now();
    let now = || Moment::new(origin.elapsed());
    loop {
        match call.poll(&mut engine, now()) {
            Step::Done(result) => return result,
            Step::Wait { until, .. } => drop(Timer::after(until.since(now())).await),
            Step::Send { request, ticket, timeout } => {
                let late = async {
                    Timer::after(timeout).await;
                    Err(TransportErrorKind::Timeout)
                };
                match future::or(exchange(&request), late).await {
                    Ok(response) => call.handle_response(&mut engine, now(), ticket, &response),
                    Err(kind) => {
                        call.handle_failure(&mut engine, now(), ticket, TransportError::new(kind));
                    }
                }
            }
        }
    }
}

/// Sends a request over a new connection, without TLS: for loopback only. (A real client would also
/// read chunked bodies and detect truncated ones.)
async fn exchange(r: &Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportErrorKind> {
    let host = r.uri().authority().map_or("", |host| host.as_str());
    let target = r.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut sent = format!("{} {target} HTTP/1.1\r\nHost: {host}\r\n", r.method()).into_bytes();
    for (name, value) in r.headers() {
        sent.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    sent.extend(format!("Connection: close\r\nContent-Length: {}\r\n\r\n", r.body().len()).bytes());
    let mut stream = TcpStream::connect(host).await.map_err(|_| TransportErrorKind::Connect)?;
    stream
        .write_all(&[&*sent, r.body()].concat())
        .await
        .map_err(|_| TransportErrorKind::ConnectionLost)?;
    let (mut answer, mut headers) = (Vec::new(), [httparse::EMPTY_HEADER; 32]);
    let most = r.extensions().get::<EndpointKind>().map_or(0, |kind| kind.max_body_bytes());
    let mut limited = stream.take(most as u64 + 0x4000);
    limited.read_to_end(&mut answer).await.map_err(|_| TransportErrorKind::ConnectionLost)?;
    let mut head = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(length)) = head.parse(&answer) else {
        return Err(TransportErrorKind::ConnectionLost);
    };
    let response = Response::builder().status(head.code.unwrap_or_default());
    let response = head.headers.iter().fold(response, |all, it| all.header(it.name, it.value));
    response.body(answer.split_off(length)).map_err(|_| TransportErrorKind::ConnectionLost)
}
