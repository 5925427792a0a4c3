//! Checks that the guide on errors lists every kind of error with its exact text and advice.

use std::fmt::Debug;
use std::sync::Arc;

use http::StatusCode;

use crate::client::Environment;
use crate::data_transfer::{InvalidScope, Status};
use crate::json::JsonError;
use crate::{
    BuildError, CallError, CallErrorKind, ConfigError, EndpointKind, InvalidBaseUrl,
    InvalidCredentials, InvalidSessionId, ProxySettings, ResponseError, ResponseErrorKind,
    TransportErrorKind, WaitReason,
};

/// Returns the rows of the tables below a heading, as cells.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let page = include_str!("../../docs/errors.md");
    let (_, section) = page.split_once(&format!("\n# {heading}\n")).unwrap();
    let section = section.split("\n# ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    rows.map(|row| row.split(" | ").collect()).collect()
}

/// Returns the first two cells of a row: the name of the variant and its text.
fn row(kind: &dyn Debug, text: &impl ToString) -> Vec<String> {
    let debug = format!("{kind:?}");
    let name = debug.split(['(', ' ']).next().unwrap();
    vec![name.to_owned(), text.to_string()]
}

#[track_caller]
fn assert_listed(heading: &str, cells: &[usize], expected: &[Vec<String>]) {
    let rows = rows(heading);
    let listed: Vec<Vec<_>> =
        rows.iter().map(|row| cells.iter().map(|cell| row[*cell].to_owned()).collect()).collect();
    for (listed, expected) in listed.iter().zip(expected) {
        // The page formats some words as code.
        assert_eq!(listed.join(" | ").replace('`', ""), expected.join(" | ").replace('`', ""));
    }
    assert_eq!(listed.len(), expected.len(), "{heading}");
}

/// Returns a row for an error of a call to the decision endpoint.
fn call_row(name: &str, kind: CallErrorKind) -> Vec<String> {
    let error = CallError::new(kind);
    let text = error.to_string();
    let (_, text) = text.split_once(": ").unwrap();
    vec![name.to_owned(), text.to_owned(), error.advice().to_owned()]
}

fn unreadable() -> JsonError {
    JsonError::at_offset(b"", 0, "expected value")
}

#[test]
fn every_response_error_is_listed() {
    use ResponseErrorKind::*;
    let kinds = [
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (429, RateLimited),
        (400, ClientError),
        (503, ServerError),
        (302, Redirect),
        (600, UnexpectedStatus),
        (200, Malformed(unreadable())),
        (200, Empty),
        (200, SessionMismatch),
        (200, NotPdf),
        (200, TooLarge),
    ];
    let expected = kinds.map(|(status, kind)| {
        // A new kind fails to compile here: add it to the list above and to the page.
        match kind {
            Unauthorized | Forbidden | NotFound | RateLimited | ClientError | ServerError
            | Redirect | UnexpectedStatus | Malformed(_) | Empty | SessionMismatch | NotPdf
            | TooLarge => {}
        }
        let name = row(&kind, &"").swap_remove(0);
        let status = StatusCode::from_u16(status).unwrap();
        let error = ResponseError::new(EndpointKind::RetrieveDecision, status, kind);
        call_row(&name, CallErrorKind::Response(error))
    });
    assert_listed("Responses", &[0, 1, 3], &expected);
}

#[test]
fn every_transport_error_is_listed() {
    use TransportErrorKind::*;
    let kinds = [Connect, Certificate, Handshake, Proxy, Timeout, ConnectionLost, HeadTooLarge];
    let expected = kinds.map(|kind| {
        match kind {
            Connect | Certificate | Handshake | Proxy | Timeout | ConnectionLost | HeadTooLarge => {
            }
        }
        call_row(&format!("{kind:?}"), CallErrorKind::Transport(kind))
    });
    assert_listed("Transport", &[0, 1, 3], &expected);
}

#[test]
fn every_deadline_error_is_listed() {
    use WaitReason::*;
    let reasons = [Pacing, FirstResponse, RetryAfter, Backoff, Polling, Token, Response];
    let waits = reasons.map(|reason| {
        match reason {
            Pacing | FirstResponse | RetryAfter | Backoff | Polling | Token | Response => {}
        }
        (format!("Waiting({reason:?})"), CallErrorKind::Waiting(reason))
    });
    let in_progress = crate::verification::Status::InProgress;
    let others = [
        ("Undecided", CallErrorKind::Undecided(Status::Retrieved)),
        ("UndecidedVerification", CallErrorKind::UndecidedVerification(in_progress)),
        ("Finished", CallErrorKind::Finished),
    ];
    let others = others.map(|(name, kind)| (name.to_owned(), kind));
    let all = waits.into_iter().chain(others).map(|(name, kind)| {
        match kind {
            // The first three have separate tables.
            CallErrorKind::Build(_)
            | CallErrorKind::Response(_)
            | CallErrorKind::Transport(_)
            | CallErrorKind::Waiting(_)
            | CallErrorKind::Undecided(_)
            | CallErrorKind::UndecidedVerification(_)
            | CallErrorKind::Finished => {}
        }
        call_row(&name, kind)
    });
    assert_listed("Deadlines", &[0, 1, 3], &all.collect::<Vec<_>>());
}

