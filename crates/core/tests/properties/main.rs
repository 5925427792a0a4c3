//! Properties that hold for every input.

// Checks report a violated invariant by panicking.
#![allow(clippy::expect_used, clippy::panic)]

#[path = "../support/cases.rs"]
mod cases;
mod generators;
mod invariants;

use didit_core::data_transfer::{
    CreateSession, Decision, ReadStatus, RetrieveDecision, Scope, Scopes,
};
use didit_core::oauth::FetchToken;
use didit_core::{Authorization, BaseUrl, ClientCredentials, Endpoint, RateLimit, SessionId};
use http::{HeaderMap, HeaderValue, Response};
use proptest::prelude::*;
use serde_json::{Value, json};

use self::cases::cases;
use self::generators::{
    UNDOCUMENTED, created_session, decision, scope, session_status, text, token, user_data,
};
use self::invariants::at;

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn accepted_ids_are_one_path_segment(text in text()) {
        let Ok(id) = SessionId::new(&text) else { return Ok(()) };
        let base: BaseUrl = "https://example.com/prefix".parse().unwrap();
        let endpoint = RetrieveDecision::new(id);
        let bearer = Authorization::bearer("token").unwrap();
        let request = endpoint.request(&base, Some(&bearer)).unwrap();
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
    fn rejected_ids_have_a_reason(text in text()) {
        if let Err(reason) = SessionId::new(&text) {
            prop_assert!(reason.to_string().starts_with("the session id "));
        }
    }

    #[test]
    fn accepted_base_urls_are_safe_and_round_trip(text in text(), tail in text()) {
        for text in [text.clone(), format!("https://{text}"), format!("http://{text}"), format!("https://h/{tail}")] {
            let Ok(base) = text.parse::<BaseUrl>() else { continue };
            let shown = base.to_string();
            prop_assert_eq!(shown.parse::<BaseUrl>(), Ok(base.clone()));
            prop_assert!(shown.starts_with("https://") || base.is_plain_http());
            let token = FetchToken::new(ClientCredentials::new("id", "secret").unwrap());
            let request = token.request(&base, None).unwrap();
            prop_assert_eq!(request.uri().to_string(), format!("{shown}/auth/v2/token/"));
        }
    }

    #[test]
    fn round_trips_preserve_the_text(sent in decision(), pretty in any::<bool>()) {
        invariants::round_trips_preserve_the_text(&sent, pretty);
    }

    #[test]
    fn typed_values_equal_the_json(sent in decision()) {
        invariants::typed_values_equal_the_json(&sent);
    }

    #[test]
    fn undocumented_members_are_kept_and_null_is_none(sent in user_data()) {
        let json = json!({"session_id": "s", "status": "Confirmed", "user_data": &sent});
        let decision = Decision::from_json(json.to_string().as_bytes()).unwrap();
        let Some(user) = decision.user_data() else { return Ok(()) };
        let objects = [
            &user.gender, &user.document_detail, &user.birthdate, &user.address, &user.bank_account,
            &user.preferences, &user.instagram_account, &user.x_account, &user.tiktok_account,
        ];
        for (name, object) in UNDOCUMENTED.into_iter().zip(objects) {
            let read = object.as_ref().map(|object| object.deserialize::<Value>().unwrap());
            prop_assert_eq!(read.as_ref(), sent.get(name).filter(|value| !value.is_null()));
        }
    }

    #[test]
    fn missing_scopes_are_those_without_data(
        scope in scope(),
        sent in prop_oneof![9 => user_data(), 1 => Just(Value::Null)],
    ) {
        let json = json!({
            "session_id": "s", "status": "Confirmed", "scope": scope.join(" "), "user_data": &sent,
        });
        let decision = Decision::from_json(json.to_string().as_bytes()).unwrap();
        let missing: Vec<String> = decision.missing_scopes().map(|scope| scope.to_string()).collect();
        let member = |scope: &str| if scope == "pictures" { "picture".to_owned() } else { scope.to_owned() };
        let has_data = |scope: &str| !at(&sent, &[&member(scope)]).is_null();
        let mut expected = scope.clone();
        let mut seen = std::collections::HashSet::new();
        expected.retain(|scope| seen.insert(member(scope)));
        expected.retain(|scope| !has_data(scope));
        let expected: Vec<String> = expected.iter().map(|scope| member(scope)).collect();
        prop_assert_eq!(missing, expected);
    }

    #[test]
    fn debug_hides_personal_data(name in "[A-Z][a-z]{9}", mail in "[a-z]{9}", phone in "[0-9]{9}") {
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
        let (email, contact, names) = (&user.email, &user.phone, &user.names);
        let shown = format!("{decision:?} {user:?} {email:?} {contact:?} {names:?} {:?}", user.address);
        for personal in [&name, &mail, &phone] {
            prop_assert!(!shown.contains(personal.as_str()), "{}", shown);
        }
    }

    #[test]
    fn errors_contain_no_value(sent in decision(), wrong in 0..6_usize) {
        let name = ["sub", "email", "phone", "names", "picture", "is_verified"][wrong];
        let mut sent = sent;
        sent["user_data"] = json!({ name: ["canary", "canary", "canary", "canary"] });
        let error = Decision::from_json(sent.to_string().as_bytes()).unwrap_err();
        let shown = format!("{error} {error:?}");
        prop_assert!(!shown.contains("canary"), "{}", shown);
        prop_assert_eq!(error.path(), format!("user_data.{name}"));
    }

    #[test]
    fn other_responses_parse_or_fail_with_one_line(
        token in token(), session in created_session(), status in session_status(),
    ) {
        let client = ClientCredentials::new("id", "secret").unwrap();
        let parsed = FetchToken::new(client).parse(&Response::new(token.to_string()));
        prop_assert_eq!(parsed.is_ok(), token.get("access_token").is_some_and(Value::is_string));
        let create = CreateSession::new(Scopes::new([Scope::NAMES]).unwrap());
        let sent = session.to_string();
        match create.parse(&Response::new(&sent)) {
            Ok(created) => {
                prop_assert_eq!(created.secret_json().expose(), sent);
                prop_assert_eq!(created.session_id().as_str(), &session["session_id"]);
            }
            Err(error) => prop_assert!(!error.to_string().contains(char::is_control)),
        }
        let read = ReadStatus::new("s".parse().unwrap(), "token");
        let parsed = read.parse(&Response::new(status.to_string()));
        let is_another = status.get("session_id").is_some_and(|id| id.is_string() && id != "s");
        let has_status = status.get("status").is_some_and(Value::is_string);
        prop_assert_eq!(parsed.is_ok(), has_status && !is_another);
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
        let token = FetchToken::new(ClientCredentials::new("id", "secret").unwrap());
        let endpoint = RetrieveDecision::new("s".parse().unwrap());
        let errors = [token.parse(&response).err(), endpoint.parse(&response).err()];
        for error in errors.into_iter().flatten() {
            let shown = error.to_string();
            prop_assert!(shown.chars().count() < 1000 && !shown.contains(char::is_control), "{}", shown);
        }
    }

    #[test]
    fn arbitrary_strings_never_panic(text in text()) {
        let _ = Decision::from_json(text.as_bytes());
        if let Ok(scope) = text.parse::<Scope>() {
            prop_assert_eq!(scope.as_str(), &text);
        }
        let _ = Authorization::bearer(&*text).is_ok();
        let plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        let accepted = plain && !text.is_empty();
        prop_assert_eq!(ClientCredentials::new("id", &*text).is_ok(), accepted);
    }
}
