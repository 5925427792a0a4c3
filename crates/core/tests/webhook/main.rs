//! Webhook deliveries: verification, errors, and the members of events.
#![cfg(feature = "webhook")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod events;

use std::time::{Duration, SystemTime};

use didit_core::verification::Status;
use didit_core::webhook::{
    Event, EventKind, InvalidWebhookSecret, Scheme, Webhook, WebhookError, canonical_json,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

const VECTORS: &str = include_str!("../fixtures/verification/webhook_signature_vectors.json");

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
    assert_eq!(event.status_text(), Some("Approved"));
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
