//! Whatever the session routes answer: it is kept whole and its secrets are hidden, or the error
//! tells nothing of it.

#![no_main]

use didit_core::data_transfer::{CreateSession, ReadStatus, Scope, Scopes};
use didit_core::{Endpoint, ResponseError};
use didit_fuzz::{assert_plain, masked};
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
            assert_eq!(session.json().expose().as_bytes(), body);
            let url = session.url().expose();
            assert!(url.starts_with("https://") || url.starts_with("http://"));
            assert!(!url.contains(char::is_control));
            let shown = format!("Session {{ session_id: {:?}, .. }}", session.session_id());
            assert_eq!(format!("{session:?}"), shown);
        }
        Err(error) => told_nothing(&error, endpoint.parse(&Response::new(&*masked(body))).err()),
    }
}

fn status(body: &[u8]) {
    let endpoint = ReadStatus::new("s".parse().expect("a valid identifier"), "token");
    match endpoint.parse(&Response::new(body)) {
        Ok(report) => {
            assert_eq!(report.json().as_str().as_bytes(), body);
            let shown = format!("SessionStatus {{ status: {:?}, .. }}", report.status());
            assert_eq!(format!("{report:?}"), shown);
        }
        Err(error) => told_nothing(&error, endpoint.parse(&Response::new(&*masked(body))).err()),
    }
}

fn told_nothing(error: &ResponseError, masked: Option<ResponseError>) {
    let shown = error.to_string();
    assert_plain(&shown);
    // Why an identifier or an address is none names the character at fault, and a masked one may
    // have another fault.
    // The service's own words are masked like everything else.
    let own = |shown: &str| shown.split("; the service says").next().map(str::to_owned);
    let judged = |shown: &str| ["`session_id`", "`url`"].iter().any(|path| shown.contains(path));
    let same = |masked: ResponseError| {
        own(&masked.to_string()) == own(&shown) || judged(&masked.to_string())
    };
    assert!(judged(&shown) || masked.is_none_or(same), "{shown}");
}
