//! `/session/{session_token}`: the hosted flow of a verification session, played by a person.

use serde_json::Value;

use super::guard::Viewer;
use super::html::Html;
use super::{developer, guard, html, not_kept, see};
use crate::RecordedRequest;
use crate::answer::Answer;
use crate::clock;
use crate::state::{Shared, State};
use crate::verification::decision;
use crate::verification::session::Session;
use crate::verification::status;
use crate::webhook::WebhookFault;

/// The ends that a flow can come to: the button's value, its words, and the status.
const ENDS: [(&str, &str, &str); 4] = [
    ("approve", "Pass every check", status::APPROVED),
    ("decline", "Fail a check", status::DECLINED),
    ("review", "Leave it to a reviewer", status::IN_REVIEW),
    ("abandon", "Walk away", status::ABANDONED),
];

/// The ways to send a webhook again: the option's words, and the fault.
const RESENDS: [(&str, WebhookFault); 5] = [
    ("As documented", WebhookFault::Pass),
    ("Twice", WebhookFault::Duplicate),
    ("At the second attempt only", WebhookFault::Lost),
    ("With a wrong signature", WebhookFault::WrongSignature),
    ("With a time stamp of 10 minutes ago", WebhookFault::OldTimestamp),
];

/// Shows the flow to the person, which begins it.
pub(super) fn show(shared: &Shared, viewer: Viewer, token: &str) -> Result<Answer, Answer> {
    let now = shared.now();
    let mut state = shared.state();
    state.verification.expire(now).map_err(|error| not_kept(&error))?;
    let session = state.verification.by_token(token).ok_or_else(no_such_session)?.clone();
    let session = if session.status == status::NOT_STARTED {
        let begun = Session { status: status::IN_PROGRESS.to_owned(), ..session };
        state.verification.change(begun.clone(), now).map_err(|error| not_kept(&error))?;
        begun
    } else {
        session
    };
    let page =
        if status::is_unfinished(&session.status) { asked(&session) } else { over(&session) };
    Ok(finish(page, shared, viewer, &state, &session).answer(200))
}

pub(super) fn decide(
    shared: &Shared,
    viewer: Viewer,
    request: &RecordedRequest,
    token: &str,
) -> Result<Answer, Answer> {
    let now = shared.now();
    let mut state = shared.state();
    state.verification.expire(now).map_err(|error| not_kept(&error))?;
    let session = state.verification.by_token(token).ok_or_else(no_such_session)?.clone();
    let form = guard::form(request, shared.settings.scheme(), &session.form_token)?;
    let undecided =
        || html::notice(400, "Nothing was decided", "Go back and press one of the buttons.");
    if let (Viewer::Developer, Some(fault)) = (viewer, form.get("webhook")) {
        let fault = fault.parse().map_err(|_| undecided())?;
        state.verification.tell(&session, Some(fault), now);
        return Ok(see(&format!("/session/{token}")));
    }
    let chosen = form.get("answer");
    let end = ENDS.iter().find(|(value, ..)| Some(*value) == chosen);
    let new_status = match (end, form.get("status")) {
        (Some((.., end)), _) if status::is_unfinished(&session.status) => *end,
        (Some(_), _) => {
            return Err(finish(over(&session), shared, viewer, &state, &session).answer(409));
        }
        // Beside the flow a developer can set any status, at any time.
        (None, Some(word)) if viewer == Viewer::Developer && status::ALL.contains(&word) => word,
        _ => return Err(undecided()),
    };
    let changed = Session { status: new_status.to_owned(), ..session };
    state.verification.change(changed, now).map_err(|error| not_kept(&error))?;
    Ok(see(&format!("/session/{token}")))
}

fn no_such_session() -> Answer {
    html::notice(
        404,
        "There is no such session",
        "The address may be incomplete, or the session was deleted, or it belongs to another sandbox.",
    )
}

fn asked(session: &Session) -> Html {
    let mut page = begin("Verify your identity");
    page.raw("<h1>Verify your identity</h1>\n<p>The application <strong>");
    page.text(&session.application);
    page.raw(
        "</strong> asks you to verify who you are. There is no camera here: choose how it ends.\
         </p>\n",
    );
    html::begin_form(&mut page, &session.form_token);
    for (value, words, end) in ENDS {
        page.raw("<button").raw(if value == "approve" { " class=\"primary\"" } else { "" });
        page.raw(" name=\"answer\" value=\"").text(value).raw("\">").text(words);
        page.raw(" <small>").text(end).raw("</small></button>\n");
    }
    page.raw("</form>\n");
    page
}

