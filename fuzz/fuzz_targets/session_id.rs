//! Accepted identifiers appear unchanged in the path and affect no other part of the URL.

#![no_main]

use didit_core::data_transfer::RetrieveDecision;
use didit_core::{Endpoint, SessionId};
use didit_fuzz::{assert_plain, base};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@".contains(c);
    let valid =
        (1..=256).contains(&text.len()) && text.chars().all(allowed) && text != "." && text != "..";
    match text.parse::<SessionId>() {
        Ok(id) => {
            assert!(valid, "{text}");
            assert_eq!((id.as_str(), &*id.to_string()), (text, text));
            let request = RetrieveDecision::new(id).request(&base(), None);
            let uri =
                request.expect("a request with any identifier that was accepted").into_parts();
            let uri = uri.0.uri;
            assert_eq!(
                uri.authority().map(http::uri::Authority::as_str),
                Some("gateway.example:8443")
            );
            let segments: Vec<_> = uri.path().split('/').collect();
            assert_eq!(segments, ["", "a", "b", "auth", "v2", "session", text, "decision", ""]);
            assert_eq!(uri.query(), None);
        }
        Err(reason) => {
            assert!(!valid, "{text}");
            assert_plain(&reason.to_string());
            assert!(reason.to_string().len() < 120, "{reason}");
        }
    }
});
