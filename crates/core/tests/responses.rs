//! Classification, messages and advice of responses.

// Test helpers fail by panicking, like tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::needless_pass_by_value)]

use std::time::Duration;

use didit_core::data_transfer::{CreateSession, ReadStatus, RetrieveDecision, Scope, Scopes};
use didit_core::oauth::FetchToken;
use didit_core::verification;
use didit_core::{
    Authorization, BuildError, Call, CallError, ClientCredentials, Endpoint, EndpointKind, Engine,
    Moment, Operation as _, Policy, ResponseError, ResponseErrorKind, Step,
};
use didit_sandbox::fixtures;
use http::Response;

fn client_token() -> FetchToken {
    FetchToken::new(ClientCredentials::new("id", "s3cret-word").unwrap())
}

fn retrieve() -> RetrieveDecision {
    RetrieveDecision::new("s-1".parse().unwrap())
}

fn create() -> CreateSession {
    CreateSession::new(Scopes::new([Scope::NAMES]).unwrap())
}

fn status() -> ReadStatus {
    ReadStatus::new("s-1".parse().unwrap(), "session-token")
}

fn response(status: u16, body: &[u8]) -> Response<&[u8]> {
    Response::builder().status(status).body(body).unwrap()
}

#[track_caller]
fn parse_error<E: Endpoint>(endpoint: &E, response: Response<&[u8]>) -> ResponseError {
    let status = response.status();
    match endpoint.parse(&response) {
        Err(error) => error,
        Ok(_) => panic!("{status} was taken for a success"),
    }
}

#[test]
fn forbidden_api_key_has_specific_advice() {
    let forbidden = || response(403, b"{}");
    let id: verification::SessionId = "11111111-2222-3333-4444-555555555555".parse().unwrap();
    let decision = parse_error(&verification::RetrieveDecision::new(id.clone()), forbidden());
    assert_eq!(decision.advice(), "check the API key, and that it may do this");
    let pdf = parse_error(&verification::GeneratePdf::new(id), forbidden());
    assert_eq!(pdf.advice(), "wait until the session is decided, or check the API key");
}

