use std::time::Duration;

use didit_sandbox::Sandbox;
use serde_json::{Value, json};

use super::{UNKNOWN, ask, create, decision, id_of, update};

#[test]
fn status_update_follows_documented_rules() {
    let sandbox = Sandbox::start().unwrap();
    let id = id_of(&create(&sandbox, &json!({})));
    let approve = json!({"new_status": "Approved"});
    for body in [&approve, &json!({})] {
        let early = update(&sandbox, &id, body);
        assert_eq!(early.status, 400);
        assert!(early.json()["detail"].as_str().unwrap().ends_with("Current status: Not Started"));
    }

    sandbox.verification().set_status(&id, "In Review");
    for (body, answer) in [
        (json!({}), json!({"new_status": ["This field is required."]})),
        (
            json!({"new_status": "Bogus"}),
            json!({"new_status": ["\"Bogus\" is not a valid choice."]}),
        ),
        (
            json!({"new_status": "Expired"}),
            json!({"new_status": [
                "You can only update the status to 'Approved', 'Declined', or 'Resubmitted'."
            ]}),
        ),
        (
            json!({"new_status": "Approved", "send_email": true}),
            json!({"email_address": ["Email address is required when send_email is true."]}),
        ),
    ] {
        let refused = update(&sandbox, &id, &body);
        assert_eq!((refused.status, refused.json()), (400, answer));
    }
    let commented = json!({"new_status": "Approved", "comment": "seen"});
    let updated = update(&sandbox, &id, &commented);
    assert_eq!((updated.status, updated.json()), (200, json!({"session_id": id})));
    let again = update(&sandbox, &id, &approve);
    assert_eq!(again.status, 400);
    assert_eq!(again.json(), json!(["The new status is the same as the current status."]));
    let decision = decision(&sandbox, &id).json();
    assert_eq!(decision["status"], "Approved");
    let review = &decision["reviews"][0];
    assert_eq!((&review["user"], &review["comment"]), (&json!("API Client"), &json!("seen")));
    assert_eq!(update(&sandbox, UNKNOWN, &approve).status, 404);
}

