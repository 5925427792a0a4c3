//! Tells a success from a failure, and reads what a response says about itself.

mod words;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, LOCATION};
use http::{HeaderMap, Response, StatusCode};

use self::words::Words;
use crate::error::{EndpointKind, ResponseError, ResponseErrorKind};
use crate::json::JsonError;
use crate::rate_limit::RateLimit;

/// Reads the body of a success; every other response is an error.
pub(crate) fn success<B: AsRef<[u8]>, T>(
    endpoint: EndpointKind,
    response: &Response<B>,
    read: impl FnOnce(&[u8]) -> Result<T, JsonError>,
) -> Result<T, ResponseError> {
    let body = response.body().as_ref();
    if !response.status().is_success() {
        return Err(failure(endpoint, response));
    }
    if body.len() > endpoint.max_body_bytes() {
        return Err(error(endpoint, response, ResponseErrorKind::TooLarge));
    }
    if body.trim_ascii().is_empty() {
        return Err(error(endpoint, response, ResponseErrorKind::Empty));
    }
    read(body).map_err(|problem| unreadable(endpoint, response, problem))
}

/// Returns the error of a response whose status is not a success.
pub(crate) fn failure<B: AsRef<[u8]>>(
    endpoint: EndpointKind,
    response: &Response<B>,
) -> ResponseError {
    let status = response.status();
    let words = Words::of_failure(response.headers(), response.body().as_ref());
    let kind = match status {
        StatusCode::UNAUTHORIZED => ResponseErrorKind::Unauthorized,
        StatusCode::FORBIDDEN => ResponseErrorKind::Forbidden,
        StatusCode::TOO_MANY_REQUESTS => ResponseErrorKind::RateLimited,
        StatusCode::REQUEST_TIMEOUT => ResponseErrorKind::ClientError,
        _ if status.is_client_error() && refuses_client(endpoint, &words) => {
            ResponseErrorKind::Unauthorized
        }
        StatusCode::NOT_FOUND => ResponseErrorKind::NotFound,
        _ if status.is_client_error() => ResponseErrorKind::ClientError,
        _ if status.is_server_error() => ResponseErrorKind::ServerError,
        _ if status.is_redirection() => ResponseErrorKind::Redirect,
        _ => ResponseErrorKind::UnexpectedStatus,
    };
    let of_fields = || {
        let names_fields = endpoint.is_verification() && status == StatusCode::BAD_REQUEST;
        names_fields.then(|| words::of_fields(response.body().as_ref())).flatten()
    };
    error(endpoint, response, kind).with_message(words.text.or_else(of_fields))
}

/// Returns the error of a success whose body is not the documented one.
fn unreadable<B: AsRef<[u8]>>(
    endpoint: EndpointKind,
    response: &Response<B>,
    problem: JsonError,
) -> ResponseError {
    let words = Words::of_success(response.body().as_ref());
    // Some servers refuse a client with status 200.
    let kind = if refuses_client(endpoint, &words) {
        ResponseErrorKind::Unauthorized
    } else {
        ResponseErrorKind::Malformed(problem)
    };
    error(endpoint, response, kind).with_message(words.text)
}

/// Returns whether the token endpoint says `invalid_client`
/// ([RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)).
fn refuses_client(endpoint: EndpointKind, words: &Words) -> bool {
    endpoint == EndpointKind::FetchToken && words.invalid_client
}

/// Returns an error with everything that the headers of the response tell.
pub(crate) fn error<B>(
    endpoint: EndpointKind,
    response: &Response<B>,
    kind: ResponseErrorKind,
) -> ResponseError {
    let headers = response.headers();
    let told = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let media = told(CONTENT_ENCODING).filter(|encoding| *encoding != "identity");
    let media = media.or_else(|| told(CONTENT_TYPE).filter(|kind| !is_json(kind)));
    ResponseError::new(endpoint, response.status(), kind)
        .with_request_id(request_id(headers))
        .with_retry_after(RateLimit::from_headers(headers).retry_after)
        .with_media(media.and_then(|media| words::excerpt(media, MAX_HEADER_CHARS)))
        .with_location(told(LOCATION).and_then(|to| words::excerpt(to, MAX_HEADER_CHARS)))
}

const MAX_HEADER_CHARS: usize = 128;

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json")
}

const REQUEST_ID_HEADERS: [&str; 5] =
    ["x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid", "cf-ray"];

/// Returns the identifier that the service gave the request.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    let value = REQUEST_ID_HEADERS.iter().find_map(|name| headers.get(*name))?;
    words::excerpt(&String::from_utf8_lossy(value.as_bytes()), MAX_HEADER_CHARS)
}
