//! Decisions of the verification API: the published ones, and every spelling that the documents and
//! the service are known to use for one member.
#![allow(clippy::unwrap_used, clippy::panic)]

use didit_core::JsonError;
use didit_core::verification::{Decision, Number, Reports, Status};
use serde_json::{Value, json};

const FULL: &str = include_str!("fixtures/verification/v3_decision_user_full.json");
const NOT_STARTED: &str = include_str!("fixtures/verification/v3_decision_not_started_nulls.json");
const SHARED_USER: &str = include_str!("fixtures/verification/v3_import_shared_user.json");
const SHARED_BUSINESS: &str = include_str!("fixtures/verification/v3_import_shared_business.json");
const V1: &str = include_str!("fixtures/verification/v1_decision_declined.json");

fn read(text: &str) -> Result<Decision, JsonError> {
    Decision::from_json(text.as_bytes())
}

/// A decision with those members beside its status.
fn with(members: &str) -> Decision {
    read(&format!(r#"{{"status":"Approved",{members}}}"#)).unwrap()
}

/// The members of `sent` that the typed value does not have, as paths; those that it has are equal.
fn untyped(sent: &Value, typed: &Value, path: &str, missing: &mut Vec<String>) {
    match (sent, typed) {
        (Value::Object(sent), Value::Object(typed)) => {
            for (name, sent) in sent {
                let path = format!("{path}.{name}");
                match typed.get(name) {
                    Some(typed) => untyped(sent, typed, &path, missing),
                    None => missing.push(path),
                }
            }
        }
        (Value::Array(sent), Value::Array(typed)) => {
            assert_eq!(sent.len(), typed.len(), "{path}");
            sent.iter().zip(typed).for_each(|(sent, typed)| untyped(sent, typed, path, missing));
        }
        // Lists are empty where the service sends null.
        (Value::Null, Value::Array(typed)) => assert!(typed.is_empty(), "{path}"),
        // A distance is an object here, and only a number there.
        (Value::Number(_), Value::Object(typed)) => assert_eq!(*sent, typed["distance"], "{path}"),
        _ => assert_eq!(sent, typed, "{path}"),
    }
}

/// Reports have more members than are typed; these are the ones of the published decision.
const UNTYPED: [&str; 20] = [
    "aml_screenings.hits.additional_information",
    "aml_screenings.hits.features",
    "aml_screenings.hits.rca_name",
    "aml_screenings.hits.target",
    "email_verifications.matches.email",
    "id_verifications.id_lookup.source_errors",
    "id_verifications.matches.front_image_url",
    "ip_analyses.matches.device_info",
    "ip_analyses.matches.location_info",
    "ip_analyses.matches.match_mode",
    "ip_analyses.matches.match_source",
    "ip_analyses.matches.recovery_gate_reason",
    "ip_analyses.matches.recovery_similarity",
    "ip_analyses.matches.tls_ja4_corroborated",
    "liveness_checks.matches.match_image_url",
    "phone_verifications.matches.phone_number",
    "questionnaire_responses.is_active",
    "questionnaire_responses.is_simple_questionnaire",
    "questionnaire_responses.sections.items.repeatable_config",
    "questionnaire_responses.sections.items.required_if",
];

#[test]
fn the_published_decision_is_typed_as_it_was_sent() {
    let decision = read(FULL).unwrap();
    let mut missing = Vec::new();
    let typed = serde_json::to_value(decision.reports()).unwrap();
    let sent: Value = serde_json::from_str(FULL).unwrap();
    for (name, typed) in typed.as_object().unwrap() {
        untyped(sent.get(name).unwrap_or(&Value::Null), typed, name, &mut missing);
    }
    missing.sort();
    missing.dedup();
    assert_eq!(missing, UNTYPED);
    let stored = serde_json::to_string(decision.reports()).unwrap();
    assert_eq!(serde_json::from_str::<Reports>(&stored).unwrap(), *decision.reports());
}

#[test]
fn a_decision_survives_serialization_to_the_last_digit() {
    for text in [FULL, NOT_STARTED, SHARED_USER, SHARED_BUSINESS] {
        let decision = read(text).unwrap();
        let text = text.trim_end();
        assert_eq!(decision.json().as_str(), text);
        let stored = serde_json::to_string(&decision).unwrap();
        assert_eq!(serde_json::from_str::<Decision>(&stored).unwrap(), decision);
        assert_eq!(stored, text);
    }
    let text = r#"{"status":"Approved","n":1.10,"m":118120836164494130086420187336801405660}"#;
    assert_eq!(serde_json::to_string(&read(text).unwrap()).unwrap(), text);
    let wrong = serde_json::from_str::<Decision>("{}").unwrap_err().to_string();
    assert!(wrong.contains("missing field `status`"), "{wrong}");
}

#[test]
fn what_is_known_of_the_session() {
    let decision = read(FULL).unwrap();
    assert_eq!(decision.session_id(), Some("11111111-2222-3333-4444-555555555555"));
    assert_eq!(decision.session_kind(), Some("user"));
    assert_eq!(decision.session_number().and_then(Number::as_i64), Some(43762));
    assert_eq!(decision.session_url(), Some("https://verify.didit.me/session/tok0tok0tok0"));
    assert_eq!((decision.status(), decision.environment()), (&Status::InReview, Some("live")));
    assert_eq!(decision.workflow_id(), Some("11111111-2222-3333-4444-555555555555"));
    assert_eq!(decision.features()[0].feature, "ID_VERIFICATION");
    assert_eq!(decision.vendor_data(), Some("11111111-1111-1111-1111-111111111111"));
    assert_eq!(decision.metadata().unwrap().get("account_id").unwrap().as_str(), r#""ABC123""#);
    assert!(decision.expected_details().unwrap().get("last_name").is_some());
    assert!(decision.contact_details().unwrap().get("phone").unwrap().is_null());
    assert_eq!(decision.callback(), Some("https://verify.didit.me/"));
    assert_eq!(decision.created_at().unwrap().as_str(), "2024-07-24T08:54:25.443172Z");
    assert_eq!(decision.expires_at().unwrap().as_str(), "2025-07-24T08:54:25.443172Z");
    let other = with(r#""nfc_skip_reason":"USER_SKIPPED","resubmit_info":{"reasons":{}}"#);
    assert_eq!(other.nfc_skip_reason(), Some("USER_SKIPPED"));
    assert_eq!(other.resubmit_info().unwrap().as_str(), r#"{"reasons":{}}"#);
}

#[test]
fn nothing_but_the_status_is_required() {
    let decision = read(r#"{"status":"Not Started"}"#).unwrap();
    assert_eq!((decision.session_id(), decision.reports()), (None, &Reports::default()));
    assert_eq!(*read(NOT_STARTED).unwrap().reports(), Reports::default());
    assert_eq!(read(SHARED_BUSINESS).unwrap().session_kind(), Some("business"));
    let status = |text: &str| read(text).unwrap_err().to_string();
    assert_eq!(status("{}"), "missing field `status` at line 1 column 2, in `status`");
    assert!(status(r#"{"status":null}"#).ends_with("in `status`"));
}

/// The pointers to all members of objects, the first element of each list standing for the others.
fn members(value: &Value, at: &str, pointers: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                members(value, &at, pointers);
                pointers.push(at);
            }
        }
        Value::Array(values) => {
            values.iter().take(1).for_each(|value| members(value, &format!("{at}/0"), pointers));
        }
        _ => {}
    }
}

/// A workflow may hold back any member of a report; and one that has another type is named.
#[test]
fn every_member_may_be_null_and_none_sinks_a_decision_silently() {
    let full: Value = serde_json::from_str(FULL).unwrap();
    let mut pointers = Vec::new();
    members(&full, "", &mut pointers);
    assert!(pointers.len() > 400, "{}", pointers.len());
    for pointer in pointers {
        let name = pointer[1..].split('/').next().unwrap();
        let with = |value: Value| {
            let mut sent = json!({"status": "Approved", name: full[name].clone()});
            *sent.pointer_mut(&pointer).unwrap() = value;
            read(&sent.to_string())
        };
        assert!(with(Value::Null).is_ok() || pointer == "/status", "{pointer}");
        if let Err(error) = with(json!({"canary": ["canary"]})) {
            let path = pointer[1..].replace("/0/", "[0]/").replace('/', ".");
            assert!(error.path().starts_with(&path), "{pointer}: {error}");
            assert!(error.path() == path || error.path() == format!("{path}.canary"), "{error}");
        }
    }
}

#[test]
fn a_kyb_decision() {
    let decision = read(
        r#"{"session_kind":"business","status":"Approved","registry_checks":[{"status":"Approved",
            "data_resolved":true,"company":{"company_name":"Example Ltd","country_code":"GB",
            "registered_capital_amount":"100.00","officers":[{"name":"A B","kyc_status":"Pending",
            "date_of_birth_year":1980}],"beneficial_owners":[{"roles":["ubo"],
            "effective_ownership_percent":33.3333}],"addresses":null,"financial_summary":{}}}],
            "key_people_checks":[{"status":"In Review","registry":{"officers":[],"beneficial_owners":
            [{"roles":[]}]},"submitted":{"parties":[{"roles":[{"role":"ubo","ownership_percent":50}]}]},
            "ubo_kyc_summary":{"total":1}}],"document_verifications":[{"status":"Approved","items":
            [{"document_type":"OTHER","file_size":1}],"groups":{},"required_groups":["a"]}],
            "id_verifications":null}"#,
    )
    .unwrap();
    let reports = decision.reports();
    let company = reports.registry_checks[0].company.as_ref().unwrap();
    // A decimal in a string.
    assert_eq!(company.registered_capital_amount.as_deref(), Some("100.00"));
    assert_eq!(company.officers[0].kyc_status, Some(Status::from("Pending")));
    let owner = &company.beneficial_owners[0];
    assert_eq!(owner.effective_ownership_percent.as_ref().unwrap().as_str(), "33.3333");
    let people = &reports.key_people_checks[0];
    assert_eq!(people.submitted.as_ref().unwrap().parties[0].roles.len(), 1);
    assert_eq!(people.registry.as_ref().unwrap().beneficial_owners.len(), 1);
    let documents = &reports.document_verifications[0];
    assert_eq!(documents.items[0].document_type.as_deref(), Some("OTHER"));
    assert_eq!(documents.required_groups, ["a"]);
}

#[test]
fn lists_are_arrays_null_or_absent() {
    for lists in [r#""id_verifications":[]"#, r#""id_verifications":null"#, r#""x":1"#] {
        assert_eq!(*with(lists).reports(), Reports::default(), "{lists}");
    }
    let nested = with(r#""liveness_checks":[{"warnings":null,"matches":null}]"#);
    assert!(nested.reports().liveness_checks[0].warnings.is_empty());
}

#[test]
fn questionnaires_are_an_array_or_an_object_by_node() {
    let report = r#"{"questionnaire_id":"q","sections":[{"items":[{"answer":{"value":"a","files":null}}]}]}"#;
    let by_node = with(&format!(r#""questionnaire_responses":{{"node_1":{report}}}"#));
    let array = with(&format!(r#""questionnaire_responses":[{report}]"#));
    assert_eq!(by_node.reports(), array.reports());
    let answer = array.reports().questionnaire_responses[0].sections[0].items[0].answer.clone();
    assert_eq!(answer.unwrap().value.unwrap().as_str(), r#""a""#);
    assert_eq!(*with(r#""questionnaire_responses":null"#).reports(), Reports::default());
}

/// Older test deliveries of the console name the scores in another way.
#[test]
fn scores_keep_their_digits_under_every_name() {
    let score = |number: &str| {
        let decision = with(&format!(r#""face_matches":[{{"score":{number}}}]"#));
        decision.reports().face_matches[0].score.as_ref().map(ToString::to_string)
    };
    for number in ["80", "100", "95.26", "36.8421052631579", "0.70349206349206350"] {
        assert_eq!(score(number).as_deref(), Some(number));
    }
    let older = with(
        r#""liveness_checks":[{"liveness_score":0.98}],
           "face_matches":[{"face_match_score":0.94,"similarity_percentage":94}]"#,
    );
    assert_eq!(older.reports().liveness_checks[0].score, None);
    assert!(older.json().as_str().contains(r#""face_match_score":0.94"#));
}

#[test]
fn ip_analyses_of_every_edition_are_kept() {
    for report in [
        r#"{"ip_country":"Spain","ip_country_code":"ES","is_vpn_or_tor":false}"#,
        r#"{"country":"ESP","is_vpn":false,"is_proxy":false,"is_tor":false,"is_datacenter":false,"risk_score":1}"#,
        r#"{"country":"ES","vpn":false,"proxy":false,"tor":false,"hosting":false}"#,
    ] {
        let decision = with(&format!(r#""ip_analyses":[{report}]"#));
        assert_eq!(decision.reports().ip_analyses.len(), 1);
        assert!(decision.json().as_str().contains(report));
    }
}

#[test]
fn distances_are_numbers_or_objects() {
    let ip = with(
        r#""ip_analyses":[{"ip":{"location":null,"distance_from_id_document":23.40,
            "distance_from_poa_document":{"distance":8393.68,"direction":"NE"}}}]"#,
    );
    let place = ip.reports().ip_analyses[0].ip.clone().unwrap();
    let [alone, directed] =
        [place.distance_from_id_document, place.distance_from_poa_document].map(Option::unwrap);
    assert_eq!(alone.distance.unwrap().as_str(), "23.40");
    assert_eq!(directed.distance.unwrap().as_str(), "8393.68");
    assert_eq!((alone.direction, directed.direction.as_deref()), (None, Some("NE")));
    assert_eq!((place.location, place.distance_from_ip), (None, None));
}

#[test]
fn offsets_and_serial_numbers_are_texts_or_numbers() {
    for (sent, expected) in [(r#""+0100""#, "+0100"), ("-8", "-8")] {
        let decision = with(&format!(r#""ip_analyses":[{{"time_zone_offset":{sent}}}]"#));
        assert_eq!(decision.reports().ip_analyses[0].time_zone_offset.as_deref(), Some(expected));
    }
    let digits = "118120836164494130086420187336801405660";
    for sent in [format!("{digits:?}"), digits.to_owned()] {
        let decision = with(&format!(
            r#""nfc_verifications":[{{"certificate_summary":{{"serial_number":{sent},
               "not_valid_after":"2031-02-18 10:21:11"}}}}]"#
        ));
        let certificate = decision.reports().nfc_verifications[0].certificate_summary.clone();
        let certificate = certificate.unwrap();
        assert_eq!(certificate.serial_number.as_deref(), Some(digits));
        assert!(certificate.not_valid_after.unwrap().parse_or_utc().is_some());
    }
}

#[test]
fn times_are_kept_in_every_notation() {
    for time in [
        "2024-07-24T08:54:25.328364Z",
        "2024-07-24T08:54:25Z",
        "2024-07-24T08:54:25.000000Z",
        "2025-08-24T09:12:39.580554+00:00",
        "2025-08-24T09:12:39-06:00",
    ] {
        let decision = with(&format!(r#""created_at":"{time}""#));
        assert_eq!(decision.created_at().unwrap().as_str(), time);
        assert!(decision.created_at().unwrap().parse().is_some());
    }
    let hits = r#"[{"first_seen":"2025-01-18T00:00:00","last_seen":null}]"#;
    let aml = with(&format!(r#""aml_screenings":[{{"hits":{hits}}}]"#));
    let hit = &aml.reports().aml_screenings[0].hits[0];
    assert_eq!(hit.first_seen.as_ref().unwrap().parse(), None);
    assert!(hit.first_seen.as_ref().unwrap().parse_or_utc().is_some());
}

#[test]
fn dates_and_ages_may_be_missing() {
    let report = |members: &str| {
        let decision = with(&format!(r#""id_verifications":[{{{members}}}]"#));
        decision.reports().id_verifications[0].clone()
    };
    let document = report(
        r#""date_of_birth":"1990-05-15","date_of_issue":null,"age":45,"mrz":{"birth_date":"900515"}"#,
    );
    assert_eq!(document.date_of_birth.unwrap().parse().unwrap().year(), 1990);
    assert_eq!((document.date_of_issue, document.age.unwrap().as_i64()), (None, Some(45)));
    assert_eq!(document.mrz.unwrap().get("birth_date").unwrap().as_str(), r#""900515""#);
    let lookup = report(r#""verification_method":"id_lookup","assurance":"data_match""#);
    assert_eq!((lookup.age, lookup.document_type), (None, None));
    let liveness = with(r#""liveness_checks":[{"age_estimation":24.3},{"age_estimation":null}]"#);
    let ages = &liveness.reports().liveness_checks;
    assert_eq!(ages[0].age_estimation.as_ref().unwrap().as_str(), "24.3");
    assert_eq!(ages[1].age_estimation, None);
}

#[test]
fn hits_have_scores_of_both_scales_and_properties_or_none() {
    let aml = with(
        r#""aml_screenings":[{"score":80,"hits":[{"score":0.7034920634920635,"match_score":98,
            "properties":{"name":["A"],"title":null}}]}]"#,
    );
    let screening = &aml.reports().aml_screenings[0];
    assert_eq!(screening.score.as_ref().unwrap().as_str(), "80");
    assert_eq!(screening.hits[0].score.as_ref().unwrap().as_str(), "0.7034920634920635");
    let properties = screening.hits[0].properties.as_ref().unwrap();
    assert!(properties.get("title").unwrap().is_null());
    assert_eq!(properties.get("name").unwrap().deserialize::<Vec<String>>().unwrap(), ["A"]);
}

#[test]
fn addresses_and_extra_fields_have_any_shape() {
    for address in ["null", r#"{"country":"ES","raw_results":[1]}"#, r#"{"country":"ESP"}"#] {
        let decision = with(&format!(
            r#""id_verifications":[{{"parsed_address":{address},"extra_fields":{{"x":[]}}}}]"#
        ));
        let document = &decision.reports().id_verifications[0];
        let sent = document.parsed_address.as_ref().map_or("null", |address| address.as_str());
        assert_eq!(sent, address);
        assert_eq!(document.extra_fields.as_ref().unwrap().as_str(), r#"{"x":[]}"#);
    }
}

#[test]
fn codes_are_kept_as_they_are_spelt() {
    for (name, spellings) in
        [("marital_status", ["Single", "SINGLE", "UNKNOWN"]), ("gender", ["M", "F", "U"])]
    {
        for spelling in spellings {
            let decision = with(&format!(r#""id_verifications":[{{"{name}":"{spelling}"}}]"#));
            let document = &decision.reports().id_verifications[0];
            let kept = if name == "gender" { &document.gender } else { &document.marital_status };
            assert_eq!(kept.as_deref(), Some(spelling));
        }
    }
    for method in ["ACTIVE_3D", "active"] {
        let decision = with(&format!(r#""liveness_checks":[{{"method":"{method}"}}]"#));
        assert_eq!(decision.reports().liveness_checks[0].method.as_deref(), Some(method));
    }
    let device = with(r#""ip_analyses":[{"platform":null,"device_model":"iPhone"}]"#);
    assert_eq!(device.reports().ip_analyses[0].platform, None);
}

#[test]
fn features_are_names_or_objects() {
    let names = with(r#""features":["EMAIL_VERIFICATION","FACEMATCH","OCR"]"#);
    let features = names.features().iter().map(|feature| &*feature.feature).collect::<Vec<_>>();
    assert_eq!(features, ["EMAIL_VERIFICATION", "FACEMATCH", "OCR"]);
    // With the events, which have no type.
    let objects = with(
        r#""features":[{"feature":"EMAIL","node_id":"feature_email_1"}],"events":[{"n":1.0}],
            "workflow_version":3"#,
    );
    assert_eq!(objects.features()[0].node_id.as_deref(), Some("feature_email_1"));
    assert_eq!(objects.json().get("events").unwrap().as_str(), r#"[{"n":1.0}]"#);
    assert!(with(r#""features":null"#).features().is_empty());
}

#[test]
fn metadata_is_any_json() {
    for metadata in [r#"{"a":1.0}"#, r#""{\"a\":1}""#, "[1]", "7", "true"] {
        let decision = with(&format!(r#""metadata":{metadata}"#));
        assert_eq!(decision.metadata().unwrap().as_str(), metadata);
    }
    assert_eq!(with(r#""metadata":null"#).metadata(), None);
}

#[test]
fn warnings_may_be_absent_and_have_data_of_any_shape() {
    let decision = with(
        r#""face_matches":[{"status":"Declined"},{"warnings":[{"feature":"FACEMATCH",
            "risk":"LOW_FACE_MATCH_SIMILARITY","additional_data":{"a":[]}}]}]"#,
    );
    let reports = &decision.reports().face_matches;
    assert!(reports[0].warnings.is_empty());
    let warning = &reports[1].warnings[0];
    assert_eq!(warning.risk.as_deref(), Some("LOW_FACE_MATCH_SIMILARITY"));
    assert_eq!(warning.additional_data.as_ref().unwrap().as_str(), r#"{"a":[]}"#);
}

#[test]
fn statuses_of_any_case_and_unknown_ones_are_kept() {
    assert_eq!(*read(r#"{"status":"KYC Expired"}"#).unwrap().status(), Status::KycExpired);
    assert_eq!(read(r#"{"status":"On Hold"}"#).unwrap().status().as_str(), "On Hold");
    let report = with(r#""face_matches":[{"status":"Resub Requested"}]"#);
    assert_eq!(report.reports().face_matches[0].status, Some(Status::ResubRequested));
}

#[test]
fn a_decision_of_an_older_version_is_refused_as_such() {
    let error = read(V1).unwrap_err();
    assert_eq!(error.path(), "kyc");
    assert!(error.to_string().starts_with(
        "this is a v1 decision; call /v3/, or set the webhook's version to v3 at line"
    ));
    for report in ["id_verification", "liveness", "face_match", "phone", "email", "poa"] {
        let v2 = format!(r#"{{"status":"Approved","features":["OCR"],"{report}":{{}}}}"#);
        let error = read(&v2).unwrap_err();
        assert!(error.to_string().starts_with("this is a v2 decision"), "{error}");
        assert_eq!(error.path(), report);
    }
    // In the third version it would be a new member.
    assert!(read(r#"{"status":"Approved","id_verifications":null,"phone":{}}"#).is_ok());
    assert!(read(r#"{"status":"Approved","phone":null}"#).is_ok());
}

#[test]
fn another_type_than_documented_is_an_error_without_the_value() {
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
        assert_eq!(error.line(), 3, "{error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    for broken in ["", "[]", "{", "{\"status\":\"A\",\"status\":\"B\"}", "\u{feff}{"] {
        assert!(read(broken).is_err(), "{broken}");
    }
}

/// Every text and number of the published decision but its statuses and codes.
#[test]
fn debug_shows_nobody() {
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
