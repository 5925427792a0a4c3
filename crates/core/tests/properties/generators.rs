//! Generators of responses: documented and unknown members, and malformed values.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Generates arbitrary strings and strings that are likely to break parsers.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,300}",
        "[a-z/%.?#\r\n:@\\\\ ]{0,12}",
        r#"[{}\[\]",:\\ a-z0-9\n]{0,40}"#,
    ]
}

/// Generates any JSON value.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 0..4).prop_map(Value::from_iter),
        ]
    })
}

/// Generates a documented member: a value of its type, null or absent.
fn maybe(member: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Option<Value>> {
    prop_oneof![1 => Just(None), 1 => Just(Some(Value::Null)), 3 => member.prop_map(Some)].boxed()
}

fn string() -> BoxedStrategy<Option<Value>> {
    maybe(text().prop_map(Value::from))
}

fn flag() -> BoxedStrategy<Option<Value>> {
    maybe(any::<bool>().prop_map(Value::from))
}

fn object(members: Vec<(&'static str, BoxedStrategy<Option<Value>>)>) -> BoxedStrategy<Value> {
    let (names, values): (Vec<_>, Vec<_>) = members.into_iter().unzip();
    let extras = prop::collection::btree_map("future_[a-z]{1,6}", value(), 0..3);
    (values, extras)
        .prop_map(move |(values, extras)| {
            let known = names.iter().map(|name| (*name).to_owned()).zip(values);
            let known = known.filter_map(|(name, value)| value.map(|value| (name, value)));
            Value::Object(known.chain(extras).collect::<Map<_, _>>())
        })
        .boxed()
}

/// The scopes whose data has an undocumented shape.
pub(crate) const UNDOCUMENTED: [&str; 9] = [
    "gender",
    "document_detail",
    "birthdate",
    "address",
    "bank_account",
    "preferences",
    "instagram_account",
    "x_account",
    "tiktok_account",
];

/// Generates shared user data: each scope with a value, null or absent, and unknown members.
pub(crate) fn user_data() -> BoxedStrategy<Value> {
    let contact = |name| {
        maybe(object(vec![(name, string()), ("is_verified", flag()), ("is_primary", flag())]))
    };
    let names = object(vec![
        ("first_name", string()),
        ("family_name", string()),
        ("full_name", string()),
        ("is_verified", flag()),
    ]);
    let documented = vec![
        ("sub", string()),
        ("user_id", string()),
        ("email", contact("email")),
        ("phone", contact("phone_number")),
        ("picture", string()),
        ("names", maybe(names)),
        ("is_verified", flag()),
        ("is_over_18", flag()),
        ("is_over_21", flag()),
    ];
    let undocumented = UNDOCUMENTED.map(|name| (name, maybe(value())));
    object(documented.into_iter().chain(undocumented).collect())
}

/// Generates the scopes of a session, in any order and with duplicates.
pub(crate) fn scope() -> impl Strategy<Value = Vec<String>> {
    let documented = [
        "user_id",
        "names",
        "email",
        "phone",
        "picture",
        "pictures",
        "is_verified",
        "is_over_18",
        "is_over_21",
        "future_a",
    ];
    let name = prop::sample::select([&documented[..], &UNDOCUMENTED].concat());
    let unknown = "[!#-\\[\\]-~]{1,10}";
    prop::collection::vec(prop_oneof![9 => name.prop_map(str::to_owned), 1 => unknown], 0..24)
}

/// Generates any decision that the service may send.
pub(crate) fn decision() -> impl Strategy<Value = Value> {
    object(vec![
        ("session_id", "[a-zA-Z0-9._~-]{3,40}".prop_map(|id| Some(id.into())).boxed()),
        ("session_number", maybe(any::<u64>().prop_map(Value::from))),
        ("status", text().prop_map(|status| Some(status.into())).boxed()),
        ("vendor_data", string()),
        ("scope", string()),
        ("created_at", maybe(Just(json!("2024-08-01T10:30:00.000Z")))),
        ("user_data", maybe(user_data())),
    ])
}

/// Generates a token response, whose numbers may be strings, invalid or absent.
pub(crate) fn token() -> BoxedStrategy<Value> {
    let number = || {
        maybe(prop_oneof![
            any::<u32>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u32>().prop_map(|number| number.to_string().into()),
            value(),
        ])
    };
    object(vec![
        ("access_token", maybe("[!-~]{1,40}".prop_map(Value::from))),
        ("token_type", string()),
        ("expires_in", number()),
        ("iat", number()),
        ("exp", number()),
    ])
}

/// Generates the response to the creation of a session.
pub(crate) fn created_session() -> BoxedStrategy<Value> {
    object(vec![
        ("session_id", maybe(prop_oneof!["[a-z0-9-]{1,40}", text()].prop_map(Value::from))),
        ("session_number", maybe(any::<u64>().prop_map(Value::from))),
        ("session_token", string()),
        ("url", maybe(prop_oneof!["https?://[ -~]{0,40}", text()].prop_map(Value::from))),
        ("vendor_data", string()),
        ("status", string()),
    ])
}

/// Generates the response with a session's status.
pub(crate) fn session_status() -> BoxedStrategy<Value> {
    object(vec![("session_id", string()), ("status", string())])
}
