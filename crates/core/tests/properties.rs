//! What holds for every input.

use didit_core::{
    Authorization, BaseUrl, ClientCredentials, ClientToken, Decision, Endpoint, RateLimit,
    RetrieveDecision, Scope, SessionId,
};
use http::{HeaderMap, HeaderValue, Response};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Texts that are meant to break things, beside any others.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,300}",
        "[a-z/%.?#\r\n:@\\\\ ]{0,12}",
        r#"[{}\[\]",:\\ a-z0-9\n]{0,40}"#,
    ]
}

fn value() -> impl Strategy<Value = Value> {
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

/// A documented member: of its type, null or absent.
fn maybe(member: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Option<Value>> {
    prop_oneof![1 => Just(None), 1 => Just(Some(Value::Null)), 3 => member.prop_map(Some)].boxed()
}

fn words() -> BoxedStrategy<Option<Value>> {
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

const UNDOCUMENTED: [&str; 9] = [
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

/// What a person may have shared: any of the scopes, null or absent, and extras.
fn user_data() -> BoxedStrategy<Value> {
    let contact = |name| {
        maybe(object(vec![(name, words()), ("is_verified", flag()), ("is_primary", flag())]))
    };
    let names = object(vec![
        ("first_name", words()),
        ("family_name", words()),
        ("full_name", words()),
        ("is_verified", flag()),
    ]);
    let documented = vec![
        ("sub", words()),
        ("user_id", words()),
        ("email", contact("email")),
        ("phone", contact("phone_number")),
        ("picture", words()),
        ("names", maybe(names)),
        ("is_verified", flag()),
        ("is_over_18", flag()),
        ("is_over_21", flag()),
    ];
    let undocumented = UNDOCUMENTED.map(|name| (name, maybe(value())));
    object(documented.into_iter().chain(undocumented).collect())
}

/// Any scopes a session may have asked for, in any order and as often.
fn scope() -> impl Strategy<Value = Vec<String>> {
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

/// Any decision the service may send.
fn decision() -> impl Strategy<Value = Value> {
    object(vec![
        ("session_id", text().prop_map(|id| Some(id.into())).boxed()),
        ("session_number", maybe(any::<u64>().prop_map(Value::from))),
        ("status", text().prop_map(|status| Some(status.into())).boxed()),
        ("vendor_data", words()),
        ("scope", words()),
        ("created_at", maybe(Just(json!("2024-08-01T10:30:00.000Z")))),
        ("user_data", maybe(user_data())),
    ])
}

/// Everything that the typed methods say of a decision.
fn typed(decision: &Decision) -> Value {
    let user = decision.user_data();
    json!({
        "session_id": decision.session_id(),
        "session_number": decision.session_number().map(|number| number.to_string()),
        "status": decision.status().as_str(),
        "vendor_data": decision.vendor_data(),
        "scope": decision.scope(),
        "created_at": decision.created_at().map(|at| at.unix_timestamp()),
        "sub": user.and_then(|user| user.sub()),
        "user_id": user.and_then(|user| user.user_id()),
        "picture": user.and_then(|user| user.picture()),
        "email": user.and_then(|user| user.email()).map(|e| (e.email.map(str::to_owned), e.is_verified, e.is_primary)),
        "phone": user.and_then(|user| user.phone()).map(|p| (p.phone_number.map(str::to_owned), p.is_verified, p.is_primary)),
        "names": user.and_then(|user| user.names()).map(|n| {
            let n = n.map(str::to_owned);
            (n.first_name, n.family_name, n.full_name, n.is_verified)
        }),
        "flags": user.map(|user| (user.is_verified(), user.is_over_18(), user.is_over_21())),
    })
}

/// What stands at a path of member names, with null for what is absent.
fn at<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |value, name| value.get(name).unwrap_or(&Value::Null))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn an_accepted_id_is_one_segment_of_the_path(text in text()) {
        let Ok(id) = SessionId::new(&text) else { return Ok(()) };
        let base: BaseUrl = "https://example.com/prefix".parse().unwrap();
        let endpoint = RetrieveDecision::new(id);
        let bearer = Authorization::bearer("token").unwrap();
        let request = endpoint.request(&base, &bearer).unwrap();
        let uri = request.uri();
        prop_assert_eq!(uri.authority().unwrap().as_str(), "example.com");
        prop_assert_eq!(uri.query(), None);
        let segments: Vec<_> = uri.path().split('/').collect();
        let expected = ["", "prefix", "auth", "v2", "session", &text, "decision", ""];
        prop_assert_eq!(segments, expected);
        prop_assert!(!uri.path().contains('%'));
        let names: Vec<_> = request.headers().keys().map(http::HeaderName::as_str).collect();
        prop_assert_eq!(names.len(), 3, "{:?}", names);
    }

    #[test]
    fn a_refused_id_says_why(text in text()) {
        if let Err(reason) = SessionId::new(&text) {
            prop_assert!(reason.to_string().starts_with("the session id "));
        }
    }

    #[test]
    fn an_accepted_base_url_is_safe_and_stays_itself(text in text(), tail in text()) {
        for text in [text.clone(), format!("https://{text}"), format!("http://{text}"), format!("https://h/{tail}")] {
            let Ok(base) = text.parse::<BaseUrl>() else { continue };
            let shown = base.to_string();
            prop_assert_eq!(shown.parse::<BaseUrl>(), Ok(base.clone()));
            prop_assert!(shown.starts_with("https://") || base.is_plain_http());
            let token = ClientToken::new(ClientCredentials::new("id", "secret").unwrap());
            let request = token.request(&base, &Authorization::none()).unwrap();
            prop_assert_eq!(request.uri().to_string(), format!("{shown}/auth/v2/token/"));
        }
    }

    #[test]
    fn parse_write_parse_changes_nothing(sent in decision(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&sent) } else { serde_json::to_string(&sent) };
        let text = text.unwrap();
        let first = Decision::from_json(text.as_bytes()).unwrap();
        prop_assert_eq!(first.json().as_str(), &text);
        let line = first.json().to_line();
        prop_assert!(!line.contains('\n'));
        prop_assert_eq!(&serde_json::from_str::<Value>(&line).unwrap(), &sent);
        let second = Decision::from_json(line.as_bytes()).unwrap();
        prop_assert_eq!(second.json().to_line(), line);
        prop_assert_eq!(typed(&first), typed(&second));
    }

    #[test]
    fn typed_values_are_the_ones_sent(sent in decision()) {
        let decision = Decision::from_json(sent.to_string().as_bytes()).unwrap();
        let typed = typed(&decision);
        for name in ["session_id", "vendor_data", "scope"] {
            prop_assert_eq!(&typed[name], at(&sent, &[name]));
        }
        let shared = sent["user_data"].as_object().is_some_and(|members| !members.is_empty());
        prop_assert_eq!(decision.user_data().is_some(), shared);
        for name in ["sub", "user_id", "picture"] {
            prop_assert_eq!(&typed[name], at(&sent, &["user_data", name]));
        }
        for (name, member) in [("email", "email"), ("phone", "phone_number")] {
            let contact = at(&sent, &["user_data", name]);
            let expected = contact.is_object().then(|| {
                json!([at(contact, &[member]), at(contact, &["is_verified"]), at(contact, &["is_primary"])])
            });
            prop_assert_eq!(&typed[name], &expected.unwrap_or_default());
        }
        if let (Some(user), Some(members)) = (decision.user_data(), sent["user_data"].as_object()) {
            for (name, value) in members {
                prop_assert_eq!(&user.get(name).unwrap().to::<Value>().unwrap(), value);
            }
        }
    }

    #[test]
    fn objects_of_any_shape_are_reached_and_null_is_none(sent in user_data()) {
        let json = json!({"session_id": "s", "status": "Confirmed", "user_data": &sent});
        let decision = Decision::from_json(json.to_string().as_bytes()).unwrap();
        let Some(user) = decision.user_data() else { return Ok(()) };
        let objects = [
            user.gender(), user.document_detail(), user.birthdate(), user.address(), user.bank_account(),
            user.preferences(), user.instagram_account(), user.x_account(), user.tiktok_account(),
        ];
        for (name, object) in UNDOCUMENTED.into_iter().zip(objects) {
            let read = object.map(|object| object.to::<Value>().unwrap());
            prop_assert_eq!(read.as_ref(), sent.get(name).filter(|value| !value.is_null()));
        }
    }

    #[test]
    fn the_missing_scopes_are_those_asked_for_less_those_that_came(
        scope in scope(),
        sent in prop_oneof![9 => user_data(), 1 => Just(Value::Null)],
    ) {
        let json = json!({
            "session_id": "s", "status": "Confirmed", "scope": scope.join(" "), "user_data": &sent,
        });
        let decision = Decision::from_json(json.to_string().as_bytes()).unwrap();
        let missing: Vec<String> = decision.missing_scopes().map(|scope| scope.to_string()).collect();
        let member = |scope: &str| if scope == "pictures" { "picture".to_owned() } else { scope.to_owned() };
        let came = |scope: &str| !at(&sent, &[&member(scope)]).is_null();
        let mut asked = scope.clone();
        let mut seen = std::collections::HashSet::new();
        asked.retain(|scope| seen.insert(member(scope)));
        asked.retain(|scope| !came(scope));
        prop_assert_eq!(missing, asked);
    }

    #[test]
    fn debug_shows_nothing_personal(name in "[A-Z][a-z]{9}", mail in "[a-z]{9}", phone in "[0-9]{9}") {
        let sent = json!({
            "session_id": "s", "status": "Confirmed", "vendor_data": format!("vendor {name}"),
            "user_data": {
                "sub": &mail, "email": {"email": format!("{mail}@example.com")},
                "phone": {"phone_number": &phone}, "names": {"full_name": &name},
                "address": {"street": &name},
            },
        });
        let decision = Decision::from_json(sent.to_string().as_bytes()).unwrap();
        let user = decision.user_data().unwrap();
        let (email, contact, names) = (user.email(), user.phone(), user.names());
        let shown = format!("{decision:?} {user:?} {email:?} {contact:?} {names:?} {:?}", user.get("address"));
        for personal in [&name, &mail, &phone] {
            prop_assert!(!shown.contains(personal.as_str()), "{}", shown);
        }
    }

    #[test]
    fn errors_repeat_no_value(sent in decision(), wrong in 0..6_usize) {
        let place = ["sub", "email", "phone", "names", "picture", "is_verified"][wrong];
        let mut sent = sent;
        sent["user_data"] = json!({ place: ["canary", "canary", "canary", "canary"] });
        let error = Decision::from_json(sent.to_string().as_bytes()).unwrap_err();
        let shown = format!("{error} {error:?}");
        prop_assert!(!shown.contains("canary"), "{}", shown);
        prop_assert_eq!(error.place(), format!("user_data.{place}"));
    }

    #[test]
    fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..300), status in 100..1000_u16, head in text()) {
        let mut headers = HeaderMap::new();
        for name in ["retry-after", "date", "x-ratelimit-limit", "x-ratelimit-reset", "x-request-id", "content-type"] {
            if let Ok(value) = HeaderValue::from_bytes(head.as_bytes()) {
                headers.insert(name, value);
            }
        }
        let _ = RateLimit::from_headers(&headers);
        let mut response = Response::new(&body[..]);
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
        *response.headers_mut() = headers;
        let token = ClientToken::new(ClientCredentials::new("id", "secret").unwrap());
        let endpoint = RetrieveDecision::new("s".parse().unwrap());
        let errors = [token.parse(response.clone()).err(), endpoint.parse(response).err()];
        for error in errors.into_iter().flatten() {
            let shown = error.to_string();
            prop_assert!(shown.chars().count() < 1000 && !shown.contains(char::is_control), "{}", shown);
        }
    }

    #[test]
    fn arbitrary_texts_never_panic(text in text()) {
        let _ = Decision::from_json(text.as_bytes());
        if let Ok(scope) = text.parse::<Scope>() {
            prop_assert_eq!(scope.as_str(), &text);
        }
        let _ = Authorization::bearer(&*text).is_ok();
        prop_assert_eq!(ClientCredentials::new("id", &*text).is_ok(), !text.is_empty());
    }
}
