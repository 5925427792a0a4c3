//! Errors before a request is sent name the host and port.
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

/// Answers each connection with `response`; returns the port and a receiver of one message per
/// connection.
fn server(response: &'static str) -> (u16, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let (mut request, mut byte) = (Vec::new(), [0]);
            // The end of a TLS record cannot be recognized here; its first byte is enough.
            while !request.ends_with(b"\r\n\r\n") && request.first() != Some(&TLS_HANDSHAKE) {
                connection.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            if sender.send(()).is_err() {
                return;
            }
            connection.write_all(response.as_bytes()).unwrap();
            // Closing with unread input would reset the connection and may lose the response.
            connection.shutdown(Shutdown::Write).unwrap();
            let _ = io::copy(&mut connection, &mut io::sink());
        }
    });
    (port, receiver)
}

fn builder(base: &str) -> ClientBuilder {
    let builder = Client::builder(Authorization::bearer("token").unwrap());
    builder.base_url(base.parse().unwrap()).timeout(Duration::from_secs(5))
}

fn create(builder: ClientBuilder) -> (TransportErrorKind, Error) {
    let client = builder.build().unwrap();
    let error = client.create_session(Scopes::new([Scope::NAMES]).unwrap(), None).unwrap_err();
    let kind = match error.kind() {
        CallErrorKind::Transport(kind) => Some(*kind),
        _ => None,
    };
    (kind.unwrap(), error)
}

#[test]
fn plain_http_port_is_named() {
    let (port, _receiver) = server("HTTP/1.1 400 Bad Request\r\n\r\n");
    let (kind, error) =
        create(builder(&format!("https://127.0.0.1:{port}")).proxy(ProxySettings::default()));
    assert_eq!(kind, TransportErrorKind::Connect);
    let place = format!("(127.0.0.1:{port}: the server does not speak TLS on this port)");
    assert!(error.to_string().contains(&place), "{error}");
    assert_eq!(error.advice(), "check the port");
    assert!(error.source().unwrap().is::<ureq::Error>());
}

#[test]
fn proxy_refusal_is_not_retried_and_reports_its_status() {
    let (port, receiver) = server("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    let proxy = ProxySettings::default().with_proxy(&format!("http://127.0.0.1:{port}"));
    let (kind, error) = create(builder("https://h.example").proxy(proxy));
    assert_eq!(kind, TransportErrorKind::Proxy, "{error:#?}");
    assert!(error.to_string().contains("407"), "{error}");
    assert!(error.to_string().contains(&format!("through the proxy 127.0.0.1:{port}")), "{error}");
    assert_eq!((receiver.try_iter().count(), error.attempts()), (1, 1));
}

#[test]
fn unresolvable_host_is_named() {
    let (kind, error) = create(builder("https://h.invalid").proxy(ProxySettings::default()));
    assert_eq!(kind, TransportErrorKind::Connect);
    assert!(error.to_string().ends_with("(h.invalid:443: the host was not found)"), "{error}");
}