fn over(session: &Session) -> Html {
    let (title, words) = match &*session.status {
        status::APPROVED => ("You are verified", "Every check was passed."),
        status::DECLINED => ("Not verified", "A check has failed."),
        status::IN_REVIEW => ("Under review", "Somebody will look at this and decide."),
        status::ABANDONED => ("Abandoned", "The flow was left before its end."),
        status::EXPIRED => ("Too late", "The flow was not begun in time."),
        status::KYC_EXPIRED => ("No longer valid", "The verification has expired."),
        _ => ("Nothing to do", "This session does not wait for you."),
    };
    let mut page = begin(title);
    page.raw("<h1>").text(title).raw("</h1>\n<p>").text(words).raw("</p>\n");
    if let Some(callback) = &session.given.callback {
        let back = returning(callback, session);
        let is_web = ["http://", "https://"].iter().any(|scheme| back.starts_with(scheme));
        if is_web {
            page.raw("<p><a href=\"").text(&back).raw("\">Back to the application</a></p>\n");
        } else {
            page.raw("<p>The app would be opened with:</p>\n<p><code>").text(&back);
            page.raw("</code></p>\n");
        }
    }
    page
}

/// The callback as the service calls it: with the session's id and status.
fn returning(callback: &str, session: &Session) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("verificationSessionId", &session.id).append_pair("status", &session.status);
    let (callback, fragment) = callback.split_once('#').unwrap_or((callback, ""));
    let joint = if callback.contains('?') { '&' } else { '?' };
    let fragment = if fragment.is_empty() { String::new() } else { format!("#{fragment}") };
    format!("{callback}{joint}{}{fragment}", query.finish())
}

fn begin(title: &str) -> Html {
    let mut page = Html::new(title);
    page.raw(
        "<div class=\"stage\">\n<main class=\"phone\">\n\
         <p class=\"app\">Didit verification <span>played by the sandbox</span></p>\n",
    );
    page
}

/// The end of the phone, and beside it what only a developer wants to know.
fn finish(
    mut page: Html,
    shared: &Shared,
    viewer: Viewer,
    state: &State,
    session: &Session,
) -> Html {
    if viewer == Viewer::Guest {
        developer::end_phone(&mut page);
        return page;
    }
    let shown = developer::Session {
        class: &class(&session.status),
        status: &session.status,
        id: &session.id,
        vendor_data: session.given.vendor_data.as_deref(),
    };
    developer::begin_card(&mut page, &shown);
    developer::code_row(&mut page, "Workflow", &session.given.workflow_id);
    let expires = clock::rfc3339(session.expires_at).replace('T', " ");
    developer::row(&mut page, "Expires (UTC)", expires.get(..16).unwrap_or(&expires));
    page.raw("</dl>\n");
    html::begin_form(&mut page, &session.form_token);
    page.raw(
        "<div class=\"field\">\n<label for=\"status\">Set another status</label>\n\
         <select id=\"status\" name=\"status\">\n",
    );
    for status in status::ALL {
        page.raw("<option").raw(if session.status == status { " selected>" } else { ">" });
        page.text(status).raw("</option>\n");
    }
    page.raw("</select>\n</div>\n<button>Set status</button>\n</form>\n");
    if state.verification.outbox.has_destination(&session.application) {
        html::begin_form(&mut page, &session.form_token);
        page.raw(
            "<div class=\"field\">\n<label for=\"webhook\">Send the webhook again</label>\n\
             <select id=\"webhook\" name=\"webhook\">\n",
        );
        for (words, fault) in RESENDS {
            page.raw("<option value=\"").text(&fault.to_string()).raw("\">");
            page.raw(words).raw("</option>\n");
        }
        page.raw("</select>\n</div>\n<button>Send webhook</button>\n</form>\n");
    }
    let path = format!("/v3/session/{}/decision/", session.id);
    let commands = [developer::curl(shared, &session.application, &path)];
    let json = Value::Object(decision::of_session(session, shared.reach.pages())).to_string();
    let path = format!("/session/{}", session.token);
    developer::end_card(&mut page, shared, &commands, Some(&json), &path);
    page
}

/// A status as the name of a class.
pub(super) fn class(status: &str) -> String {
    status.to_ascii_lowercase().replace(' ', "-")
}
