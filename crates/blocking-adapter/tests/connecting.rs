//! Failures before a request is sent are reported as such, with the host and port.
#![allow(clippy::unwrap_used)]

use std::error::Error as _;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use didit_blocking_adapter::{Client, ClientBuilder, Error};
use didit_core::data_transfer::{Scope, Scopes};
use didit_core::{Authorization, CallErrorKind, ProxySettings, TransportErrorKind};

/// The first byte of a TLS handshake.
const TLS_HANDSHAKE: u8 = 22;

/// Answers all connections with this text; returns its port, and tells of each connection.
fn server(answer: &'static str) -> (u16, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let (mut request, mut byte) = (Vec::new(), [0]);
            // A TLS record has no end that could be told here, and one byte is enough of it.
            while !request.ends_with(b"\r\n\r\n") && request.first() != Some(&TLS_HANDSHAKE) {
                connection.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            if tell.send(()).is_err() {
                return;
            }
            connection.write_all(answer.as_bytes()).unwrap();
            // A connection that is closed with bytes left to read may lose the answer.
            connection.shutdown(Shutdown::Write).unwrap();
            let _ = io::copy(&mut connection, &mut io::sink());
        }
    });
    (port, told)
}

fn builder(base: &str) -> ClientBuilder {
    let builder = Client::builder(Authorization::bearer("token").unwrap());
    builder.base_url(base.parse().unwrap()).timeout(Duration::from_secs(5))
}

fn refused(builder: ClientBuilder) -> (TransportErrorKind, Error) {
    let client = builder.build().unwrap();
    let error = client.create_session(Scopes::new([Scope::NAMES]).unwrap(), None).unwrap_err();
    let kind = match error.kind() {
        CallErrorKind::Transport(kind) => Some(*kind),
        _ => None,
    };
    (kind.unwrap(), error)
}

#[test]
fn a_port_of_plain_http_is_named() {
    let (port, _told) = server("HTTP/1.1 400 Bad Request\r\n\r\n");
    let (kind, error) =
        refused(builder(&format!("https://127.0.0.1:{port}")).proxy(ProxySettings::default()));
    // `ureq` does not tell a handshake from what follows, so the request may have been read.
    assert_eq!(kind, TransportErrorKind::ConnectionLost);
    let place = format!("(127.0.0.1:{port}: the server does not speak TLS on this port)");
    assert!(error.to_string().ends_with(&place), "{error}");
    assert_eq!(error.advice(), "check the port of the base URL");
    assert!(error.source().unwrap().is::<ureq::Error>());
}

#[test]
fn a_proxy_that_refuses_is_asked_once_and_its_status_is_told() {
    let (port, told) = server("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    let proxy = ProxySettings::default().with_proxy(&format!("http://127.0.0.1:{port}"));
    let (kind, error) = refused(builder("https://h.example").proxy(proxy));
    assert_eq!(kind, TransportErrorKind::Proxy, "{error:#?}");
    assert!(error.to_string().contains("407"), "{error}");
    assert!(error.to_string().contains(&format!("through the proxy 127.0.0.1:{port}")), "{error}");
    assert_eq!((told.try_iter().count(), error.attempts()), (1, 1));
}

#[test]
fn a_host_that_has_no_address_is_named() {
    let (kind, error) = refused(builder("https://h.invalid").proxy(ProxySettings::default()));
    assert_eq!(kind, TransportErrorKind::Connect);
    assert!(error.to_string().ends_with("(h.invalid:443: the host was not found)"), "{error}");
}