#[test]
fn every_input_error_is_listed() {
    use InvalidBaseUrl::*;
    let named_row = |name: &str, kind: &dyn Debug, text: String| {
        let mut row = row(kind, &text);
        row[0] = format!("{name}::{}", row[0]);
        row
    };
    let urls = [
        Whitespace,
        NotAUrl,
        Scheme,
        PlainHttp,
        UserInfo,
        Host,
        Port,
        Path,
        QueryOrFragment,
        TooLong,
    ];
    let urls = urls.map(|error| {
        match error {
            Whitespace | NotAUrl | Scheme | PlainHttp | UserInfo | Host | Port | Path
            | QueryOrFragment | TooLong => {}
        }
        named_row("InvalidBaseUrl", &error, error.to_string())
    });
    let what = "client secret";
    let secrets = [InvalidCredentials::Empty { what }, InvalidCredentials::Character { what }];
    let secrets = secrets.map(|error| {
        match error {
            InvalidCredentials::Empty { .. } | InvalidCredentials::Character { .. } => {}
        }
        named_row("InvalidCredentials", &error, error.to_string())
    });
    let ids = [
        InvalidSessionId::Empty,
        InvalidSessionId::DotSegment,
        InvalidSessionId::Character { found: '/', position: 5 },
        InvalidSessionId::TooLong { length: 300 },
    ];
    let ids = ids.map(|error| {
        match error {
            InvalidSessionId::Empty
            | InvalidSessionId::DotSegment
            | InvalidSessionId::Character { .. }
            | InvalidSessionId::TooLong { .. } => {}
        }
        named_row("InvalidSessionId", &error, error.to_string())
    });
    let scopes = [InvalidScope::Empty, InvalidScope::Character { found: ' ' }];
    let scopes = scopes.map(|error| {
        match error {
            InvalidScope::Empty | InvalidScope::Character { .. } => {}
        }
        named_row("InvalidScope", &error, error.to_string())
    });
    let json = serde_json::from_str::<()>("").unwrap_err();
    let http = http::Request::builder().uri(" ").body(()).unwrap_err();
    let builds = [
        BuildError::UserAgent,
        BuildError::Path,
        BuildError::BrokenLink,
        BuildError::TooLong,
        BuildError::ZeroTimeout { name: "call_timeout" },
        BuildError::InvalidMember { name: "callback", problem: "is not a URL with a scheme" },
        BuildError::Json(Arc::new(json)),
        BuildError::Http(Arc::new(http)),
    ];
    let builds = builds.map(|error| {
        match error {
            // The first two are listed under the error they wrap.
            BuildError::BaseUrl(_)
            | BuildError::Credentials(_)
            | BuildError::UserAgent
            | BuildError::Path
            | BuildError::BrokenLink
            | BuildError::TooLong
            | BuildError::ZeroTimeout { .. }
            | BuildError::InvalidMember { .. }
            | BuildError::Json(_)
            | BuildError::Http(_) => {}
        }
        named_row("BuildError", &error, error.to_string())
    });
    let all = urls.into_iter().chain(secrets).chain(ids).chain(scopes).chain(builds);
    assert_listed("Input", &[0, 1], &all.collect::<Vec<_>>());
}

#[test]
fn every_config_error_is_listed() {
    let variables = Environment::new(
        |name| (name == "DIDIT_TIMEOUT").then(|| "0s".into()),
        |_| Err::<&[u8], _>(std::io::ErrorKind::NotFound.into()),
    );
    let environment = variables.timeout().unwrap_err();
    let proxy = ProxySettings::default().with_proxy("socks5://proxy");
    let proxy = proxy.proxy_for(&crate::BaseUrl::production()).unwrap_err();
    let errors = [
        ConfigError::Certificate,
        ConfigError::NoRootCertificates,
        ConfigError::Environment(environment),
        ConfigError::Proxy(proxy),
        ConfigError::OwnHttpClient("proxy"),
        ConfigError::Library("x".into()),
    ];
    let expected = errors.map(|error| {
        match error {
            // `Build` errors are listed in the previous section.
            ConfigError::Build(_)
            | ConfigError::Certificate
            | ConfigError::NoRootCertificates
            | ConfigError::Environment(_)
            | ConfigError::Proxy(_)
            | ConfigError::OwnHttpClient(_)
            | ConfigError::Library(_) => {}
        }
        row(&error, &error)
    });
    assert_listed("Setting up a client", &[0, 1], &expected);
}

#[cfg(feature = "webhook")]
#[test]
fn every_webhook_error_is_listed() {
    use crate::webhook::{Scheme, WebhookError};
    let errors = [
        WebhookError::Body(unreadable()),
        WebhookError::NoSignature,
        WebhookError::MalformedSignature { scheme: Scheme::RawBody },
        WebhookError::SignatureMismatch,
        WebhookError::NoTimestamp,
        WebhookError::TimestampMismatch,
        WebhookError::Stale { age: 301 },
    ];
    let expected = errors.map(|error| {
        match error {
            WebhookError::Body(_)
            | WebhookError::NoSignature
            | WebhookError::MalformedSignature { .. }
            | WebhookError::SignatureMismatch
            | WebhookError::NoTimestamp
            | WebhookError::TimestampMismatch
            | WebhookError::Stale { .. } => {}
        }
        row(&error, &error)
    });
    assert_listed("Webhooks", &[0, 1], &expected);
}
