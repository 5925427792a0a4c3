//! Runs cases from another SDK's tests through this one. The fixtures contain the outcome in both
//! SDKs; their README names the sources.
#![cfg(feature = "webhook")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::{Duration, SystemTime};

use didit_core::data_transfer;
use didit_core::verification::{
    CreateSession, Decision, GeneratePdf, ListSessions, RetrieveDecision, SessionId, Status,
    UpdateStatus,
};
use didit_core::webhook::{Event, EventKind, Scheme, Webhook, WebhookError};
use didit_core::{Endpoint, ResponseError, ResponseErrorKind};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use serde_json::Value;

const DECISIONS: &str = include_str!("fixtures/peer/decisions.json");
const RESPONSES: &str = include_str!("fixtures/peer/responses.json");
const WEBHOOKS: &str = include_str!("fixtures/peer/webhooks.json");
const ERRORS: &str = include_str!("fixtures/peer/errors.json");
const KYB: &str = include_str!("fixtures/peer/kyb_decision.json");
const NOT_STARTED: &str = include_str!("fixtures/verification/v3_decision_not_started_nulls.json");

const ID: &str = "0b7a2f64-51c3-4d19-9e0a-6f2d8c417e35";
const WORKFLOW: &str = "c41d7e02-8a5b-4f36-b1d9-2e7f60a394c8";
const SECRET: &str = "an-invented-shared-key";
/// The time at which deliveries are verified.
const NOW: Duration = Duration::from_secs(1_780_000_000);

fn id() -> SessionId {
    ID.parse().unwrap()
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_else(|| panic!("{name} of {case}"))
}

fn cases(fixture: &str) -> Vec<Value> {
    serde_json::from_str(fixture).unwrap()
}

/// Checks that a case has the outcome in the fixture: it is read, or rejected with an error that
/// contains the expected text.
#[track_caller]
fn check<T>(case: &Value, outcome: Result<T, String>) {
    let (name, here) = (text(case, "case"), text(case, "here"));
    match outcome {
        Ok(_) => assert_eq!(here, "reads", "{name}"),
        Err(error) => assert!(here != "reads" && error.contains(here), "{name}: {error}"),
    }
}

fn headers(case: &Value) -> HeaderMap {
    let pairs = case["headers"].as_object().unwrap().iter().map(|(name, value)| {
        let value = HeaderValue::from_bytes(value.as_str().unwrap().as_bytes()).unwrap();
        (name.parse::<HeaderName>().unwrap(), value)
    });
    pairs.collect()
}

fn response(status: u16, case: &Value) -> Response<&str> {
    let mut response = Response::builder().status(status).body(text(case, "body")).unwrap();
    if case["headers"].is_object() {
        *response.headers_mut() = headers(case);
    }
    if let Some(kind) = case["content_type"].as_str() {
        response.headers_mut().insert("content-type", kind.parse().unwrap());
    }
    response
}

fn verify(case: &Value) -> Result<Event, WebhookError> {
    let webhook = Webhook::new([SECRET]).unwrap();
    webhook.verify(&headers(case), text(case, "body").as_bytes(), SystemTime::UNIX_EPOCH + NOW)
}

fn delivery(name: &str) -> Event {
    let case = cases(WEBHOOKS).into_iter().find(|case| case["case"] == name).unwrap();
    verify(&case).unwrap()
}

#[test]
fn decisions_have_the_listed_outcome() {
    for case in cases(DECISIONS) {
        let body = text(&case, "body");
        let decision = Decision::from_json(body.as_bytes());
        if let Ok(decision) = &decision {
            assert_eq!(decision.json().as_str(), body);
        }
        check(&case, decision.map_err(|error| error.to_string()));
    }
}

#[test]
fn responses_have_the_listed_outcome() {
    fn each<E: Endpoint>(kind: &str, status: u16, endpoint: &E) {
        let all: Value = serde_json::from_str(RESPONSES).unwrap();
        for case in all[kind].as_array().unwrap() {
            let outcome = endpoint.parse(&response(status, case));
            check(case, outcome.map_err(|error| error.to_string()));
        }
    }
    each("sessions", 201, &CreateSession::new(WORKFLOW).unwrap());
    each("lists", 200, &ListSessions::new());
    each("updates", 200, &UpdateStatus::decline(id()));
    each("pdfs", 200, &GeneratePdf::new(id()));
}

/// The signatures were created by the other SDK.
#[test]
fn deliveries_have_the_listed_outcome() {
    for case in cases(WEBHOOKS) {
        let event = verify(&case);
        if let Ok(event) = &event {
            assert!(event.decision().is_ok(), "{case}");
        }
        check(&case, event.map_err(|error| error.to_string()));
    }
    let scheme = |name| delivery(name).signature().scheme;
    assert_eq!(scheme("the raw body's signature alone"), Scheme::RawBody);
    assert_eq!(scheme("the canonical body's signature alone"), Scheme::CanonicalJson);
    assert_eq!(scheme("the canonical one malformed, the raw one right"), Scheme::RawBody);
}