#[test]
fn concurrent_duplicate_update_is_refused() {
    let sandbox = Sandbox::start().unwrap();
    let id = id_of(&create(&sandbox, &json!({})));
    sandbox.verification().set_status(&id, "In Review");
    let approve = json!({"new_status": "Approved"});
    let mut statuses = std::thread::scope(|scope| {
        let ask = || update(&sandbox, &id, &approve).status;
        let both = [scope.spawn(ask), scope.spawn(ask)];
        both.map(|thread| thread.join().unwrap())
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
}

#[test]
fn resubmission_names_the_failed_nodes() {
    let sandbox = Sandbox::start().unwrap();
    let id = id_of(&create(&sandbox, &json!({"vendor_data": "u"})));
    let resubmit = json!({"new_status": "Resubmitted"});
    sandbox.verification().set_status(&id, "Approved");
    let empty = json!({"new_status": "Resubmitted", "nodes_to_resubmit": []});
    for body in [&resubmit, &empty] {
        let nothing = update(&sandbox, &id, body).text();
        assert!(nothing.contains("All features are already approved"), "{nothing}");
    }
    let with = |new_status: &str, feature: &str| {
        let nodes = json!([{"node_id": "a", "feature": feature}]);
        let body = json!({"new_status": new_status, "nodes_to_resubmit": nodes});
        update(&sandbox, &id, &body).text()
    };
    for new_status in ["Declined", "Resubmitted"] {
        let bogus = with(new_status, "BOGUS");
        assert!(bogus.contains("\\\"BOGUS\\\" is not a valid choice."), "{bogus}");
    }
    for feature in ["KYB_REGISTRY", "KYB_KEY_PEOPLE", "KYB"] {
        let why = format!("The following features cannot be resubmitted directly: {feature}. ");
        let parent = with("Resubmitted", feature);
        assert!(parent.contains(&why), "{parent}");
    }
    sandbox.verification().set_status(&id, "Declined");
    assert_eq!(update(&sandbox, &id, &resubmit).status, 200);
    let info = decision(&sandbox, &id).json()["resubmit_info"].clone();
    assert_eq!(
        info["nodes_to_resubmit"],
        json!([{"node_id": "feature_ocr_1", "feature": "ID_VERIFICATION"}])
    );
    // It waits for its user again, so it is returned instead of a new session.
    assert_eq!(id_of(&create(&sandbox, &json!({"vendor_data": "u"}))), id);
}

#[test]
fn pdf_requires_a_finished_session() {
    let sandbox = Sandbox::start().unwrap();
    let id = id_of(&create(&sandbox, &json!({})));
    let path = format!("/v3/session/{id}/generate-pdf/");
    let early = ask(&sandbox, "GET", &path, "");
    assert_eq!(early.status, 403);
    assert!(early.text().contains("You can only generate a PDF"));
    sandbox.verification().set_status(&id, "Approved");
    let pdf = ask(&sandbox, "GET", &path, "");
    assert_eq!((pdf.status, pdf.header("Content-Type")), (200, Some("application/pdf")));
    let name = format!("attachment; filename=session_{id}.pdf");
    assert_eq!(pdf.header("Content-Disposition"), Some(&*name));
    assert!(pdf.body.starts_with(b"%PDF-1.4") && pdf.body.ends_with(b"%%EOF\n"));
}

#[test]
fn deleted_session_is_not_found() {
    let sandbox = Sandbox::start().unwrap();
    let outcome = |more: Value, body: &str| {
        let id = id_of(&create(&sandbox, &more));
        let path = format!("/v3/session/{id}/delete/");
        let deleted = ask(&sandbox, "DELETE", &path, body);
        assert_eq!(deleted.json()["session_id"], id);
        let gone = decision(&sandbox, &id);
        assert_eq!((gone.status, gone.json()), (404, json!({"detail": "Session not found."})));
        assert_eq!(ask(&sandbox, "DELETE", &path, "").status, 404);
        deleted.json()["face_retention_outcome"].as_str().unwrap().to_owned()
    };
    let retain = r#"{"retain_face_embeddings": true, "face_retention_days": 30}"#;
    assert_eq!(outcome(json!({}), ""), "deleted");
    assert_eq!(outcome(json!({"vendor_data": "u"}), retain), "retained_with_user");
    assert_eq!(outcome(json!({}), retain), "ineligible_no_vendor_user");
    assert_eq!(ask(&sandbox, "GET", "/v3/sessions/", "").json()["count"], 0);
    let id = id_of(&create(&sandbox, &json!({})));
    let endless = ask(
        &sandbox,
        "DELETE",
        &format!("/v3/session/{id}/delete/"),
        r#"{"retain_face_embeddings":true}"#,
    );
    assert_eq!(endless.status, 400);
}

#[test]
fn unstarted_session_expires_and_started_one_is_abandoned() {
    let sandbox = Sandbox::start().unwrap();
    let [idle, started] = [(); 2].map(|()| id_of(&create(&sandbox, &json!({}))));
    sandbox.verification().set_status(&started, "In Progress");
    sandbox.advance(Duration::from_secs(7 * 86_400));
    assert_eq!(decision(&sandbox, &idle).json()["status"], "Expired");
    assert_eq!(decision(&sandbox, &started).json()["status"], "Abandoned");
    // A resubmitted session gets a new expiry time.
    // It has no reports, so the nodes must be named.
    let mut resubmit = json!({"new_status": "Resubmitted"});
    assert_eq!(update(&sandbox, &started, &resubmit).status, 400);
    resubmit["nodes_to_resubmit"] = json!([{"node_id": "feature_ocr_1", "feature": "OCR"}]);
    assert_eq!(update(&sandbox, &started, &resubmit).status, 200);
    sandbox.advance(Duration::from_secs(6 * 86_400));
    assert_eq!(decision(&sandbox, &started).json()["status"], "Resubmitted");
    sandbox.advance(Duration::from_secs(86_400));
    assert_eq!(decision(&sandbox, &started).json()["status"], "Abandoned");
}
