//! Clients of several tenants share connections and settings, but no credentials.
#![allow(clippy::unwrap_used)]

use didit_blocking_adapter::Client;
use didit_core::{Authorization, ClientCredentials};
use didit_sandbox::{Application, Sandbox};

fn credentials(tenant: usize) -> ClientCredentials {
    ClientCredentials::new(&format!("client-{tenant}"), format!("secret-{tenant}")).unwrap()
}

#[test]
fn tenants_share_connections_but_not_tokens() {
    let mut sandbox = Sandbox::builder();
    for tenant in 0..3 {
        let (id, secret) = (format!("client-{tenant}"), format!("secret-{tenant}"));
        sandbox = sandbox.application(Application::new(id, secret));
    }
    let sandbox = sandbox.start().unwrap();
    let builder = Client::builder(credentials(0)).user_agent("shop/7");
    let first = builder.base_url(sandbox.url().parse().unwrap()).build().unwrap();
    for tenant in 0..3 {
        let client = first.with_credentials(credentials(tenant));
        client.decision(&"s-1".parse().unwrap()).unwrap();
        assert!(client.access_token().is_some());
    }
    assert!(first.access_token().is_none());
    assert_eq!(sandbox.tokens_issued(), 3);
    assert!(sandbox.connections() <= 2, "{} connections", sandbox.connections());
    let named = |name: Option<&str>| name.is_some_and(|name| name.starts_with("shop/7 "));
    assert!(sandbox.requests().iter().all(|request| named(request.header("user-agent"))));
}

#[test]
fn running_client_accepts_new_credentials_and_tokens() {
    let sandbox = Sandbox::start().unwrap();
    let id = "s-1".parse().unwrap();
    let wrong = Authorization::bearer("wrong").unwrap();
    let client = Client::builder(wrong).base_url(sandbox.url().parse().unwrap()).build().unwrap();
    let clone = client.clone();
    clone.decision(&id).unwrap_err();
    let right = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    client.set_credentials(right.clone());
    clone.decision(&id).unwrap();

    let other = Client::builder(right).base_url(sandbox.url().parse().unwrap()).build().unwrap();
    assert!(other.set_access_token(&clone.access_token().unwrap()));
    other.decision(&id).unwrap();
    assert_eq!(sandbox.tokens_issued(), 1);
}
