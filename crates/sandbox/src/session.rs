//! `/auth/v2/session/`: creation, status and decision of sessions.

use serde_json::{Map, Value, json};

use crate::RecordedRequest;
use crate::answer::Answer;
use crate::special_id::SpecialId;
use crate::state::Shared;
use crate::tokens::authorize;
use crate::{clock, fixtures, person};

pub(crate) fn create(shared: &Shared, request: &RecordedRequest) -> Result<Answer, Answer> {
    let application = authorize(shared, request)?;
    if !request.has_type("application/json") {
        return Err(Answer::message(400, "The header Content-Type: application/json is missing."));
    }
    let (scope, vendor_data) =
        read_creation(&request.body).map_err(|why| Answer::message(400, &why))?;
    if shared.settings.strict {
        check_scope(&scope)?;
    }
    let session = shared.state().sessions.create(application, scope, vendor_data, shared.now())?;
    let mut answer: Value = serde_json::from_str(fixtures::CREATE_SESSION).unwrap_or_default();
    let url = format!("{}/authorize/{}", shared.reach.pages(), session.token);
    answer["session_id"] = session.id.into();
    answer["session_token"] = session.token.into();
    answer["url"] = url.into();
    Ok(Answer::new(201, answer.to_string()))
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
    let Some(session) = state.sessions.by_id(id) else {
        return Err(Answer::new(404, fixtures::ERROR_DETAIL));
    };
    if token != session.token {
        return Err(Answer::detail(401, "The session token is not that of this session."));
    }
    let status = session.status_at(shared.now());
    Ok(Answer::new(200, json!({ "status": status }).to_string()))
}

pub(crate) fn decision(
    shared: &Shared,
    request: &RecordedRequest,
    id: &str,
) -> Result<Answer, Answer> {
    let application = authorize(shared, request)?;
    // Documented for this request, but not required: a GET request has no body.
    if request.header("Content-Type").is_some() && !request.has_type("application/json") {
        return Err(Answer::message(400, "The Content-Type must be application/json."));
    }
    let now = shared.now();
    let mut state = shared.state();
    state.sessions.note_request(id, now);
    let quota = shared.settings.quota;
    let verdict = quota.map(|quota| state.windows.ask(&application, "Decision", quota, now));
    let answer = match &verdict {
        Some(verdict) if !verdict.accepted => {
            let seconds = clock::seconds_up(verdict.until_reset);
            let why = format!("Request was throttled. Expected available in {seconds} seconds.");
            Answer::detail(429, &why)
        }
        _ if !shared.settings.strict
            && state.sessions.special_id(id) == Some(SpecialId::Failing) =>
        {
            Answer::detail(503, "Service temporarily unavailable, try again later.")
        }
        _ => match state.sessions.decision(id, &application, shared.settings.strict, now) {
            Some(decision) => Answer::new(200, decision),
            None => Answer::new(404, fixtures::ERROR_DETAIL),
        },
    };
    Ok(match verdict {
        Some(verdict) => answer.with_rate_limit(&verdict, now),
        None => answer,
    })
}

/// Refuses undocumented scopes.
fn check_scope(scope: &str) -> Result<(), Answer> {
    let unknown = person::members(scope).into_iter().find(|word| !person::is_documented(word));
    match unknown {
        Some(word) => Err(Answer::message(400, &format!("The scope {word:?} is not documented."))),
        None => Ok(()),
    }
}

fn read_creation(body: &[u8]) -> Result<(String, Option<String>), String> {
    let members: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| format!("The body is not a JSON object: {error}."))?;
    if let Some(name) =
        members.keys().find(|name| !matches!(name.as_str(), "scope" | "vendor_data"))
    {
        return Err(format!("The body contains the unknown member {name:?}."));
    }
    let scope = match members.get("scope") {
        Some(Value::String(scope)) if !scope.trim().is_empty() => scope.clone(),
        _ => return Err("The scope is required: a string of one or more scopes.".to_owned()),
    };
    match members.get("vendor_data") {
        None | Some(Value::Null) => Ok((scope, None)),
        Some(Value::String(vendor_data)) => Ok((scope, Some(vendor_data.clone()))),
        Some(_) => Err("The vendor_data must be a string.".to_owned()),
    }
}
