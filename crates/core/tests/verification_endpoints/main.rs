//! Requests of the verification API as documented, and its published responses.
#![allow(clippy::unwrap_used, clippy::panic)]

mod other_routes;
mod unusable;

use didit_core::verification::{
    ContactDetails, CreateSession, DeleteSession, ExpectedDetails, GeneratePdf, ListSessions,
    ListedSessions, Raw, RetrieveDecision, SessionId, SessionPage, SessionSummary, Status,
    UpdateStatus,
};
use didit_core::{
    Authorization, BaseUrl, BuildError, Endpoint, Replay, ResponseError, ResponseErrorKind,
};
use http::{Method, Request, Response};
use serde_json::{Value, json};

const CREATED: [&str; 2] = [
    include_str!("../fixtures/verification/v3_session_created_kyc.json"),
    include_str!("../fixtures/verification/v3_session_created_kyb.json"),
];
const LISTED: [&str; 2] = [
    include_str!("../fixtures/verification/v3_sessions_list_kyc.json"),
    include_str!("../fixtures/verification/v3_sessions_list_mixed.json"),
];
const SMALL: &str = include_str!("../fixtures/verification/v3_small_answers.json");

const WORKFLOW: &str = "9f9b1234-aaaa-bbbb-cccc-1234567890ab";
const ID: &str = "11111111-2222-3333-4444-555555555555";

fn id() -> SessionId {
    ID.parse().unwrap()
}

fn create() -> CreateSession {
    CreateSession::new(WORKFLOW).unwrap()
}

fn request(endpoint: &impl Endpoint) -> Request<Vec<u8>> {
    let key = Authorization::api_key("key").unwrap();
    let request = endpoint.request(&BaseUrl::verification(), Some(&key)).unwrap();
    assert_eq!(request.headers()["x-api-key"], "key");
    assert_eq!(request.headers()["content-type"], "application/json");
    request
}

/// Returns the method, the URL and the body of a request.
fn sent(endpoint: &impl Endpoint) -> String {
    let request = request(endpoint);
    let body = String::from_utf8(request.body().clone()).unwrap();
    format!("{} {} {body}", request.method(), request.uri()).trim_end().to_owned()
}

fn parse<E: Endpoint>(endpoint: &E, status: u16, body: &str) -> Result<E::Output, ResponseError> {
    endpoint.parse(&Response::builder().status(status).body(body).unwrap())
}

