//! The settings of a client reach the wire.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use didit_async_adapter::{Client, ClientBuilder, ConfigError};
use didit_core::{BuildError, ClientCredentials};
use didit_sandbox::{Fault, Route, Sandbox};
use reqwest::header::HeaderMap;

fn builder(sandbox: &Sandbox) -> ClientBuilder {
    let client = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    Client::builder(client).base_url(sandbox.url().parse().unwrap())
}

#[tokio::test]
async fn a_client_of_the_callers_does_the_sending() {
    // It needs a TLS provider to be made, and uses none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let sandbox = Sandbox::start().unwrap();
    let own = HeaderMap::from_iter([("x-own".parse().unwrap(), "1".parse().unwrap())]);
    let http = reqwest::Client::builder().no_proxy().default_headers(own);
    let http = http.redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let client = builder(&sandbox).client(http).build().unwrap();
    client.decision(&"s-1".parse().unwrap()).await.unwrap();
    assert!(sandbox.requests().iter().all(|request| request.header("x-own") == Some("1")));

    let other = Sandbox::start().unwrap();
    sandbox.script(Route::Decision, [Fault::redirect(other.url())]);
    let error = client.decision(&"s-3".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.call().response().unwrap().status(), 302);
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn the_user_agent_names_the_caller_first() {
    let sandbox = Sandbox::start().unwrap();
    let client = builder(&sandbox).user_agent("shop/7").build().unwrap();
    client.decision(&"s-1".parse().unwrap()).await.unwrap();
    for request in sandbox.requests() {
        assert!(request.header("user-agent").unwrap().starts_with("shop/7 didit-rust/"));
    }
    let refused = builder(&sandbox).user_agent("sh\r\nop").build().unwrap_err();
    assert!(matches!(refused, ConfigError::Build(BuildError::UserAgent)));
}

#[tokio::test]
async fn the_timeout_is_the_calls() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.always(Route::Decision, Fault::Hang);
    let client = builder(&sandbox).timeout(Duration::from_millis(100)).build().unwrap();
    client.decision(&"s-1".parse().unwrap()).await.unwrap_err();
    let shown = format!("{client:?} {:?}", builder(&sandbox));
    assert!(shown.contains(sandbox.url()) && !shown.contains(sandbox.client_secret()), "{shown}");
}
