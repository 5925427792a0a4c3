//! The members of events.

use std::collections::HashSet;

use didit_core::verification::Status;
use didit_core::webhook::EventKind;

use super::{TIMESTAMP, at, verify, webhook};

const RESUBMITTED: &str =
    include_str!("../fixtures/verification/v3_webhook_resubmitted_shape.json");
const EXPIRED_V1: &str = include_str!("../fixtures/verification/v1_webhook_kyc_expired.json");
const DECLINED_V1: &str = include_str!("../fixtures/verification/v1_webhook_declined.json");
const DECISION: &str = include_str!("../fixtures/verification/v3_decision_user_full.json");

#[test]
fn event_has_typed_members_and_the_original_json() {
    let event = verify(RESUBMITTED).unwrap();
    assert_eq!(event.kind(), &EventKind::StatusUpdated);
    assert_eq!(event.event_id(), Some("00000000-0000-4000-8000-000000000001"));
    assert_eq!(event.dedupe_key(), "00000000-0000-4000-8000-000000000001");
    assert_eq!((event.timestamp(), event.created_at()), (Some(TIMESTAMP), Some(1_774_969_994)));
    assert_eq!(event.application_id(), Some("00000000-0000-4000-8000-000000000002"));
    assert_eq!((event.environment(), event.workflow_version()), (Some("live"), Some(4)));
    assert_eq!(event.session_id(), Some("11111111-2222-3333-4444-555555555555"));
    assert_eq!(event.workflow_id(), Some("11111111-2222-3333-4444-555555555555"));
    assert_eq!((event.status(), event.previous_status()), (Some(Status::Resubmitted), None));
    assert_eq!(event.vendor_data(), Some("user-123"));
    assert_eq!(event.metadata().unwrap().get("any").unwrap().as_str(), r#""json""#);
    let resubmit_info = event.resubmit_info().unwrap();
    assert_eq!(
        resubmit_info.get("reasons").unwrap().get("feature_ocr").unwrap().as_str(),
        r#""text""#
    );
    assert_eq!(event.json().as_str(), RESUBMITTED);
}

#[test]
fn status_is_kept_as_it_was_signed() {
    let body = DECLINED_V1.replacen("Declined", "DECLINED", 1);
    let headers = webhook().sign(body.as_bytes()).unwrap();
    let event = webhook().verify(&headers, body.as_bytes(), at(1_627_680_000)).unwrap();
    assert_eq!((event.status(), event.status_text()), (Some(Status::Declined), Some("DECLINED")));
}

#[test]
fn first_version_has_no_type_and_no_id() {
    let headers = webhook().sign(DECLINED_V1.as_bytes()).unwrap();
    let event = webhook().verify(&headers, DECLINED_V1.as_bytes(), at(1_627_680_000)).unwrap();
    assert_eq!(event.kind(), &EventKind::StatusUpdated);
    assert_eq!((event.status(), event.event_id()), (Some(Status::Declined), None));
    let key = "11111111-2222-3333-4444-555555555555:status.updated:Declined:1627680000:";
    let hash = event.dedupe_key().strip_prefix(key).map(str::to_owned).unwrap();
    assert!(hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hash}");
    let headers = webhook().sign(EXPIRED_V1.as_bytes()).unwrap();
    let event = webhook().verify(&headers, EXPIRED_V1.as_bytes(), at(1_627_680_000)).unwrap();
    assert_eq!(event.status(), Some(Status::KycExpired));
    assert!(event.decision().unwrap().is_none());
}

#[test]
fn events_without_an_id_have_different_keys_unless_they_are_the_same() {
    let key = |body: &str| verify(body).unwrap().dedupe_key();
    let user = r#"{"webhook_type":"user.status.updated","timestamp":1774970000,"status":"BLOCKED","vendor_data":"u-1"}"#;
    let session = r#"{"webhook_type":"status.updated","timestamp":1774970000,"status":"In Progress","session_id":"s"}"#;
    let bodies = [
        user.to_owned(),
        user.replace("u-1", "u-2"),
        user.replace("BLOCKED", "ACTIVE"),
        session.to_owned(),
        session.replace("In Progress", "Approved"),
        session.replace("status.updated", "data.updated"),
        session.replace("\"s\"", "\"t\""),
        session.replace("1774970000", "1774970001"),
        session.replace('{', r#"{"event_id":"","#).replace("\"s\"", "\"u\""),
    ];
    let keys: HashSet<_> = bodies.iter().map(|body| key(body)).collect();
    assert_eq!(keys.len(), bodies.len(), "{keys:?}");
    assert!(key(session).starts_with("s:status.updated:In Progress:1774970000:"));
    assert!(!keys.iter().any(|key| key.contains("u-1")), "{keys:?}");
    let rewritten = r#"{ "vendor_data": "u-1", "status": "BLOCKED", "timestamp": 1774970000,
        "webhook_type": "user.status.updated" }"#;
    assert_eq!(key(user), key(rewritten));
}

#[test]
fn retried_event_is_ordered_before_its_successor() {
    let key = |body: &str| verify(body).unwrap().order_key();
    let retried = key(r#"{"created_at":1774969900,"timestamp":1774970060}"#);
    let followed = key(r#"{"created_at":1774969910,"timestamp":1774969911}"#);
    let again = key(r#"{"created_at":1774969910,"timestamp":1774969971}"#);
    assert!(retried < followed && followed < again);
    for body in [r#"{"timestamp":1774970000}"#, r#"{"created_at":1774970000}"#] {
        assert_eq!(key(body), (TIMESTAMP, TIMESTAMP), "{body}");
    }
}

#[test]
fn business_event_has_no_session() {
    let event = verify(
        r#"{"webhook_type":"business.status.updated","status":"BLOCKED","previous_status":"ACTIVE",
            "timestamp":1774970000,"vendor_data":null,"business_session_id":"b","session_kind":"business",
            "vendor_business_id":"v","changes":{"n":1.50}}"#,
    )
    .unwrap();
    assert_eq!(event.kind(), &EventKind::BusinessStatusUpdated);
    assert_eq!((event.session_id(), event.vendor_data()), (None, None));
    assert_eq!(event.status().unwrap().as_str(), "BLOCKED");
    assert_eq!(event.previous_status().unwrap().as_str(), "ACTIVE");
    assert_eq!(event.business_session_id(), Some("b"));
    assert_eq!((event.session_kind(), event.vendor_business_id()), (Some("business"), Some("v")));
    assert_eq!(event.get("changes").unwrap().get("n").unwrap().as_str(), "1.50");
}

#[test]
fn decision_is_parsed_on_demand() {
    let event = |decision: &str| {
        verify(&format!(r#"{{"timestamp":1774970000,"status":"x","decision":{decision}}}"#))
            .unwrap()
    };
    let decision = event(DECISION).decision().unwrap().unwrap();
    assert_eq!(*decision.status(), Status::InReview);
    assert_eq!(decision.json().as_str(), DECISION.trim_end());
    assert_eq!(event("null").decision(), Ok(None));
    assert!(event(r#"{"status":7}"#).decision().is_err());

    let headers = webhook().sign(DECLINED_V1.as_bytes()).unwrap();
    let older = webhook().verify(&headers, DECLINED_V1.as_bytes(), at(1_627_680_000)).unwrap();
    let error = older.decision().unwrap_err().to_string();
    assert!(error.starts_with("this is a v1 decision"), "{error}");
}

/// Only members of documented events must have the documented type.
#[test]
fn event_of_unknown_type_is_accepted() {
    let body = |kind| format!(r#"{{"webhook_type":{kind:?},"timestamp":1774970000,"status":7}}"#);
    let event = verify(&body("case.opened")).unwrap();
    assert_eq!(event.kind(), &EventKind::Other("case.opened".into()));
    assert_eq!((event.status(), event.timestamp()), (None, Some(TIMESTAMP)));
    assert_eq!(event.get("status").unwrap().as_str(), "7");

    let error = verify(&body("status.updated")).unwrap_err().to_string();
    assert_eq!(
        error,
        "the webhook's body is unreadable: expected a string at line 1 column 66, in `status`"
    );
}
