//! The settings of a client reach the wire.
#![allow(clippy::unwrap_used)]

use std::error::Error as _;
use std::time::Duration;

use didit_async_adapter::{Client, ClientBuilder, ConfigError};
use didit_core::{BuildError, ClientCredentials};
use didit_sandbox::{Fault, Route, Sandbox};
#[cfg(any(feature = "rustls", feature = "native-tls"))]
use didit_scenarios::certificates::Authority;
use futures_util::{FutureExt as _, StreamExt as _};
use reqwest::header::HeaderMap;

fn builder(sandbox: &Sandbox) -> ClientBuilder {
    let client = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    Client::builder(client).base_url(sandbox.url().parse().unwrap())
}

#[tokio::test]
async fn a_client_of_the_callers_does_the_sending() {
    // It needs a TLS provider to be made, and uses none.
    #[cfg(feature = "rustls")]
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
    assert_eq!(format!("{client:?}"), format!("Client(BaseUrl({}))", sandbox.url()));
    let shown = format!("{:?}", builder(&sandbox));
    assert!(shown.contains(sandbox.url()) && !shown.contains(sandbox.client_secret()), "{shown}");
}

#[tokio::test]
async fn an_error_has_the_transports_as_its_source_where_there_is_one() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.script(Route::Decision, [Fault::answer(404)]);
    sandbox.always(Route::Decision, Fault::Garbage);
    let client = builder(&sandbox).build().unwrap();
    let refused = client.decision(&"s-1".parse().unwrap()).await.unwrap_err();
    assert!(refused.source().is_none() && refused.to_string().contains("HTTP 404"), "{refused}");
    let broken = client.decision(&"s-1".parse().unwrap()).await.unwrap_err();
    assert!(broken.source().is_some_and(|source| source.is::<reqwest::Error>()), "{broken}");
    assert!(broken.to_string().ends_with("after 4 requests"), "{broken}");
}

#[test]
fn what_a_client_cannot_be_made_of_is_told() {
    let say = |error: &ConfigError| (error.to_string(), error.source().map(ToString::to_string));
    #[cfg(feature = "rustls")]
    {
        let tls = ConfigError::Tls(rustls::Error::General("x".to_owned()));
        let source = Some("unexpected error: x".to_owned());
        assert_eq!(say(&tls), ("TLS could not be set up".to_owned(), source));
    }
    let http = reqwest::Client::builder().user_agent("\n").build().unwrap_err();
    let (words, source) = say(&ConfigError::Http(http));
    assert_eq!((&*words, source.is_some()), ("the HTTP client could not be set up", true));
    let none = ConfigError::NoRootCertificates;
    let expected = ("this machine has no trusted root certificates".to_owned(), None);
    assert_eq!(say(&none), expected);
    let refused = ConfigError::from(BuildError::UserAgent);
    assert_eq!(say(&refused), ("the user agent is not visible ASCII".to_owned(), None));
    let certificate = ConfigError::Certificate;
    let expected = ("the root certificate is not a PEM certificate".to_owned(), None);
    assert_eq!(say(&certificate), expected);
}

#[tokio::test]
async fn a_stream_that_waits_for_ids_has_not_come_to_its_end() {
    let sandbox = Sandbox::start().unwrap();
    let client = builder(&sandbox).build().unwrap();
    // The second id is there only once the first decision was retrieved.
    let (more, ids) = tokio::sync::mpsc::unbounded_channel::<didit_core::SessionId>();
    let ids = futures_util::stream::unfold(ids, |mut ids| async {
        let id = ids.recv().await?;
        Some((id, ids))
    });
    more.send("s-1".parse().unwrap()).unwrap();
    let mut decisions = client.decisions_from_stream(ids);
    decisions.next().await.unwrap().1.unwrap();
    assert!(decisions.next().now_or_never().is_none());
    more.send("s-2".parse().unwrap()).unwrap();
    drop(more);
    assert_eq!(decisions.next().await.unwrap().0.as_str(), "s-2");
    assert!(decisions.next().await.is_none());
}

#[tokio::test]
async fn a_stream_shows_how_far_it_is() {
    let sandbox = Sandbox::start().unwrap();
    let client = builder(&sandbox).build().unwrap();
    let ids: Vec<didit_core::SessionId> = vec!["s-1".parse().unwrap()];
    let shown = format!("{:?}", client.decisions(ids).concurrency(3));
    assert_eq!(shown, "Decisions { concurrency: 3, under_way: 0, .. }");
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
#[test]
fn a_text_with_one_certificate_that_is_none_is_refused_at_once() {
    let sandbox = Sandbox::start().unwrap();
    let hollow = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let good = Authority::new().pem();
    assert!(builder(&sandbox).root_certificate(good.as_bytes()).is_ok());
    let refused = builder(&sandbox).root_certificate((good + hollow).as_bytes()).unwrap_err();
    assert!(matches!(refused, ConfigError::Certificate), "{refused}");
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
#[test]
fn a_build_without_tls_says_so() {
    let sandbox = Sandbox::start().unwrap();
    let refused = builder(&sandbox).root_certificate(b"").unwrap_err();
    assert!(matches!(refused, ConfigError::NoTls), "{refused}");
    let live = Client::new(ClientCredentials::new("id", "secret").unwrap()).unwrap_err();
    assert_eq!(live.to_string(), "this build has no TLS: enable `rustls` or `native-tls`");
}
