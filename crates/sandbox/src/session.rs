//! `/auth/v2/session/`: creating sessions, their status and their decisions.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use serde_json::{Map, Value, json};

use crate::RecordedRequest;
use crate::answer::Answer;
use crate::authorize::authorize;
use crate::state::Shared;
use crate::{clock, fixtures};

/// What the sandbox was told about sessions, by requests and by tests.
#[derive(Default)]
pub(crate) struct Sessions {
    created: HashMap<String, Created>,
    count: u64,
    pub(crate) statuses: HashMap<String, String>,
    pub(crate) decisions: HashMap<String, String>,
    pub(crate) missing: HashSet<String>,
}

struct Created {
    number: u64,
    session_token: String,
    scope: String,
    vendor_data: Option<String>,
    at: String,
}

pub(crate) fn create(shared: &Shared, request: &RecordedRequest) -> Result<Answer, Answer> {
    expect_json(request)?;
    authorize(shared, request)?;
    let (scope, vendor_data) =
        read_creation(&request.body).map_err(|why| Answer::message(400, &why))?;
    Ok(Answer::json(201, shared.state().sessions.create(scope, vendor_data)))
}

pub(crate) fn status(
    shared: &Shared,
    request: &RecordedRequest,
    id: &str,
) -> Result<Answer, Answer> {
    let Some(token) = request.header("Data-Session-Token") else {
        return Err(Answer::detail(401, "The header Data-Session-Token was not provided."));
    };
    let state = shared.state();
    let sessions = &state.sessions;
    let Some(created) = sessions.created.get(id).filter(|_| !sessions.missing.contains(id)) else {
        return Err(Answer::json(404, fixtures::ERROR_DETAIL));
    };
    if token != created.session_token {
        return Err(Answer::detail(401, "The session token is not that of this session."));
    }
    Ok(Answer::json(
        200,
        match sessions.statuses.get(id) {
            Some(status) => json!({ "status": status }).to_string(),
            None => fixtures::SESSION_STATUS.to_owned(),
        },
    ))
}

pub(crate) fn decision(
    shared: &Shared,
    request: &RecordedRequest,
    id: &str,
) -> Result<Answer, Answer> {
    expect_json(request)?;
    authorize(shared, request)?;
    let mut state = shared.state();
    let verdict = state.quota.as_mut().map(|quota| quota.ask(Instant::now()));
    let answer = match &verdict {
        Some(verdict) if !verdict.accepted => {
            let seconds = clock::seconds_up(verdict.until_reset);
            let why = format!("Request was throttled. Expected available in {seconds} seconds.");
            Answer::detail(429, &why).with("Retry-After", seconds.to_string())
        }
        _ => match state.sessions.decision(id) {
            Some(decision) => Answer::json(200, decision),
            None => Answer::json(404, fixtures::ERROR_DETAIL),
        },
    };
    let Some(verdict) = verdict else {
        return Ok(answer);
    };
    let reset = clock::seconds_up(clock::now() + verdict.until_reset);
    Ok(answer
        .with("X-RateLimit-Limit", verdict.limit.to_string())
        .with("X-RateLimit-Remaining", verdict.remaining.to_string())
        .with("X-RateLimit-Reset", reset.to_string()))
}

impl Sessions {
    /// Creates a session and says so in the documented shape.
    fn create(&mut self, scope: String, vendor_data: Option<String>) -> String {
        self.count += 1;
        let number = self.count;
        let id = format!("00000000-0000-4000-8000-{number:012}");
        let session_token = format!("sandbox-session-token-{number}");
        let mut answer = object(fixtures::CREATE_SESSION);
        answer.insert("session_id".to_owned(), id.clone().into());
        answer.insert("session_token".to_owned(), session_token.clone().into());
        answer.insert(
            "url".to_owned(),
            format!("https://app.didit.me/authorize/{session_token}").into(),
        );
        let at = clock::rfc3339(clock::now());
        self.statuses.insert(id.clone(), "initialized".to_owned());
        self.created.insert(id, Created { number, session_token, scope, vendor_data, at });
        Value::Object(answer).to_string()
    }

