//! `/authorize/{session_token}`: the simulated phone of the user who is asked for their data.

use std::time::Duration;

use serde_json::Value;

use super::guard::Viewer;
use super::html::Html;
use super::{developer, guard, html, no_such_session, redirect_to, save_failed, undecided};
use crate::RecordedRequest;
use crate::answer::Answer;
use crate::person::{self, Field};
use crate::sessions::Session;
use crate::state::{Shared, State};

/// Shows the session, whose status becomes `retrieved` if it was `initialized`.
pub(super) fn show(shared: &Shared, viewer: Viewer, token: &str) -> Result<Answer, Answer> {
    let now = shared.now();
    let mut state = shared.state();
    state.sessions.open(token, now).map_err(|error| save_failed(&error))?;
    let session = state.sessions.by_token(token).ok_or_else(no_such_session)?;
    let page = if session.is_open_at(now) {
        open_page(session)
    } else {
        ended_page(session, session.status_at(now))
    };
    Ok(finish(page, shared, viewer, &state, session, now).answer(200))
}

pub(super) fn decide(
    shared: &Shared,
    viewer: Viewer,
    request: &RecordedRequest,
    token: &str,
) -> Result<Answer, Answer> {
    let now = shared.now();
    let mut state = shared.state();
    let session = state.sessions.by_token(token).ok_or_else(no_such_session)?;
    let form = guard::form(request, shared.settings.scheme(), &session.form_token)?;
    let (status, user_data) = match form.get("answer") {
        Some("confirm") => {
            ("confirmed", Some(person::shared_by_form(&person::members(&session.scope), &form)))
        }
        Some("decline") => ("declined", None),
        Some("expire") => ("expired", None),
        _ => return Err(undecided()),
    };
    let ended = state.sessions.end(token, status, user_data, now);
    if ended.map_err(|error| save_failed(&error))? {
        return Ok(redirect_to(&format!("/authorize/{token}")));
    }
    let session = state.sessions.by_token(token).ok_or_else(no_such_session)?;
    let page = ended_page(session, session.status_at(now));
    Err(finish(page, shared, viewer, &state, session, now).answer(409))
}

fn open_page(session: &Session) -> Html {
    let mut page = developer::begin_phone("Share your data", "Didit app");
    page.raw("<h1>Share your data?</h1>\n<p>The application <strong>").text(&session.application);
    page.raw("</strong> asks you for the following. You decide what to share.</p>\n");
    html::begin_form(&mut page, &session.form_token);
    page.raw("<fieldset>\n<legend>What you share</legend>\n<ul class=\"scopes\">\n");
    for member in person::members(&session.scope) {
        choice(&mut page, member);
    }
    page.raw(
        "</ul>\n</fieldset>\n\
         <button class=\"primary\" name=\"answer\" value=\"confirm\">Confirm</button>\n\
         <button name=\"answer\" value=\"decline\">Decline</button>\n\
         <button class=\"plain\" name=\"answer\" value=\"expire\">Let it expire</button>\n\
         </form>\n",
    );
    page
}

/// Writes a checkbox for a member, with inputs to edit the sample person's data.
fn choice(page: &mut Html, member: &str) {
    let label = person::scope_label(member);
    page.raw("<li>\n<label class=\"tick\"><input type=\"checkbox\" name=\"share\" value=\"");
    page.text(member).raw("\" checked>\n<span><b>").text(&label).raw("</b> <span>");
    page.text(&person::summary(member)).raw("</span></span></label>\n<details>\n<summary>Edit");
    page.raw("<span class=\"unseen\"> ").text(&label).raw("</span></summary>\n");
    for Field { name, label, value } in person::fields(member) {
        page.raw("<div class=\"field\">\n<label for=\"").text(&name).raw("\">").text(&label);
        page.raw("</label>\n");
        match value {
            Value::Bool(value) => {
                page.raw("<select id=\"").text(&name).raw("\" name=\"").text(&name).raw("\">");
                page.raw("<option value=\"true\"").raw(if value { " selected" } else { "" });
                page.raw(">Yes</option><option value=\"false\"");
                page.raw(if value { "" } else { " selected" }).raw(">No</option></select>\n");
            }
            value => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                page.raw("<input id=\"").text(&name).raw("\" name=\"").text(&name);
                page.raw("\" value=\"").text(&text).raw("\">\n");
            }
        }
        page.raw("</div>\n");
    }
    page.raw("</details>\n</li>\n");
}

fn ended_page(session: &Session, status: &str) -> Html {
    let shares_nothing = session.user_data.as_ref().is_some_and(|shared| {
        !person::members(&session.scope).iter().any(|name| shared.contains_key(*name))
    });
    let (title, text) = match status {
        "confirmed" if shares_nothing => (
            "Nothing was shared",
            "You confirmed, but nothing was ticked: the application receives only your user id.",
        ),
        "confirmed" => ("Data shared", "Thank you. You can return to the application."),
        "declined" => ("Nothing shared", "You declined. You can return to the application."),
        "expired" => ("Too late", "This request has expired. Nothing was shared."),
        _ => ("Nothing to do", "This request is not waiting for you."),
    };
    let mut page = developer::begin_phone(title, "Didit app");
    page.raw("<h1>").text(title).raw("</h1>\n<p>").text(text).raw("</p>\n");
    if let Some(user_data) = session.user_data.as_ref().filter(|_| status == "confirmed") {
        let members = person::members(&session.scope);
        let (shared, kept): (Vec<_>, Vec<_>) =
            members.into_iter().partition(|member| user_data.contains_key(*member));
        list(&mut page, "<h2>You shared</h2>\n<ul class=\"shared\">\n", &shared);
        list(&mut page, "<h2>You kept to yourself</h2>\n<ul class=\"shared not\">\n", &kept);
    }
    page
}

fn list(page: &mut Html, begin: &'static str, members: &[&str]) {
    if members.is_empty() {
        return;
    }
    page.raw(begin);
    for member in members {
        page.raw("<li>").text(&person::scope_label(member)).raw("</li>\n");
    }
    page.raw("</ul>\n");
}

/// Ends the phone, and for a developer adds the card.
fn finish(
    mut page: Html,
    shared: &Shared,
    viewer: Viewer,
    state: &State,
    session: &Session,
    now: Duration,
) -> Html {
    if viewer == Viewer::Guest {
        developer::end_phone(&mut page);
        return page;
    }
    let status = session.status_at(now);
    let vendor_data = session.vendor_data.as_deref();
    let shown = developer::Session { class: status, status, id: &session.id, vendor_data };
    developer::begin_card(&mut page, &shown);
    developer::row(&mut page, "Asks for", &session.scope);
    if status == "retrieved" {
        developer::expiry_row(&mut page, session.expires_at);
        page.raw(
            "</dl>\n<p>The user is fictional; edit anything. An empty field is sent as \
             <code>null</code>.</p>\n",
        );
    } else {
        page.raw("</dl>\n");
    }
    let path = format!("/auth/v2/session/{}/decision/", session.id);
    let commands = [
        format!("didit decision {}", session.id),
        format!("didit wait {}", session.id),
        developer::curl(shared, &session.application, &path),
    ];
    let strict = shared.settings.strict;
    let decision = state.sessions.decision(&session.id, &session.application, strict, now);
    let path = format!("/authorize/{}", session.token);
    developer::end_card(&mut page, shared, &commands, decision.as_deref(), &path);
    page
}
