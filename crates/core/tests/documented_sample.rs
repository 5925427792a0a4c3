//! The documented sample: rejected as printed, and read completely without the trailing comma.

use didit_core::data_transfer::{Decision, Scope, Status};
use didit_sandbox::fixtures;

#[test]
fn printed_sample_is_rejected_with_line_column_and_path() {
    let printed = fixtures::DECISION_AS_PRINTED;
    let error = Decision::from_json(printed.as_bytes()).unwrap_err();
    // Finds the brace after the trailing comma.
    let (line, text) = printed
        .lines()
        .enumerate()
        .skip_while(|(_, line)| !line.contains("\"full_name\""))
        .find(|(_, line)| line.trim() == "},")
        .map(|(index, _)| (index + 2, printed.lines().nth(index + 1).unwrap()))
        .unwrap();
    let column = text.find('}').unwrap() + 1;
    assert_eq!((error.line(), error.column()), (Some(line), Some(column)));
    assert_eq!(error.path(), "user_data");
    let message = format!("trailing comma at line {line} column {column}, in `user_data`");
    assert_eq!(error.to_string(), message);
}

#[test]
fn corrected_sample_has_the_documented_values() {
    let decision = Decision::from_json(fixtures::DECISION.as_bytes()).unwrap();
    assert_eq!(decision.session_id().as_str(), "unique-session-identifier");
    assert_eq!(decision.session_number(), Some(12345));
    assert_eq!(decision.status(), &Status::Confirmed);
    assert_eq!(decision.vendor_data(), Some("optional-vendor-data"));
    assert_eq!(decision.scope(), Some("pictures names email"));
    let scopes: Vec<_> = decision.scopes().collect();
    assert_eq!(scopes, [Scope::PICTURE, Scope::NAMES, Scope::EMAIL]);
    let created_at = decision.created_at().unwrap();
    assert_eq!(created_at.unix_timestamp_nanos(), 1_722_508_200_000_000_000);

    let user = decision.user_data().unwrap();
    assert_eq!(user.sub.as_deref(), Some("user-unique-identifier"));
    let email = user.email.as_ref().unwrap();
    assert_eq!(email.email.as_deref(), Some("alejandro.rosas@example.com"));
    assert_eq!((email.is_verified, email.is_primary), (Some(true), Some(true)));
    let phone = user.phone.as_ref().unwrap();
    assert_eq!(phone.phone_number.as_deref(), Some("+34123456789"));
    assert_eq!((phone.is_verified, phone.is_primary), (Some(true), Some(true)));
    assert_eq!(user.picture.as_deref(), Some("https://example.com/picture.png"));
    let names = user.names.as_ref().unwrap();
    let (first, family) = (names.first_name.as_deref(), names.family_name.as_deref());
    assert_eq!((first, family), (Some("John"), Some("Doe")));
    assert_eq!((names.full_name.as_deref(), names.is_verified), (Some("John Doe"), Some(true)));
    assert_eq!((&user.user_id, user.is_verified, user.is_over_18), (&None, None, None));
}

