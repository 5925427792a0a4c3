use std::io::{self, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use std::{fs, thread};

use didit_core::{SharedStore as _, StoreRequest};
use didit_redis_adapter::RedisStore;

use super::server::Server;
use super::{APPLICATION, asks, joins, quota};

#[test]
fn an_unreachable_server_is_named_and_may_be_optional() {
    // Nobody listens at port 1.
    let error = RedisStore::connect("redis://127.0.0.1:1").unwrap_err().to_string();
    assert!(error.starts_with("Redis at 127.0.0.1:1: Connection refused"), "{error}");
    assert!(error.ends_with("; check that it runs there"), "{error}");
    let mut store = RedisStore::builder("redis://127.0.0.1:1").optional().connect().unwrap();
    let error = store.exchange(&[StoreRequest::Quota(joins(1))]).unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:1"), "{error}");
    let error = RedisStore::connect("http://:canary@127.0.0.1").unwrap_err().to_string();
    assert!(error.contains("redis://HOST") && !error.contains("canary"), "{error}");
}

#[test]
fn a_password_and_the_rights_that_are_documented_are_enough() {
    let server = Server::start();
    let rights =
        ["reset", "on", ">canary", "~{didit:*", "+eval", "+time", "+ping", "+@read", "+@write"];
    server.command(&[&["ACL", "SETUSER", "fleet"], rights.as_slice()].concat());
    server.command(&["ACL", "SETUSER", "default", "off"]);
    let at = format!("127.0.0.1:{}", server.port());
    let mut store = RedisStore::connect(&format!("redis://fleet:canary@{at}")).unwrap();
    store.open(&APPLICATION);
    assert_eq!(quota(&mut store, joins(1)).granted, 1);
    let refused =
        RedisStore::connect(&format!("redis://fleet:wrong@{at}")).unwrap_err().to_string();
    let advice = "the user or the password is refused; check them in its URL";
    assert_eq!(refused, format!("Redis at {at}: {advice}"));
    let elsewhere = format!("redis://fleet:canary@{at}");
    let mut other = RedisStore::builder(&elsewhere).prefix("other").connect().unwrap();
    other.open(&APPLICATION);
    let error = other.exchange(&[StoreRequest::Quota(joins(1))]).unwrap_err().to_string();
    // Valkey begins it with a capital.
    assert!(
        error.to_lowercase().contains("no permissions") && !error.contains("canary"),
        "{error}"
    );
}

#[test]
fn a_server_that_is_not_redis_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let _ = io::copy(&mut connection, &mut io::sink());
    });
    let error = RedisStore::connect(&format!("redis://{at}")).unwrap_err().to_string();
    let words = "what answers is not Redis; check the host and the port";
    assert_eq!(error, format!("Redis at {at}: {words}"));
}

#[test]
fn a_server_without_tls_or_with_it_is_told() {
    let server = Server::start();
    let error = RedisStore::connect(&format!("rediss://127.0.0.1:{}", server.port())).unwrap_err();
    let error = error.to_string();
    assert!(error.ends_with("speaks TLS on this port; if not, its URL is redis://"), "{error}");

    // A server of TLS hangs up on what is no handshake.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    thread::spawn(move || io::Read::read(&mut listener.accept().unwrap().0, &mut [0]));
    let error = RedisStore::connect(&format!("redis://{at}")).unwrap_err().to_string();
    assert!(error.ends_with("if it speaks TLS, its URL is rediss://"), "{error}");
}

#[test]
fn a_host_that_does_not_exist_is_told() {
    let error = RedisStore::connect("redis://no-such-host.invalid").unwrap_err().to_string();
    let words = "the host was not found; check the host and the port";
    assert_eq!(error, format!("Redis at no-such-host.invalid:6379: {words}"));
}

#[test]
fn a_server_that_was_gone_is_used_again() {
    let mut server = Server::start();
    let mut store = RedisStore::connect(&server.url()).unwrap();
    store.open(&APPLICATION);
    assert!(quota(&mut store, joins(1)).member);
    server.kill();
    assert!(store.exchange(&[StoreRequest::Quota(asks(1, 1))]).is_err());
    assert!(store.exchange(&[StoreRequest::Quota(asks(1, 1))]).is_err());
    server.restart();
    assert!(!quota(&mut store, asks(1, 1)).member, "it has forgotten everything");
    assert!(quota(&mut store, joins(1)).member);
}

#[test]
fn a_server_that_does_not_answer_is_given_up_within_a_second() {
    let server = Server::start();
    let mut store = RedisStore::connect(&server.url()).unwrap();
    server.command(&["CLIENT", "PAUSE", "5000", "ALL"]);
    let begun = Instant::now();
    assert!(store.exchange(&[StoreRequest::Quota(joins(1))]).is_err());
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[test]
fn tls_works_with_a_certificate_of_ones_own() {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    fs::write(&certificate, certified.cert.pem()).unwrap();
    fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
    let (cert, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let server = Server::with(&[
        "--tls-port",
        "PORT",
        "--tls-auth-clients",
        "no",
        "--tls-cert-file",
        cert,
        "--tls-key-file",
        key,
        "--tls-ca-cert-file",
        cert,
    ]);
    let url = format!("rediss://localhost:{}", server.port());
    let builder = RedisStore::builder(&url).root_certificate(&fs::read(&certificate).unwrap());
    let mut store = builder.connect().unwrap();
    store.open(&APPLICATION);
    assert_eq!(quota(&mut store, joins(1)).granted, 1);
    // What is for TLS does no harm without.
    let plain = Server::start();
    let builder = RedisStore::builder(&plain.url());
    builder.root_certificate(&fs::read(&certificate).unwrap()).connect().unwrap();
    let error = RedisStore::connect(&url).unwrap_err().to_string();
    assert!(error.contains(&format!("localhost:{}", server.port())), "{error}");
}
