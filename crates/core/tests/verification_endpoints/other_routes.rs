//! PDF reports, raw requests and error responses.

use didit_core::verification::{
    ContactDetails, DeleteSession, ExpectedDetails, GeneratePdf, ListSessions, Raw,
    RetrieveDecision, Status, UpdateStatus,
};
use didit_core::{BaseUrl, BuildError, Endpoint, ResponseErrorKind};
use http::{Method, Response};
use serde_json::{Value, json};

use super::{ID, WORKFLOW, create, id, parse, request, sent};

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
fn url_has_at_most_65534_bytes() {
    let list = |length: usize| {
        let rest = "https://verification.didit.me/v3/sessions/?search=".len();
        ListSessions::new().with_search(&"a".repeat(length - rest))
    };
    assert_eq!(request(&list(65_534)).uri().to_string().len(), 65_534);
    let path = Raw::new(Method::GET, &format!("/v3/{}/", "a".repeat(65_534)));
    for error in [
        list(65_535).request(&BaseUrl::verification(), None).unwrap_err(),
        list(200_000).request(&BaseUrl::verification(), None).unwrap_err(),
        path.request(&BaseUrl::verification(), None).unwrap_err(),
    ] {
        assert!(matches!(error, BuildError::TooLong), "{error:?}");
    }
    let prefixed: BaseUrl = format!("https://h.example/{}", "a".repeat(2000)).parse().unwrap();
    assert!(matches!(list(65_534).request(&prefixed, None), Err(BuildError::TooLong)));
    // Every other character of a query is accepted by the HTTP library.
    let odd: String = ('!'..='~').filter(|c| !"#\"<>".contains(*c)).collect();
    let page = json!({"next": format!("https://h/v3/sessions/?a={odd}"), "results": [{}]});
    let next = parse(&ListSessions::new(), 200, &page.to_string()).unwrap().next_page().unwrap();
    assert!(request(&next).uri().query().unwrap().ends_with(&odd));
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

fn echo<E: Endpoint>(endpoint: &E, status: u16, text: &str) -> String
where
    E::Output: std::fmt::Debug,
{
    let body = json!({ "error": text }).to_string();
    parse(endpoint, status, &body).unwrap_err().message().unwrap().to_owned()
}

#[test]
fn errors_do_not_echo_the_texts_of_the_request() {
    let contact = ContactDetails {
        email: Some("jane@example.com".to_owned()),
        phone: Some("+14155552671".to_owned()),
        ..ContactDetails::default()
    };
    let expected = ExpectedDetails {
        first_name: Some("Jane".to_owned()),
        last_name: Some("Jane Roe".to_owned()),
        country: Some("ESP".to_owned()),
        date_of_birth: Some("1990-05-15".to_owned()),
        ..ExpectedDetails::default()
    };
    let create = create()
        .with_contact_details(&contact)
        .with_expected_details(&expected)
        .with_metadata(&json!({"tags": ["s3cret"], "phone": 34_600_111_222_333_u64}))
        .unwrap()
        .with_language("pt-BR")
        .with_callback_method("initiator");
    let text = "Jane@Example.com, %2B14155552671, Jane Roe, Jane, 1990-05-15, s3cret";
    assert_eq!(echo(&create, 400, text), "***, ***, ***, ***, ***, ***");
    assert_eq!(echo(&create, 400, "first_name, phone: 34600111222333"), "first_name, phone: ***");
    // Short texts occur by chance, and settings are neither secret nor personal.
    let text = format!("pt-BR, initiator, ESP, {WORKFLOW}");
    assert_eq!(echo(&create, 400, &text), text);

    let update =
        UpdateStatus::approve(id()).with_comment("blurry").with_email("j@example.com", "es");
    for status in [200, 400] {
        assert_eq!(echo(&update, status, "j@example.com blurry Approved"), "*** *** Approved");
    }
    let delete = DeleteSession::new(id()).with_member("instruction_id", &"canary").unwrap();
    for status in [200, 400] {
        assert_eq!(echo(&delete, status, "no canary"), "no ***");
    }
    let list = ListSessions::new()
        .with_status(&[Status::InReview])
        .with_search("Jane Roe")
        .with_query("document_name", "a+b é");
    let text = "In Review: Jane%20Roe, Jane+Roe, a+b é, a%2Bb%20%C3%A9";
    assert_eq!(echo(&list, 400, text), "In Review: ***, ***, ***, ***");
    let next = r#"{"next":"https://h/v3/sessions/?offset=9&search=Jane+Roe","results":[{}]}"#;
    let next = parse(&list, 200, next).unwrap().next_page().unwrap();
    assert_eq!(echo(&next, 400, "no Jane Roe"), "no ***");
    let raw = Raw::new(Method::POST, "/v3/a/")
        .with_query("search", "Jane Roe")
        .with_json(&json!({"a": [{"name": "canary \"1\""}], "metadata": {"owner": 123_456_789}}))
        .unwrap();
    let text = r#"a.name: canary "1" of Jane Roe; owner: 123456789"#;
    assert_eq!(echo(&raw, 400, text), "a.name: *** of ***; owner: ***");
}
