//! PDF reports, raw requests and error responses.

use didit_core::verification::{GeneratePdf, Raw, RetrieveDecision};
use didit_core::{BaseUrl, BuildError, Endpoint as _, ResponseErrorKind};
use http::{Method, Response};
use serde_json::{Value, json};

use super::{ID, create, id, parse, request, sent};

const REVIEWS: [&str; 3] = [
    include_str!("../fixtures/verification/v3_reviews_decisiontrail.json"),
    include_str!("../fixtures/verification/v3_reviews_empty.json"),
    include_str!("../fixtures/verification/v3_reviews_paginatedfirstpage.json"),
];
const ERRORS: &str = include_str!("../fixtures/verification/v3_errors.json");

#[test]
fn pdf_needs_the_content_type_and_the_file_header() {
    let endpoint = GeneratePdf::new(id());
    let parse = |kind: Option<&str>| {
        let response = kind
            .into_iter()
            .fold(Response::builder(), |response, kind| response.header("content-type", kind));
        endpoint.parse(&response.body("%PDF-1.7").unwrap())
    };
    for kind in ["application/pdf", "Application/PDF; charset=binary"] {
        let pdf = parse(Some(kind)).unwrap();
        assert_eq!((pdf.as_bytes(), &*format!("{pdf:?}")), (&b"%PDF-1.7"[..], "Pdf(8 bytes)"));
        assert_eq!(pdf.into_bytes(), b"%PDF-1.7");
    }
    for kind in [None, Some("application/json"), Some("text/html"), Some("application/pdfx")] {
        let error = parse(kind).unwrap_err();
        assert_eq!(error.kind(), &ResponseErrorKind::NotPdf);
        assert!(error.to_string().contains("but the response is not a PDF"), "{error}");
    }
    let page = Response::builder().header("content-type", "text/html");
    let page = page.body("<html><title>Sign in</title></html>").unwrap();
    let shown = endpoint.parse(&page).unwrap_err().to_string();
    let told = r#"is not a PDF (it is text/html); the service says "Sign in""#;
    assert!(shown.ends_with(told), "{shown}");
    let after = |bytes: usize| {
        let body = format!("{}%PDF-1.7", "\n".repeat(bytes));
        let response = Response::builder().header("content-type", "application/pdf");
        endpoint.parse(&response.body(body).unwrap())
    };
    assert!(after(1019).is_ok());
    for bytes in [1020, 5000] {
        assert_eq!(after(bytes).unwrap_err().kind(), &ResponseErrorKind::NotPdf, "{bytes}");
    }
    assert_eq!(request(&endpoint).headers()["accept"], "application/pdf, application/json");
    assert_eq!(GeneratePdf::BUCKET.min_timeout().as_secs(), 60);
}

#[test]
fn raw_requests_reach_any_route() {
    let raw = Raw::new(Method::POST, "/v3/session/import-shared/")
        .with_query("a", "b c")
        .with_json(&json!({"share_token": "canary"}))
        .unwrap();
    assert_eq!(
        sent(&raw),
        "POST https://verification.didit.me/v3/session/import-shared/?a=b%20c \
         {\"share_token\":\"canary\"}"
    );
    let response = parse(&raw, 201, r#"{"n":1.10}"#).unwrap();
    assert_eq!((response.status().as_u16(), response.body()), (201, &br#"{"n":1.10}"#[..]));
    assert_eq!(response.json().unwrap().get("n").unwrap().as_str(), "1.10");
    let empty = parse(&raw, 204, "").unwrap();
    assert!(empty.body().is_empty() && empty.json().is_err());
    assert!(!format!("{raw:?} {response:?}").contains("canary"));
    for path in
        ["", "v3", "//evil.example/", "/a/../b/", "/a?b=c", "/a#b", "/a b/", "/é/", "/a//", "/"]
    {
        let result = Raw::new(Method::GET, path).request(&BaseUrl::verification(), None);
        assert!(matches!(result, Err(BuildError::Path)), "{path}");
    }
}

#[test]
fn published_reviews_are_read_by_a_raw_request() {
    let raw = Raw::new(Method::GET, &format!("/v3/sessions/{ID}/reviews/"));
    for (body, count) in REVIEWS.into_iter().zip(["3", "0", "4"]) {
        let response = parse(&raw, 200, body).unwrap();
        assert_eq!(response.body(), body.as_bytes());
        assert_eq!(response.json().unwrap().get("count").unwrap().as_str(), count);
    }
}

fn first_text(value: &Value) -> &str {
    match value {
        Value::Array(values) => first_text(&values[0]),
        Value::Object(members) => first_text(members.values().next().unwrap()),
        text => text.as_str().unwrap(),
    }
}

/// Each published error body contains a message, which the error has to contain.
#[test]
fn published_errors_have_their_message() {
    let errors: Value = serde_json::from_str(ERRORS).unwrap();
    for (route, cases) in errors.as_object().unwrap() {
        for case in cases.as_array().unwrap() {
            let (status, body) = (case["http"].as_u64().unwrap(), &case["body"]);
            if body.is_null() || body == "" {
                continue;
            }
            let status = status.try_into().unwrap();
            let error = parse(&RetrieveDecision::new(id()), status, &body.to_string()).unwrap_err();
            let message = error.message().unwrap_or_else(|| panic!("{route}: {body}"));
            let beginning: String = first_text(body).chars().take(100).collect();
            assert!(message.contains(&beginning), "{route}: {message}");
        }
    }
    let message = |body: &str| {
        let error = parse(&create(), 400, body).unwrap_err();
        error.message().map(str::to_owned)
    };
    for (body, expected) in [
        (r#"{"workflow_id":["This field is required."]}"#, "workflow_id: This field is required."),
        (r#"{"a":{"b":"c"},"d":[{"e":["f"]}]}"#, "a.b: c; d.e: f"),
        (r#"["The same."]"#, "The same."),
        (r#"{"detail":["a","b"]}"#, "a; b"),
    ] {
        assert_eq!(message(body).as_deref(), Some(expected), "{body}");
    }
    let by_name = create().with_member("vendor_data", &"canary").unwrap();
    for echoed in [create().with_vendor_data("canary"), by_name] {
        let error = parse(&echoed, 400, r#"{"vendor_data":"canary is blocked"}"#).unwrap_err();
        assert_eq!(error.message(), Some("vendor_data: *** is blocked"));
    }
    let html = parse(&create(), 404, "<title>Not Found</title>").unwrap_err();
    assert_eq!(html.message(), Some("Not Found"));
}