#[test]
fn requests_match_the_documentation() {
    let base = "https://verification.didit.me/v3";
    assert_eq!(sent(&create()), format!(r#"POST {base}/session/ {{"workflow_id":"{WORKFLOW}"}}"#));
    assert_eq!(sent(&ListSessions::new()), format!("GET {base}/sessions/"));
    assert_eq!(sent(&RetrieveDecision::new(id())), format!("GET {base}/session/{ID}/decision/"));
    assert_eq!(
        sent(&UpdateStatus::approve(id())),
        format!(r#"PATCH {base}/session/{ID}/update-status/ {{"new_status":"Approved"}}"#)
    );
    assert_eq!(sent(&GeneratePdf::new(id())), format!("GET {base}/session/{ID}/generate-pdf/"));
    assert_eq!(sent(&DeleteSession::new(id())), format!("DELETE {base}/session/{ID}/delete/"));
    assert_eq!(
        sent(&DeleteSession::new(id()).retain_face_embeddings(30)),
        format!(
            "DELETE {base}/session/{ID}/delete/ \
             {{\"face_retention_days\":30,\"retain_face_embeddings\":true}}"
        )
    );
    let erased = DeleteSession::new(id()).with_member("instruction_id", &"canary").unwrap();
    assert!(!format!("{erased:?}").contains("canary"), "{erased:?}");
    let body = r#"{"instruction_id":"canary"}"#;
    assert_eq!(sent(&erased), format!("DELETE {base}/session/{ID}/delete/ {body}"));
    assert_eq!(
        BaseUrl::verification_staging().to_string(),
        "https://verification.staging.didit.me"
    );
}

#[test]
fn all_documented_members_of_a_session_can_be_set() {
    let expected = ExpectedDetails {
        first_name: Some("Ana".to_owned()),
        country: Some("ESP".to_owned()),
        expected_document_types: vec!["P".to_owned()],
        ..ExpectedDetails::default()
    };
    let contact = ContactDetails {
        email: Some("user@example.com".to_owned()),
        send_notification_emails: Some(true),
        ..ContactDetails::default()
    };
    let endpoint = create()
        .with_vendor_data("user \"1\"")
        .with_callback("app://done")
        .with_callback_method("both")
        .with_language("pt-BR")
        .with_portrait_image("aGk=")
        .with_sandbox_scenario("approve")
        .with_expected_details(&expected)
        .with_contact_details(&contact)
        .with_metadata(&json!([1.5, null]))
        .and_then(|create| create.with_member("tags", &["a"]))
        .unwrap();
    let body: Value = serde_json::from_slice(request(&endpoint).body()).unwrap();
    assert_eq!(
        body,
        json!({
            "workflow_id": WORKFLOW, "vendor_data": "user \"1\"", "callback": "app://done",
            "callback_method": "both", "language": "pt-BR", "portrait_image": "aGk=",
            "sandbox_scenario": "approve", "metadata": [1.5, null], "tags": ["a"],
            "expected_details":
                {"first_name": "Ana", "country": "ESP", "expected_document_types": ["P"]},
            "contact_details": {"email": "user@example.com", "send_notification_emails": true},
        })
    );
    let shown = format!("{endpoint:?} {expected:?} {contact:?}");
    assert!(!["Ana", "user", "aGk", "example"].iter().any(|text| shown.contains(text)), "{shown}");
    for workflow in ["", "kyc", &WORKFLOW[1..], "../../../../../../../../../../../.."] {
        assert!(CreateSession::new(workflow).is_err(), "{workflow}");
    }
}

/// The service has no idempotency key, but returns an unfinished session with the same
/// `vendor_data`.
#[test]
fn only_idempotent_requests_are_replayed() {
    let vendor_data = create().with_vendor_data("user-1");
    for (replay, expected) in [
        (create().replay(), Replay::OnlyIfUnsent),
        (create().allow_retry().replay(), Replay::OnlyIfUnsent),
        (vendor_data.replay(), Replay::OnlyIfUnsent),
        (vendor_data.allow_retry().replay(), Replay::Safe),
        (create().with_vendor_data("").allow_retry().replay(), Replay::OnlyIfUnsent),
        (create().with_vendor_data(" \t").allow_retry().replay(), Replay::OnlyIfUnsent),
        (UpdateStatus::resubmit(id()).replay(), Replay::OnlyIfUnsent),
        (DeleteSession::new(id()).replay(), Replay::Safe),
        (GeneratePdf::new(id()).replay(), Replay::Safe),
        (ListSessions::new().replay(), Replay::Safe),
        (Raw::new(Method::GET, "/v3/a/").replay(), Replay::Safe),
        (Raw::new(Method::POST, "/v3/a/").replay(), Replay::OnlyIfUnsent),
        (Raw::new(Method::POST, "/v3/a/").idempotent().replay(), Replay::Safe),
    ] {
        assert_eq!(replay, expected);
    }
}

#[test]
fn published_sessions_are_parsed() {
    for (body, number) in CREATED.into_iter().zip([43762, 0]) {
        let session = parse(&create(), 201, body).unwrap();
        let sent: Value = serde_json::from_str(body).unwrap();
        assert_eq!(session.session_id().as_str(), sent["session_id"]);
        assert_eq!(session.url().expose(), sent["url"]);
        assert_eq!(session.session_token().unwrap().expose(), sent["session_token"]);
        assert_eq!(session.status(), Some(&Status::NotStarted));
        assert_eq!(session.workflow_id(), sent["workflow_id"].as_str());
        assert_eq!(session.workflow_version().unwrap().as_i64(), sent["workflow_version"].as_i64());
        assert_eq!(session.vendor_data(), sent["vendor_data"].as_str());
        assert_eq!(session.callback(), sent["callback"].as_str());
        assert_eq!(session.metadata().is_some(), !sent["metadata"].is_null());
        assert_eq!(session.secret_json().expose(), body);
        assert!(number == 0 || session.session_number().unwrap().as_i64() == Some(number));
        let shown = format!("{session:?}");
        assert!(!shown.contains("tok0tok0") && !shown.contains("3FaJ9wLqX2Mz"), "{shown}");
    }
    for (body, path) in [
        (r#"{"url":"https://x"}"#, "session_id"),
        (r#"{"session_id":"s","url":"https://x"}"#, "session_id"),
        (&format!(r#"{{"session_id":"{ID}"}}"#), "url"),
        (&format!(r#"{{"session_id":"{ID}","url":"javascript:alert(1)"}}"#), "url"),
    ] {
        let error = parse(&create(), 201, body).unwrap_err().to_string();
        assert!(error.ends_with(&format!("in `{path}`")), "{error}");
    }
}

#[test]
fn published_lists_are_parsed() {
    let read = |body: &str| parse(&ListSessions::new(), 200, body).unwrap();
    let [kyc, mixed] = LISTED.map(read);
    assert_eq!((kyc.count().unwrap().as_i64(), kyc.sessions().len()), (Some(2), 2));
    let [first, second] = [&kyc.sessions()[0], &kyc.sessions()[1]];
    let stored = serde_json::to_string(first).unwrap();
    assert_eq!(&serde_json::from_str::<SessionSummary>(&stored).unwrap(), first);
    assert_eq!(first.session_number.as_ref().unwrap().as_i64(), Some(720));
    assert_eq!(first.document_type.as_deref(), Some("Passport"));
    assert_eq!(first.features[0].status, Some(Status::Approved));
    let details = first.additional_details.as_ref().unwrap();
    assert_eq!(details.get("liveness").unwrap().get("score").unwrap().as_str(), "0.98");
    assert_eq!((&second.full_name, &second.email_address), (&None, &None));
    assert_eq!(second.features[0].status, Some(Status::NotFinished));
    let business = &mixed.sessions()[1];
    assert_eq!(business.session_kind.as_deref(), Some("business"));
    assert_eq!(business.company_name.as_deref(), Some("Example Holdings S.L."));
    assert_eq!(business.workflow_label.as_deref(), Some("Standard KYB"));
    let shown = format!("{kyc:?} {mixed:?}");
    for text in ["Ana", "example.com", "+1000", "Holdings", "your-user", "tok0"] {
        assert!(!shown.contains(text), "{text} in {shown}");
    }
}

#[test]
fn session_that_pages_repeat_is_new_once() {
    let mut listed = ListedSessions::default();
    let mut is_new = |ids: [&str; 3]| {
        let rows = ids.map(|id| format!(r#"{{"session_id":{id}}}"#)).join(",");
        let page = parse(&ListSessions::new(), 200, &format!(r#"{{"results":[{rows}]}}"#)).unwrap();
        page.into_sessions().iter().map(|session| listed.is_new(session)).collect::<Vec<_>>()
    };
    assert_eq!(is_new([r#""a""#, r#""b""#, "null"]), [true; 3]);
    assert_eq!(is_new([r#""b""#, r#""c""#, "null"]), [false, true, true]);
    assert_eq!(is_new([r#""d""#, r#""a""#, r#""d""#]), [true, false, false]);
}

fn page(next: &str) -> Result<SessionPage, ResponseError> {
    page_of(&ListSessions::new(), next)
}

fn page_of(list: &ListSessions, next: &str) -> Result<SessionPage, ResponseError> {
    parse(list, 200, &format!(r#"{{"count":9,"next":{next},"results":[{{}}]}}"#))
}

/// The key is sent only to the base URL, even if the link has another host.
#[test]
fn next_page_is_requested_from_the_base_url() {
    let next = r#""https://verification.didit.me/v3/sessions/?limit=2&offset=2&search=a%20b""#;
    let expected = "https://gateway.example/p/v3/sessions/?limit=2&offset=2&search=a%20b";
    let foreign = next.replace("verification.didit.me", "evil.example");
    let base: BaseUrl = "https://gateway.example/p".parse().unwrap();
    for next in [next, &foreign] {
        let next = page(next).unwrap().next_page().unwrap();
        assert_eq!(next.request(&base, None).unwrap().uri(), expected);
    }
    assert!(page("null").unwrap().next_page().is_none());
    let itself = page(r#""https://verification.didit.me/v3/sessions/""#).unwrap().next_page();
    assert!(matches!(itself.unwrap().request(&base, None), Err(BuildError::BrokenLink)));
    for odd in [
        "https://evil.example/?a=1",
        "",
        "/v3/sessions/?a b",
        "/v3/sessions/#?a=1",
        "/v3/sessions/?a#b",
        "/v3/sessions/?a=<b",
        "/v3/sessions/?a>b",
        "/v3/sessions/?a\"b",
    ] {
        let error = page(&format!("{odd:?}")).unwrap_err().to_string();
        assert!(error.ends_with("in `next`"), "{odd}: {error}");
    }
}

#[test]
fn list_filters_that_match_nothing_are_refused() {
    let list = ListSessions::new;
    assert!(list().with_workflow_id("x").is_err());
    assert!(list().with_date_from("2024-02-29").is_ok());
    for text in ["", "2025-02-29", "2026-13-01", "2026-1-1", "20260101", "2026-160", "2026-W24-2"] {
        assert!(list().with_date_from(text).is_err(), "{text}");
        assert!(list().with_date_to(text).is_err(), "{text}");
    }
}

#[test]
fn list_filters_become_query_parameters() {
    let list = ListSessions::new()
        .with_session_kind("all")
        .with_status(&[Status::InReview, Status::KycExpired])
        .with_vendor_data("a&b=é")
        .with_search("x")
        .with_workflow_id(WORKFLOW)
        .unwrap()
        .with_date_from("2026-01-01")
        .unwrap()
        .with_date_to("2026-01-31")
        .unwrap()
        .with_limit(50)
        .with_offset(100)
        .with_query("country", "ESP");
    let query = format!(
        "session_kind=all&status=In%20Review%2CKyc%20Expired&vendor_data=a%26b%3D%C3%A9&search=x\
         &workflow_id={WORKFLOW}&date_from=2026-01-01&date_to=2026-01-31&limit=50&offset=100\
         &country=ESP"
    );
    assert_eq!(request(&list).uri().query(), Some(&*query));
    assert!(!format!("{list:?}").contains("ESP"));
}

#[test]
fn members_that_the_service_refuses_are_not_sent() {
    let refusal = |create: CreateSession| match create.request(&BaseUrl::verification(), None) {
        Err(error @ BuildError::InvalidMember { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let address = Some("Calle Mayor 1".to_owned());
    let mut details = ExpectedDetails { address, ..ExpectedDetails::default() };
    let without = create().with_expected_details(&details);
    assert_eq!(refusal(without), "expected_details.address requires country or poa_country");
    let null = create().with_member("expected_details", &json!({"address": "a", "country": null}));
    assert!(refusal(null.unwrap()).starts_with("expected_details.address requires"));
    details.poa_country = Some("ESP".to_owned());
    request(&create().with_expected_details(&details));
    request(&create().with_member("expected_details", &json!({"address": null})).unwrap());

    assert!(refusal(create().with_callback("example.com/a")).starts_with("callback is not a URL"));
    let method = create().with_callback_method("all");
    assert_eq!(refusal(method), "callback_method is not initiator, completer or both");
    let image = create().with_portrait_image(&"A".repeat(2_796_204));
    assert_eq!(refusal(image), "portrait_image is larger than 2 MB");
}

#[test]
fn update_status_sends_all_members() {
    let update = UpdateStatus::resubmit(id())
        .with_comment("blurred")
        .with_node("feature_ocr_1", "OCR")
        .with_email("user@example.com", "es");
    assert_eq!(update.new_status(), Status::Resubmitted);
    let body: Value = serde_json::from_slice(request(&update).body()).unwrap();
    assert_eq!(
        body,
        json!({
            "new_status": "Resubmitted", "comment": "blurred",
            "nodes_to_resubmit": [{"node_id": "feature_ocr_1", "feature": "OCR"}],
            "send_email": true, "email_address": "user@example.com", "email_language": "es",
        })
    );
    assert!(!format!("{update:?}").contains("user@"));
    assert_eq!(UpdateStatus::decline(id()).new_status(), Status::Declined);
    assert!(parse(&update, 200, &format!(r#"{{"session_id":"{ID}"}}"#)).is_ok());
    let other = parse(&update, 200, &format!(r#"{{"session_id":"{WORKFLOW}"}}"#)).unwrap_err();
    assert_eq!(other.kind(), &ResponseErrorKind::SessionMismatch);
}

#[test]
fn deletion_accepts_200_and_204() {
    let small: Value = serde_json::from_str(SMALL).unwrap();
    for case in small["DELETE /v3/session/{sessionId}/delete/"].as_array().unwrap() {
        let body = &case["body"];
        let id = body["session_id"].as_str().unwrap().parse().unwrap();
        let deletion = parse(&DeleteSession::new(id), 200, &body.to_string()).unwrap();
        assert_eq!(
            deletion.face_retention_outcome.as_deref(),
            body["face_retention_outcome"].as_str()
        );
        let template = deletion.biometric_template_uuid.as_deref();
        assert_eq!(template, body["biometric_template_uuid"].as_str());
    }
    assert_eq!(parse(&DeleteSession::new(id()), 204, "").unwrap().session_id, None);
    let retryable = parse(&DeleteSession::new(id()), 503, "").unwrap_err();
    assert!(retryable.is_retryable());
}
