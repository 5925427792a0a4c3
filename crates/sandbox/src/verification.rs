//! The verification API, `/v3/…`: one file for each route.

mod create_session;
pub(crate) mod decision;
mod delete_session;
mod generate_pdf;
mod handle;
mod limits;
mod list_sessions;
mod retrieve_decision;
pub(crate) mod route;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod status;
mod update_status;

use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::application::Application;
use crate::fixtures;
use crate::state::Shared;
use crate::{RecordedRequest, Route};

pub use handle::Verification;
pub(crate) use limits::Limiter;
pub use limits::VerificationLimits;
use session::Session;
use sessions::Known;

/// Answers a request on one of the routes, whose method was checked.
pub(crate) fn answer(
    shared: &Shared,
    request: &RecordedRequest,
    route: Route,
    id: &str,
) -> Result<Answer, Answer> {
    let now = shared.now();
    let application = application(shared, request);
    let mut state = shared.state();
    state.verification.expire(now).map_err(|error| Answer::not_kept(&error))?;
    // The owner of a session is looked up before the credentials are.
    let mut known = None;
    if !id.is_empty() {
        known = Some(match state.verification.known(id, shared.settings.strict) {
            Known::Created(session) => {
                let stranger = application.is_some_and(|by| by.client_id != session.application);
                if stranger {
                    return Err(not_found());
                }
                Target::Session(Box::new(session.clone()))
            }
            Known::Sample { status } => Target::Sample(status.map(str::to_owned)),
            Known::Deleted => return Err(Answer::detail(404, "Session not found.")),
            Known::Unknown => return Err(not_found()),
        });
    }
    let application = application.ok_or_else(|| refused(route))?;
    state.limiter.ask(&application.client_id, route, now)?;
    drop(state);
    match (route, known) {
        (Route::ListVerifications, _) => list_sessions::answer(shared, request, application),
        (Route::VerificationDecision, Some(target)) => {
            Ok(retrieve_decision::answer(shared, request, id, &target))
        }
        (Route::VerificationPdf, Some(target)) => generate_pdf::answer(id, &target),
        (Route::UpdateVerificationStatus, Some(target)) => {
            update_status::answer(shared, request, target.created()?)
        }
        (Route::DeleteVerification, Some(target)) => {
            delete_session::answer(shared, request, &target.created()?)
        }
        _ => create_session::answer(shared, request, application),
    }
}

/// The session that a path names.
enum Target {
    Session(Box<Session>),
    /// Never created here; with the status that a test gave it, if any.
    Sample(Option<String>),
}

impl Target {
    /// The session, unless it is one that cannot be changed.
    fn created(self) -> Result<Session, Answer> {
        match self {
            Self::Session(session) => Ok(*session),
            Self::Sample(_) => Err(not_found()),
        }
    }
}

fn application<'a>(shared: &'a Shared, request: &RecordedRequest) -> Option<&'a Application> {
    let key = request.header("X-Api-Key")?;
    shared.settings.applications().find(|application| application.api_key == key)
}

/// The answer to a missing or wrong key, which is never 401.
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
    Answer::json(404, fixtures::ERROR_DETAIL)
}

/// The members of a request's body, which must be a JSON object.
fn read_object(request: &RecordedRequest) -> Result<Map<String, Value>, Answer> {
    if !request.has_type("application/json") {
        let given = request.header("Content-Type").unwrap_or_default();
        return Err(Answer::detail(415, &format!("Unsupported media type {given:?} in request.")));
    }
    serde_json::from_slice(&request.body)
        .map_err(|error| Answer::detail(400, &format!("JSON parse error - {error}")))
}

/// A 400 that says what is wrong with one member.
fn wrong(member: &str, why: Value) -> Answer {
    let body: Map<String, Value> = [(member.to_owned(), why)].into_iter().collect();
    Answer::json(400, Value::Object(body).to_string())
}

/// A member that is a text, absent or null.
fn text_member(members: &Map<String, Value>, name: &str) -> Result<Option<String>, Answer> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong(name, serde_json::json!(["Not a valid string."]))),
    }
}