/// The other SDK rejects each of these, although the service publishes them.
#[test]
fn published_cases_that_the_other_sdk_rejects_are_read() {
    let kyb = Decision::from_json(KYB.as_bytes()).unwrap();
    assert_eq!((kyb.session_kind(), kyb.status()), (Some("business"), &Status::InReview));
    let reports = kyb.reports();
    let company = reports.registry_checks[0].company.as_ref().unwrap();
    assert_eq!(company.company_name.as_deref(), Some("MERLOT QUAY LTD"));
    assert_eq!(company.registered_capital_amount.as_deref(), Some("100.00"));
    assert_eq!(company.officers[0].kyc_status, Some(Status::Approved));
    let owners = &reports.key_people_checks[0].registry.as_ref().unwrap().beneficial_owners;
    assert_eq!(owners[0].effective_ownership_percent.as_ref().unwrap().as_str(), "75.0");
    let parties = &reports.key_people_checks[0].submitted.as_ref().unwrap().parties;
    assert_eq!(parties[0].roles.len(), 2);
    let documents = &reports.document_verifications[0];
    assert_eq!(documents.items.len(), 2);
    assert_eq!(documents.items[1].status, Some(Status::NotFinished));
    assert!(reports.aml_screenings.is_empty() && reports.ip_analyses.is_empty());

    let nulls = Decision::from_json(NOT_STARTED.as_bytes()).unwrap();
    assert_eq!(nulls.status(), &Status::NotStarted);
    assert!(nulls.reports().id_verifications.is_empty());

    for (name, kind, status) in [
        ("a user's status, no session_id", EventKind::UserStatusUpdated, Some("BLOCKED")),
        ("a business's status, no session_id", EventKind::BusinessStatusUpdated, Some("FLAGGED")),
        ("a transaction, no session_id and no status", EventKind::TransactionCreated, None),
        ("an activity, no session_id", EventKind::ActivityCreated, None),
    ] {
        let event = delivery(name);
        assert_eq!((event.kind(), event.session_id()), (&kind, None), "{name}");
        assert_eq!(event.status(), status.map(Status::from), "{name}");
        assert_eq!(event.dedupe_key(), "5d1e6a90-3c27-4b8f-a6e4-91f0c2d7b853");
    }
    let inside = delivery("a KYB decision inside").decision().unwrap().unwrap();
    assert_eq!(inside.reports().registry_checks.len(), 1);
    let unknown = delivery("an unknown status of a session");
    assert_eq!(unknown.status().unwrap().as_str(), "On Hold");
}

/// An event is still accepted if its version is not a number.
#[test]
fn workflow_version_may_be_a_string() {
    for name in ["a version that is a text", "an unknown type whose version is a text"] {
        let event = delivery(name);
        assert_eq!((event.workflow_version(), event.session_id()), (None, Some(ID)), "{name}");
        assert_eq!(event.status(), Some(Status::Approved), "{name}");
        assert_eq!(event.get("workflow_version").unwrap().as_str(), r#""v1.2""#, "{name}");
    }
    assert_eq!(delivery("a version that is a number").workflow_version(), Some(4));
}

/// Checks the classification of each failure in both APIs.
#[test]
fn failures_are_classified_as_listed() {
    for case in cases(ERRORS) {
        let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
        let response = response(status, &case);
        let error = RetrieveDecision::new(id()).parse(&response).unwrap_err();
        assert_eq!(kind(&error), text(&case, "kind"), "{case}");
        assert_eq!(error.message(), case["message"].as_str(), "{case}");
        assert_eq!(error.request_id(), case["request_id"].as_str(), "{case}");
        assert_eq!(error.retry_after().map(|wait| wait.as_secs()), case["wait"].as_u64(), "{case}");
        assert_eq!(Some(error.is_retryable()), case["retryable"].as_bool(), "{case}");

        let transfer = data_transfer::RetrieveDecision::new("s-1".parse().unwrap());
        let other = transfer.parse(&response).unwrap_err();
        assert_eq!((other.kind(), other.retry_after()), (error.kind(), error.retry_after()));
        // The data-transfer API has no errors by field.
        let message = error.message().filter(|message| !message.starts_with("error_code: "));
        assert_eq!(other.message(), message, "{case}");
    }
}

fn kind(error: &ResponseError) -> &'static str {
    match error.kind() {
        ResponseErrorKind::Unauthorized => "unauthorized",
        ResponseErrorKind::Forbidden => "forbidden",
        ResponseErrorKind::NotFound => "not found",
        ResponseErrorKind::RateLimited => "rate limited",
        ResponseErrorKind::ClientError => "client error",
        ResponseErrorKind::ServerError => "server error",
        ResponseErrorKind::Redirect => "redirect",
        other => panic!("{other:?}"),
    }
}
