//! Responses of the session routes are kept unchanged with their secrets hidden, or cause an error
//! without their values.

#![no_main]

use didit_core::data_transfer::{CreateSession, ReadStatus, Scope, Scopes};
use didit_core::{Endpoint, ResponseError};
use didit_fuzz::{assert_plain, masked, without_message};
use http::Response;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    create(body);
    status(body);
});

fn create(body: &[u8]) {
    let endpoint = CreateSession::new(Scopes::new([Scope::NAMES]).expect("a scope"));
    match endpoint.parse(&Response::new(body)) {
        Ok(session) => {
            assert_eq!(session.secret_json().expose().as_bytes(), body);
            let url = session.url().expose();
            // The scheme is compared without regard to case (RFC 3986 §3.1).
            let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
            assert!(matches!(scheme.as_deref(), Some("https" | "http")));
            assert!(!url.contains(char::is_control));
            let shown = format!(
                "Session {{ session_id: {:?}, session_token: Secret([redacted]), url: Secret([redacted]), \
                 json: Secret([redacted]) }}",
                session.session_id()
            );
            assert_eq!(format!("{session:?}"), shown);
        }
        Err(error) => {
            check_error_has_no_values(&error, endpoint.parse(&Response::new(&*masked(body))).err());
        }
    }
}

fn status(body: &[u8]) {
    let endpoint = ReadStatus::new("s".parse().expect("a valid identifier"), "token");
    match endpoint.parse(&Response::new(body)) {
        Ok(status) => {
            assert_eq!(status.json().as_str().as_bytes(), body);
            let shown = format!("SessionStatus {{ status: {:?}, .. }}", status.status());
            assert_eq!(format!("{status:?}"), shown);
        }
        Err(error) => {
            check_error_has_no_values(&error, endpoint.parse(&Response::new(&*masked(body))).err());
        }
    }
}

fn check_error_has_no_values(error: &ResponseError, masked: Option<ResponseError>) {
    let shown = error.to_string();
    assert_plain(&shown);
    // An error about an identifier or a URL names the invalid character, and the masked text may
    // have another invalid character.
    let validated = |shown: &str| ["`session_id`", "`url`"].iter().any(|path| shown.contains(path));
    let same = |masked: ResponseError| {
        without_message(&masked) == without_message(error) || validated(&masked.to_string())
    };
    assert!(validated(&shown) || masked.is_none_or(same), "{shown}");
}
