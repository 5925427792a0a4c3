//! Settings of a client take effect on the wire.
#![allow(clippy::unwrap_used)]

use std::error::Error as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use didit_blocking_adapter::{Client, ClientBuilder, ConfigError};
use didit_core::verification::CreateSession;
use didit_core::{
    BuildError, ClientCredentials, Credentials, EndpointKind, Event, EventKind, ProxySettings,
};
use didit_sandbox::{Fault, Route, Sandbox};
use http::HeaderValue;

fn certificate() -> String {
    rcgen::generate_simple_self_signed(["h.example".to_owned()]).unwrap().cert.pem()
}

fn builder(sandbox: &Sandbox) -> ClientBuilder {
    let client = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    Client::builder(client).base_url(sandbox.url().parse().unwrap())
}

#[test]
fn custom_agent_sends_the_requests() {
    let sandbox = Sandbox::start().unwrap();
    // Keeps no connections and, by default, follows redirects and fails on error statuses.
    let agent = ureq::Agent::config_builder().max_idle_connections(0).build().into();
    let client = builder(&sandbox).http_client(agent).build().unwrap();
    client.decision(&"s-1".parse().unwrap()).unwrap();
    client.decision(&"s-2".parse().unwrap()).unwrap();
    assert_eq!(sandbox.connections(), 3);

    let other = Sandbox::start().unwrap();
    sandbox.script(Route::Decision, [Fault::redirect(other.url())]);
    let error = client.decision(&"s-3".parse().unwrap()).unwrap_err();
    assert_eq!(error.call().response().unwrap().status(), 302);
    let repeat = Fault::answer(307).header("location", other.url());
    sandbox.script(Route::CreateVerification, [repeat]);
    let session = CreateSession::new("9f9b1234-aaaa-bbbb-cccc-1234567890ab").unwrap();
    let error = client.verification().create_session(session).unwrap_err();
    assert_eq!(error.call().response().unwrap().status(), 307);
    assert_eq!(other.connections(), 0);
}

#[test]
fn user_agent_starts_with_the_custom_product() {
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
fn builder_timeout_ends_a_hanging_call() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.always(Route::Decision, Fault::Hang);
    let client = builder(&sandbox).timeout(Duration::from_millis(100)).build().unwrap();
    client.decision(&"s-1".parse().unwrap()).unwrap_err();
    assert_eq!(format!("{client:?}"), format!("Client(BaseUrl({}))", sandbox.url()));
    let shown = format!("{:?}", builder(&sandbox));
    assert!(shown.contains(sandbox.url()) && !shown.contains(sandbox.client_secret()), "{shown}");
}

#[test]
fn source_of_a_transport_error_is_the_library_error() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.script(Route::Decision, [Fault::answer(404)]);
    sandbox.always(Route::Decision, Fault::Garbage);
    let client = builder(&sandbox).build().unwrap();
    let refused = client.decision(&"s-1".parse().unwrap()).unwrap_err();
    assert!(refused.source().is_none() && refused.to_string().contains("HTTP 404"), "{refused}");
    let broken = client.decision(&"s-1".parse().unwrap()).unwrap_err();
    assert!(broken.source().is_some_and(|source| source.is::<ureq::Error>()), "{broken}");
    assert!(broken.to_string().contains("after 4 requests ("), "{broken}");
}

#[test]
fn settings_without_effect_are_rejected() {
    let sandbox = Sandbox::start().unwrap();
    let custom = || builder(&sandbox).http_client(ureq::Agent::new_with_defaults());
    let refused = custom().proxy(ProxySettings::default()).build().unwrap_err();
    assert!(matches!(refused, ConfigError::OwnHttpClient("proxy")), "{refused}");
    let refused = custom().root_certificate(certificate()).build().unwrap_err();
    assert!(matches!(refused, ConfigError::OwnHttpClient("root_certificate")), "{refused}");
    let proxy = ProxySettings::default().with_proxy("http://p:abc");
    let live = Client::builder(Credentials::None).proxy(proxy).build().unwrap_err();
    assert!(matches!(live, ConfigError::Proxy(_)), "{live}");
}

#[test]
fn listener_receives_the_events_of_a_call() {
    let sandbox = Sandbox::start().unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let listener = move |event: &Event| sender.send(event.clone()).unwrap();
    let client = builder(&sandbox).on_event(listener).build().unwrap();
    client.decision(&"s-1".parse().unwrap()).unwrap();
    let events: Vec<Event> = receiver.try_iter().collect();
    assert!(events.iter().all(|event| event.session_id.as_ref().unwrap().as_str() == "s-1"));
    let last = &events.last().unwrap().kind;
    assert!(matches!(last, EventKind::Finished { succeeded: true, attempts: 2, .. }), "{last:?}");
}

#[test]
fn pem_with_an_invalid_certificate_is_rejected() {
    let sandbox = Sandbox::start().unwrap();
    let invalid = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let good = certificate();
    assert!(builder(&sandbox).root_certificate(good.as_bytes()).build().is_ok());
    let refused = builder(&sandbox).root_certificate(good + invalid).build().unwrap_err();
    assert!(matches!(refused, ConfigError::Certificate), "{refused}");
}

#[test]
fn before_send_hook_edits_every_request() {
    let sandbox = Sandbox::start().unwrap();
    let shown = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&shown);
    let client = builder(&sandbox).before_send(move |endpoint, request| {
        seen.lock().unwrap().push((endpoint, format!("{request:?}")));
        request.headers_mut().insert("traceparent", HeaderValue::from_static("00-1-2-01"));
    });
    client.build().unwrap().decision(&"s-1".parse().unwrap()).unwrap();
    let requests = sandbox.requests();
    assert!(requests.iter().all(|request| request.header("traceparent") == Some("00-1-2-01")));
    let shown = shown.lock().unwrap();
    let endpoints: Vec<_> = shown.iter().map(|(endpoint, _)| *endpoint).collect();
    assert_eq!(endpoints, [EndpointKind::FetchToken, EndpointKind::RetrieveDecision]);
    for (request, (_, shown)) in requests.iter().zip(&*shown) {
        let authorization = request.header("authorization").unwrap();
        let secret = authorization.split(' ').next_back().unwrap();
        assert!(!shown.contains(secret) && shown.contains("Sensitive"), "{shown}");
    }
}
