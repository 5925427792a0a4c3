//! The verification API, `/v3/…`, with one file for each route.

mod create_session;
pub(crate) mod decision;
mod delete_session;
mod generate_pdf;
mod handle;
mod limits;
mod list_sessions;
pub(crate) mod route;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod status;
mod update_status;

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::application::Application;
use crate::fixtures;
use crate::state::{Shared, State};
use crate::{RecordedRequest, Route};

pub use handle::Verification;
pub use limits::VerificationLimits;
use session::Session;

/// An authorized request.
struct Call<'a> {
    shared: &'a Shared,
    request: &'a RecordedRequest,
    application: &'a Application,
    now: Duration,
}

/// Answers a request to one of the routes, whose method was already checked.
pub(crate) fn answer(
    shared: &Shared,
    request: &RecordedRequest,
    route: Route,
    id: &str,
) -> Result<Answer, Answer> {
    let key = request.header("X-Api-Key");
    let application = key.and_then(|key| shared.settings.by_key(key));
    let (now, mut state) = shared.current()?;
    // As in the service, an unknown session is a 404 even without credentials.
    let target = match id {
        "" => None,
        id => Some(Target::find(&state, shared.settings.strict, application, id)?),
    };
    let application = application.ok_or_else(|| refused(route))?;
    let call = Call { shared, request, application, now };
    limits::check(&call, &mut state.windows, route)?;
    match (route, target) {
        (Route::CreateVerification, _) => create_session::answer(&call, &mut state),
        (Route::ListVerifications, _) => list_sessions::answer(&call, &state),
        (Route::VerificationDecision, Some(target)) => {
            Ok(decision::answer(&call, &state, id, &target))
        }
        (Route::VerificationPdf, Some(target)) => generate_pdf::answer(id, &target),
        (Route::UpdateVerificationStatus, Some(target)) => {
            update_status::answer(&call, &mut state, target.created()?)
        }
        (Route::DeleteVerification, Some(target)) => {
            delete_session::answer(&call, &mut state, &target.created()?)
        }
        _ => Err(not_found()),
    }
}

/// The session that a path names.
enum Target {
    Session(Box<Session>),
    /// An id that was never created here, with the status that a test has set, if any.
    Sample(Option<String>),
}

impl Target {
    /// Finds a session that is visible to the application. Without valid credentials all are.
    fn find(
        state: &State,
        strict: bool,
        application: Option<&Application>,
        id: &str,
    ) -> Result<Self, Answer> {
        let sessions = &state.verification;
        if sessions.missing.contains(id) {
            return Err(not_found());
        }
        if sessions.deleted.contains(id) {
            return Err(Answer::detail(404, "Session not found."));
        }
        if let Some(session) = sessions.by_id(id) {
            let visible = application.is_none_or(|by| by.client_id == session.application);
            let found = visible.then(|| Self::Session(Box::new(session.clone())));
            return found.ok_or_else(not_found);
        }
        let status = sessions.statuses.get(id).cloned();
        if strict && status.is_none() && !sessions.decisions.contains_key(id) {
            return Err(not_found());
        }
        Ok(Self::Sample(status))
    }

    /// Returns the session; fails for a sample, which cannot be changed.
    fn created(self) -> Result<Session, Answer> {
        match self {
            Self::Session(session) => Ok(*session),
            Self::Sample(_) => Err(not_found()),
        }
    }
}

/// Returns the response to a missing or wrong key: always 403, never 401.
fn refused(route: Route) -> Answer {
    let why = match route {
        Route::CreateVerification | Route::ListVerifications => {
            "You do not have permission to perform this action."
        }
        _ => "Authentication credentials were not provided or are invalid.",
    };
    Answer::detail(403, why)
}

fn not_found() -> Answer {
    Answer::new(404, fixtures::ERROR_DETAIL)
}

/// Reads the members of a request's body, which must be a JSON object.
fn read_object(request: &RecordedRequest) -> Result<Map<String, Value>, Answer> {
    if !request.has_type("application/json") {
        let given = request.header("Content-Type").unwrap_or_default();
        return Err(Answer::detail(415, &format!("Unsupported media type {given:?} in request.")));
    }
    serde_json::from_slice(&request.body)
        .map_err(|error| Answer::detail(400, &format!("JSON parse error - {error}")))
}

/// Returns a 400 response with the reason why a member is invalid.
fn wrong(member: &str, why: Value) -> Answer {
    let mut body = json!({});
    body[member] = why;
    Answer::new(400, body.to_string())
}

/// Reads a member that is a string, null or absent.
fn text_member(members: &Map<String, Value>, name: &str) -> Result<Option<String>, Answer> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong(name, json!(["Not a valid string."]))),
    }
}
