//! Responses other than the requested decision.

use std::time::Duration;

use didit_core::{Authorization, CallErrorKind, GaveUp, ResponseErrorKind, TransportErrorKind};
use didit_sandbox::{Fault, Route, fixtures};

use crate::{Adapter, CallFailure, Settings, at, client, id, raw, sandbox, settings};

/// Retrieves a decision from a route that always responds with `fault`; returns the error and the
/// number of requests.
fn outcome<A: Adapter>(fault: Fault) -> (CallFailure, usize) {
    let sandbox = sandbox();
    sandbox.always(Route::Decision, fault);
    let mut settings = settings(&sandbox);
    // A large body takes long on a slow machine.
    settings.policy.attempt_timeout = Duration::from_secs(60);
    settings.policy.call_timeout = Duration::from_secs(60);
    let error = A::new(settings).unwrap().decision(&id("s-1")).unwrap_err();
    (error, sandbox.requests_to(Route::Decision).len())
}

/// 403 is not retried; its error has the message and the request id of the service.
pub fn forbidden_is_final<A: Adapter>() {
    let (error, requests) = outcome::<A>(Fault::answer(403).body(r#"{"detail":"Not yours."}"#));
    assert_eq!((error.kind(), requests), (&ResponseErrorKind::Forbidden, 1));
    let response = error.call.response().unwrap();
    assert_eq!(response.message(), Some("Not yours."));
    assert!(response.request_id().unwrap().starts_with("sandbox-"));
}

/// 404 is not retried.
pub fn not_found_is_final<A: Adapter>() {
    let sandbox = sandbox();
    sandbox.missing("s-1");
    let error = client::<A>(&sandbox).decision(&id("s-1")).unwrap_err();
    assert_eq!(error.kind(), &ResponseErrorKind::NotFound);
    assert_eq!(sandbox.requests_to(Route::Decision).len(), 1);
}

/// An HTML error page of a gateway is classified by its status, and its title is the message.
pub fn html_error_page<A: Adapter>() {
    let page = Fault::answer(502).header("content-type", "text/html").body(fixtures::GATEWAY);
    let (error, requests) = outcome::<A>(page);
    assert_eq!((error.kind(), requests), (&ResponseErrorKind::ServerError, 4));
    assert_eq!(error.call.gave_up(), GaveUp::AttemptsExhausted);
    assert!(error.call.response().unwrap().message().unwrap().contains("502"));
}

/// An HTML page with a success status is a malformed response.
pub fn html_with_success<A: Adapter>() {
    let page = Fault::answer(200).header("content-type", "text/html").body(fixtures::GATEWAY);
    let (error, requests) = outcome::<A>(page);
    assert!(matches!(error.kind(), ResponseErrorKind::Malformed(_)));
    assert_eq!(requests, 1);
}

/// A success without a body is an error that is not retried; an error without a body is classified
/// by its status.
pub fn empty_body<A: Adapter>() {
    for status in [200, 204, 205] {
        let (error, requests) = outcome::<A>(Fault::answer(status).body(""));
        assert_eq!((error.kind(), requests), (&ResponseErrorKind::Empty, 1), "{status}");
    }
    let (error, requests) = outcome::<A>(Fault::answer(404).body(""));
    assert_eq!((error.kind(), requests), (&ResponseErrorKind::NotFound, 1));
    assert_eq!(error.call.response().unwrap().message(), None);
}

/// Truncated JSON is retried.
pub fn truncated_json<A: Adapter>() {
    let half = &fixtures::DECISION[..fixtures::DECISION.len() / 2];
    let (error, requests) = outcome::<A>(Fault::answer(200).body(half));
    assert!(matches!(error.kind(), ResponseErrorKind::Malformed(e) if e.is_truncated()));
    assert_eq!(requests, 4);
}

/// A chunked body without its end is accepted if it contains a complete JSON object, and retried
/// otherwise.
pub fn chunked_body_without_its_end<A: Adapter>() {
    let object = r#"{"session_id":"s-1","status":"Confirmed"}"#;
    let chunk = |body: &str| format!("{:x}\r\n{body}\r\n", body.len());
    for (body, whole) in [
        (chunk(object) + "0\r\n\r\n", true),
        (chunk(object) + "0\r\n", true),
        (chunk(object), true),
        (chunk(&object[..30]), false),
        (chunk(object)[..30].to_owned(), false),
        (chunk("7"), false),
    ] {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let response = format!("{head}{body}");
        let (address, requests) = raw::serve(move |_| response.clone());
        let client = A::new(Settings {
            credentials: Authorization::api_key("key").unwrap().into(),
            ..at(&format!("http://{address}"))
        });
        match client.unwrap().decision(&id("s-1")) {
            Ok(decision) => assert!(whole && decision.json().as_str() == object),
            Err(error) => {
                let lost = CallErrorKind::Transport(TransportErrorKind::ConnectionLost);
                assert_eq!(format!("{:?}", error.call.kind()), format!("{lost:?}"));
                assert!(!whole, "{body}");
            }
        }
        assert_eq!(requests.try_iter().count(), if whole { 1 } else { 4 }, "{body}");
    }
}

/// A head that cannot be parsed is reported as invalid HTTP.
pub fn head_that_is_not_http<A: Adapter>() {
    for head in [
        "no HTTP at all\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nx folded: 1\r\n 2\r\n\r\n",
    ] {
        let (address, _requests) = raw::serve(|_| head.to_owned());
        let client = A::new(Settings {
            credentials: Authorization::api_key("key").unwrap().into(),
            ..at(&format!("http://{address}"))
        });
        let error = client.unwrap().decision(&id("s-1")).unwrap_err();
        let place = format!("({address}: the response is not valid HTTP)");
        assert!(error.shown.contains(&place), "{}", error.shown);
    }
}

/// The documentation's invalid sample is rejected with the path of the syntax error.
pub fn invalid_json_of_the_documentation<A: Adapter>() {
    let (error, requests) = outcome::<A>(Fault::answer(200).body(fixtures::DECISION_AS_PRINTED));
    assert!(matches!(error.kind(), ResponseErrorKind::Malformed(e) if e.path() == "user_data"));
    assert_eq!(requests, 1);
}

/// A decision of another session is an error.
pub fn decision_of_another_session<A: Adapter>() {
    let (error, requests) = outcome::<A>(Fault::answer(200).body(fixtures::DECISION));
    assert_eq!((error.kind(), requests), (&ResponseErrorKind::SessionMismatch, 1));
}

/// A body of 64 MB, or without an end, is read up to the limit of 8 MiB.
pub fn oversized_body<A: Adapter>() {
    let (error, requests) = outcome::<A>(Fault::Huge(64_000_000));
    assert_eq!((error.kind(), requests), (&ResponseErrorKind::TooLarge, 1));
    let (error, requests) = outcome::<A>(Fault::Endless);
    assert_eq!((error.kind(), requests), (&ResponseErrorKind::TooLarge, 1));
}

/// A head that is too large or has too many headers has its own error and is not retried.
pub fn oversized_head<A: Adapter>() {
    let long = Fault::answer(200).header("x-long", &"a".repeat(2_000_000));
    let longer_than_one = Fault::answer(200).header("x-long", &"a".repeat(70_000));
    for fault in [long, longer_than_one, with_headers(200)] {
        let (error, requests) = outcome::<A>(fault);
        let kind = error.call.kind();
        assert!(
            matches!(kind, CallErrorKind::Transport(TransportErrorKind::HeadTooLarge)),
            "{kind:?}"
        );
        assert_eq!(requests, 1);
    }
}

/// A head with 120 headers and one with a header of 60 kB are accepted.
pub fn large_head_within_the_limits<A: Adapter>() {
    let decision = fixtures::DECISION.as_bytes();
    let long = Fault::answer(200).header("x-long", &"a".repeat(60_000));
    for fault in [long, with_headers(115)] {
        let sandbox = sandbox();
        sandbox.always(Route::Decision, fault.body(decision));
        client::<A>(&sandbox).decision(&id("unique-session-identifier")).unwrap();
    }
}

fn with_headers(count: usize) -> Fault {
    (0..count).fold(Fault::answer(200), |fault, n| fault.header(&format!("x-{n}"), "a"))
}

/// A redirect is not followed, and nothing is sent to the other host.
pub fn redirect_is_not_followed<A: Adapter>() {
    let other = sandbox();
    let target = format!("{}/auth/v2/session/s-1/decision/", other.url());
    let (error, requests) = outcome::<A>(Fault::redirect(&target));
    assert_eq!((error.kind(), requests), (&ResponseErrorKind::Redirect, 1));
    assert_eq!(other.connections(), 0);
}