#[test]
fn every_status_has_a_kind_and_advice() {
    use ResponseErrorKind::*;
    let base_url = "check the base URL; if it is right, report this to the service";
    let cases = [
        (100, UnexpectedStatus, base_url, false),
        (206, UnexpectedStatus, base_url, false),
        (301, Redirect, "check the base URL; redirects are not followed", false),
        (399, Redirect, "check the base URL; redirects are not followed", false),
        (400, ClientError, "fix the request", false),
        (401, Unauthorized, "check the credentials", false),
        (403, Forbidden, "ask Didit to grant these credentials access", false),
        (
            404,
            NotFound,
            "check the session id, and that the session belongs to these credentials",
            false,
        ),
        (408, ClientError, "try again later", true),
        (429, RateLimited, "send fewer requests, or raise the timeout", true),
        (499, ClientError, "fix the request", false),
        (500, ServerError, "try again later", true),
        (501, ServerError, "try again later", false),
        (504, ServerError, "try again later", true),
        (599, ServerError, "try again later", false),
        (600, UnexpectedStatus, base_url, false),
    ];
    for (code, kind, advice, retryable) in cases {
        // `invalid_client` has a meaning only in responses of the token route.
        let error = parse_error(&retrieve(), response(code, br#"{"error": "invalid_client"}"#));
        let seen = (error.kind(), error.advice(), error.is_retryable());
        assert_eq!(seen, (&kind, advice, retryable), "{code}");
        assert_eq!(
            (error.endpoint(), error.status().as_u16()),
            (EndpointKind::RetrieveDecision, code)
        );
    }
}

#[test]
fn redirect_names_its_target_without_the_query() {
    let moved = Response::builder().status(302).header("location", "https://h/login?next=1");
    let error = parse_error(&retrieve(), moved.body(&b""[..]).unwrap());
    assert!(
        error.to_string().ends_with("HTTP 302 Found, a redirect to https://h/login"),
        "{error}"
    );
}

#[test]
fn advice_depends_on_the_endpoint() {
    assert_eq!(parse_error(&status(), response(401, b"")).advice(), "check the session token");
    assert_eq!(parse_error(&create(), response(401, b"")).advice(), "check the credentials");
    assert_eq!(
        parse_error(&client_token(), response(401, b"")).advice(),
        "check the client id and the client secret, and that they are for this base URL"
    );
    assert_eq!(parse_error(&create(), response(404, b"")).advice(), "check the base URL");
    assert_eq!(parse_error(&status(), response(403, b"")).advice(), "check the session token");
    assert_eq!(parse_error(&client_token(), response(404, b"")).advice(), "check the base URL");
    assert_eq!(
        parse_error(&status(), response(404, b"")).advice(),
        "check the session id and the session token"
    );
}

/// The client has no rate limiter for the token endpoint, so the error contains the wait.
#[test]
fn used_up_limit_of_the_token_endpoint_names_the_wait() {
    let retry_after = |endpoint, status: u16, remaining: &str, reset: &str| {
        let response = Response::builder()
            .status(status)
            .header("date", "Thu, 01 Jan 1970 00:10:00 GMT")
            .header("retry-after", "0")
            .header("x-ratelimit-remaining", remaining)
            .header("x-ratelimit-reset", reset);
        ResponseError::from_response(endpoint, &response.body("").unwrap()).retry_after()
    };
    let (token, decision) = (EndpointKind::FetchToken, EndpointKind::RetrieveDecision);
    assert_eq!(retry_after(token, 429, "0", "660"), Some(Duration::from_secs(60)));
    assert_eq!(retry_after(token, 429, "0", "660000"), Some(Duration::from_secs(60)), "a window");
    assert_eq!(retry_after(token, 429, "1", "660"), None);
    assert_eq!(retry_after(token, 400, "0", "660"), None);
    assert_eq!(retry_after(decision, 429, "0", "660"), None);
}

#[test]
fn invalid_client_applies_only_to_the_token_endpoint() {
    let words = br#"{"error": "invalid_client"}"#;
    for status in [400, 500, 302] {
        let refused = parse_error(&client_token(), response(status, words));
        assert_eq!(refused.kind(), &ResponseErrorKind::Unauthorized, "{status}");
    }
    let other = parse_error(&client_token(), response(400, br#"{"error": "invalid_scope"}"#));
    assert_eq!(other.kind(), &ResponseErrorKind::ClientError);
}

#[test]
fn bodies_over_eight_mebibytes_are_rejected() {
    let spaces = vec![b'0'; (8 << 20) + 1];
    let most = parse_error(&retrieve(), response(200, &spaces[1..]));
    assert!(matches!(most.kind(), ResponseErrorKind::Malformed(_)), "{most}");
    let more = parse_error(&retrieve(), response(200, &spaces));
    assert_eq!(more.kind(), &ResponseErrorKind::TooLarge);
    assert_eq!(
        more.to_string(),
        "could not retrieve the decision: HTTP 200 OK, but the response is larger than 8 MiB"
    );
}

#[test]
fn truncated_response_is_retryable() {
    let half = &fixtures::DECISION.as_bytes()[..fixtures::DECISION.len() / 2];
    let error = parse_error(&retrieve(), response(200, half));
    assert_eq!((error.is_retryable(), error.advice()), (true, "try again later"));
    let error = parse_error(&retrieve(), response(200, b"<html>"));
    assert!(!error.is_retryable() && error.advice().starts_with("check the base URL; if"));
}

#[test]
fn request_id_is_read_from_known_headers() {
    for name in ["x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid", "cf-ray"] {
        let mut refused = response(404, b"");
        refused.headers_mut().insert(name, "one\ttwo".parse().unwrap());
        let error = parse_error(&retrieve(), refused);
        assert_eq!(error.request_id(), Some("one two"), "{name}");
        assert!(error.to_string().ends_with("(request id one two)"), "{error}");
    }
    assert_eq!(parse_error(&retrieve(), response(404, b"")).request_id(), None);
}

#[test]
fn messages_are_not_read_from_json_over_one_mebibyte() {
    let body = |length: usize| {
        let frame = r#"{"message":""}"#.len();
        format!(r#"{{"message":"{}"}}"#, "x".repeat(length - frame)).into_bytes()
    };
    let message = |length| {
        let error = parse_error(&retrieve(), response(400, &body(length)));
        error.message().map(str::len)
    };
    assert_eq!(message(1 << 20), Some(300 + '…'.len_utf8()));
    assert_eq!(message((1 << 20) + 1), None);
}

#[test]
fn unregistered_status_is_shown_as_a_number() {
    let error = parse_error(&retrieve(), response(524, b""));
    assert_eq!(error.to_string(), "could not retrieve the decision: HTTP 524");
}

/// Returns the error of a call whose requests receive these responses.
fn call(authorization: Option<Authorization>, responses: &[(u16, &str)]) -> CallError {
    let mut policy = Policy::default();
    policy.max_attempts = 1;
    let base = "https://h".parse().unwrap();
    let mut engine = match authorization {
        Some(held) => Engine::builder(held).base_url(base).policy(policy).build().unwrap(),
        None => Engine::builder(ClientCredentials::new("id", "s3cret-word").unwrap())
            .base_url(base)
            .policy(policy)
            .build()
            .unwrap(),
    };
    let (mut call, now) = (Call::new(retrieve()), Moment::default());
    let mut responses = responses.iter();
    loop {
        match call.poll(&mut engine, now) {
            Step::Send { ticket, .. } => {
                let (status, body) = responses.next().unwrap();
                let response = response(*status, body.as_bytes());
                call.handle_response(&mut engine, now, ticket, &response);
            }
            Step::Done(result) => return result.map(drop).unwrap_err(),
            Step::Wait { reason, .. } => panic!("waits for {reason:?}"),
        }
    }
}

/// The service may echo secrets in its messages; errors must not contain them.
#[test]
fn echoed_secrets_are_redacted() {
    let token = r#"{"access_token": "t0ken-word", "expires_in": 60}"#;
    let echo = r#"{"message": "no t0ken-word, no s3cret-word, no aWQ6czNjcmV0LXdvcmQ="}"#;
    let message = |error: &CallError| error.response().unwrap().message().map(str::to_owned);
    let refused = call(None, &[(200, token), (400, echo)]);
    assert_eq!(message(&refused).as_deref(), Some("no ***, no ***, no ***"));
    let refused = call(None, &[(400, echo)]);
    assert_eq!(message(&refused).as_deref(), Some("no t0ken-word, no ***, no ***"));
    let held = Authorization::bearer("t0ken-word").unwrap();
    let refused = call(Some(held), &[(400, echo)]);
    assert!(message(&refused).unwrap().starts_with("no ***, no s3cret-word"));
    let key = Authorization::api_key("t0ken-word").unwrap();
    let refused = call(Some(key), &[(400, echo)]);
    assert!(message(&refused).unwrap().starts_with("no ***, no s3cret-word"));
    let echo = br#"{"detail": "no session-token here"}"#;
    let error = parse_error(&status(), response(400, echo));
    assert_eq!(error.message(), Some("no *** here"));
    let error = parse_error(&client_token(), response(400, br#"{"error": "not s3cret-word"}"#));
    assert_eq!(error.message(), Some("not ***"));
}

#[test]
fn build_error_has_the_cause_as_its_source() {
    let error = http::Request::builder().uri("http://a b").body(()).unwrap_err();
    let error = BuildError::from(error);
    assert_eq!(error.to_string(), "the request could not be built");
    let source = std::error::Error::source(&error).expect("a source");
    assert_eq!(source.to_string(), "invalid uri character");
    let error = BuildError::UserAgent;
    assert!(std::error::Error::source(&error).is_none());
}
