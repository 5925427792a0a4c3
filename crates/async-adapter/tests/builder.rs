//! Settings of a client take effect on the wire.
#![allow(clippy::unwrap_used)]

use std::error::Error as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use didit_async_adapter::{Client, ClientBuilder, ConfigError, Error};
use didit_core::verification::{CreateSession, DeleteSession};
use didit_core::{
    Authorization, BuildError, ClientCredentials, Credentials, EndpointKind, Engine, Event,
    EventKind, Moment, Operation, ProxySettings, ResponseErrorKind, Step, Ticket, TransportError,
    WaitReason,
};
use didit_sandbox::{Fault, Route, Sandbox};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http::{HeaderValue, Response};
use reqwest::header::HeaderMap;

fn certificate() -> String {
    rcgen::generate_simple_self_signed(["h.example".to_owned()]).unwrap().cert.pem()
}

fn builder(sandbox: &Sandbox) -> ClientBuilder {
    let client = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    Client::builder(client).base_url(sandbox.url().parse().unwrap())
}

#[tokio::test]
async fn custom_http_client_sends_the_requests() {
    // Fails unless this crate enables a TLS provider.
    let _ = reqwest::Client::new();
    let sandbox = Sandbox::start().unwrap();
    let headers = HeaderMap::from_iter([("x-custom".parse().unwrap(), "1".parse().unwrap())]);
    let http = reqwest::Client::builder().no_proxy().default_headers(headers);
    let http = http.redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let client = builder(&sandbox).http_client(http).build().unwrap();
    client.decision(&"s-1".parse().unwrap()).await.unwrap();
    assert!(sandbox.requests().iter().all(|request| request.header("x-custom") == Some("1")));

    let other = Sandbox::start().unwrap();
    sandbox.script(Route::Decision, [Fault::redirect(other.url())]);
    let error = client.decision(&"s-3".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.call().response().unwrap().status(), 302);
    assert_eq!(other.connections(), 0);
}

/// The text that reqwest shows of a client names its proxies, also those of the environment.
#[test]
fn custom_http_client_ignores_the_proxy_variables() {
    let shown = |builder: reqwest::ClientBuilder| format!("{:?}", builder.build().unwrap());
    assert!(shown(reqwest::Client::builder()).contains("proxies"));
    assert!(!shown(didit_async_adapter::http_client_builder()).contains("proxies"));
}

/// Returns a redirect that repeats the request, with a secret in its query.
fn redirect_to(other: &Sandbox, path: &str) -> Fault {
    Fault::answer(307).header("location", &format!("{}{path}?canary=1", other.url()))
}

#[tokio::test]
async fn response_after_a_redirect_is_refused() {
    let (sandbox, other) = (Sandbox::start().unwrap(), Sandbox::start().unwrap());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let key = Authorization::api_key(sandbox.api_key()).unwrap();
    let base_url = sandbox.url().parse().unwrap();
    let client = Client::builder(key).base_url(base_url).http_client(http.clone()).build().unwrap();
    let verification = client.verification();

    let refused = |error: Error, path: &str, may_have_been_created: bool| {
        assert_eq!(*error.response().unwrap().kind(), ResponseErrorKind::Redirect);
        let target = format!("the HTTP client followed a redirect to {}{path}", other.url());
        assert!(error.to_string().ends_with(&target), "{error}");
        assert!(!error.is_retryable() && error.attempts() == 1, "{error}");
        assert_eq!(error.may_have_taken_effect(), may_have_been_created, "{error}");
    };
    let path = "/auth/v2/session/s-1/decision/";
    sandbox.script(Route::Decision, [redirect_to(&other, path)]);
    let error = client.decision(&"s-1".parse().unwrap()).await.unwrap_err();
    assert!(error.advice().contains("follow no redirects"), "{}", error.advice());
    refused(error, path, false);

    sandbox.script(Route::CreateSession, [redirect_to(&other, "/auth/v2/session/")]);
    let created = client.create_session("names".parse().unwrap(), None).await;
    refused(created.unwrap_err(), "/auth/v2/session/", true);

    sandbox.script(Route::CreateVerification, [redirect_to(&other, "/v3/session/")]);
    let workflow = "9f9b1234-aaaa-bbbb-cccc-1234567890ab";
    let created = verification.create_session(CreateSession::new(workflow).unwrap()).await;
    refused(created.unwrap_err(), "/v3/session/", true);

    // A deletion succeeds without a body.
    let id = "11111111-2222-3333-4444-555555555555";
    let path = format!("/v3/session/{id}/delete/");
    sandbox.script(Route::DeleteVerification, [redirect_to(&other, &path)]);
    let deleted = verification.delete_session(DeleteSession::new(id.parse().unwrap())).await;
    refused(deleted.unwrap_err(), &path, false);

    sandbox.script(Route::Token, [redirect_to(&other, "/auth/v2/token/")]);
    let fetching = builder(&sandbox).http_client(http).build().unwrap();
    let error = fetching.decision(&"s-1".parse().unwrap()).await.unwrap_err();
    refused(error, "/auth/v2/token/", false);
    assert_eq!(other.requests().len(), 5, "each redirect was followed once");
}