    fn decision(&self, id: &str) -> Option<String> {
        if self.missing.contains(id) {
            return None;
        }
        if let Some(text) = self.decisions.get(id) {
            return Some(text.clone());
        }
        // A session id holds no character that JSON escapes.
        let sample = fixtures::DECISION.replace("unique-session-identifier", id);
        let Some(status) = self.statuses.get(id) else {
            return Some(sample);
        };
        let mut decision = object(&sample);
        decision.insert("status".to_owned(), capitalized(status).into());
        if let Some(created) = self.created.get(id) {
            decision.insert("session_number".to_owned(), created.number.into());
            decision.insert("vendor_data".to_owned(), created.vendor_data.clone().into());
            decision.insert("scope".to_owned(), created.scope.clone().into());
            decision.insert("created_at".to_owned(), created.at.clone().into());
            if let Some(Value::Object(shared)) = decision.get_mut("user_data") {
                shared.retain(|member, _| member == "sub" || created.covers(member));
            }
        }
        if !status.eq_ignore_ascii_case("confirmed") {
            decision.insert("user_data".to_owned(), json!({}));
        }
        Some(Value::Object(decision).to_string())
    }
}

impl Created {
    /// Whether a member of the user data was asked for; the documentation says both `picture` and
    /// `pictures`.
    fn covers(&self, member: &str) -> bool {
        self.scope
            .split_whitespace()
            .any(|scope| scope == member || (scope, member) == ("pictures", "picture"))
    }
}

fn read_creation(body: &[u8]) -> Result<(String, Option<String>), String> {
    let members: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| format!("The body is not a JSON object: {error}."))?;
    if let Some(name) =
        members.keys().find(|name| !matches!(name.as_str(), "scope" | "vendor_data"))
    {
        return Err(format!("The body holds the unknown member {name:?}."));
    }
    let scope = match members.get("scope") {
        Some(Value::String(scope)) if !scope.trim().is_empty() => scope.clone(),
        _ => return Err("The scope is required: a text of one or more scopes.".to_owned()),
    };
    match members.get("vendor_data") {
        None | Some(Value::Null) => Ok((scope, None)),
        Some(Value::String(vendor_data)) => Ok((scope, Some(vendor_data.clone()))),
        Some(_) => Err("The vendor_data must be a text.".to_owned()),
    }
}

fn expect_json(request: &RecordedRequest) -> Result<(), Answer> {
    let content_type = request.header("Content-Type").unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Answer::message(400, "The header Content-Type: application/json is missing."))
}

/// The service writes a decision's status with a capital, that of the status route without.
fn capitalized(status: &str) -> String {
    let mut rest = status.chars();
    rest.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(rest).collect()
}

fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_creation_needs_a_scope_and_nothing_unknown() {
        let read = |text: &str| read_creation(text.as_bytes());
        assert_eq!(read(r#"{"scope":"names"}"#), Ok(("names".into(), None)));
        assert_eq!(
            read(r#"{"scope":"names","vendor_data":"a"}"#),
            Ok(("names".into(), Some("a".into())))
        );
        for (text, why) in [
            ("[]", "JSON object"),
            ("{", "JSON object"),
            ("{}", "scope is required"),
            (r#"{"scope":" "}"#, "scope is required"),
            (r#"{"scope":["names"]}"#, "scope is required"),
            (r#"{"scope":"names","vendor_data":7}"#, "vendor_data must be"),
            (r#"{"scope":"names","vendordata":"a"}"#, "\"vendordata\""),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn only_the_scopes_asked_for_are_shared() {
        let mut sessions = Sessions::default();
        sessions.create("pictures email".into(), None);
        let id = "00000000-0000-4000-8000-000000000001";
        sessions.statuses.insert(id.into(), "confirmed".into());
        let decision = object(&sessions.decision(id).expect("a decision"));
        let shared = decision["user_data"].as_object().expect("user data");
        assert_eq!(shared.keys().collect::<Vec<_>>(), ["sub", "email", "picture"]);
        assert_eq!(
            (&decision["status"], &decision["vendor_data"]),
            (&json!("Confirmed"), &json!(null))
        );
    }
}
