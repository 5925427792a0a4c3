//! Proxies from the environment and from the builder.
//!
//! Environment variables are process-wide, so each case runs its test again in a child process.

use std::env;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use didit_core::verification::ListSessions;
use didit_core::{Authorization, CallErrorKind, ProxySettings, TransportErrorKind};
use didit_sandbox::{Application, Sandbox};

use crate::certificates::Authority;
use crate::verification::Verification;
use crate::{Adapter, Settings, at, environment, id, raw, settings};

/// The variable with the base URL of the sandbox, set in a child process only.
const CHILD: &str = "SCENARIO_BASE_URL";
const ROOT: &str = "SCENARIO_ROOT_CERTIFICATE";
const ALL: [&str; 8] = [
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// The expected request to the proxy, if any; or the variable that is rejected.
type Expected<'a> = Result<Option<&'a str>, &'a str>;

type Variables<'a> = &'a [(&'a str, &'a str)];

/// Starts a proxy that serves until the process ends; returns its address and a receiver of the
/// request lines.
pub fn proxy() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (asked, hosts) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let asked = asked.clone();
            thread::spawn(move || tunnel(stream.unwrap(), &asked));
        }
    });
    (address, hosts)
}

fn tunnel(mut client: TcpStream, asked: &mpsc::Sender<String>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let line = head.lines().next().unwrap();
    let authorized = if head.to_lowercase().contains("proxy-authorization: basic") {
        " with a password"
    } else {
        ""
    };
    let _ = asked.send(format!("{line}{authorized}"));
    let host = line.split(' ').nth(1).unwrap();
    let server = TcpStream::connect(host).unwrap();
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    let (mut from_client, mut to_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let _ = io::copy(&mut &server, &mut client);
    let _ = client.shutdown(Shutdown::Write);
}

/// Retrieves one decision in a child process and prints the outcome.
fn retrieve<A: Adapter>(base_url: &str) {
    let root = env::var(ROOT).unwrap();
    let client = A::new(Settings {
        root_certificate: Some(root).filter(|root| !root.is_empty()),
        ..at(base_url)
    });
    match client.map(|client| client.decision(&id("s-1"))) {
        Ok(Ok(decision)) => println!("retrieved {}", decision.session_id()),
        Ok(Err(error)) => println!("failed: {}", error.shown),
        Err(error) => println!("refused: {error}"),
    }
}

/// The HTTPS proxy is used for https URLs, except for hosts in `NO_PROXY`. The HTTP proxy is not
/// used. An unusable proxy is rejected before anything is sent.
pub fn from_the_environment<A: Adapter>(test: &str) {
    if let Ok(base_url) = env::var(CHILD) {
        return retrieve::<A>(&base_url);
    }
    let authority = Authority::new();
    let secure = Sandbox::builder().tls(authority.server("127.0.0.1"));
    let secure = secure.credentials("client", "secret").start().unwrap();
    let plain = Sandbox::builder().credentials("client", "secret").start().unwrap();
    let (proxy, hosts) = proxy();
    let asks = format!("CONNECT {} HTTP/1.1", secure.url().trim_start_matches("https://"));
    let with_password = format!("{asks} with a password");
    let (named, with_user) = (format!("http://{proxy}"), format!("http://user:pass@{proxy}"));
    let table: [(&Sandbox, Variables<'_>, Expected<'_>); 10] = [
        (&secure, &[("HTTPS_PROXY", &named)], Ok(Some(&asks))),
        (&secure, &[("https_proxy", &proxy)], Ok(Some(&asks))),
        (&secure, &[("HTTPS_PROXY", ""), ("ALL_PROXY", &with_user)], Ok(Some(&with_password))),
        (&secure, &[("HTTPS_PROXY", &named), ("NO_PROXY", "a.example,127.0.0.1")], Ok(None)),
        (&secure, &[("HTTP_PROXY", "http://127.0.0.1:1")], Ok(None)),
        (&secure, &[("HTTPS_PROXY", &named), ("ALL_PROXY", "socks5://x")], Ok(Some(&asks))),
        (&plain, &[("HTTP_PROXY", &named), ("ALL_PROXY", "socks5://x")], Ok(None)),
        (&secure, &[("HTTPS_PROXY", "socks5://canary@127.0.0.1:1")], Err("HTTPS_PROXY")),
        (&secure, &[("all_proxy", "http://canary:canary@:1")], Err("all_proxy")),
        (&secure, &[("https_proxy", "canary canary")], Err("https_proxy")),
    ];
    for (sandbox, variables, expected) in table {
        let here = [(CHILD, sandbox.url()), (ROOT, &authority.pem())];
        let printed = environment::child(test, &ALL, &[&here, variables].concat());
        let asked: Vec<_> = hosts.try_iter().collect();
        match expected {
            Ok(way) => {
                assert!(printed.contains("retrieved s-1"), "{variables:?}: {printed}");
                assert_eq!(asked.first().map(String::as_str), way, "{variables:?}");
            }
            Err(name) => {
                let refusal = format!(
                    "refused: {name} is not the address of an HTTP proxy, like http://host:port (SOCKS is not supported)"
                );
                assert!(printed.contains(&refusal), "{variables:?}: {printed}");
                assert!(asked.is_empty() && !printed.contains("canary"), "{printed}");
            }
        }
    }
}

/// A connection that never reached the service cannot have created a session.
pub fn reset_before_the_connection_is_retried<A: Adapter>() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            // Dropped with unread bytes, so the connection is reset.
            stream.unwrap().peek(&mut [0]).unwrap();
        }
    });
    let client = A::new(Settings {
        proxy: Some(ProxySettings::default().with_proxy(&proxy)),
        credentials: Authorization::bearer("token").unwrap().into(),
        ..at("https://127.0.0.1:1")
    });
    let error = client.unwrap().create("names".parse().unwrap(), None).unwrap_err();
    let CallErrorKind::Transport(kind) = error.call.kind() else { panic!("{}", error.shown) };
    assert_eq!((*kind, error.call.attempts()), (TransportErrorKind::Connect, 4));
    assert!(!error.shown.contains("session may"), "{}", error.shown);
}

