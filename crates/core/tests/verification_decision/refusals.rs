//! Statuses, errors and `Debug` output.

use didit_core::verification::{Decision, Status};

use super::{FULL, V1, read, with};

#[test]
fn statuses_parse_in_any_case_and_unknown_ones_are_kept() {
    assert_eq!(*read(r#"{"status":"KYC Expired"}"#).unwrap().status(), Status::KycExpired);
    assert_eq!(read(r#"{"status":"On Hold"}"#).unwrap().status().as_str(), "On Hold");
    let report = with(r#""face_matches":[{"status":"Resub Requested"}]"#);
    assert_eq!(report.reports().face_matches[0].status, Some(Status::ResubRequested));
}

#[test]
fn decisions_of_older_versions_are_rejected() {
    let error = read(V1).unwrap_err();
    assert_eq!(error.path(), "kyc");
    assert_eq!(
        error.to_string(),
        "this is a v1 decision; call /v3/, or set the webhook's version to v3, in `kyc`"
    );
    for report in ["id_verification", "liveness", "face_match", "phone", "email", "poa", "aml"] {
        let v2 = format!(r#"{{"status":"Approved","features":["OCR"],"{report}":{{}}}}"#);
        let error = read(&v2).unwrap_err();
        assert!(error.to_string().starts_with("this is a v2 decision"), "{error}");
        assert_eq!(error.path(), report);
    }
    let v1 = read(r#"{"status":"Approved","features":"AML","aml":{},"kyc":{}}"#).unwrap_err();
    assert!(v1.to_string().starts_with("this is a v1 decision"), "{v1}");
    // With a member of the third version, `phone` is an unknown member.
    assert!(read(r#"{"status":"Approved","id_verifications":null,"phone":{}}"#).is_ok());
    assert!(read(r#"{"status":"Approved","phone":null}"#).is_ok());
}

#[test]
fn type_errors_contain_the_path_but_not_the_value() {
    for (members, path, problem) in [
        (r#""vendor_data":{"a":"canary"}"#, "vendor_data", "expected a string"),
        (r#""session_number":"canary""#, "session_number", "expected a number"),
        (r#""created_at":["canary"]"#, "created_at", "expected a string"),
        (r#""features":["OCR",7]"#, "features[1]", "expected a feature"),
        (r#""id_verifications":{"a":"canary"}"#, "id_verifications", "expected a sequence"),
        (r#""id_verifications":[["canary"]]"#, "id_verifications[0]", "expected an object"),
        (
            r#""id_verifications":[{"age":"canary"}]"#,
            "id_verifications[0].age",
            "expected a number",
        ),
        (r#""face_matches":[{},{"status":7}]"#, "face_matches[1].status", "expected a string"),
        (
            r#""nfc_verifications":[{"certificate_summary":{"serial_number":["canary"]}}]"#,
            "nfc_verifications[0].certificate_summary.serial_number",
            "expected a string or a number",
        ),
        (
            r#""ip_analyses":[{"ip":{"distance_from_ip":"canary"}}]"#,
            "ip_analyses[0].ip.distance_from_ip",
            "expected a number or a distance and direction",
        ),
        (
            r#""questionnaire_responses":7"#,
            "questionnaire_responses",
            "expected a list or an object",
        ),
        (
            r#""liveness_checks":[{"warnings":[{"risk":true}]}]"#,
            "liveness_checks[0].warnings[0].risk",
            "expected a string",
        ),
    ] {
        let error = read(&format!("{{\n\"status\":\"Approved\",\n{members}}}")).unwrap_err();
        assert_eq!(error.path(), path, "{error}");
        assert!(error.to_string().starts_with(problem), "{error}");
        assert_eq!(error.line(), Some(3), "{error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    for broken in ["", "[]", "{", "{\"status\":\"A\",\"status\":\"B\"}", "\u{feff}{"] {
        assert!(read(broken).is_err(), "{broken}");
    }
}

#[test]
fn lists_that_no_workflow_produces_are_refused() {
    let list = |name: &str, element: &str, count| {
        let elements = vec![element; count].join(",");
        read(&format!(r#"{{"status":"Approved","{name}":[{elements}]}}"#))
    };
    let lengths = |decision: Decision| {
        let reports = decision.reports();
        (reports.id_verifications.len(), reports.questionnaire_responses.len())
    };
    assert_eq!(list("id_verifications", "{}", 10_000).map(lengths), Ok((10_000, 0)));
    assert_eq!(list("id_verifications", "null", 10_001).map(lengths), Ok((0, 0)));
    for name in ["id_verifications", "questionnaire_responses"] {
        let error = list(name, "{}", 10_001).unwrap_err();
        assert!(error.path().starts_with(name), "{error}");
        assert!(error.to_string().contains("expected at most 10,000 elements"), "{error}");
    }
    let nested = format!(r#"{{"warnings":[{}]}}"#, vec!["{}"; 1_000].join(","));
    let error = list("id_verifications", &nested, 100).unwrap_err();
    assert!(error.to_string().contains("at most 100,000 objects"), "{error}");
}

/// Only the statuses and codes of the published decision may appear in `Debug` output.
#[test]
fn debug_hides_personal_data() {
    let decision = read(FULL).unwrap();
    let shown = format!("{decision:?} {:?}", decision.reports());
    let personal = [
        "Ana P",
        "Pérez",
        "XXX000000",
        "1990",
        "example.com",
        "0000000",
        "media-host",
        "203.0.113.7",
        "tok0tok0tok0",
        "41.40",
        "Example Street",
        "didit-fp",
        "Test answer",
        "11111111-1111",
    ];
    for text in personal {
        assert!(!shown.contains(text), "{text} in {shown}");
    }
    assert!(shown.contains("LOW_LIVENESS_SCORE") && shown.contains("InReview"), "{shown}");
}