#[tokio::test]
async fn user_agent_starts_with_the_custom_product() {
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
async fn builder_timeout_ends_a_hanging_call() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.always(Route::Decision, Fault::Hang);
    let client = builder(&sandbox).timeout(Duration::from_millis(100)).build().unwrap();
    client.decision(&"s-1".parse().unwrap()).await.unwrap_err();
    assert_eq!(format!("{client:?}"), format!("Client(BaseUrl({}))", sandbox.url()));
    let shown = format!("{:?}", builder(&sandbox));
    assert!(shown.contains(sandbox.url()) && !shown.contains(sandbox.client_secret()), "{shown}");
}

#[tokio::test]
async fn source_of_a_transport_error_is_the_library_error() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.script(Route::Decision, [Fault::answer(404)]);
    sandbox.always(Route::Decision, Fault::Garbage);
    let client = builder(&sandbox).build().unwrap();
    let refused = client.decision(&"s-1".parse().unwrap()).await.unwrap_err();
    assert!(refused.source().is_none() && refused.to_string().contains("HTTP 404"), "{refused}");
    let broken = client.decision(&"s-1".parse().unwrap()).await.unwrap_err();
    assert!(broken.source().is_some_and(|source| source.is::<reqwest::Error>()), "{broken}");
    assert!(broken.to_string().contains("after 4 requests ("), "{broken}");
}

#[test]
fn settings_without_effect_are_rejected() {
    let sandbox = Sandbox::start().unwrap();
    let custom = || builder(&sandbox).http_client(reqwest::Client::new());
    let refused = custom().proxy(ProxySettings::default()).build().unwrap_err();
    assert!(matches!(refused, ConfigError::OwnHttpClient("proxy")), "{refused}");
    let refused = custom().root_certificate(certificate()).build().unwrap_err();
    assert!(matches!(refused, ConfigError::OwnHttpClient("root_certificate")), "{refused}");
    let proxy = ProxySettings::default().with_proxy("http://p:abc");
    let live = Client::builder(Credentials::None).proxy(proxy).build().unwrap_err();
    assert!(matches!(live, ConfigError::Proxy(_)), "{live}");
}

#[tokio::test]
async fn listener_receives_the_events_of_a_call() {
    let sandbox = Sandbox::start().unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let listener = move |event: &Event| sender.send(event.clone()).unwrap();
    let client = builder(&sandbox).on_event(listener).build().unwrap();
    client.decision(&"s-1".parse().unwrap()).await.unwrap();
    let events: Vec<Event> = receiver.try_iter().collect();
    assert!(events.iter().all(|event| event.session_id.as_ref().unwrap().as_str() == "s-1"));
    let last = &events.last().unwrap().kind;
    assert!(matches!(last, EventKind::Finished { succeeded: true, attempts: 2, .. }), "{last:?}");
}

