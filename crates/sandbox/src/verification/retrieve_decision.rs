//! `GET /v3/session/{session_id}/decision/`, as in the [OpenAPI document](https://docs.didit.me/openapi-25.json)

use super::{Call, Target, decision};
use crate::answer::Answer;
use crate::state::State;

pub(super) fn answer(call: &Call<'_>, state: &State, id: &str, target: &Target) -> Answer {
    if let Some(text) = state.verification.decisions.get(id) {
        return Answer::json(200, text.clone());
    }
    let mut decision = match target {
        Target::Session(session) => decision::of_session(session, call.shared.reach.pages()),
        Target::Sample(status) => decision::sample(id, status.as_deref()),
    };
    if includes_events(&call.request.path) {
        decision::add_events(&mut decision);
    }
    Answer::json(200, decision.to_string())
}

fn includes_events(target: &str) -> bool {
    let query = target.split_once('?').map(|(_, query)| query).unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).any(|(name, value)| {
        name == "include" && value.split(',').any(|word| word.trim() == "events")
    })
}
