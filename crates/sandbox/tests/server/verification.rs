use std::time::Duration;

use didit_sandbox::{Application, Fault, Quota, Route, Sandbox, VerificationLimits, fixtures};
use serde_json::{Value, json};

use crate::raw::{Answer, request, send};

pub(crate) const WORKFLOW: &str = "11111111-2222-3333-4444-555555555555";
const UNKNOWN: &str = "99999999-2222-3333-4444-555555555555";

/// Sends a request with the default key; a body makes it JSON.
pub(crate) fn ask(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> Answer {
    let json = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    let headers = format!("x-api-key: sandbox-api-key\r\n{json}");
    send(sandbox, &request(method, path, &headers, body)).unwrap()
}

pub(crate) fn create(sandbox: &Sandbox, more: &Value) -> Value {
    let mut body = json!({ "workflow_id": WORKFLOW });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let created = ask(sandbox, "POST", "/v3/session/", &body.to_string());
    assert_eq!(created.status, 201, "{}", created.text());
    created.json()
}

pub(crate) fn id_of(session: &Value) -> String {
    session["session_id"].as_str().unwrap().to_owned()
}

fn decision(sandbox: &Sandbox, id: &str) -> Answer {
    ask(sandbox, "GET", &format!("/v3/session/{id}/decision/"), "")
}

fn update(sandbox: &Sandbox, id: &str, body: &Value) -> Answer {
    ask(sandbox, "PATCH", &format!("/v3/session/{id}/update-status/"), &body.to_string())
}

fn keys(value: &Value) -> Vec<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn a_session_is_created_as_published() {
    let sandbox = Sandbox::start().unwrap();
    let more = json!({
        "vendor_data": "user-1", "metadata": {"a": [1.5]}, "callback": "https://example.com/done",
        "expected_details": {"first_name": "Ana"},
    });
    let created = create(&sandbox, &more);
    let published: Value = serde_json::from_str(fixtures::verification::SESSION_CREATED).unwrap();
    assert_eq!(keys(&created), keys(&published));
    assert_eq!(created["status"], "Not Started");
    assert_eq!(created["metadata"], more["metadata"]);
    let token = created["session_token"].as_str().unwrap();
    assert_eq!(token.len(), 12);
    assert_eq!(created["url"], format!("{}/session/{token}", sandbox.url()));

    let decision = decision(&sandbox, &id_of(&created)).json();
    let published: Value =
        serde_json::from_str(fixtures::verification::DECISION_NOT_STARTED).unwrap();
    assert_eq!(keys(&decision), keys(&published));
    assert_eq!(decision["expected_details"], more["expected_details"]);
    assert_eq!(decision["id_verifications"], Value::Null);
    assert_eq!(decision["vendor_data"], "user-1");
}

#[test]
fn what_is_wrong_with_a_creation_is_said_as_documented() {
    let sandbox = Sandbox::start().unwrap();
    for (body, status, answer) in [
        ("{}", 400, json!({"workflow_id": ["This field is required."]})),
        (r#"{"workflow_id":"x"}"#, 400, json!({"workflow_id": "Invalid workflow_id."})),
        ("[]", 400, Value::Null),
        ("{", 400, Value::Null),
    ] {
        let refused = ask(&sandbox, "POST", "/v3/session/", body);
        assert_eq!(refused.status, status, "{body}");
        if answer.is_null() {
            assert!(refused.json()["detail"].as_str().unwrap().starts_with("JSON parse error"));
        } else {
            assert_eq!(refused.json(), answer);
        }
    }
    let plain = "x-api-key: sandbox-api-key\r\nContent-Type: text/plain\r\n";
    assert_eq!(send(&sandbox, &request("POST", "/v3/session/", plain, "{}")).unwrap().status, 415);
}

#[test]
fn an_unfinished_session_is_returned_again_for_the_same_vendor_data() {
    let sandbox = Sandbox::start().unwrap();
    let first = create(&sandbox, &json!({"vendor_data": "u", "metadata": 1}));
    let again = create(&sandbox, &json!({"vendor_data": "u", "metadata": 2, "callback": "a://b"}));
    assert_eq!(again["session_id"], first["session_id"]);
    assert_eq!((&again["metadata"], &again["callback"]), (&json!(2), &json!("a://b")));
    let other_user = create(&sandbox, &json!({"vendor_data": "v"}));
    let other_workflow = json!({"vendor_data": "u", "workflow_id": UNKNOWN});
    assert_ne!(other_user["session_id"], first["session_id"]);
    assert_ne!(create(&sandbox, &other_workflow)["session_id"], first["session_id"]);
    assert_ne!(
        create(&sandbox, &json!({}))["session_id"],
        create(&sandbox, &json!({}))["session_id"]
    );
    sandbox.verification().set_status(&id_of(&first), "Approved");
    let next = create(&sandbox, &json!({"vendor_data": "u"}));
    assert_ne!(next["session_id"], first["session_id"]);
}

#[test]
fn a_decision_has_reports_once_the_steps_have_run() {
    let sandbox = Sandbox::start().unwrap();
    let id = id_of(&create(&sandbox, &json!({})));
    let published: Value = serde_json::from_str(fixtures::verification::DECISION).unwrap();
    for (status, document) in
        [("Approved", "Approved"), ("Declined", "Declined"), ("In Review", "Approved")]
    {
        sandbox.verification().set_status(&id, status);
        let decision = decision(&sandbox, &id).json();
        assert_eq!(keys(&decision), keys(&published));
        assert_eq!((&decision["status"], &decision["session_id"]), (&json!(status), &json!(id)));
        assert_eq!(decision["id_verifications"][0]["status"], document);
        assert_eq!(decision["environment"], "sandbox");
    }
    sandbox.verification().set_status(&id, "Abandoned");
    assert_eq!(decision(&sandbox, &id).json()["id_verifications"], Value::Null);
    let events = format!("/v3/session/{id}/decision/?include=events");
    let events = ask(&sandbox, "GET", &events, "").json();
    assert_eq!(
        events["features"][0],
        json!({"feature": "ID_VERIFICATION", "node_id": "feature_ocr_1"})
    );
    assert!(events["events"].is_array() && events.get("session_kind").is_none());
}

#[test]
fn an_id_that_was_never_created_is_a_sample_unless_the_sandbox_is_strict() {
    let lenient = Sandbox::start().unwrap();
    let mut published: Value = serde_json::from_str(fixtures::verification::DECISION).unwrap();
    published["session_id"] = UNKNOWN.into();
    assert_eq!(decision(&lenient, UNKNOWN).json(), published);
    lenient.verification().set_status(UNKNOWN, "Approved");
    assert_eq!(decision(&lenient, UNKNOWN).json()["status"], "Approved");
    lenient.verification().decision(UNKNOWN, "odd");
    assert_eq!(decision(&lenient, UNKNOWN).text(), "odd");
    lenient.verification().missing(UNKNOWN);
    assert_eq!(decision(&lenient, UNKNOWN).json(), json!({"detail": "Not found."}));

    let strict = Sandbox::builder().strict(true).start().unwrap();
    assert_eq!(decision(&strict, UNKNOWN).status, 404);
    assert_eq!(decision(&strict, &id_of(&create(&strict, &json!({})))).status, 200);
}

#[test]
fn credentials_are_refused_with_403_and_after_the_owner_was_looked_up() {
    let other = Application::new("other-id", "s");
    let sandbox = Sandbox::builder().strict(true).application(other).start().unwrap();
    let id = id_of(&create(&sandbox, &json!({})));
    let by =
        |headers: &str, path: &str| send(&sandbox, &request("GET", path, headers, "")).unwrap();
    let path = format!("/v3/session/{id}/decision/");
    for headers in ["", "x-api-key: wrong\r\n", "Authorization: Bearer sandbox-api-key\r\n"] {
        let refused = by(headers, &path);
        assert_eq!(refused.status, 403);
        assert_eq!(
            refused.json(),
            json!({"detail": "Authentication credentials were not provided or are invalid."})
        );
    }
    assert_eq!(
        by("", "/v3/sessions/").json(),
        json!({"detail": "You do not have permission to perform this action."})
    );
    assert_eq!(by("", &path.replace(&id, UNKNOWN)).status, 404);
    let key = "x-api-key: other-id-api-key\r\n";
    assert_eq!(by(key, &path).status, 404);
    assert_eq!(by(key, "/v3/sessions/").json()["count"], 0);
}

#[test]
fn the_router_answers_before_anything_else() {
    let sandbox = Sandbox::start().unwrap();
    let html = ask(&sandbox, "GET", "/v3/session/NOT-A-UUID/decision/", "");
    assert_eq!((html.status, html.header("Content-Type")), (404, Some("text/html; charset=utf-8")));
    assert!(html.text().starts_with("<!doctype html>"));
    let moved = ask(&sandbox, "GET", "/v3/sessions?limit=1", "");
    assert_eq!((moved.status, moved.header("Location")), (301, Some("/v3/sessions/?limit=1")));
    let wrong = ask(&sandbox, "DELETE", "/v3/sessions/", "");
    assert_eq!((wrong.status, wrong.header("Allow")), (405, Some("GET")));
    assert_eq!(wrong.json(), json!({"detail": "Method \"DELETE\" not allowed."}));
}

#[test]
fn the_list_is_walked_by_next() {
    let sandbox = Sandbox::start().unwrap();
    for number in 1..=5 {
        create(&sandbox, &json!({"vendor_data": format!("user-{number}")}));
    }
    let mut path = "/v3/sessions/?limit=2&search=user".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = ask(&sandbox, "GET", &path, "").json();
        assert_eq!(page["count"], 5);
        seen.extend(
            page["results"].as_array().unwrap().iter().map(|row| row["session_number"].clone()),
        );
        let Some(next) = page["next"].as_str() else { break };
        path = next.strip_prefix("http://127.0.0.1").unwrap().to_owned();
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
    let second = ask(&sandbox, "GET", "/v3/sessions/?limit=2&offset=2", "").json();
    assert_eq!(second["previous"], "http://127.0.0.1/v3/sessions/?limit=2");

    let published: Value = serde_json::from_str(fixtures::verification::SESSIONS_PAGE).unwrap();
    let row = &second["results"][0];
    assert_eq!(keys(row), keys(&published["results"][0]));
    assert_eq!(
        (&row["full_name"], &row["features"][0]["status"]),
        (&Value::Null, &json!("Not Finished"))
    );
}

#[test]
fn the_list_is_filtered() {
    let sandbox = Sandbox::start().unwrap();
    let approved = id_of(&create(&sandbox, &json!({"vendor_data": "a"})));
    create(
        &sandbox,
        &json!({"vendor_data": "b", "contact_details": {"email": "user@example.com"}}),
    );
    sandbox.verification().set_status(&approved, "Approved");
    let found = |query: &str| {
        let page = ask(&sandbox, "GET", &format!("/v3/sessions/?{query}"), "").json();
        let rows = page["results"].as_array().unwrap().iter();
        rows.map(|row| row["vendor_data"].as_str().unwrap().to_owned()).collect::<String>()
    };
    for (query, expected) in [
        ("", "ba"),
        ("status=Approved", "a"),
        ("status=Approved,Not%20Started", "ba"),
        ("status=approved", ""),
        ("vendor_data=b", "b"),
        ("country=ESP", "a"),
        ("session_kind=business", ""),
        ("session_kind=all&session_type=API", "ba"),
        ("session_type=HOSTED", ""),
        ("date_from=2020-01-01&date_to=2999-01-01", "ba"),
        ("date_to=2020-01-01", ""),
        (&format!("workflow_id={WORKFLOW}"), "ba"),
        ("limit=nonsense&offset=-1&unknown=1", "ba"),
    ] {
        assert_eq!(found(query), expected, "{query}");
    }
    let page = ask(&sandbox, "GET", "/v3/sessions/?vendor_data=a", "").json();
    assert_eq!(page["results"][0]["full_name"], "Ana Pérez Ñuñez");
    assert_eq!(ask(&sandbox, "GET", "/v3/sessions/?date_from=x", "").status, 400);
}

#[test]
fn a_status_is_updated_by_the_rules() {
    let sandbox = Sandbox::start().unwrap();
    let id = id_of(&create(&sandbox, &json!({})));
    let approve = json!({"new_status": "Approved"});
    let early = update(&sandbox, &id, &approve);
    assert_eq!(early.status, 400);
    assert!(early.json()["detail"].as_str().unwrap().ends_with("Current status: Not Started"));

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
fn of_two_equal_updates_at_once_one_is_refused() {
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
fn a_session_is_resubmitted_with_the_nodes_that_failed() {
    let sandbox = Sandbox::start().unwrap();
    let id = id_of(&create(&sandbox, &json!({"vendor_data": "u"})));
    let resubmit = json!({"new_status": "Resubmitted"});
    sandbox.verification().set_status(&id, "Approved");
    let nothing = update(&sandbox, &id, &resubmit);
    assert!(nothing.text().contains("All features are already approved"), "{}", nothing.text());
    let bogus = json!({
        "new_status": "Resubmitted", "nodes_to_resubmit": [{"node_id": "a", "feature": "BOGUS"}],
    });
    assert!(update(&sandbox, &id, &bogus).text().contains("\\\"BOGUS\\\" is not a valid choice."));
    sandbox.verification().set_status(&id, "Declined");
    assert_eq!(update(&sandbox, &id, &resubmit).status, 200);
    let info = decision(&sandbox, &id).json()["resubmit_info"].clone();
    assert_eq!(
        info["nodes_to_resubmit"],
        json!([{"node_id": "feature_ocr_1", "feature": "ID_VERIFICATION"}])
    );
    // It waits for its user, so it is the one to go on with.
    assert_eq!(id_of(&create(&sandbox, &json!({"vendor_data": "u"}))), id);
}

#[test]
fn a_pdf_is_there_once_the_session_is_finished() {
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
fn a_deleted_session_is_gone() {
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
fn limits_are_told_on_429_only() {
    let quota = |limit| Some(Quota { limit, window: Duration::from_secs(60) });
    let limits = VerificationLimits { get: quota(1), create: quota(2), ..VerificationLimits::NONE };
    let sandbox = Sandbox::builder().verification_limits(limits).start().unwrap();
    let id = id_of(&create(&sandbox, &json!({})));
    let first = decision(&sandbox, &id);
    assert_eq!((first.status, first.header("X-RateLimit-Limit")), (200, None));
    let refused = ask(&sandbox, "GET", "/v3/sessions/", "");
    assert_eq!(refused.status, 429);
    assert_eq!(
        refused.json()["detail"],
        "GET request rate limit exceeded. You can make up to 1 requests per minute."
    );
    assert_eq!(refused.header("X-RateLimit-Limit"), Some("1"));
    assert_eq!(refused.header("X-RateLimit-Remaining"), Some("0"));
    assert!(refused.header("X-RateLimit-Reset").unwrap().parse::<u64>().unwrap() > 1_700_000_000);
    assert!((1..=60).contains(&refused.header("Retry-After").unwrap().parse::<u64>().unwrap()));
    create(&sandbox, &json!({}));
    let third = ask(&sandbox, "POST", "/v3/session/", "{}");
    assert_eq!(third.status, 429);
    assert!(third.text().starts_with("{\"detail\":\"Session creation rate limit exceeded."));
    sandbox.advance(Duration::from_secs(60));
    assert_eq!(decision(&sandbox, &id).status, 200);
    assert_eq!(VerificationLimits::DOCUMENTED.pdf, quota(50));
}

#[test]
fn faults_are_met_here_too() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.apply("verification-decision:status=503,times=1".parse().unwrap());
    sandbox.script(Route::CreateVerification, [Fault::Close]);
    assert_eq!(decision(&sandbox, UNKNOWN).status, 503);
    assert_eq!(decision(&sandbox, UNKNOWN).status, 200);
    let create = request("POST", "/v3/session/", "x-api-key: sandbox-api-key\r\n", "{}");
    assert!(send(&sandbox, &create).is_err());
    assert_eq!(sandbox.requests_to(Route::VerificationDecision).len(), 2);
}

#[test]
fn a_session_that_is_not_begun_expires_and_one_that_is_left_is_abandoned() {
    let sandbox = Sandbox::start().unwrap();
    let [idle, begun] = [(); 2].map(|()| id_of(&create(&sandbox, &json!({}))));
    sandbox.verification().set_status(&begun, "In Progress");
    sandbox.advance(Duration::from_secs(7 * 86_400));
    assert_eq!(decision(&sandbox, &idle).json()["status"], "Expired");
    assert_eq!(decision(&sandbox, &begun).json()["status"], "Abandoned");
    // One that its user has to do again gets new time.
    assert_eq!(update(&sandbox, &begun, &json!({"new_status": "Resubmitted"})).status, 200);
    sandbox.advance(Duration::from_secs(6 * 86_400));
    assert_eq!(decision(&sandbox, &begun).json()["status"], "Resubmitted");
    sandbox.advance(Duration::from_secs(86_400));
    assert_eq!(decision(&sandbox, &begun).json()["status"], "Abandoned");
}
