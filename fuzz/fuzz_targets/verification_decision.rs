//! Decisions of the verification API lose no data, and errors contain no values.

#![no_main]

use didit_core::JsonError;
use didit_core::verification::{Decision, Reports};
use didit_fuzz::{assert_plain, masked};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| match Decision::from_json(body) {
    Ok(decision) => {
        let stored = serde_json::to_string(&decision).expect("JSON");
        assert_eq!(stored, decision.json().as_str());
        let again: Decision = serde_json::from_str(&stored).expect("its own text");
        assert_eq!(again, decision);

        let compact = decision.json().to_compact();
        let again = Decision::from_json(compact.as_bytes()).expect("its own line");
        assert_eq!(again.json().as_str(), compact);
        assert_eq!(again.status().as_str(), decision.status().as_str());

        let reports = serde_json::to_string(decision.reports()).expect("JSON");
        assert_eq!(serde_json::from_str::<Reports>(&reports).expect("JSON"), *decision.reports());
    }
    Err(error) => {
        assert_plain(&error.to_string());
        // A string may contain a number, so masking it may change the error.
        let about_number = |error: &JsonError| error.to_string().starts_with("expected a number");
        let masked = Decision::from_json(&masked(body)).err();
        if !about_number(&error) && !masked.as_ref().is_some_and(about_number) {
            assert_eq!(masked, Some(error));
        }
    }
});
