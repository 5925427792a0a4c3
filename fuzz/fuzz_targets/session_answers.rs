//! Whatever the session routes answer: it is kept whole and its secrets are hidden, or the error
//! tells nothing of it. The first byte chooses between the bytes as they are and a shape of them.

#![no_main]

use didit_core::data_transfer::{CreateSession, ReadStatus, Scope, Scopes};
use didit_core::{Endpoint, ResponseError};
use didit_fuzz::{assert_plain, masked};
use didit_strategies::{created_session, generate, status_report};
use http::Response;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((kind, bytes)) = input.split_first() else { return };
    let shape = match kind % 4 {
        0 => generate(&created_session(), bytes),
        1 => generate(&status_report(), bytes),
        _ => None,
    };
    let shaped = shape.map(|shape| shape.to_string().into_bytes());
    let body = shaped.as_deref().unwrap_or(bytes);
    create(body);
    status(body);
});

fn create(body: &[u8]) {
    let endpoint = CreateSession::new(Scopes::new([Scope::NAMES]).expect("a scope"));
    match endpoint.parse(Response::new(body)) {
        Ok(session) => {
            assert_eq!(session.json().as_str().as_bytes(), body);
            let url = session.url().expose();
            assert!(url.starts_with("https://") || url.starts_with("http://"));
            assert!(!url.contains(char::is_control));
            let shown = format!("Session {{ session_id: {:?}, .. }}", session.session_id());
            assert_eq!(format!("{session:?}"), shown);
        }
        Err(error) => told_nothing(&error, endpoint.parse(Response::new(&*masked(body))).err()),
    }
}

fn status(body: &[u8]) {
    let endpoint = ReadStatus::new("s".parse().expect("a valid identifier"), "token");
    match endpoint.parse(Response::new(body)) {
        Ok(report) => {
            assert_eq!(report.json().as_str().as_bytes(), body);
            let shown = format!("SessionStatus {{ status: {:?}, .. }}", report.status());
            assert_eq!(format!("{report:?}"), shown);
        }
        Err(error) => told_nothing(&error, endpoint.parse(Response::new(&*masked(body))).err()),
    }
}

fn told_nothing(error: &ResponseError, masked: Option<ResponseError>) {
    let shown = error.to_string();
    assert_plain(&shown);
    // Why an identifier or an address is none names the character at fault, and a masked one may
    // have another fault.
    let judged = ["`session_id`", "`url`"].iter().any(|place| shown.contains(place));
    assert!(judged || masked.is_none_or(|masked| masked.to_string() == shown), "{shown}");
}
