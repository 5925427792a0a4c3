//! Webhook deliveries: verification, errors, and the members of events.
#![cfg(feature = "webhook")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::{Duration, SystemTime};

use didit_core::verification::Status;
use didit_core::webhook::{
    Event, EventKind, InvalidWebhookSecret, Scheme, Webhook, WebhookError, canonical_json,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

const VECTORS: &str = include_str!("fixtures/verification/webhook_signature_vectors.json");
const RESUBMITTED: &str = include_str!("fixtures/verification/v3_webhook_resubmitted_shape.json");
const EXPIRED_V1: &str = include_str!("fixtures/verification/v1_webhook_kyc_expired.json");
const DECLINED_V1: &str = include_str!("fixtures/verification/v1_webhook_declined.json");

const DECISION: &str = include_str!("fixtures/verification/v3_decision_user_full.json");

const TIMESTAMP: i64 = 1_774_970_000;

fn at(seconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.try_into().unwrap())
}

fn webhook() -> Webhook {
    Webhook::new(["secret"]).unwrap()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    headers
}

/// Signs a body and verifies it.
fn verify(body: &str) -> Result<Event, WebhookError> {
    let headers = webhook().sign(body.as_bytes()).unwrap_or_default();
    webhook().verify(&headers, body.as_bytes(), at(TIMESTAMP))
}

#[test]
fn published_vectors_verify_with_every_scheme() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let webhook = Webhook::new(["new secret", vectors["secret"].as_str().unwrap()]).unwrap();
    for case in vectors["cases"].as_array().unwrap() {
        let text = |name: &str| case[name].as_str().unwrap();
        let (name, body) = (text("name"), text("raw_body").as_bytes());
        let now = at(text("x_timestamp").parse().unwrap());
        assert_eq!(canonical_json(body).unwrap(), text("canonical_v2"), "{name}");

        let mut sent = HeaderMap::new();
        for (header, scheme) in [
            ("x-signature-simple", Scheme::Simple),
            ("x-signature-v2", Scheme::CanonicalJson),
            ("x-signature", Scheme::RawBody),
        ] {
            let signature = text(&header.replace('-', "_"));
            sent.insert(header, HeaderValue::from_str(signature).unwrap());
            if scheme == Scheme::Simple {
                assert_eq!(webhook.verify(&sent, body, now).err(), Some(WebhookError::NoSignature));
                assert_eq!(
                    webhook.verify_simple(&sent, body, now).unwrap().secret_index(),
                    1,
                    "{name}"
                );
            } else {
                let matched = webhook.verify(&sent, body, now).unwrap().signature();
                assert_eq!((matched.scheme, matched.secret_index), (scheme, 1), "{name}");
            }
        }
        let upper = headers(&[("x-signature", &text("x_signature").to_uppercase())]);
        assert!(webhook.verify(&upper, body, now).is_ok(), "{name}");
        let prefixed = headers(&[("x-signature-v2", text("wrong_v2_with_timestamp_prefix"))]);
        let error = webhook.verify(&prefixed, body, now).unwrap_err();
        assert_eq!(error, WebhookError::SignatureMismatch, "{name}");

        let signer = Webhook::new([vectors["secret"].as_str().unwrap()]).unwrap();
        sent.insert("x-timestamp", HeaderValue::from_str(text("x_timestamp")).unwrap());
        assert_eq!(signer.sign(body).unwrap(), sent, "{name}");
    }
}

#[test]
fn rewritten_body_verifies_by_its_canonical_form() {
    let body = r#"{"status":"Approved","score":1e-07,"timestamp":1774970000,"name":"Jos\u00e9"}"#;
    let rewritten =
        r#"{ "timestamp": 1774970000, "name": "José", "score": 0.0000001, "status": "Approved" }"#;
    let headers = webhook().sign(body.as_bytes()).unwrap();
    let event = webhook().verify(&headers, rewritten.as_bytes(), at(TIMESTAMP)).unwrap();
    assert_eq!(event.signature().scheme, Scheme::CanonicalJson);
    assert_eq!(event.json().as_str(), rewritten);
}

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
    let keys: std::collections::HashSet<_> = bodies.iter().map(|body| key(body)).collect();
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

