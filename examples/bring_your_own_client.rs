//! Uses the endpoints without the engine, on a bare hyper connection. Tokens and retries are then up
//! to the caller.
//!
//! `cargo run -q -p didit-examples --example bring_your_own_client`

use std::error::Error;

use didit_core::data_transfer::RetrieveDecision;
use didit_core::oauth::FetchToken;
use didit_core::{Authorization, BaseUrl, ClientCredentials, Endpoint};
use didit_sandbox::Sandbox;
use http::header::{HOST, HeaderValue};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start()?;
    let base: BaseUrl = sandbox.url().parse()?;
    let client = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret())?;

    let token = call(&base, &FetchToken::new(client), None).await?;
    let endpoint = RetrieveDecision::new("unique-session-identifier".parse()?);
    let decision = call(&base, &endpoint, Some(token.authorization())).await?;

    println!("{}", decision.json().to_compact());
    Ok(())
}

/// Calls an endpoint over a new connection.
async fn call<E: Endpoint>(
    base: &BaseUrl,
    endpoint: &E,
    authorization: Option<&Authorization>,
) -> Result<E::Output, Box<dyn Error>> {
    let mut request = endpoint.request(base, authorization)?;
    let host = request.uri().authority().ok_or("a request without a host")?.to_string();
    // HTTP/1.1 sends the host as a header, and only the path and the query as the target.
    request.headers_mut().insert(HOST, HeaderValue::try_from(&host)?);
    let target = request.uri().path_and_query().cloned().ok_or("a request without a path")?;
    *request.uri_mut() = target.into();

    let stream = TokioIo::new(TcpStream::connect(&host).await?);
    let (mut sender, connection) = http1::handshake(stream).await?;
    tokio::spawn(connection);
    let response = sender.send_request(request.map(|body| Full::new(Bytes::from(body)))).await?;
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(endpoint.parse(&http::Response::from_parts(head, body))?)
}
