//! Decisions lose no data, `Debug` redacts personal data, and errors contain no values.

#![no_main]

use didit_core::JsonError;
use didit_core::data_transfer::Decision;
use didit_fuzz::{assert_plain, masked};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|body: &[u8]| match Decision::from_json(body) {
    Ok(decision) => {
        check_that_nothing_is_lost(body, &decision);
        check_that_debug_is_redacted(body);
    }
    Err(error) => {
        check_position(body, &error);
        // The content of these members is validated, so masking it may change the error.
        let validated = |error: &JsonError| ["created_at", "session_id"].contains(&error.path());
        let masked = Decision::from_json(&masked(body)).err();
        if !validated(&error) && !masked.as_ref().is_some_and(validated) {
            assert_eq!(masked, Some(error));
        }
    }
});

fn check_that_nothing_is_lost(body: &[u8], decision: &Decision) {
    let line = decision.json().to_compact();
    assert!(!line.contains(['\n', '\r', '\t']));
    let again = Decision::from_json(line.as_bytes()).expect("its own line");
    assert_eq!(again.json().to_compact(), line);
    assert_eq!(value(line.as_bytes()), value(body));

    assert_eq!(again.session_id(), decision.session_id());
    assert_eq!(again.session_number(), decision.session_number());
    assert_eq!(again.status().as_str(), decision.status().as_str());
    assert_eq!(again.vendor_data(), decision.vendor_data());
    assert_eq!(again.created_at(), decision.created_at());
    assert!(again.scopes().eq(decision.scopes()));
    assert_eq!(again.user_data().is_some(), decision.user_data().is_some());
    if let (Some(a), Some(b)) = (again.user_data(), decision.user_data()) {
        assert_eq!((&a.sub, &a.user_id, &a.picture), (&b.sub, &b.user_id, &b.picture));
        assert_eq!((&a.email, &a.phone, &a.names), (&b.email, &b.phone, &b.names));
        let flags = (a.is_verified, a.is_over_18, a.is_over_21);
        assert_eq!(flags, (b.is_verified, b.is_over_18, b.is_over_21));
        let json = [&again, decision].map(|decision| decision.user_data_json().expect("user data"));
        for (name, _) in json[1].members() {
            let lines = [0, 1].map(|n| json[n].get(&name).map(|json| json.to_compact()));
            assert!(lines[0].is_some() && lines[0] == lines[1]);
        }
    }
}

/// Checks that `Debug` output does not change when personal data is replaced.
fn check_that_debug_is_redacted(body: &[u8]) {
    let Some(original) = value(body) else { return };
    let mut replaced = original.clone();
    for name in ["user_data", "vendor_data"] {
        replaced.get_mut(name).into_iter().for_each(replace_strings);
    }
    let shown = [original, replaced].map(|value| {
        let decision = Decision::from_json(value.to_string().as_bytes()).ok()?;
        let user = decision.user_data();
        let parts = user.map(|user| (&user.email, &user.phone, &user.names));
        Some(format!("{decision:?} {user:?} {parts:?} {:?}", decision.json()))
    });
    assert_eq!(shown[0], shown[1]);
}

fn replace_strings(value: &mut Value) {
    match value {
        Value::String(text) => "replaced".clone_into(text),
        Value::Array(values) => values.iter_mut().for_each(replace_strings),
        Value::Object(members) => members.values_mut().for_each(replace_strings),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Returns `None` if a number is too large for a [`Value`] or the nesting is too deep.
fn value(body: &[u8]) -> Option<Value> {
    let without_mark = body.strip_prefix("\u{feff}".as_bytes());
    serde_json::from_slice(without_mark.unwrap_or(body)).ok()
}

fn check_position(body: &[u8], error: &JsonError) {
    assert_plain(&error.to_string());
    let (Some(line), Some(column)) = (error.line(), error.column()) else {
        return assert!(error.line().is_none() && error.column().is_none(), "{error}");
    };
    let line = line.checked_sub(1).and_then(|n| body.split(|&b| b == b'\n').nth(n));
    let line = line.unwrap_or_else(|| panic!("there is no such line: {error}"));
    assert!(column <= line.len() + 1, "there is no such column: {error}");
}