/// A refused CONNECT is not retried, and the error names the proxy.
pub fn proxy_refusal_is_not_retried<A: Adapter>() {
    let authority = Authority::new();
    let secure = Sandbox::builder().tls(authority.server("127.0.0.1")).start().unwrap();
    let fields = "x-a: b\r\n".repeat(150);
    let password = ", and the user name and password for it";
    for (answer, more) in [
        ("HTTP/1.1 407 \r\nproxy-authenticate: Basic realm=x\r\n\r\n", password),
        ("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno", ""),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", ""),
        (&format!("HTTP/1.1 200 OK\r\n{fields}\r\n"), ""),
        ("SSH-2.0\r\n\r\n", ""),
        ("", ""),
    ] {
        let answer = answer.to_owned();
        let (proxy, asked) = raw::serve(move |_| answer.clone());
        let client = A::new(Settings {
            root_certificate: Some(authority.pem()),
            proxy: Some(ProxySettings::default().with_proxy(&format!("http://u:canary@{proxy}"))),
            credentials: Authorization::bearer("token").unwrap().into(),
            ..settings(&secure)
        });
        let error = client.unwrap().create("names".parse().unwrap(), None).unwrap_err();
        let CallErrorKind::Transport(kind) = error.call.kind() else { panic!("{}", error.shown) };
        assert_eq!((*kind, error.call.attempts()), (TransportErrorKind::Proxy, 1));
        assert!(error.shown.contains(&format!("through the proxy {proxy}")), "{}", error.shown);
        assert!(!error.shown.contains("canary"), "{}", error.shown);
        let line = error.shown.lines().nth(1).unwrap();
        assert!(line.ends_with(&format!("); check the proxy{more}")), "{line}");
        assert!(!line.contains('/') && !line.contains("session may"), "{line}");
        assert_eq!(asked.try_iter().count(), 1);
    }
}

/// A proxy and a root certificate from the builder work together, for https URLs only.
pub fn proxy_from_the_builder<A: Verification>() {
    let authority = Authority::new();
    let application = || Application::new("client", "secret").with_api_key("key");
    let secure = Sandbox::builder().application(application()).tls(authority.server("127.0.0.1"));
    let secure = secure.start().unwrap();
    let plain = Sandbox::builder().application(application()).start().unwrap();
    let (proxy, hosts) = proxy();
    let settings = |proxy: &str| Settings {
        credentials: Authorization::api_key("key").unwrap().into(),
        verification_base_url: Some(secure.url().parse().unwrap()),
        root_certificate: Some(authority.pem()),
        proxy: Some(ProxySettings::default().with_proxy(proxy)),
        ..settings(&plain)
    };
    let client = A::new(settings(&format!("http://user:pass@{proxy}"))).unwrap();
    client.decision(&id("s-1")).unwrap();
    assert!(hosts.try_recv().is_err(), "plain http goes through no proxy");
    client.page(ListSessions::new()).unwrap();
    let asked = hosts.try_recv().unwrap();
    assert!(asked.ends_with(" with a password") && asked.contains("CONNECT"), "{asked}");

    let gone = A::new(settings("http://127.0.0.1:1")).unwrap();
    let error = gone.page(ListSessions::new()).unwrap_err();
    assert!(error.shown.contains("through the proxy 127.0.0.1:1"), "{}", error.shown);
    let refused = A::new(settings("http://p:canary")).map(drop).unwrap_err();
    assert!(refused.contains("not the address of an HTTP proxy"), "{refused}");
}
