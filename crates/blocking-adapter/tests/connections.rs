//! Connections are reused, but closed ones are not.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use didit_blocking_adapter::Client;
use didit_core::Authorization;
use didit_core::data_transfer::{Scope, Scopes};

/// Reads one request and responds with `body`.
fn respond(connection: &TcpStream, body: &str) {
    let mut reader = BufReader::new(connection);
    let mut content_length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(length) = line.strip_prefix("content-length:") {
            content_length = length.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; content_length]).unwrap();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    let mut connection = connection;
    connection.write_all((head + body).as_bytes()).unwrap();
}

#[test]
fn closed_connection_is_not_reused_for_a_creation() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (closed, receiver) = mpsc::channel();
    let service = thread::spawn(move || {
        let decision = r#"{"session_id":"s-1","status":"Confirmed"}"#;
        let (first, _) = listener.accept().unwrap();
        respond(&first, decision);
        respond(&first, decision);
        drop(first);
        closed.send(()).unwrap();
        let (second, _) = listener.accept().unwrap();
        respond(
            &second,
            r#"{"session_id":"s-2","session_token":"t","url":"https://verify.didit.me/s-2"}"#,
        );
    });
    let token = Authorization::bearer("token").unwrap();
    let client = Client::builder(token).base_url(base.parse().unwrap()).build().unwrap();
    client.decision(&"s-1".parse().unwrap()).unwrap();
    client.decision(&"s-1".parse().unwrap()).unwrap();
    receiver.recv().unwrap();
    let scopes = Scopes::new([Scope::NAMES]).unwrap();
    assert_eq!(client.create_session(scopes, None).unwrap().session_id().as_str(), "s-2");
    service.join().unwrap();
}
