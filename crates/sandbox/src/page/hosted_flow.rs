//! `/session/{session_token}`: the simulated hosted flow of a verification session.

use super::guard::Viewer;
use super::html::Html;
use super::{developer, guard, html, no_such_session, redirect_to, save_failed, undecided};
use crate::RecordedRequest;
use crate::answer::Answer;
use crate::state::{Shared, State};
use crate::verification::decision;
use crate::verification::session::Session;
use crate::verification::status;
use crate::webhook::WebhookFault;

/// The outcomes of a flow: the button's value, its label, and the status.
const OUTCOMES: [(&str, &str, &str); 4] = [
    ("approve", "Pass every check", status::APPROVED),
    ("decline", "Fail a check", status::DECLINED),
    ("review", "Leave it to a reviewer", status::IN_REVIEW),
    ("abandon", "Leave the flow", status::ABANDONED),
];

/// The ways to send a webhook again: the option's label, and the fault.
const RESENDS: [(&str, WebhookFault); 5] = [
    ("As documented", WebhookFault::Pass),
    ("Twice", WebhookFault::Duplicate),
    ("On the second attempt only", WebhookFault::Lost),
    ("With a wrong signature", WebhookFault::WrongSignature),
    ("With a timestamp 10 minutes old", WebhookFault::OldTimestamp),
];

/// Shows the flow, which starts it.
pub(super) fn show(shared: &Shared, viewer: Viewer, token: &str) -> Result<Answer, Answer> {
    let (now, mut state) = shared.current().map_err(|error| save_failed(&error))?;
    let session = state.verification.by_token(token).ok_or_else(no_such_session)?.clone();
    let session = if session.status == status::NOT_STARTED {
        let started = Session { status: status::IN_PROGRESS.to_owned(), ..session };
        state.verification.change(started.clone(), now).map_err(|error| save_failed(&error))?;
        started
    } else {
        session
    };
    let page = if status::is_unfinished(&session.status) {
        open_page(&session)
    } else {
        ended_page(&session)
    };
    Ok(finish(page, shared, viewer, &state, &session).answer(200))
}

pub(super) fn decide(
    shared: &Shared,
    viewer: Viewer,
    request: &RecordedRequest,
    token: &str,
) -> Result<Answer, Answer> {
    let (now, mut state) = shared.current().map_err(|error| save_failed(&error))?;
    let session = state.verification.by_token(token).ok_or_else(no_such_session)?.clone();
    let form = guard::form(request, shared.settings.scheme(), &session.form_token)?;
    if let (Viewer::Developer, Some(fault)) = (viewer, form.get("webhook")) {
        let fault = fault.parse().map_err(|_| undecided())?;
        state.verification.notify(&session, Some(fault), now);
        return Ok(redirect_to(&format!("/session/{token}")));
    }
    let chosen = form.get("answer");
    let outcome = OUTCOMES.iter().find(|(value, ..)| Some(*value) == chosen);
    let new_status = match (outcome, form.get("status")) {
        (Some((.., status)), _) if status::is_unfinished(&session.status) => *status,
        (Some(_), _) => {
            return Err(finish(ended_page(&session), shared, viewer, &state, &session).answer(409));
        }
        // On the card a developer can set any status, at any time.
        (None, Some(word)) if viewer == Viewer::Developer && status::ALL.contains(&word) => word,
        _ => return Err(undecided()),
    };
    let changed = Session { status: new_status.to_owned(), ..session };
    state.verification.change(changed, now).map_err(|error| save_failed(&error))?;
    Ok(redirect_to(&format!("/session/{token}")))
}

fn open_page(session: &Session) -> Html {
    let mut page = developer::begin_phone("Verify your identity", "Didit verification");
    page.raw("<h1>Verify your identity</h1>\n<p>The application <strong>");
    page.text(&session.application);
    page.raw(
        "</strong> asks you to verify who you are. There is no camera here: choose the outcome.\
         </p>\n",
    );
    html::begin_form(&mut page, &session.form_token);
    for (value, label, status) in OUTCOMES {
        page.raw("<button").raw(if value == "approve" { " class=\"primary\"" } else { "" });
        page.raw(" name=\"answer\" value=\"").text(value).raw("\">").text(label);
        page.raw(" <small>").text(status).raw("</small></button>\n");
    }
    page.raw("</form>\n");
    page
}

fn ended_page(session: &Session) -> Html {
    let (title, text) = match &*session.status {
        status::APPROVED => ("You are verified", "You passed every check."),
        status::DECLINED => ("Not verified", "A check failed."),
        status::IN_REVIEW => ("Under review", "A reviewer will look at this and decide."),
        status::ABANDONED => ("Abandoned", "You left the flow before it was finished."),
        status::EXPIRED => ("Too late", "The flow was not started in time."),
        status::KYC_EXPIRED => ("No longer valid", "The verification has expired."),
        _ => ("Nothing to do", "This session is not waiting for you."),
    };
    let mut page = developer::begin_phone(title, "Didit verification");
    page.raw("<h1>").text(title).raw("</h1>\n<p>").text(text).raw("</p>\n");
    if let Some(callback) = &session.given.callback {
        let url = callback_url(callback, session);
        let is_web = ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
        if is_web {
            page.raw("<p><a href=\"").text(&url).raw("\">Back to the application</a></p>\n");
        } else {
            page.raw("<p>The app would be opened with:</p>\n<p><code>").text(&url);
            page.raw("</code></p>\n");
        }
    }
    page
}

/// Returns the callback URL with the session's id and status in its query, as in the service.
fn callback_url(callback: &str, session: &Session) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("verificationSessionId", &session.id).append_pair("status", &session.status);
    let (callback, fragment) = callback.split_once('#').unwrap_or((callback, ""));
    let separator = if callback.contains('?') { '&' } else { '?' };
    let fragment = if fragment.is_empty() { String::new() } else { format!("#{fragment}") };
    format!("{callback}{separator}{}{fragment}", query.finish())
}

/// Ends the phone, and for a developer adds the card.
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
    developer::expiry_row(&mut page, session.expires_at);
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
        for (label, fault) in RESENDS {
            page.raw("<option value=\"").text(&fault.to_string()).raw("\">");
            page.raw(label).raw("</option>\n");
        }
        page.raw("</select>\n</div>\n<button>Send webhook</button>\n</form>\n");
    }
    let path = format!("/v3/session/{}/decision/", session.id);
    let commands = [developer::curl(shared, &session.application, &path)];
    let json = decision::of_session(session, shared.reach.pages()).to_string();
    developer::end_card(&mut page, shared, &commands, Some(&json), &session.url(""));
    page
}

/// Returns a status as the name of a CSS class.
pub(super) fn class(status: &str) -> String {
    status.to_ascii_lowercase().replace(' ', "-")
}