#[test]
fn timestamps_have_any_offset_and_precision() {
    let read = |text: &str| {
        let json = format!(r#"{{"session_id":"s","status":"x","created_at":"{text}"}}"#);
        Decision::from_json(json.as_bytes())
            .map(|decision| decision.created_at().unwrap().unix_timestamp_nanos())
    };
    let nanos = 1_722_508_200_000_000_000;
    for text in
        ["2024-08-01T10:30:00Z", "2024-08-01T12:30:00.000000+02:00", "2024-08-01t05:00:00-05:30"]
    {
        assert_eq!(read(text), Ok(nanos), "{text}");
    }
    assert_eq!(read("2024-08-01T10:30:00.123456789Z"), Ok(nanos + 123_456_789));
    for text in
        ["2024-08-01", "1722508200", "2024-08-01 at noon", "", "2024-13-01T10:30:00Z", r"\u0032024"]
    {
        let error = read(text).unwrap_err();
        // The position after the closing quote.
        let column = 46 + text.len();
        let expected =
            format!("expected an RFC 3339 timestamp at line 1 column {column}, in `created_at`");
        assert_eq!(error.to_string(), expected, "{text}");
    }
}

#[test]
fn duplicate_documented_members_are_rejected() {
    let read = |members: &str| {
        let json = format!("{{\"session_id\":\"s\",\"status\":\"x\",\n{members}}}");
        Decision::from_json(json.as_bytes()).map(drop).map_err(|error| error.to_string())
    };
    let names = r#""user_data":{"names":{"full_name":null,"full_name":null}}"#;
    for (members, name, path) in [
        (r#""scope":"a","scope":"a""#, "scope", "scope"),
        (r#""scope":null,"sc\u006fpe":null"#, "scope", "scope"),
        (r#""session_number":1,"session_number":1"#, "session_number", "session_number"),
        (r#""user_data":{},"user_data":{}"#, "user_data", "user_data"),
        (r#""user_data":{"is_over_18":null,"is_over_18":true}"#, "is_over_18", "user_data"),
        (r#""user_data":{"email":{},"phone":{},"email":{}}"#, "email", "user_data"),
        (names, "full_name", "user_data.names"),
    ] {
        let (error, column) = (read(members).unwrap_err(), members.rfind("\":").unwrap() + 1);
        let expected = format!("duplicate field `{name}` at line 2 column {column}, in `{path}");
        assert!(error.starts_with(&expected), "{error}");
    }
    // Unknown members may be duplicates, and two objects may have members with the same name.
    read(r#""new":1,"new":2"#).unwrap();
    read(r#""user_data":{"is_verified":true,"email":{"is_verified":true,"email":"e"}}"#).unwrap();
}

#[test]
fn absent_null_and_empty_members_are_none() {
    let json = r#"{"session_id":"s","status":"Initialized","vendor_data":null,"scope":null,
        "session_number":null,"created_at":null,"user_data":null}"#;
    let decision = Decision::from_json(json.as_bytes()).unwrap();
    assert!(decision.vendor_data().is_none() && decision.scope().is_none());
    assert!(decision.session_number().is_none() && decision.created_at().is_none());
    assert!(decision.user_data().is_none() && decision.scopes().next().is_none());
    for (user_data, shared) in [
        (r"{}", false),
        (r#"{"sub":null}"#, true),
        (r#"{"future":1}"#, true),
        (r#"{"email":{}}"#, true),
        (r#"{"is_over_18":false}"#, true),
    ] {
        let json = format!(r#"{{"session_id":"s","status":"x","user_data":{user_data}}}"#);
        let decision = Decision::from_json(json.as_bytes()).unwrap();
        assert_eq!(decision.user_data().is_some(), shared, "{user_data}");
    }
}

#[test]
fn undocumented_members_are_kept_unchanged() {
    let json = r#"{"session_id":"s","status":"In Review","session_number":123456789012345678901234567890,
        "user_data":{"sub":"u","address":{"lines":["a","b"],"geo":[1.50,-0.0]},"x":1e400},"later":[1]}"#;
    let decision = Decision::from_json(json.as_bytes()).unwrap();
    assert_eq!(decision.session_number(), Some(123_456_789_012_345_678_901_234_567_890));
    assert_eq!(decision.status().as_str(), "In Review");
    assert_eq!(decision.json().as_str(), json);
    let user = decision.user_data_json().unwrap();
    assert_eq!(user.get("x").unwrap().as_str(), "1e400");
    let lines: Vec<String> =
        user.get("address").unwrap().get("lines").unwrap().deserialize().unwrap();
    assert_eq!(lines, ["a", "b"]);
    assert_eq!(decision.json().get("later").unwrap().as_str(), "[1]");

    let huge = format!(r#"{{"session_id":"s","status":"x","session_number":{}}}"#, "9".repeat(60));
    let decision = Decision::from_json(huge.as_bytes()).unwrap();
    assert_eq!(decision.session_number(), None);
    assert_eq!(decision.json().get("session_number").unwrap().as_str(), "9".repeat(60));
}

#[test]
fn type_errors_contain_the_path_but_not_the_value() {
    let cases = [
        (
            r#""user_data":{"email":{"is_verified":"Jane"}}"#,
            "user_data.email.is_verified",
            "a boolean",
        ),
        (r#""user_data":{"email":["Jane",true,true]}"#, "user_data.email", "an object"),
        (r#""user_data":["Jane"]"#, "user_data", "an object"),
        (
            r#""user_data":{"names":{"first_name":["Jane"]}}"#,
            "user_data.names.first_name",
            "a string",
        ),
        (r#""session_number":"Jane""#, "session_number", "an integer"),
        (r#""session_number":1.5"#, "session_number", "an integer"),
        (r#""scope":["Jane"]"#, "scope", "a string"),
        (r#""created_at":17"#, "created_at", "a string"),
    ];
    for (member, path, expected) in cases {
        let json = format!(r#"{{"session_id":"s","status":"x",{member}}}"#);
        let error = Decision::from_json(json.as_bytes()).unwrap_err();
        assert_eq!(error.path(), path, "{error}");
        assert!(
            error.to_string().starts_with(&format!("expected {expected} at line 1")),
            "{error}"
        );
        assert!(!format!("{error} {error:?}").contains("Jane"), "{error}");
    }
    let cut = Decision::from_json(&r#"{"session_id":"é"#.as_bytes()[..16]).unwrap_err();
    assert!(cut.is_truncated(), "{cut}");
    let wrong = Decision::from_json(b"{\"session_id\":\"\xff\"}").unwrap_err();
    assert!(!wrong.is_truncated(), "{wrong}");
    for (json, path) in [
        (r#"{"status":"x"}"#, "session_id"),
        (r#"{"session_id":"s","status":null}"#, "status"),
        (r#"["s",1,"Confirmed",null,null,null,null]"#, ""),
    ] {
        assert_eq!(Decision::from_json(json.as_bytes()).unwrap_err().path(), path, "{json}");
    }
}

#[test]
fn every_documented_scope_has_a_member() {
    let decision = Decision::from_json(fixtures::DECISION_ALL_SCOPES.as_bytes()).unwrap();
    assert_eq!(decision.scopes().count(), 17);
    assert_eq!(decision.missing_scopes().next(), None);
    let user = decision.user_data().unwrap();
    assert_eq!(user.sub.as_deref(), Some("user-unique-identifier"));
    assert_eq!(user.user_id.as_deref(), Some("user-unique-identifier"));
    assert_eq!(user.names.as_ref().unwrap().full_name.as_deref(), Some("John Doe"));
    assert_eq!(user.email.as_ref().unwrap().email.as_deref(), Some("alejandro.rosas@example.com"));
    assert_eq!(user.phone.as_ref().unwrap().phone_number.as_deref(), Some("+34123456789"));
    assert_eq!(user.picture.as_deref(), Some("https://example.com/picture.png"));
    let flags = (user.is_verified, user.is_over_18, user.is_over_21);
    assert_eq!(flags, (Some(true), Some(true), Some(true)));
    for (object, member, value) in [
        (&user.gender, "gender", "male"),
        (&user.document_detail, "document_number", "XDA123456"),
        (&user.birthdate, "birthdate", "1990-05-17"),
        (&user.address, "city", "Madrid"),
        (&user.bank_account, "iban", "ES9121000418450200051332"),
        (&user.preferences, "language", "es"),
        (&user.instagram_account, "username", "john.doe.example"),
        (&user.x_account, "username", "johndoe_example"),
        (&user.tiktok_account, "username", "johndoe.example"),
    ] {
        assert_eq!(
            object.as_ref().unwrap().get(member).unwrap().deserialize::<String>().as_deref(),
            Ok(value)
        );
    }
}

#[test]
fn missing_scopes_are_those_without_data() {
    let missing = |scope: &str, user_data: &str| {
        let json = format!(
            r#"{{"session_id":"s","status":"x","scope":"{scope}","user_data":{user_data}}}"#
        );
        let decision = Decision::from_json(json.as_bytes()).unwrap();
        let missing: Vec<_> = decision.missing_scopes().map(|scope| scope.to_string()).collect();
        missing.join(" ")
    };
    assert_eq!(missing("names email", "{}"), "names email");
    assert_eq!(missing("names email names", "null"), "names email");
    assert_eq!(missing("pictures email", r#"{"picture":"u","email":null}"#), "email");
    assert_eq!(missing("picture", r#"{"pictures":["u"]}"#), "");
    assert_eq!(missing("shoe_size is_over_18", r#"{"is_over_18":false,"shoe_size":43}"#), "");
    assert_eq!(missing("shoe_size Names", r#"{"sub":"u","names":{}}"#), "shoe_size Names");
    assert_eq!(missing("", r#"{"sub":"u"}"#), "");
}
