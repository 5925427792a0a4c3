//! Invariants of decisions.

use didit_core::data_transfer::Decision;
use serde_json::{Value, json};

/// Returns the values of all typed methods of a decision.
pub(crate) fn typed(decision: &Decision) -> Value {
    let user = decision.user_data();
    json!({
        "session_id": decision.session_id(),
        "session_number": decision.session_number().map(|number| number.to_string()),
        "status": decision.status().as_str(),
        "vendor_data": decision.vendor_data(),
        "scope": decision.scope(),
        "created_at": decision.created_at().map(|at| at.unix_timestamp()),
        "sub": user.map(|user| &user.sub),
        "user_id": user.map(|user| &user.user_id),
        "picture": user.map(|user| &user.picture),
        "email": user.and_then(|user| user.email.as_ref()).map(|e| (&e.email, e.is_verified, e.is_primary)),
        "phone": user.and_then(|user| user.phone.as_ref()).map(|p| (&p.phone_number, p.is_verified, p.is_primary)),
        "names": user.and_then(|user| user.names.as_ref())
            .map(|n| (&n.first_name, &n.family_name, &n.full_name, n.is_verified)),
        "flags": user.map(|user| (user.is_verified, user.is_over_18, user.is_over_21)),
    })
}

/// Returns the value at a path of member names, or null if it is absent.
pub(crate) fn at<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |value, name| value.get(name).unwrap_or(&Value::Null))
}

/// Checks that the text of the service is kept unchanged and survives a round trip.
///
/// # Panics
/// If the check fails.
pub(crate) fn round_trips_preserve_the_text(sent: &Value, pretty: bool) {
    let text = if pretty { format!("{sent:#}") } else { sent.to_string() };
    let first = Decision::from_json(text.as_bytes()).unwrap_or_else(|e| panic!("{e}: {text}"));
    assert_eq!(first.json().as_str(), text);
    let line = first.json().to_compact();
    assert!(!line.contains('\n'));
    assert_eq!(&line.parse::<Value>().expect("JSON"), sent);
    let second = Decision::from_json(line.as_bytes()).expect("the same on one line");
    assert_eq!(second.json().to_compact(), line);
    assert_eq!(typed(&first), typed(&second));
}

/// Checks that the typed methods return exactly the values that were sent.
///
/// # Panics
/// If the check fails.
pub(crate) fn typed_values_equal_the_json(sent: &Value) {
    let decision = Decision::from_json(sent.to_string().as_bytes()).expect("a decision");
    let typed = typed(&decision);
    for name in ["session_id", "vendor_data", "scope"] {
        assert_eq!(&typed[name], at(sent, &[name]));
    }
    let flags = ["is_verified", "is_over_18", "is_over_21"];
    let flags = flags.map(|name| at(sent, &["user_data", name]));
    let shared = sent["user_data"].as_object().filter(|members| !members.is_empty());
    assert_eq!(decision.user_data().is_some(), shared.is_some());
    assert_eq!(typed["flags"], shared.map_or(Value::Null, |_| json!(flags)));
    for name in ["sub", "user_id", "picture"] {
        assert_eq!(&typed[name], at(sent, &["user_data", name]));
    }
    for (name, member) in [("email", "email"), ("phone", "phone_number")] {
        let contact = at(sent, &["user_data", name]);
        let members = [member, "is_verified", "is_primary"].map(|name| at(contact, &[name]));
        let expected = contact.is_object().then(|| json!(members));
        assert_eq!(typed[name], expected.unwrap_or_default());
    }
    if let (Some(user), Some(members)) = (decision.user_data_json(), shared) {
        for (name, value) in members {
            let read = user.get(name).map(|json| json.deserialize::<Value>().expect("a value"));
            assert_eq!(read.as_ref(), Some(value));
        }
    }
}
