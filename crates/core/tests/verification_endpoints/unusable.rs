//! Successes that are not what was requested, and lists that would not end.

use didit_core::verification::{
    DeleteSession, GeneratePdf, ListSessions, Raw, RetrieveDecision, UpdateStatus,
};
use didit_core::{BaseUrl, BuildError, Endpoint as _, ResponseErrorKind};
use http::{Method, Response};

use super::{id, page_of, parse};

#[test]
fn success_status_with_an_error_body_is_an_error() {
    for (body, words) in [
        (r#"{"error": "no such session"}"#, Some("no such session")),
        (r#"{"error": "denied", "error_description": "no"}"#, Some("denied: no")),
        (
            r#"{"detail": "Deletion is disabled for this application"}"#,
            Some("Deletion is disabled for this application"),
        ),
        (r#"{"message": "queued"}"#, Some("queued")),
        ("\u{feff}{\"message\": \"queued\"}", Some("queued")),
        (r#"{"errors": ["x"]}"#, Some("errors: x")),
        (r#"{"non_field_errors": ["no"]}"#, Some("non_field_errors: no")),
        (r#"{"nodes": {"ocr": [{"node_id": ["bad"]}]}}"#, Some("nodes.ocr.node_id: bad")),
        (r#"{"status": "error"}"#, None),
        (r#"{"success": false}"#, None),
    ] {
        let update = parse(&UpdateStatus::approve(id()), 200, body).unwrap_err();
        let delete = parse(&DeleteSession::new(id()), 202, body).unwrap_err();
        for error in [update, delete] {
            assert!(matches!(error.kind(), ResponseErrorKind::Malformed(_)), "{error:?}");
            assert_eq!(error.message(), words);
        }
    }
    for body in [
        "{}",
        r#"{"error": null, "message": ""}"#,
        r#"{"success": true, "errors": [], "detail": {}, "error": false}"#,
        r#"{"session": {"status": "Approved"}, "tags": [" ", 1]}"#,
    ] {
        parse(&UpdateStatus::approve(id()), 200, body).unwrap();
        parse(&DeleteSession::new(id()), 200, body).unwrap();
    }
    let done = format!(r#"{{"session_id": "{}", "message": "done"}}"#, id());
    parse(&UpdateStatus::approve(id()), 200, &done).unwrap();
    parse(&DeleteSession::new(id()), 200, &done).unwrap();
}

#[test]
fn error_in_place_of_a_decision_or_of_sessions_is_an_error() {
    let decision = RetrieveDecision::new(id());
    for (body, words) in [
        (r#"{"error": "x", "status": "Approved"}"#, Some("x")),
        (r#"{"status": "error", "message": "Internal error"}"#, Some("Internal error")),
        (r#"{"success": false, "status": "failed", "detail": "boom"}"#, Some("boom")),
        (r#"{"status": "error"}"#, None),
    ] {
        let error = parse(&decision, 200, body).unwrap_err();
        assert!(error.to_string().contains("missing field `session_id`"), "{error}");
        assert_eq!(error.message(), words);
    }
    parse(&decision, 200, r#"{"status": "Approved"}"#).unwrap();
    let done = format!(r#"{{"session_id": "{}", "status": "Approved", "message": "x"}}"#, id());
    parse(&decision, 200, &done).unwrap();

    for results in ["null", "[]", "[null]"] {
        let list = |more: &str| {
            parse(&ListSessions::new(), 200, &format!(r#"{{"results": {results}{more}}}"#))
        };
        let error = list(r#", "error": "boom", "next": null"#).unwrap_err();
        assert!(error.to_string().contains("unreadable"), "{error}");
        assert_eq!(error.message(), Some("boom"));
        assert!(list(r#", "error": null"#).unwrap().sessions().is_empty());
    }
}

#[test]
fn part_of_a_response_is_an_error() {
    let response = Response::builder()
        .status(206)
        .header("content-type", "application/pdf")
        .header("content-range", "bytes 0-7/5000")
        .body("%PDF-1.7")
        .unwrap();
    let error = GeneratePdf::new(id()).parse(&response).unwrap_err();
    assert_eq!(error.kind(), &ResponseErrorKind::UnexpectedStatus);
    assert!(error.to_string().ends_with("HTTP 206 Partial Content"), "{error}");
    let body = format!(r#"{{"session_id": "{}"}}"#, id());
    assert!(parse(&UpdateStatus::approve(id()), 206, &body).is_err());
    assert!(parse(&DeleteSession::new(id()), 206, &body).is_err());
    assert!(parse(&Raw::new(Method::GET, "/v3/a/"), 206, &body).is_err());
}

#[test]
fn list_never_goes_back() {
    let list = ListSessions::new().with_offset(50);
    let follows = |query: &str| {
        let next = format!(r#""https://verification.didit.me/v3/sessions/?{query}""#);
        let next = page_of(&list, &next).unwrap().next_page().unwrap();
        next.request(&BaseUrl::production(), None).map_err(|error| error.to_string())
    };
    for query in ["offset=100", "limit=5&offset=51"] {
        assert!(follows(query).is_ok(), "{query}");
    }
    for query in ["offset=50", "limit=5&offset=50", "offset=0&limit=5", "limit=5", "offset=x"] {
        let error = follows(query).unwrap_err();
        assert_eq!(error, "the link to the next page does not lead forward", "{query}");
    }
    // An empty page after which there are others would be an endless list, too.
    let empty = r#"{"next":"/v3/sessions/?offset=100","results":[]}"#;
    let next = parse(&list, 200, empty).unwrap().next_page().unwrap();
    assert!(next.request(&BaseUrl::production(), None).is_err());
}

#[test]
fn list_by_other_parameters_ends_if_a_page_repeats() {
    let base = BaseUrl::production();
    let next_of = |list: &ListSessions, query: &str| {
        let next = format!(r#""https://verification.didit.me/v3/sessions/?{query}""#);
        page_of(list, &next).unwrap().next_page().unwrap()
    };
    for (one, two) in [("cursor=1", "cursor=2"), ("page=1&a=b", "page=2"), ("", "page=2")] {
        let first = next_of(&ListSessions::new().with_limit(1), one);
        let second = next_of(&first, two);
        // A repeated request reads its response twice.
        assert!(next_of(&first, two) == second && second.request(&base, None).is_ok());
        assert!(next_of(&second, "cursor=3").request(&base, None).is_ok());
        let loops = next_of(&second, one).request(&base, None);
        assert!(matches!(loops, Err(BuildError::BrokenLink)), "{one}");
    }
    let huge = next_of(&ListSessions::new(), "offset=99999999999999999999991");
    assert!(matches!(huge.request(&base, None), Err(BuildError::BrokenLink)));
}
