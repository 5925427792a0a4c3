use std::io::{self, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use didit_conformance::certificates::Authority;
use didit_conformance::redis_server::RedisServer;
use didit_core::{SharedStore as _, StoreRequest};
use didit_redis_adapter::RedisStore;

use super::forwarder::Forwarder;
use super::{canary, command, join_request, member_request, process, quota, user_url};

#[test]
fn unreachable_server_is_an_error_unless_optional() {
    // Nobody listens at port 1.
    let error = RedisStore::connect("redis://127.0.0.1:1").unwrap_err().to_string();
    assert!(error.starts_with("Redis at 127.0.0.1:1: Connection refused"), "{error}");
    assert!(error.ends_with("; check that it runs there"), "{error}");
    let mut store = RedisStore::builder("redis://127.0.0.1:1").optional().connect().unwrap();
    let error = store.exchange(&[StoreRequest::Quota(join_request(1))]).unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:1"), "{error}");
    let error = RedisStore::connect("http://:canary@127.0.0.1").unwrap_err().to_string();
    assert!(error.contains("redis://HOST") && !error.contains("canary"), "{error}");
}

#[test]
fn debug_of_the_builder_leaves_out_the_password() {
    let builder = RedisStore::builder("redis://:canary@127.0.0.1").prefix("team");
    let shown = format!("{builder:?}");
    assert!(shown.contains(r#"prefix: "team""#) && !shown.contains("canary"), "{shown}");
}

#[test]
fn documented_acl_rights_suffice() {
    let server = RedisServer::start();
    let url = user_url(&server);
    command(&server, &["ACL", "SETUSER", "default", "off"]);
    assert_eq!(quota(&mut process(&url), join_request(1)).granted, 1);
    let refused = RedisStore::connect(&url.replace("canary", "wrong")).unwrap_err().to_string();
    let advice = "the user or the password is refused; check them in its URL";
    assert_eq!(refused, format!("Redis at {}: {advice}", server.address()));
    let mut other = RedisStore::builder(&url).prefix("other").connect().unwrap();
    other.open(&canary());
    let error = other.exchange(&[StoreRequest::Quota(join_request(1))]).unwrap_err().to_string();
    // Valkey capitalizes the message.
    assert!(
        error.to_lowercase().contains("no permissions") && !error.contains("canary"),
        "{error}"
    );
}

#[test]
fn server_that_is_not_redis_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let _ = io::copy(&mut connection, &mut io::sink());
    });
    let error = RedisStore::connect(&format!("redis://{at}")).unwrap_err().to_string();
    let words = "the server is not Redis; check the host and the port";
    assert_eq!(error, format!("Redis at {at}: {words}"));
}

#[test]
fn tls_mismatch_is_reported() {
    let server = RedisServer::start();
    let error = RedisStore::connect(&format!("rediss://127.0.0.1:{}", server.port())).unwrap_err();
    let error = error.to_string();
    assert!(error.ends_with("speaks TLS on this port; if not, its URL is redis://"), "{error}");

    // A TLS server closes the connection if the first bytes are not a handshake.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    thread::spawn(move || listener.accept().unwrap().0.read(&mut [0]));
    let error = RedisStore::connect(&format!("redis://{at}")).unwrap_err().to_string();
    assert!(error.ends_with("if it speaks TLS, its URL is rediss://"), "{error}");
}

#[test]
fn unknown_database_is_reported() {
    let server = RedisServer::start();
    let words = "it has no database with this number; check the number at the end of its URL";
    for number in [16, -1, i64::MAX] {
        let url = format!("{}/{number}", server.url());
        let error = RedisStore::connect(&url).unwrap_err().to_string();
        assert_eq!(error, format!("Redis at {}: {words}", server.address()));
    }
    assert!(RedisStore::connect(&format!("{}/15", server.url())).is_ok());
}

#[test]
fn unresolvable_host_is_reported() {
    let error = RedisStore::connect("redis://no-such-host.invalid").unwrap_err().to_string();
    let words = "the host was not found; check the host and the port";
    assert_eq!(error, format!("Redis at no-such-host.invalid:6379: {words}"));
}

