//! A minimal HTTP client over raw sockets.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use didit_sandbox::Sandbox;
use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub(crate) fn connect(sandbox: &Sandbox) -> io::Result<TcpStream> {
    let address = sandbox.url().split_once("//").map(|(_, address)| address).unwrap_or_default();
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    Ok(stream)
}

/// Sends a request on a new connection and reads the response.
pub(crate) fn send(sandbox: &Sandbox, request: &str) -> io::Result<Answer> {
    let mut stream = connect(sandbox)?;
    stream.write_all(request.as_bytes())?;
    read_answer(&mut stream)
}

/// Returns a request with these headers (each with its line terminator) and Host, and with
/// Content-Length if there is a body.
pub(crate) fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = match body.len() {
        0 => String::new(),
        length => format!("Content-Length: {length}\r\n"),
    };
    format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}{length}\r\n{body}")
}

/// The header with the default API key.
pub(crate) const KEY: &str = "X-Api-Key: sandbox-api-key";

/// Returns a valid request for a decision, with the default API key.
pub(crate) fn decision(id: &str) -> String {
    let path = format!("/auth/v2/session/{id}/decision/");
    request("GET", &path, &format!("Content-Type: application/json\r\n{KEY}\r\n"), "")
}

/// Returns a request to create a session, with this authorization header.
pub(crate) fn creation(authorization: &str, body: &str) -> String {
    let headers = format!("Content-Type: application/json\r\n{authorization}\r\n");
    request("POST", "/auth/v2/session/", &headers, body)
}

/// Returns a valid request for a token, with the default credentials.
pub(crate) fn token() -> String {
    // Base64 of sandbox-client-id:sandbox-client-secret
    let basic = "c2FuZGJveC1jbGllbnQtaWQ6c2FuZGJveC1jbGllbnQtc2VjcmV0";
    let headers = format!(
        "Authorization: Basic {basic}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    );
    request("POST", "/auth/v2/token/", &headers, "grant_type=client_credentials")
}

pub(crate) fn read_answer(stream: &mut impl Read) -> io::Result<Answer> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let mut answer =
        Answer { status: status.ok_or(io::ErrorKind::InvalidData)?, head, body: Vec::new() };
    let length = answer.header("Content-Length").and_then(|length| length.parse().ok());
    answer.body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut answer.body)?;
    Ok(answer)
}
