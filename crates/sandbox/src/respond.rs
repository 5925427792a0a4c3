//! Dispatches a request to its route or page; refuses an invalid one with the reason.

use crate::answer::Answer;
use crate::page::{self, Page};
use crate::record::RecordedRequest;
use crate::route::{check_session_id, resolve};
use crate::state::Shared;
use crate::{Route, session, token, verification};

pub(crate) fn respond(shared: &Shared, request: &RecordedRequest) -> Answer {
    dispatch(shared, request).unwrap_or_else(|refusal| refusal)
}

fn dispatch(shared: &Shared, request: &RecordedRequest) -> Result<Answer, Answer> {
    check_headers(request)?;
    if let Some(page) = Page::of(&request.path) {
        return page::visit(shared, request, &page);
    }
    if !shared.reach.is_host(request.header("Host").unwrap_or_default()) {
        let why =
            format!("The sandbox answers at {}, and at no other host name.", shared.reach.hosts());
        return Err(Answer::message(403, &why));
    }
    let (route, id) = resolve(&request.method, &request.path)?;
    if request.method != route.method() {
        let why = format!("Method \"{}\" not allowed.", request.method);
        return Err(Answer::detail(405, &why).with("Allow", route.method()));
    }
    if matches!(route, Route::SessionStatus | Route::Decision) {
        check_session_id(id)?;
        if !request.body.is_empty() {
            return Err(Answer::message(400, "A GET request must not have a body."));
        }
    }
    match route {
        Route::Token => token::answer(shared, request),
        Route::CreateSession => session::create(shared, request),
        Route::SessionStatus => session::status(shared, request, id),
        Route::Decision => session::decision(shared, request, id),
        _ => verification::answer(shared, request, route, id),
    }
}

fn check_headers(request: &RecordedRequest) -> Result<(), Answer> {
    const SINGLE: [&str; 6] =
        ["Host", "Origin", "Authorization", "X-Api-Key", "Data-Session-Token", "Content-Type"];
    for name in SINGLE {
        if request.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).count() > 1 {
            let why = format!("The header {name} was sent more than once.");
            return Err(Answer::message(400, &why));
        }
    }
    if request.header("Host").is_none() {
        return Err(Answer::message(400, "The header Host is missing."));
    }
    if request.header("Authorization").is_some() && request.header("X-Api-Key").is_some() {
        let why = "A request carries either Authorization or X-Api-Key, not both.";
        return Err(Answer::message(400, why));
    }
    Ok(())
}
