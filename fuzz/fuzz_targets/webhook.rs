//! Signed webhooks verify, and all others are rejected.

#![no_main]

use std::time::{Duration, SystemTime};

use didit_core::webhook::{Webhook, WebhookError};
use didit_fuzz::{SECRET, assert_plain};
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8], &[u8], u32)| {
    let (body, signature, timestamp, seconds) = input;
    let webhook = Webhook::new(["other", SECRET]).expect("valid secrets");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into());

    let mut forged = HeaderMap::new();
    for (name, value) in
        [("x-signature", signature), ("x-signature-v2", signature), ("x-timestamp", timestamp)]
    {
        forged.extend(
            HeaderValue::from_bytes(value)
                .ok()
                .map(|value| (http::HeaderName::from_static(name), value)),
        );
    }
    let error = webhook.verify(&forged, body, now).expect_err("nobody signed it");
    assert_plain(&error.to_string());

    let signer = Webhook::new([SECRET]).expect("a valid secret");
    let Ok(headers) = signer.sign(body) else { return };
    match webhook.verify(&headers, body, now) {
        Ok(event) => {
            assert_eq!(event.json().as_str().as_bytes(), body);
            assert_eq!(event.signature().secret_index, 1);
            assert!(event.timestamp().expect("a time").abs_diff(seconds.into()) <= 300);
            assert!(!format!("{event:?} {webhook:?}").contains(SECRET));
        }
        Err(error) => {
            assert_ne!(error, WebhookError::SignatureMismatch);
            assert_plain(&error.to_string());
        }
    }
});
