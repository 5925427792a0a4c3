//! Classification of responses as success or error, and the error details in a response, without the
//! private texts of the request.

mod message;
mod verification;

use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, LOCATION};
use http::{HeaderMap, Response, StatusCode};

use self::message::ErrorMessage;
pub(crate) use self::verification::{check_no_error, check_session, missing_session, not_pdf};
use super::echo::MIN_TOKEN_BYTES;
use super::{Endpoint, EndpointKind};
use crate::error::{ResponseError, ResponseErrorKind};
use crate::json::{JsonError, without_mark};
use crate::rate_limit::RateLimit;

/// Returns the body of a success; every other response is an error, as is a part of a body.
pub(crate) fn body<'a, E: Endpoint, B: AsRef<[u8]>>(
    endpoint: &E,
    response: &'a Response<B>,
) -> Result<&'a [u8], ResponseError> {
    if !response.status().is_success() {
        return Err(failure(E::KIND, response).without_echo(endpoint));
    }
    if response.status() == StatusCode::PARTIAL_CONTENT {
        return Err(error(endpoint, response, ResponseErrorKind::UnexpectedStatus));
    }
    let body = response.body().as_ref();
    if body.len() > E::KIND.max_body_bytes() {
        return Err(error(endpoint, response, ResponseErrorKind::TooLarge));
    }
    Ok(body)
}

/// Parses the body of a success with `read`; every other response is an error.
pub(crate) fn success<E: Endpoint, B: AsRef<[u8]>, T>(
    endpoint: &E,
    response: &Response<B>,
    read: impl FnOnce(&[u8]) -> Result<T, JsonError>,
) -> Result<T, ResponseError> {
    let body = body(endpoint, response)?;
    if without_mark(body).trim_ascii().is_empty() {
        return Err(error(endpoint, response, ResponseErrorKind::Empty));
    }
    read(body).map_err(|problem| unreadable(endpoint, response, problem))
}

/// Returns the error of a response whose status is not a success, which may echo the request.
pub(crate) fn failure<B: AsRef<[u8]>>(
    endpoint: EndpointKind,
    response: &Response<B>,
) -> ResponseError {
    let status = response.status();
    let message = ErrorMessage::of_failure(response.headers(), response.body().as_ref());
    let kind = match status {
        _ if refuses_client(endpoint, &message) => ResponseErrorKind::Unauthorized,
        StatusCode::UNAUTHORIZED => ResponseErrorKind::Unauthorized,
        StatusCode::FORBIDDEN => ResponseErrorKind::Forbidden,
        StatusCode::TOO_MANY_REQUESTS => ResponseErrorKind::RateLimited,
        StatusCode::REQUEST_TIMEOUT => ResponseErrorKind::ClientError,
        StatusCode::NOT_FOUND => ResponseErrorKind::NotFound,
        _ if status.is_client_error() => ResponseErrorKind::ClientError,
        _ if status.is_server_error() => ResponseErrorKind::ServerError,
        _ if status.is_redirection() => ResponseErrorKind::Redirect,
        _ => ResponseErrorKind::UnexpectedStatus,
    };
    let field_errors = || {
        // Other bodies may contain personal data.
        let has_field_errors =
            endpoint.is_verification() && matches!(status.as_u16(), 400 | 409 | 422);
        has_field_errors.then(|| verification::field_errors(response.body().as_ref())).flatten()
    };
    details(endpoint, response, kind, message.text.or_else(field_errors))
}

/// Marks a redirect, in the extensions of the response, that the HTTP client followed.
#[derive(Clone)]
pub(crate) struct FollowedRedirect;

/// Returns the error of a success with an undocumented body.
fn unreadable<E: Endpoint, B: AsRef<[u8]>>(
    endpoint: &E,
    response: &Response<B>,
    problem: JsonError,
) -> ResponseError {
    let message = ErrorMessage::of_success(response.body().as_ref());
    // Some servers refuse a client with status 200.
    let kind = if refuses_client(E::KIND, &message) {
        ResponseErrorKind::Unauthorized
    } else {
        ResponseErrorKind::Malformed(problem)
    };
    details(E::KIND, response, kind, message.text).without_echo(endpoint)
}

