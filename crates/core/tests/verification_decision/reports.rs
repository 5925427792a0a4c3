//! Each known notation of the members of reports in the documentation and the service.

use didit_core::verification::{Reports, Status};

use super::{read, with};

#[test]
fn kyb_reports_are_typed() {
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
    // A decimal number in a string.
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
    let elements = with(r#""features":[null,"OCR"],"face_matches":[null,{"warnings":[null]}]"#);
    assert_eq!((elements.features().len(), elements.reports().face_matches.len()), (1, 1));
    assert!(elements.reports().face_matches[0].warnings.is_empty());
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

/// Older test deliveries from the console use other names for the scores.
#[test]
fn scores_keep_their_digits_and_old_names_are_untyped() {
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
fn ip_analyses_of_all_versions_are_parsed() {
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
fn offsets_and_serial_numbers_are_strings_or_numbers() {
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
        assert!(certificate.not_valid_after.unwrap().to_date_time_or_utc().is_some());
    }
}

#[test]
fn times_keep_their_notation() {
    for time in [
        "2024-07-24T08:54:25.328364Z",
        "2024-07-24T08:54:25Z",
        "2024-07-24T08:54:25.000000Z",
        "2025-08-24T09:12:39.580554+00:00",
        "2025-08-24T09:12:39-06:00",
    ] {
        let decision = with(&format!(r#""created_at":"{time}""#));
        assert_eq!(decision.created_at().unwrap().as_str(), time);
        assert!(decision.created_at().unwrap().to_date_time().is_some());
    }
    let hits = r#"[{"first_seen":"2025-01-18T00:00:00","last_seen":null}]"#;
    let aml = with(&format!(r#""aml_screenings":[{{"hits":{hits}}}]"#));
    let hit = &aml.reports().aml_screenings[0].hits[0];
    assert_eq!(hit.first_seen.as_ref().unwrap().to_date_time(), None);
    assert!(hit.first_seen.as_ref().unwrap().to_date_time_or_utc().is_some());
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
    assert_eq!(document.date_of_birth.unwrap().to_date().unwrap().year(), 1990);
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
fn hits_have_scores_of_either_scale_and_optional_properties() {
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
fn codes_keep_their_spelling() {
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
    // A decision with events, which are untyped.
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