/// An operation that waits until the maximum moment.
struct WaitForever;

impl Operation for WaitForever {
    type Output = ();

    fn poll(&mut self, _: &mut Engine, _: Moment) -> Step<()> {
        Step::Wait { until: Moment::new(Duration::MAX), reason: WaitReason::Polling }
    }

    fn handle_response<B: AsRef<[u8]>>(
        &mut self,
        _: &mut Engine,
        _: Moment,
        _: Ticket,
        _: &Response<B>,
    ) {
    }

    fn handle_failure(&mut self, _: &mut Engine, _: Moment, _: Ticket, _: TransportError) {}

    fn cancel(&mut self, _: &mut Engine, _: Moment) {}
}

#[tokio::test]
async fn waiting_until_the_maximum_moment_does_not_overflow() {
    let sandbox = Sandbox::start().unwrap();
    let client = builder(&sandbox).build().unwrap();
    let wait = tokio::time::timeout(Duration::from_millis(50), client.run(WaitForever));
    assert!(wait.await.is_err(), "the wait has not ended");
}

#[tokio::test]
async fn stream_is_pending_while_its_input_is_pending() {
    let sandbox = Sandbox::start().unwrap();
    let client = builder(&sandbox).build().unwrap();
    // The second id arrives only after the first decision.
    let (more, ids) = tokio::sync::mpsc::unbounded_channel::<didit_core::SessionId>();
    let ids = stream::unfold(ids, |mut ids| async {
        let id = ids.recv().await?;
        Some((id, ids))
    });
    more.send("s-1".parse().unwrap()).unwrap();
    let mut decisions = client.decisions_with(ids, |id| id);
    decisions.next().await.unwrap().1.unwrap();
    assert!(decisions.next().now_or_never().is_none());
    more.send("s-2".parse().unwrap()).unwrap();
    drop(more);
    assert_eq!(decisions.next().await.unwrap().0.as_str(), "s-2");
    assert!(decisions.next().await.is_none());
}

#[tokio::test]
async fn debug_of_a_stream_shows_its_concurrency() {
    let sandbox = Sandbox::start().unwrap();
    let client = builder(&sandbox).build().unwrap();
    let ids: Vec<didit_core::SessionId> = vec!["s-1".parse().unwrap()];
    let shown = format!("{:?}", client.decisions(ids).concurrency(3));
    assert_eq!(shown, "Decisions { concurrency: 3, .. }");
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

#[tokio::test]
async fn before_send_hook_edits_every_request() {
    let sandbox = Sandbox::start().unwrap();
    let shown = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&shown);
    let client = builder(&sandbox).before_send(move |endpoint, request| {
        seen.lock().unwrap().push((endpoint, format!("{request:?}")));
        request.headers_mut().insert("traceparent", HeaderValue::from_static("00-1-2-01"));
    });
    client.build().unwrap().decision(&"s-1".parse().unwrap()).await.unwrap();
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

#[tokio::test]
async fn stream_returns_each_item_and_times_out_its_call() {
    let sandbox = Sandbox::start().unwrap();
    let client = builder(&sandbox).build().unwrap();
    sandbox.missing("s-2");
    let jobs = [1, 2, 3].map(|n| (n, format!("s-{n}").parse::<didit_core::SessionId>().unwrap()));
    let results: Vec<_> =
        client.decisions_with(stream::iter(jobs), |(_, id)| id).in_order().collect().await;
    let found: Vec<_> = results.iter().map(|((n, _), result)| (*n, result.is_ok())).collect();
    assert_eq!(found, [(1, true), (2, false), (3, true)]);

    sandbox.always(Route::Decision, Fault::Hang);
    let ids: Vec<didit_core::SessionId> = vec!["s-1".parse().unwrap()];
    let mut late = client.decisions(ids).timeout(Duration::from_millis(50));
    let (_, result) = late.next().await.unwrap();
    assert!(result.unwrap_err().is_timeout());
}
