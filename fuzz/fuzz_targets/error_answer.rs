//! Any error response becomes a short error without control characters. The first line of the input
//! is the status and the content type, the rest is the body.

#![no_main]

use didit_core::data_transfer::RetrieveDecision;
use didit_core::oauth::FetchToken;
use didit_core::{Endpoint, ResponseError, ResponseErrorKind};
use didit_fuzz::{assert_plain, client};
use http::{Response, StatusCode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((status, content_type, body)) = split(input) else { return };
    let response = || {
        let response = Response::builder().status(status).header("content-type", content_type);
        response.header("x-request-id", content_type).body(body).ok()
    };
    let (Some(first), Some(second)) = (response(), response()) else { return };
    let decision = RetrieveDecision::new("s".parse().expect("a valid identifier"));
    check(status, decision.parse(&first).err());
    check(status, FetchToken::new(client()).parse(&second).err());
});

fn split(input: &[u8]) -> Option<(StatusCode, &[u8], &[u8])> {
    let line_end = input.iter().position(|&byte| byte == b'\n')?;
    let (line, body) = (&input[..line_end], &input[line_end + 1..]);
    let (status, content_type) = line.split_at_checked(3)?;
    let status = StatusCode::from_bytes(status).ok().filter(|status| !status.is_success())?;
    Some((status, content_type.trim_ascii(), body))
}

fn check(status: StatusCode, error: Option<ResponseError>) {
    let error = error.expect("a failed status is an error");
    assert_eq!(error.status(), status);
    assert_plain(&error.to_string());
    assert_plain(error.advice());
    for (words, limit) in [(error.message(), 300), (error.request_id(), 128)] {
        let Some(words) = words else { continue };
        assert_plain(words);
        assert!(words.trim() == words && words.chars().count() <= limit + 1, "{words}");
    }
    // `invalid_client` from the token route is permanent, whatever the status.
    let again = matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504);
    let refused = *error.kind() == ResponseErrorKind::Unauthorized;
    assert_eq!(error.is_retryable(), again && !refused, "{error}");
}
