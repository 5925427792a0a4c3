//! The settings of a client reach the wire.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use didit_blocking_adapter::{Client, ClientBuilder, ConfigError};
use didit_core::{BuildError, ClientCredentials};
use didit_sandbox::{Fault, Route, Sandbox};

fn builder(sandbox: &Sandbox) -> ClientBuilder {
    let client = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    Client::builder(client).base_url(sandbox.url().parse().unwrap())
}

#[test]
fn an_agent_of_the_callers_does_the_sending() {
    let sandbox = Sandbox::start().unwrap();
    // One that keeps no connection, and follows redirects and fails on statuses if it is let.
    let agent = ureq::Agent::config_builder().max_idle_connections(0).build().into();
    let client = builder(&sandbox).agent(agent).build().unwrap();
    client.decision(&"s-1".parse().unwrap()).unwrap();
    client.decision(&"s-2".parse().unwrap()).unwrap();
    assert_eq!(sandbox.connections(), 3);

    let other = Sandbox::start().unwrap();
    sandbox.script(Route::Decision, [Fault::redirect(other.url())]);
    let error = client.decision(&"s-3".parse().unwrap()).unwrap_err();
    assert_eq!(error.call().response().unwrap().status(), 302);
    assert_eq!(other.connections(), 0);
}

#[test]
fn the_user_agent_names_the_caller_first() {
    let sandbox = Sandbox::start().unwrap();
    let client = builder(&sandbox).user_agent("shop/7").build().unwrap();
    client.decision(&"s-1".parse().unwrap()).unwrap();
    for request in sandbox.requests() {
        assert!(request.header("user-agent").unwrap().starts_with("shop/7 didit-rust/"));
    }
    let refused = builder(&sandbox).user_agent("sh\r\nop").build().unwrap_err();
    assert!(matches!(refused, ConfigError::Build(BuildError::UserAgent)));
}

#[test]
fn the_timeout_is_the_calls() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.always(Route::Decision, Fault::Hang);
    let client = builder(&sandbox).timeout(Duration::from_millis(100)).build().unwrap();
    client.decision(&"s-1".parse().unwrap()).unwrap_err();
    let shown = format!("{client:?} {:?}", builder(&sandbox));
    assert!(shown.contains(sandbox.url()) && !shown.contains(sandbox.client_secret()), "{shown}");
}