#[test]
fn restarted_server_is_used_again() {
    let mut server = RedisServer::start();
    let mut store = process(&server.url());
    assert!(quota(&mut store, join_request(1)).member);
    server.kill();
    assert!(store.exchange(&[StoreRequest::Quota(member_request(1, 1))]).is_err());
    assert!(store.exchange(&[StoreRequest::Quota(member_request(1, 1))]).is_err());
    server.restart();
    assert!(!quota(&mut store, member_request(1, 1)).member, "the server has lost its state");
    assert!(quota(&mut store, join_request(1)).member);
}

#[test]
fn unresponsive_server_times_out() {
    let server = RedisServer::start();
    let mut store = RedisStore::connect(&server.url()).unwrap();
    command(&server, &["CLIENT", "PAUSE", "5000", "ALL"]);
    let started = Instant::now();
    assert!(store.exchange(&vec![StoreRequest::Quota(join_request(1)); 5]).is_err());
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[test]
fn first_connection_to_a_silent_server_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    let words = "the server did not respond in time; check that it";
    let urls = ["redis://", "redis://:canary@", "rediss://user:canary@"];
    thread::scope(|scope| {
        for url in urls.map(|start| format!("{start}{at}/3")) {
            scope.spawn(move || {
                let started = Instant::now();
                let error = RedisStore::connect(&url).unwrap_err().to_string();
                assert!(error.starts_with(&format!("Redis at {at}: {words}")), "{error}");
                assert!(started.elapsed() < Duration::from_secs(7), "{:?}", started.elapsed());
            });
        }
        scope.spawn(|| {
            let started = Instant::now();
            let url = format!("redis://:canary@{at}/3");
            let mut store = RedisStore::builder(&url).optional().connect().unwrap();
            assert!(started.elapsed() < Duration::from_secs(7), "{:?}", started.elapsed());
            let started = Instant::now();
            let error = store.exchange(&[StoreRequest::Quota(join_request(1))]).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        });
    });
}

#[test]
fn slow_connection_is_used_when_it_is_ready() {
    let mut server = RedisServer::start();
    let slow = Forwarder::delayed(server.port(), Duration::from_millis(300));
    let mut store = RedisStore::connect(&slow.url()).unwrap();
    server.kill();
    server.restart();
    let mut exchange = || store.exchange(&[StoreRequest::Quota(join_request(1))]);
    exchange().unwrap_err();
    // It takes longer than a process waits for it.
    let error = exchange().unwrap_err().to_string();
    assert!(error.contains("did not respond in time"), "{error}");
    exchange().unwrap();
}

/// Starts a server with a self-signed certificate, `cert.pem` in the folder.
fn server_with_tls(folder: &Path) -> RedisServer {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.join("cert.pem"), certified.cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), certified.signing_key.serialize_pem()).unwrap();
    RedisServer::with_tls(folder)
}

#[test]
fn tls_with_a_custom_root_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let server = server_with_tls(folder.path());
    let certificate = fs::read(folder.path().join("cert.pem")).unwrap();
    let url = server.url();
    let mut store = RedisStore::builder(&url).root_certificate(&certificate).connect().unwrap();
    store.open(&canary());
    assert_eq!(quota(&mut store, join_request(1)).granted, 1);
    // Without TLS, the root certificate is ignored.
    let plain = RedisServer::start();
    RedisStore::builder(&plain.url()).root_certificate(&certificate).connect().unwrap();
    let error = RedisStore::connect(&url).unwrap_err().to_string();
    assert!(error.contains(&format!("localhost:{}", server.port())), "{error}");
    let error = RedisStore::builder(&url).root_certificate(b"none").connect().unwrap_err();
    let words = "the root certificate is not a PEM certificate";
    assert_eq!(error.to_string(), format!("Redis at {}: {words}", server.address()));
}

/// In a child process, whose platform trusts the server.
#[test]
fn custom_root_certificate_is_trusted_in_addition_to_the_platforms() {
    const URL: &str = "DIDIT_TEST_URL";
    if let Ok(url) = env::var(URL) {
        let other = Authority::new().pem();
        RedisStore::builder(&url).root_certificate(other.as_bytes()).connect().unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = server_with_tls(folder.path());
    let test = "connection::custom_root_certificate_is_trusted_in_addition_to_the_platforms";
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", test])
        .env(URL, server.url())
        .env("SSL_CERT_FILE", folder.path().join("cert.pem"))
        .output()
        .unwrap();
    let output = String::from_utf8(child.stdout).unwrap();
    assert!(child.status.success() && output.contains("1 passed"), "{output}");
}
