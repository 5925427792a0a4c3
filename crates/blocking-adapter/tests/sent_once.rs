//! A request with side effects is not retried once a server may have read it.
#![allow(clippy::unwrap_used)]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use didit_blocking_adapter::Client;
use didit_conformance::certificates::Authority;
use didit_core::data_transfer::{Scope, Scopes};
use didit_core::{Authorization, CallErrorKind, TransportErrorKind};
use rustls::{ServerConnection, Stream};

/// Serves TLS, reads a request from each connection, and then violates the TLS protocol.
fn breaking_server(authority: &Authority) -> (String, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let (config, (sender, receiver)) = (authority.server("127.0.0.1"), mpsc::channel());
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut socket = connection.unwrap();
            let mut tls = ServerConnection::new(config.clone()).unwrap();
            let mut request = [0; 4096];
            let _ = Stream::new(&mut tls, &mut socket).read(&mut request).unwrap();
            if sender.send(()).is_err() {
                return;
            }
            socket.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n").unwrap();
        }
    });
    (base, receiver)
}

#[test]
fn invalid_tls_record_after_the_request_prevents_a_retry() {
    let authority = Authority::new();
    let (base, receiver) = breaking_server(&authority);
    let client = Client::builder(Authorization::bearer("token").unwrap())
        .base_url(base.parse().unwrap())
        .timeout(Duration::from_secs(5))
        .root_certificate(authority.pem())
        .build()
        .unwrap();
    let error = client.create_session(Scopes::new([Scope::NAMES]).unwrap(), None).unwrap_err();
    let kind = error.kind();
    let lost = CallErrorKind::Transport(TransportErrorKind::ConnectionLost);
    assert_eq!(format!("{kind:?}"), format!("{lost:?}"), "{error}");
    assert!(error.may_have_taken_effect(), "{error}");
    assert_eq!(receiver.try_iter().count(), 1);
}
