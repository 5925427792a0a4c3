//! A sandbox that other machines can connect to.

use std::net::Ipv4Addr;

use didit_sandbox::Sandbox;

use crate::raw::{creation, request, send, token};

#[test]
fn loopback_sandbox_has_no_network_url() {
    assert_eq!(Sandbox::start().unwrap().network_url(), None);
}

#[test]
fn network_sandbox_has_random_credentials() {
    let listen = || Sandbox::builder().listen(Ipv4Addr::UNSPECIFIED.into());
    let sandbox = listen().start().unwrap();
    assert!(sandbox.url().starts_with("http://127.0.0.1:"), "{}", sandbox.url());
    assert_ne!(sandbox.client_secret(), "sandbox-client-secret");
    assert_ne!(sandbox.api_key(), "sandbox-api-key");
    assert_eq!(send(&sandbox, &token()).unwrap().status, 401);
    let create = creation(&format!("X-Api-Key: {}", sandbox.api_key()), r#"{"scope":"names"}"#);
    let created = send(&sandbox, &create).unwrap().json();
    let network = sandbox.network_url().unwrap();
    let (base, _) = network.split_once("/enter/").unwrap();
    let url = created["url"].as_str().unwrap();
    assert!(url.starts_with(&format!("{base}/authorize/")), "{url}");

    // Explicit credentials are kept.
    let sandbox = listen().credentials("sandbox-client-id", "chosen").start().unwrap();
    assert_eq!(sandbox.client_secret(), "chosen");
}

#[test]
fn network_sandbox_issues_random_tokens() {
    let secret = "sandbox-client-secret-2";
    let listen = Sandbox::builder().listen(Ipv4Addr::UNSPECIFIED.into());
    let sandbox = listen.credentials("sandbox-client-id", secret).start().unwrap();
    // Base64 of sandbox-client-id:sandbox-client-secret-2
    let basic = "c2FuZGJveC1jbGllbnQtaWQ6c2FuZGJveC1jbGllbnQtc2VjcmV0LTI=";
    let good = token().replace("c2FuZGJveC1jbGllbnQtaWQ6c2FuZGJveC1jbGllbnQtc2VjcmV0", basic);
    let issued = send(&sandbox, &good).unwrap().json();
    assert!(issued["access_token"].as_str().unwrap().len() > 50, "{issued}");
}

#[test]
fn network_sandbox_refuses_foreign_host_names() {
    let sandbox = Sandbox::builder().listen(Ipv4Addr::UNSPECIFIED.into()).start().unwrap();
    for (host, status) in [
        ("example.com", 403),
        ("192.168.0.1.example.com", 403),
        ("192.168.0.1:8080", 200),
        ("localhost", 200),
    ] {
        let get = request("GET", "/", "", "").replace("Host: 127.0.0.1", &format!("Host: {host}"));
        assert_eq!(send(&sandbox, &get).unwrap().status, status, "{host}");
    }
}