/// Returns whether the response is `invalid_client` from the token endpoint
/// ([RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)).
fn refuses_client(endpoint: EndpointKind, message: &ErrorMessage) -> bool {
    endpoint == EndpointKind::FetchToken && message.invalid_client
}

/// Returns an error of a success whose body is not the cause.
pub(crate) fn error<E: Endpoint, B>(
    endpoint: &E,
    response: &Response<B>,
    kind: ResponseErrorKind,
) -> ResponseError {
    details(E::KIND, response, kind, None).without_echo(endpoint)
}

/// Returns an error with this message and the details from the headers of the response, all of which
/// may echo the request.
fn details<B>(
    endpoint: EndpointKind,
    response: &Response<B>,
    kind: ResponseErrorKind,
    message: Option<String>,
) -> ResponseError {
    let headers = response.headers();
    let limit = RateLimit::from_headers(headers);
    // For all other endpoints, the rate limiter applies the reset.
    let is_full = limit.is_used_up() && kind == ResponseErrorKind::RateLimited;
    let applies = is_full && endpoint == EndpointKind::FetchToken;
    let reset = limit.reset_after.filter(|_| applies).map(|reset| reset.min(MAX_RESET));
    let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let media = header(CONTENT_ENCODING).filter(|encoding| *encoding != "identity");
    let media = media.or_else(|| header(CONTENT_TYPE).filter(|kind| !is_json(kind)));
    let location = headers
        .get(LOCATION)
        .map(|target| without_secrets(endpoint, &String::from_utf8_lossy(target.as_bytes())));
    let excerpt = |text: &str| message::excerpt(text, MAX_HEADER_CHARS);
    let mut error = ResponseError::new(endpoint, response.status(), kind);
    error.0.message = message;
    error.0.request_id = request_id(headers);
    error.0.retry_after = limit.retry_after.filter(|wait| !wait.is_zero()).or(reset);
    error.0.media = media.and_then(excerpt);
    error.0.location = location.as_deref().and_then(excerpt);
    error.0.followed = response.extensions().get::<FollowedRedirect>().is_some();
    error
}

/// Returns the beginning of a text of the service, on one line.
pub(crate) fn excerpt(text: &str) -> String {
    message::excerpt(text, message::MAX_CHARS).unwrap_or_default()
}

/// Returns the origin and the path of a URL, without user information and query, which may be secret.
pub fn public_parts(url: &str) -> (String, &str) {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = match url.find("//") {
        Some(at) if !url[..at].contains('/') => url.split_at(at + "//".len()),
        _ => ("", url),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    (scheme.to_owned() + authority.rsplit('@').next().unwrap_or_default(), path)
}

/// Returns the public part of a redirect's target; that of a session's creation without tokens in its
/// path.
fn without_secrets(endpoint: EndpointKind, location: &str) -> String {
    let (origin, path) = public_parts(location);
    // A relative target begins with its path.
    let host = if origin.contains("//") { origin.len() } else { 0 };
    let public = origin + path;
    let creates =
        matches!(endpoint, EndpointKind::CreateSession | EndpointKind::CreateVerificationSession);
    if !creates {
        return public;
    }
    let (host, path) = public.split_at(host);
    // Words have no digits and capitals.
    let is_word = |c: char| c.is_ascii_lowercase() || "-._".contains(c);
    let is_token = |part: &&str| part.len() >= MIN_TOKEN_BYTES && !part.chars().all(is_word);
    let parts = path.split('/').map(|part| if is_token(&part) { "***" } else { part });
    host.to_owned() + &parts.collect::<Vec<_>>().join("/")
}

const MAX_HEADER_CHARS: usize = 128;

/// The longest reset that is believed: the documented window of the rate limits.
const MAX_RESET: Duration = Duration::from_secs(60);

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json")
}

const REQUEST_ID_HEADERS: [&str; 5] =
    ["x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid", "cf-ray"];

/// Returns the service's identifier of the request.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    let value = REQUEST_ID_HEADERS.iter().find_map(|name| headers.get(*name))?;
    message::excerpt(&String::from_utf8_lossy(value.as_bytes()), MAX_HEADER_CHARS)
}
