//! Canonical JSON is idempotent, keeps the value, and equals the output of another implementation.

#![no_main]

use std::collections::BTreeMap;

use didit_core::webhook::canonical_json;
use didit_fuzz::assert_plain;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|body: &[u8]| match canonical_json(body) {
    Ok(canonical) => {
        assert_eq!(canonical_json(canonical.as_bytes()).as_ref(), Ok(&canonical));
        assert!(!canonical.contains(|c| c < ' '));
        let Ok(value) = serde_json::from_slice::<Value>(body) else { return };
        if has_floats(&value) {
            let again = serde_json::from_str(&canonical).expect("JSON");
            assert_eq!(without_numbers(value), without_numbers(again));
        } else {
            assert_eq!(sorted(value).to_string(), canonical);
        }
    }
    Err(error) => assert_plain(&error.to_string()),
});

/// Returns whether there is a float, which `serde_json` prints differently.
fn has_floats(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(values) => values.iter().any(has_floats),
        Value::Object(members) => members.values().any(has_floats),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(sorted).collect(),
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, sorted(value)));
            members.collect::<BTreeMap<_, _>>().into_iter().collect()
        }
        value => value,
    }
}

/// Replaces numbers, which may be larger and more precise here than `serde_json` supports.
fn without_numbers(value: Value) -> Value {
    match value {
        Value::Number(_) => Value::Null,
        Value::Array(values) => values.into_iter().map(without_numbers).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, without_numbers(value))).collect()
        }
        value => value,
    }
}