#[test]
fn stale_deliveries_are_rejected() {
    let body = br#"{"timestamp":1774970000,"created_at":5}"#;
    let headers = webhook().sign(body).unwrap();
    let age = |age: i64| match webhook().verify(&headers, body, at(TIMESTAMP + age)) {
        Ok(_) => None,
        Err(WebhookError::Stale { age }) => Some(age),
        Err(other) => panic!("{other}"),
    };
    assert_eq!([-301, -300, 0, 300, 301].map(age), [Some(-301), None, None, None, Some(301)]);
    let before = SystemTime::UNIX_EPOCH - Duration::from_secs(7);
    let error = webhook().verify(&headers, body, before).unwrap_err();
    assert_eq!(error, WebhookError::Stale { age: -TIMESTAMP - 7 });

    let strict = webhook().with_tolerance(Duration::from_secs(10));
    assert!(strict.verify(&headers, body, at(TIMESTAMP + 10)).is_ok());
    assert!(strict.verify_simple(&headers, body, at(TIMESTAMP + 11)).is_err());
    for extreme in [i64::MIN, i64::MAX] {
        let body = format!(r#"{{"timestamp":{extreme}}}"#);
        assert!(matches!(verify(&body), Err(WebhookError::Stale { .. })));
    }
}

/// `created_at` is used only if there is no `timestamp`, and only if the signature covers it.
#[test]
fn created_at_replaces_a_missing_timestamp() {
    for (body, expected) in [
        (r#"{"created_at":1774970000}"#, None),
        (r#"{"timestamp":null,"created_at":1774970000}"#, None),
        (r#"{"created_at":1774960000}"#, Some(WebhookError::Stale { age: 10_000 })),
        (r#"{"created_at":"2026-03-31T15:13:20Z"}"#, Some(WebhookError::NoTimestamp)),
        ("{}", Some(WebhookError::NoTimestamp)),
    ] {
        assert_eq!(verify(body).err(), expected, "{body}");
    }
    let body = br#"{"created_at":1774970000}"#;
    let mut headers = webhook().sign(body).unwrap();
    headers.insert("x-timestamp", HeaderValue::from_static("1774970300"));
    assert!(webhook().verify(&headers, body, at(TIMESTAMP + 300)).is_ok());
    let simple = webhook().verify_simple(&headers, body, at(TIMESTAMP));
    assert_eq!(simple.err(), Some(WebhookError::NoTimestamp));
}

#[test]
fn timestamp_header_must_equal_the_signed_timestamp() {
    let body = br#"{"timestamp":1774970000}"#;
    let mut headers = webhook().sign(body).unwrap();
    let verify = |headers: &HeaderMap| {
        let (whole, simple) = (
            webhook().verify(headers, body, at(TIMESTAMP)).err(),
            webhook().verify_simple(headers, body, at(TIMESTAMP)).err(),
        );
        assert_eq!(whole, simple);
        whole
    };
    assert_eq!(verify(&headers), None);
    for other in ["1774970001", "", "+1774970000", "1774970000.0", "2026-03-31T15:13:20Z"] {
        headers.insert("x-timestamp", HeaderValue::from_static(other));
        assert_eq!(verify(&headers), Some(WebhookError::TimestampMismatch), "{other}");
    }
    headers.insert("x-timestamp", HeaderValue::from_static("1774970000"));
    headers.append("x-timestamp", HeaderValue::from_static("1"));
    assert_eq!(verify(&headers), Some(WebhookError::TimestampMismatch));
    headers.remove("x-timestamp");
    assert_eq!(verify(&headers), None);
}

#[test]
fn errors_name_the_failed_check() {
    let body = br#"{"timestamp":1774970000}"#;
    let good = webhook().sign(body).unwrap();
    let other = Webhook::new(["other"]).unwrap().sign(body).unwrap();
    let header = |name: &str, from: &HeaderMap| from[name].to_str().unwrap().to_owned();
    let error = |pairs: &[(&'static str, &str)]| {
        webhook().verify(&headers(pairs), body, at(TIMESTAMP)).err()
    };
    let (raw, v2) = (header("x-signature", &good), header("x-signature-v2", &good));
    let wrong = header("x-signature", &other);

    assert_eq!(error(&[]), Some(WebhookError::NoSignature));
    let malformed = |scheme| Some(WebhookError::MalformedSignature { scheme });
    assert_eq!(error(&[("x-signature", "abc")]), malformed(Scheme::RawBody));
    assert_eq!(error(&[("x-signature-v2", "")]), malformed(Scheme::CanonicalJson));
    assert_eq!(error(&[("x-signature", &wrong)]), Some(WebhookError::SignatureMismatch));
    assert_eq!(error(&[("x-signature", &raw), ("x-signature", &raw)]), malformed(Scheme::RawBody));
    assert_eq!(error(&[("x-signature", &wrong), ("x-signature-v2", &v2)]), None);
    assert_eq!(error(&[("x-signature", "abc"), ("x-signature-v2", &v2)]), None);

    for body in ["", "[]", "{\"timestamp\":1774970000,\"timestamp\":1774970000}"] {
        let error = webhook().verify(&good, body.as_bytes(), at(TIMESTAMP));
        assert!(matches!(error, Err(WebhookError::Body(_))), "{body}");
    }
    for (error, text) in [
        (
            WebhookError::NoSignature,
            "the webhook has no signature header; check that the proxy passes X-Signature and X-Signature-V2 on",
        ),
        (
            WebhookError::MalformedSignature { scheme: Scheme::CanonicalJson },
            "the webhook's X-Signature-V2 header is not 64 hexadecimal digits",
        ),
        (
            WebhookError::SignatureMismatch,
            "the webhook's signature matches no secret; check that the secret is the destination's secret_shared_key (not the API key), and that the body is verified before anything parses it",
        ),
        (WebhookError::NoTimestamp, "the webhook has no signed timestamp"),
        (
            WebhookError::TimestampMismatch,
            "the webhook's X-Timestamp header differs from the signed timestamp",
        ),
        (
            WebhookError::Stale { age: 301 },
            "the webhook was signed 301 s ago: it was replayed, or this machine's clock is wrong",
        ),
        (
            WebhookError::Stale { age: -301 },
            "the webhook was signed 301 s in the future; check this machine's clock",
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn simple_event_has_only_signed_members() {
    let body = r#"{"timestamp":1774970000,"session_id":"s","status":"Approved","webhook_type":"status.updated","decision":{"forged":true}}"#;
    let headers = webhook().sign(body.replace("true", "false").as_bytes()).unwrap();
    let verify = |body: &str| webhook().verify_simple(&headers, body.as_bytes(), at(TIMESTAMP));
    let event = verify(body).unwrap();
    assert_eq!((event.session_id(), event.status()), (Some("s"), Some(Status::Approved)));
    assert_eq!((event.kind(), event.timestamp()), (&EventKind::StatusUpdated, Some(TIMESTAMP)));
    for (part, other) in [
        ("1774970000", "1774970001"),
        ("\"s\"", "\"t\""),
        ("Approved", "Declined"),
        (".updated", ".created"),
    ] {
        let error = verify(&body.replace(part, other)).unwrap_err();
        assert_eq!(error, WebhookError::SignatureMismatch, "{other}");
    }
}

#[test]
fn invalid_secrets_are_rejected() {
    let error = |secrets: &[&str]| Webhook::new(secrets.iter().copied()).err();
    assert_eq!(error(&["a", "b"]), None);
    for (secrets, refused, text) in [
        (&[][..], InvalidWebhookSecret::None, "no webhook secret was given"),
        (
            &["a", ""],
            InvalidWebhookSecret::Empty { index: 1 },
            "the webhook secret at index 1 is empty",
        ),
        (
            &["a\n"],
            InvalidWebhookSecret::WhiteSpace { index: 0 },
            "the webhook secret at index 0 begins or ends with white space or a byte order mark",
        ),
        (
            &["a", "\u{feff}b"],
            InvalidWebhookSecret::WhiteSpace { index: 1 },
            "the webhook secret at index 1 begins or ends with white space or a byte order mark",
        ),
    ] {
        assert_eq!(error(secrets), Some(refused));
        assert_eq!(refused.to_string(), text);
    }
}

#[test]
fn debug_hides_secrets_and_personal_data() {
    let event = verify(
        r#"{"webhook_type":"status.updated","event_id":"e","session_id":"s","status":"Approved",
            "timestamp":1774970000,"vendor_data":"canary","metadata":"canary","decision":{"a":"canary"}}"#,
    )
    .unwrap();
    assert_eq!(
        format!("{event:?}"),
        "Event { kind: StatusUpdated, event_id: Some(\"e\"), timestamp: Some(1774970000), \
         session_id: Some(\"s\"), status: Some(Approved), vendor_data: Some([redacted]), \
         signature: SignatureMatch { scheme: RawBody, secret_index: 0 }, .. }"
    );
    let webhook = Webhook::new(["canary"]).unwrap();
    assert!(!format!("{webhook:?}").contains("canary"));
}
