mod change;
mod create;
mod list;

use std::time::Duration;

use didit_sandbox::{Application, Fault, Quota, Route, Sandbox, VerificationLimits, fixtures};
use serde_json::{Value, json};

use crate::raw::{Answer, request, send};

pub(crate) const WORKFLOW: &str = "11111111-2222-3333-4444-555555555555";
const UNKNOWN: &str = "99999999-2222-3333-4444-555555555555";

/// Sends a request with the default API key; with a JSON content type if there is a body.
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
fn decision_has_reports_for_finished_sessions() {
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
fn unknown_id_is_a_sample_unless_strict() {
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
fn unknown_session_precedes_missing_credentials() {
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
fn router_answers_unknown_paths_and_methods() {
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
fn only_429_has_rate_limit_headers() {
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
fn daily_session_limit_has_no_headers() {
    let sessions = Some(Quota { limit: 2, window: Duration::from_secs(86_400) });
    let limits = VerificationLimits { sandbox_sessions: sessions, ..VerificationLimits::NONE };
    let sandbox = Sandbox::builder().verification_limits(limits).start().unwrap();
    create(&sandbox, &json!({"vendor_data": "user-1"}));
    create(&sandbox, &json!({}));
    let refused =
        ask(&sandbox, "POST", "/v3/session/", &json!({ "workflow_id": WORKFLOW }).to_string());
    assert_eq!(refused.status, 429);
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("Sandbox session quota exceeded (2 sessions per 24h)."), "{detail}");
    for header in ["X-RateLimit-Limit", "X-RateLimit-Reset", "Retry-After"] {
        assert_eq!(refused.header(header), None);
    }
    // A session that is returned again does not count.
    create(&sandbox, &json!({"vendor_data": "user-1"}));
    sandbox.advance(Duration::from_secs(86_400));
    create(&sandbox, &json!({}));
    assert_eq!(VerificationLimits::DOCUMENTED.sandbox_sessions.unwrap().limit, 500);
}

#[test]
fn faults_apply_to_verification_routes() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.apply("verification-decision:status=503,times=1".parse().unwrap());
    sandbox.script(Route::CreateVerification, [Fault::Close]);
    assert_eq!(decision(&sandbox, UNKNOWN).status, 503);
    assert_eq!(decision(&sandbox, UNKNOWN).status, 200);
    let create = request("POST", "/v3/session/", "x-api-key: sandbox-api-key\r\n", "{}");
    assert!(send(&sandbox, &create).is_err());
    assert_eq!(sandbox.requests_to(Route::VerificationDecision).len(), 2);
}
