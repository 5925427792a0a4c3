//! Canonical JSON is canonical, and says the same.

#![no_main]

use didit_core::webhook::canonical_json;
use didit_fuzz::assert_plain;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|body: &[u8]| match canonical_json(body) {
    Ok(canonical) => {
        assert_eq!(canonical_json(canonical.as_bytes()).as_ref(), Ok(&canonical));
        assert!(!canonical.contains(|c| c < ' '));
        assert_eq!(without_numbers(body), without_numbers(canonical.as_bytes()));
    }
    Err(error) => assert_plain(&error.to_string()),
});

/// Numbers may be larger here than `serde_json` reads, and more precise.
fn without_numbers(body: &[u8]) -> Option<Value> {
    let mut value = serde_json::from_slice(body).ok()?;
    remove_numbers(&mut value);
    Some(value)
}

fn remove_numbers(value: &mut Value) {
    match value {
        Value::Number(_) => *value = Value::Null,
        Value::Array(values) => values.iter_mut().for_each(remove_numbers),
        Value::Object(members) => members.values_mut().for_each(remove_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
